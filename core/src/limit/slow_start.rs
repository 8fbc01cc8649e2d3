//! How fast calls are let go again after a wait that the provider imposed.

use std::time::Duration;

use tokio::time::Instant;

use super::learned::{QuotaReset, periods};

/// A pause is forgotten when so many more would be let go at once.
const FORGOTTEN: u64 = 1024;

/// After a pause, or when a quota has started anew, nobody knows how much the provider will take
/// until it says so: there is credit for what was left and one more, and time gives more of it. If
/// the limit is known, as much as that allows and never more than the whole; else one in the first
/// second and twice as many in each that follows, for a refusal comes quickly.
#[derive(Debug)]
pub(super) struct SlowStart {
    pub(super) credit: u64,
    /// When time gives the next.
    pub(super) next: Instant,
    spacing: Duration,
    step: u64,
    limit: Option<u64>,
    /// When it began, in what time the limit may be used, and how much of it was.
    begun: Instant,
    period: Duration,
    taken: u64,
}

impl SlowStart {
    /// `unheard` is whether calls are under way: they may have been let in by the new quota.
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
            // Time gives nothing before the answer to the last one could have.
            self.next = self.next.max(now + self.spacing);
        }
    }

    /// When there is room behind so many at the earliest, where the limit is known.
    pub(super) fn opens(&self, ahead: u64) -> Option<Instant> {
        let times = (self.taken + ahead) / self.limit?;
        (times > 0).then(|| self.begun + periods(self.period, times))
    }

    pub(super) fn is_over(&self) -> bool {
        self.step >= FORGOTTEN
    }
}
