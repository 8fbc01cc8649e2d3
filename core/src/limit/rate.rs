//! The two counts behind configured limits. Neither lets more than the quota pass in any minute,
//! wherever the minute begins: so it holds for a provider with fixed minutes as for one with sliding
//! ones or with a bucket that refills.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A minute, and a second for what the network does to the spacing of calls.
const MINUTE: Duration = Duration::from_secs(61);

/// Spending within so short a time is counted as one, at its end.
const SLOT: Duration = Duration::from_millis(500);

/// Requests, spaced: the generic cell rate algorithm. A tenth of the quota may go at once.
///
/// With a burst of b and one more each 61 s / (n - b + 1), a minute sees at most
/// b + floor((n - b + 1) * 60 / 61) <= n.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// How much of the future may be used up now.
    tolerance: Duration,
    /// When all that has passed would have, had it come evenly.
    even: Option<Instant>,
}

impl Pace {
    pub(super) fn new(per_minute: u32) -> Self {
        let burst = (per_minute / 10).max(1);
        let interval = MINUTE / (per_minute.max(1) - burst + 1);
        Self { interval, tolerance: interval * (burst - 1), even: None }
    }

    /// When one more may pass, once as many as `ahead` have.
    pub(super) fn earliest(&self, now: Instant, ahead: u64) -> Instant {
        let ahead = self.interval.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX));
        let even = self.even.map_or(Duration::ZERO, |even| even.saturating_duration_since(now));
        now + even.saturating_add(ahead).saturating_sub(self.tolerance).min(MINUTE * 2)
    }

    /// One passes. Returns what [`Pace::undo`] wants.
    pub(super) fn take(&mut self, now: Instant) -> (Option<Instant>, Option<Instant>) {
        let before = self.even;
        self.even = Some(before.map_or(now, |even| even.max(now)) + self.interval);
        (before, self.even)
    }

    /// One was never sent. Where others have passed since, its slot is lost, which is safe.
    pub(super) fn undo(&mut self, (before, after): (Option<Instant>, Option<Instant>)) {
        if self.even == after {
            self.even = before;
        }
    }
}

/// Tokens of the last minute, summed: calls differ too much in size to be spaced.
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

    /// Forgets what is older than a minute.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(slot) = self.spent.front()
            && slot.last + MINUTE <= now
        {
            self.sum -= slot.tokens;
            self.spent.pop_front();
            self.first += 1;
        }
    }

    /// A call larger than the quota counts as large as that: it passes alone, and the provider
    /// judges it.
    fn charge(&self, tokens: u64) -> u64 {
        tokens.min(self.quota)
    }

    /// When so many tokens may pass, once as many as `ahead` have.
    pub(super) fn earliest(&self, now: Instant, ahead: u64, tokens: u64) -> Instant {
        let wanted = self.sum.saturating_add(ahead).saturating_add(self.charge(tokens));
        let Some(mut excess) = wanted.checked_sub(self.quota + 1) else { return now };
        for slot in &self.spent {
            match excess.checked_sub(slot.tokens) {
                Some(rest) => excess = rest,
                None => return slot.last + MINUTE,
            }
        }
        // Those ahead fill a minute of their own.
        now + MINUTE
    }

    /// So many pass. Returns what is counted, and where.
    pub(super) fn spend(&mut self, now: Instant, tokens: u64) -> (u64, u64) {
        let tokens = self.charge(tokens);
        self.add(now, tokens);
        (tokens, self.first + self.spent.len() as u64 - 1)
    }

    /// What was counted turned out otherwise: less is put right where it stands, more is counted
    /// now, as the provider may.
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
