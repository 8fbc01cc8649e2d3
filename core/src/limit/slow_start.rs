//! A slow start limits how fast calls go again after a pause that the provider imposed.

use std::time::Duration;

use tokio::time::Instant;

use super::learned::{QuotaReset, periods};

/// The slow start ends when the next step would allow this many calls at once.
const FORGOTTEN: u64 = 1024;

/// After a pause or a quota's reset, nobody knows how much the provider will take until it says so.
/// The credit starts with what was left plus one, and time adds more. With a known limit, time adds
/// what the limit allows, never more than the whole. Otherwise it adds one in the first second and
/// doubles that each second, because a refusal comes quickly.
#[derive(Debug)]
pub(super) struct SlowStart {
    pub(super) credit: u64,
    /// When time adds the next credit.
    pub(super) next: Instant,
    spacing: Duration,
    step: u64,
    limit: Option<u64>,
    /// When it began, the time in which the limit may be used, and how much of it was used.
    begun: Instant,
    period: Duration,
    taken: u64,
}

impl SlowStart {
    /// Begins a slow start. `unheard` means that calls are in flight, which the new quota may have
    /// let in.
    pub(super) fn begin(reset: &QuotaReset, unheard: bool) -> Self {
        let limit = reset.limit.map(|(limit, _)| limit.max(1));
        let spacing = reset.limit.map_or(Duration::from_secs(1), |(limit, period)| {
            let spacing = period / u32::try_from(limit).unwrap_or(u32::MAX).max(1);
            spacing.max(Duration::from_nanos(1))
        });
        let credit = match reset.left {
            Some(left) => left.saturating_add(1),
            None => u64::from(!unheard),
        };
        let period = reset.limit.map_or(Duration::ZERO, |(_, period)| period);
        let (next, begun) = (reset.at + spacing, reset.at);
        Self { credit, next, spacing, step: 1, limit, begun, period, taken: 0 }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        let Some(since) = now.checked_duration_since(self.next) else { return };
        let times = since.as_nanos() / self.spacing.as_nanos() + 1;
        let into = since.as_nanos() % self.spacing.as_nanos();
        self.next = now + self.spacing - Duration::from_nanos(into as u64);
        if let Some(limit) = self.limit {
            let more = u64::try_from(times).unwrap_or(u64::MAX);
            self.credit = self.credit.saturating_add(more).min(limit);
            return;
        }
        for _ in 0..times.min(FORGOTTEN.ilog2().into()) {
            self.credit = self.credit.saturating_add(self.step);
            self.step = self.step.saturating_mul(2);
        }
    }

    pub(super) fn take(&mut self, now: Instant) {
        self.credit = self.credit.saturating_sub(1);
        self.taken += 1;
        if self.limit.is_some() {
            // Time adds nothing before the last call could have been answered.
            self.next = self.next.max(now + self.spacing);
        }
    }

    /// The earliest time with room behind the calls ahead, if the limit is known.
    pub(super) fn opens(&self, ahead: u64) -> Option<Instant> {
        let times = (self.taken + ahead) / self.limit?;
        (times > 0).then(|| self.begun + periods(self.period, times))
    }

    pub(super) fn is_over(&self) -> bool {
        self.step >= FORGOTTEN
    }
}
