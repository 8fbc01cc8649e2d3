//! Configured limits use two counts. Neither lets more than the quota pass in any minute, wherever
//! the minute begins. So both hold for providers with fixed minutes, with sliding ones, or with a
//! bucket that refills.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A minute, plus a second because the network changes the spacing of calls.
const MINUTE: Duration = Duration::from_secs(61);

/// Spending within this time is counted as one sum, at its end.
const SLOT: Duration = Duration::from_millis(500);

/// A pace spaces requests by the generic cell rate algorithm. A tenth of the quota may go at once.
///
/// With a burst of b and one more each 61 s / (n - b + 1), a minute sees at most b + floor((n - b +
/// 1) * 60 / 61) <= n.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// How much of the future may be used now.
    tolerance: Duration,
    /// When all requests that passed would have passed at an even rate.
    even: Option<Instant>,
}

impl Pace {
    pub(super) fn new(per_minute: u32) -> Self {
        let burst = (per_minute / 10).max(1);
        let interval = MINUTE / (per_minute.max(1) - burst + 1);
        Self { interval, tolerance: interval * (burst - 1), even: None }
    }

    /// The time between two requests, and how much of the future may be used now.
    #[cfg(feature = "redis")]
    pub(super) fn spacing(&self) -> (Duration, Duration) {
        (self.interval, self.tolerance)
    }

    /// The same requests under another quota.
    #[cfg(feature = "redis")]
    pub(super) fn under(self, per_minute: u32) -> Self {
        Self { even: self.even, ..Self::new(per_minute) }
    }

    /// When one more request may pass, after `ahead` others.
    pub(super) fn earliest(&self, now: Instant, ahead: u64) -> Instant {
        let ahead = self.interval.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX));
        let even = self.even.map_or(Duration::ZERO, |even| even.saturating_duration_since(now));
        now + even.saturating_add(ahead).saturating_sub(self.tolerance).min(MINUTE * 2)
    }

    /// Records that a request passes. Returns what [`Pace::undo`] takes. Requests that pass although
    /// the quota is used up count for a minute, as others do.
    pub(super) fn take(&mut self, now: Instant) -> (Option<Instant>, Option<Instant>) {
        let before = self.even;
        let even = before.map_or(now, |even| even.max(now)) + self.interval;
        self.even = Some(even.min(now + MINUTE));
        (before, self.even)
    }

    /// Takes back a request that was never sent. If others have passed since, its slot is lost,
    /// which is safe.
    pub(super) fn undo(&mut self, (before, after): (Option<Instant>, Option<Instant>)) {
        if self.even == after {
            self.even = before;
        }
    }
}

/// A window sums the tokens of the last minute, because calls differ too much in size to be spaced.
#[derive(Debug)]
pub(super) struct Window {
    quota: u64,
    sum: u64,
    spent: VecDeque<Slot>,
    /// The number of the first slot that is still counted.
    first: u64,
}

#[derive(Debug)]
struct Slot {
    begun: Instant,
    last: Instant,
    tokens: u64,
}

impl Window {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { quota: per_minute.into(), sum: 0, spent: VecDeque::new(), first: 0 }
    }

    /// The same tokens under another quota.
    #[cfg(feature = "redis")]
    pub(super) fn under(self, per_minute: u32) -> Self {
        Self { quota: per_minute.into(), ..self }
    }

    /// Removes slots that are older than a minute.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(slot) = self.spent.front()
            && slot.last + MINUTE <= now
        {
            self.sum -= slot.tokens;
            self.spent.pop_front();
            self.first += 1;
        }
    }

    /// The tokens counted for a call, at most the quota. A larger call passes alone, and the
    /// provider judges it.
    fn charge(&self, tokens: u64) -> u64 {
        tokens.min(self.quota)
    }

    /// When so many tokens may pass, after `ahead` others.
    pub(super) fn earliest(&self, now: Instant, ahead: u64, tokens: u64) -> Instant {
        let wanted = self.sum.saturating_add(ahead).saturating_add(self.charge(tokens));
        let Some(mut excess) = wanted.checked_sub(self.quota + 1) else { return now };
        for slot in &self.spent {
            match excess.checked_sub(slot.tokens) {
                Some(rest) => excess = rest,
                None => return slot.last + MINUTE,
            }
        }
        // The tokens ahead fill a minute of their own.
        now + MINUTE
    }

    /// Records that tokens pass. Returns the counted tokens and their slot.
    pub(super) fn spend(&mut self, now: Instant, tokens: u64) -> (u64, u64) {
        let tokens = self.charge(tokens);
        self.add(now, tokens);
        (tokens, self.first + self.spent.len() as u64 - 1)
    }

    /// Corrects the counted tokens. A smaller value is corrected in its slot. A larger one is
    /// counted now, as the provider may do.
    pub(super) fn correct(&mut self, now: Instant, slot: u64, counted: u64, actual: u64) {
        if let Some(more) = actual.checked_sub(counted) {
            self.add(now, more);
            return;
        }
        let Some(index) = slot.checked_sub(self.first) else { return };
        if let Some(slot) = self.spent.get_mut(index as usize) {
            let less = (counted - actual).min(slot.tokens);
            slot.tokens -= less;
            self.sum -= less;
        }
    }

    fn add(&mut self, now: Instant, tokens: u64) {
        self.sum = self.sum.saturating_add(tokens);
        match self.spent.back_mut() {
            Some(slot) if now < slot.begun + SLOT => {
                slot.last = now;
                slot.tokens = slot.tokens.saturating_add(tokens);
            }
            _ => self.spent.push_back(Slot { begun: now, last: now, tokens }),
        }
    }
}
