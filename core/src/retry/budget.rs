//! A retry budget bounds the retries of all calls together. Without it, a provider that is down
//! would be asked several times as often as one that is up.
//!
//! Each call saves a fraction of a retry. The savings are bounded, so that an idle hour does not
//! buy a storm. A floor that fills with time lets a client with few calls retry them. Amounts are
//! integers, so that nothing drifts. Under any schedule, at most `ratio × calls + floor × (seconds
//! + 1)` retries are granted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// One retry. A rate per second is then the same number per nanosecond.
const ONE: u64 = 1_000_000_000;

/// The number of calls whose savings are kept.
const KEPT_CALLS: u64 = 100;

/// A budget of retries, as a share of the calls.
#[derive(Debug)]
pub(crate) struct Budget {
    /// The amount that one call saves.
    share: u64,
    saved: AtomicU64,
    floor_per_s: u64,
    floor: Mutex<Floor>,
}

#[derive(Debug)]
struct Floor {
    left: u64,
    /// When it was last filled. It is full until its first use.
    at: Option<Instant>,
}

impl Budget {
    /// Makes a budget of `ratio` retries for each call and `floor_per_s` retries a second. At most
    /// one second of the floor is kept.
    pub(crate) fn new(ratio: f64, floor_per_s: u32) -> Self {
        let floor_per_s = u64::from(floor_per_s);
        Budget {
            share: (ratio.max(0.0) * ONE as f64) as u64,
            saved: AtomicU64::new(0),
            floor_per_s,
            floor: Mutex::new(Floor { left: floor_per_s * ONE, at: None }),
        }
    }

    /// The budget of hedges: one in twenty calls.
    pub(crate) fn hedges() -> Self {
        Budget::new(0.05, 0)
    }

    /// Saves a call's share when the call begins.
    pub(crate) fn deposit(&self) {
        let full = KEPT_CALLS.saturating_mul(self.share);
        let add = |saved: u64| (saved < full).then(|| saved.saturating_add(self.share).min(full));
        // An error means that the savings are full. That is the usual case, and it writes nothing.
        let _ = self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Whether it fills without further calls.
    pub(crate) fn refills(&self) -> bool {
        self.floor_per_s > 0
    }

    /// Takes one retry from the budget. Returns whether it may be made.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let take = |saved: u64| saved.checked_sub(ONE);
        // The floor is used first, because it refills by itself.
        self.take_floor(now)
            || self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn take_floor(&self, now: Instant) -> bool {
        if self.floor_per_s == 0 {
            return false;
        }
        let full = self.floor_per_s * ONE;
        let mut floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        let since = floor.at.map_or(0, |at| now.saturating_duration_since(at).as_nanos());
        let gained = u64::try_from(since).unwrap_or(u64::MAX).saturating_mul(self.floor_per_s);
        floor.left = floor.left.saturating_add(gained).min(full);
        // Another thread's `now` may be a little older.
        floor.at = floor.at.max(Some(now));
        match floor.left.checked_sub(ONE) {
            Some(left) => {
                floor.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dead_provider_sees_a_fifth_more_and_the_floor() {
        let (budget, start) = (Budget::new(0.2, 10), Instant::now());
        // A hundred calls a second for a minute, each of which wants two retries.
        let mut granted = 0;
        for call in 0..6_000 {
            let now = start + Duration::from_millis(10) * call;
            budget.deposit();
            granted += u32::from(budget.withdraw(now)) + u32::from(budget.withdraw(now));
        }
        assert!((1_790..=1_810).contains(&granted), "{granted}");
    }

    #[test]
    fn an_idle_hour_buys_no_storm() {
        let (budget, start) = (Budget::new(0.2, 10), Instant::now());
        assert!(budget.withdraw(start));
        for _ in 0..100_000 {
            budget.deposit();
        }
        let now = start + Duration::from_secs(3_600);
        let granted = (0..1_000).filter(|_| budget.withdraw(now)).count();
        assert_eq!(granted, 20 + 10);
    }

    #[test]
    fn hedges_are_a_twentieth_without_a_floor() {
        let (budget, now) = (Budget::hedges(), Instant::now());
        assert!(!budget.withdraw(now));
        let granted = (0..1_000)
            .filter(|_| {
                budget.deposit();
                budget.withdraw(now)
            })
            .count();
        assert_eq!(granted, 50);
    }

    #[test]
    fn a_share_may_be_larger_than_the_calls() {
        let (budget, now) = (Budget::new(2.0, 0), Instant::now());
        budget.deposit();
        assert_eq!((0..9).filter(|_| budget.withdraw(now)).count(), 2);
        let budget = Budget::new(f64::from(u32::MAX), u32::MAX);
        (0..9).for_each(|_| budget.deposit());
        assert!((0..999).all(|_| budget.withdraw(now)));
    }

    #[test]
    fn nothing_is_granted_twice_to_two_threads() {
        let (budget, now) = (Budget::new(0.2, 10), Instant::now());
        let granted: usize = std::thread::scope(|scope| {
            let run = || {
                (0..10_000)
                    .filter(|_| {
                        budget.deposit();
                        budget.withdraw(now)
                    })
                    .count()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(granted <= 40_000 / 5 + 10, "{granted}");
    }

    proptest! {
        #[test]
        fn no_schedule_gets_more(
            steps in proptest::collection::vec((0_u64..3_000, 0_u8..20, 0_u8..20), 1..200),
            floor in 0_u32..20,
        ) {
            let (budget, start) = (Budget::new(0.2, floor), Instant::now());
            let (mut now, mut calls, mut granted) = (start, 0_u64, 0_u64);
            for (ms, deposits, withdrawals) in steps {
                now += Duration::from_millis(ms);
                for _ in 0..deposits {
                    budget.deposit();
                }
                calls += u64::from(deposits);
                granted += (0..withdrawals).filter(|_| budget.withdraw(now)).count() as u64;
                let seconds = now.duration_since(start).as_secs_f64();
                let most = 0.2 * calls as f64 + f64::from(floor) * (seconds + 1.0);
                prop_assert!(granted as f64 <= most + 1e-6, "{granted} of {most}");
            }
        }
    }
}
