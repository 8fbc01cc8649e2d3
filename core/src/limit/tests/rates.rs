//! No minute sees more than the quota, whatever is offered.

use proptest::prelude::*;

use super::super::rate::{Pace, Window};
use super::*;

/// The largest total that passes in any minute.
struct Minutes {
    passed: VecDeque<(Instant, u64)>,
    sum: u64,
}

impl Minutes {
    fn pass(&mut self, now: Instant, amount: u64) -> u64 {
        self.passed.push_back((now, amount));
        self.sum += amount;
        while self.passed[0].0 + SECOND * 60 < now {
            self.sum -= self.passed.pop_front().unwrap().1;
        }
        self.sum
    }
}

proptest! {
    #[test]
    fn no_minute_sees_more_requests(
        quota in 1_u32..2000,
        gaps in prop::collection::vec(prop_oneof![0_u64..50, 0_u64..5_000, 0_u64..90_000], 1..4000),
    ) {
        let mut pace = Pace::new(quota);
        let mut now = Instant::now();
        let mut minutes = Minutes { passed: VecDeque::new(), sum: 0 };
        for gap in gaps {
            now += Duration::from_millis(gap);
            if gap % 5 > 0 {
                now = now.max(pace.earliest(now, 0));
            }
            if pace.earliest(now, 0) <= now {
                let taken = pace.take(now);
                if gap % 7 == 0 {
                    pace.undo(taken);
                } else {
                    prop_assert!(minutes.pass(now, 1) <= u64::from(quota));
                }
            }
        }
    }

    #[test]
    fn no_minute_sees_more_tokens(
        quota in 1_u32..10_000,
        calls in prop::collection::vec((0_u64..8_000, 0_u64..6_000, 0_u64..110), 1..1000),
    ) {
        let mut window = Window::new(quota);
        let mut now = Instant::now();
        let mut minutes = Minutes { passed: VecDeque::new(), sum: 0 };
        for (gap, tokens, used) in calls {
            let tokens = tokens.min(quota.into());
            now += Duration::from_millis(gap);
            window.advance(now);
            if window.earliest(now, 0, tokens) > now {
                now = window.earliest(now, 0, tokens);
                window.advance(now);
            }
            prop_assert!(window.earliest(now, 0, tokens) <= now, "the time it gave is kept");
            let (counted, slot) = window.spend(now, tokens);
            // Tokens that are given back were never used. Tokens on top could not be foreseen.
            let actual = tokens * used.min(100) / 100;
            prop_assert!(minutes.pass(now, actual) <= u64::from(quota));
            window.correct(now, slot, counted, actual);
        }
    }
}
