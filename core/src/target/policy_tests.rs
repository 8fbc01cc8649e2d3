use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["a/m", "b/m", "c/m", "d/m"];

fn candidate(name: &str) -> Score {
    let (weight, ewma_ms, in_flight, failing) = (1.0, None, 0, false);
    Score { weight, ewma_ms, in_flight, failing, id_hash: hash(name) }
}

fn weighted(weights: &[f64]) -> Vec<Score> {
    let of = |(name, weight): (&&str, &f64)| Score { weight: *weight, ..candidate(name) };
    NAMES.iter().zip(weights).map(of).collect()
}

fn timed(targets: &[(Option<f64>, u32)]) -> Vec<Score> {
    let of = |(name, (ewma_ms, in_flight)): (&&str, &(Option<f64>, u32))| Score {
        ewma_ms: *ewma_ms,
        in_flight: *in_flight,
        ..candidate(name)
    };
    NAMES.iter().zip(targets).map(of).collect()
}

/// How often each target is first in 10 000 orders.
fn firsts(policy: RoutePolicy, candidates: &[Score]) -> Vec<u32> {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut counts = vec![0; candidates.len()];
    (0..10_000).for_each(|_| counts[order(policy, candidates, None, &mut rng)[0]] += 1);
    counts
}

#[test]
fn priority_is_the_order_of_the_list() {
    let candidates = timed(&[(Some(900.0), 9), (None, 0), (Some(1.0), 0)]);
    let mut rng = fastrand::Rng::with_seed(1);
    assert_eq!(order(RoutePolicy::Priority, &candidates, Some("key"), &mut rng), [0, 1, 2]);
    assert!(order(RoutePolicy::Weighted, &[], None, &mut rng).is_empty());
}

#[test]
fn weights_are_shares() {
    let counts = firsts(RoutePolicy::Weighted, &weighted(&[1.0, 2.0, 7.0, 0.0]));
    for (count, expected) in counts.iter().zip([1_000, 2_000, 7_000, 0_u32]) {
        assert!(count.abs_diff(expected) < 200, "{counts:?}");
    }
    // A weight that is zero or not a number makes a last resort.
    let mut rng = fastrand::Rng::with_seed(1);
    let candidates = weighted(&[0.0, f64::NAN, 0.001, f64::INFINITY]);
    for _ in 0..100 {
        assert_eq!(order(RoutePolicy::Weighted, &candidates, None, &mut rng)[0], 2);
    }
}

#[test]
fn no_hash_is_too_high_or_too_low_for_a_score() {
    // `mixed` is a bijection, so some id gives each of these ends.
    for bits in [0, u64::MAX] {
        let unit = unit(bits);
        assert!(0.0 < unit && unit < 1.0, "{unit}");
    }
}

#[test]
fn a_key_stays_where_it_is_when_another_target_goes() {
    let all = weighted(&[1.0, 1.0, 1.0, 1.0]);
    let (mut rng, mut moved) = (fastrand::Rng::with_seed(1), 0);
    for key in 0..1_000 {
        let key = format!("conversation {key}");
        let mut sticky =
            |candidates: &[Score]| order(RoutePolicy::Weighted, candidates, Some(&key), &mut rng);
        let before = sticky(&all);
        assert_eq!(sticky(&all), before);
        let without_last = sticky(&all[..3]);
        // The same order without the target that is gone.
        let expected: Vec<usize> = before.iter().copied().filter(|place| *place != 3).collect();
        assert_eq!(without_last, expected);
        moved += u32::from(before[0] == 3);
    }
    assert!((200..300).contains(&moved), "{moved}");
}

#[test]
fn the_hash_is_the_same_on_every_machine() {
    // Computed independently of this code.
    assert_eq!(hash(""), 17_665_956_581_633_026_203);
    assert_eq!(hash("openai/gpt-4.1-mini"), 12_078_384_922_605_084_344);
    assert_eq!(hash("é"), 2_536_656_207_217_688_990);
}

#[test]
fn the_quicker_of_two_comes_first_with_its_load_counted() {
    let firsts = |targets: &[(Option<f64>, u32)]| firsts(RoutePolicy::Latency, &timed(targets));
    assert_eq!(firsts(&[(Some(300.0), 0), (Some(200.0), 0)]), [0, 10_000]);
    assert_eq!(firsts(&[(Some(300.0), 0), (Some(200.0), 1)]), [10_000, 0]);
    // Of three targets, the best is taken when it is one of the two, the worst never.
    let counts = firsts(&[(Some(100.0), 0), (Some(200.0), 0), (Some(300.0), 0)]);
    assert!(counts[0].abs_diff(6_667) < 200 && counts[1].abs_diff(3_333) < 200, "{counts:?}");
    assert_eq!(counts[2], 0);
    // The other targets are sorted from best to worst.
    let candidates = timed(&[(Some(100.0), 0), (Some(200.0), 0), (Some(300.0), 0)]);
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..100 {
        let places = order(RoutePolicy::Latency, &candidates, None, &mut rng);
        assert!(places == [0, 1, 2] || places == [1, 0, 2], "{places:?}");
    }
}

#[test]
fn an_untried_target_is_tried_by_one_call() {
    let firsts = |targets: &[(Option<f64>, u32)]| firsts(RoutePolicy::Latency, &timed(targets));
    assert_eq!(firsts(&[(Some(1.0), 0), (None, 0), (Some(2.0), 0)]), [0, 10_000, 0]);
    // A latency of zero is still a latency.
    assert_eq!(firsts(&[(Some(0.0), 0), (None, 0), (Some(2.0), 0)]), [0, 10_000, 0]);
    assert_eq!(firsts(&[(Some(1.0), 0), (None, 1)]), [10_000, 0]);
    // No latency is known, so load and chance decide.
    let counts = firsts(&[(None, 1), (None, 1), (None, 3)]);
    assert!(counts[0].abs_diff(5_000) < 200 && counts[2] == 0, "{counts:?}");
}

#[test]
fn the_least_loaded_comes_first_and_ties_are_random() {
    let targets = [(None, 2), (Some(9.0), 1), (None, 5), (None, 1)];
    let counts = firsts(RoutePolicy::LeastInFlight, &timed(&targets));
    assert_eq!((counts[0], counts[2]), (0, 0));
    assert!(counts[1].abs_diff(5_000) < 200, "{counts:?}");
    let mut rng = fastrand::Rng::with_seed(1);
    let places = order(RoutePolicy::LeastInFlight, &timed(&targets), None, &mut rng);
    assert_eq!(places[2..], [0, 2]);
}

#[test]
fn who_failed_last_comes_last() {
    let mut candidates = timed(&[(None, 0), (Some(9.0), 7), (Some(1.0), 3), (Some(2.0), 5)]);
    candidates[0].failing = true;
    candidates[2].failing = true;
    for policy in [RoutePolicy::Latency, RoutePolicy::LeastInFlight] {
        let counts = firsts(policy, &candidates);
        assert_eq!((counts[0], counts[2]), (0, 0), "{policy:?}");
    }
    candidates.iter_mut().for_each(|candidate| candidate.failing = true);
    assert!(firsts(RoutePolicy::Latency, &candidates).iter().all(|count| *count > 2_000));
}

proptest! {
    #[test]
    fn every_order_has_everyone_once(
        targets in proptest::collection::vec(
            (any::<f64>(), proptest::option::of(any::<f64>()), any::<u32>(), any::<u64>()),
            0..12,
        ),
        sticky in proptest::option::of(".{0,8}"),
        seed: u64,
    ) {
        let candidates: Vec<Score> = targets
            .iter()
            .map(|(weight, ewma_ms, in_flight, id_hash)| Score {
                weight: *weight,
                ewma_ms: *ewma_ms,
                in_flight: *in_flight,
                failing: *id_hash & 1 == 1,
                id_hash: *id_hash,
            })
            .collect();
        let mut rng = fastrand::Rng::with_seed(seed);
        for policy in [RoutePolicy::Priority, RoutePolicy::Weighted, RoutePolicy::Latency, RoutePolicy::LeastInFlight] {
            let mut places = order(policy, &candidates, sticky.as_deref(), &mut rng);
            places.sort_unstable();
            prop_assert_eq!(places, (0..candidates.len()).collect::<Vec<_>>());
        }
    }
}
