use proptest::prelude::*;

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn pass(breaker: &Breaker, now: Instant) -> Pass {
    breaker.admit(now).expect("closed, or half-open without a probe")
}

fn refused(breaker: &Breaker, now: Instant) -> Option<Duration> {
    let shut = breaker.shut_until(now);
    assert_eq!(breaker.admit(now).is_none(), shut.is_some());
    shut.map(|until| until.saturating_duration_since(now))
}

/// A breaker that has just opened.
fn open(now: Instant) -> Breaker {
    let breaker = Breaker::default();
    for _ in 0..FAULTS {
        pass(&breaker, now).fault(now);
    }
    assert_eq!(breaker.state(now), State::Open);
    breaker
}

#[test]
fn faults_in_a_row_open_it_and_a_success_between_does_not() {
    let (breaker, now) = (Breaker::default(), Instant::now());
    for _ in 0..3 {
        for _ in 0..4 {
            pass(&breaker, now).fault(now);
        }
        // A pass without a report is no success.
        drop(pass(&breaker, now));
        assert_eq!(breaker.state(now), State::Closed);
        pass(&breaker, now).success();
    }
    for _ in 0..5 {
        pass(&breaker, now).fault(now);
    }
    assert_eq!(refused(&breaker, now), Some(seconds(30)));
    assert_eq!(refused(&breaker, now + seconds(29)), Some(seconds(1)));
    assert_eq!(breaker.state(now + seconds(29)), State::Open);
    assert_eq!(breaker.state(now + seconds(30)), State::HalfOpen);
}

#[test]
fn half_open_lets_one_probe_through_at_a_time() {
    let start = Instant::now();
    let breaker = open(start);
    let now = start + seconds(30);
    let probe = pass(&breaker, now);
    assert!(probe.is_probe());
    assert_eq!(refused(&breaker, now), Some(Duration::ZERO));
    // The probe was cancelled, so the next call may be one.
    drop(probe);
    let probe = pass(&breaker, now);
    assert!(probe.is_probe());
    probe.success();
    assert_eq!(breaker.state(now), State::Closed);
    let (one, two) = (pass(&breaker, now), pass(&breaker, now));
    assert!(!one.is_probe() && !two.is_probe());
}

#[test]
fn each_failed_probe_keeps_it_open_longer_up_to_five_minutes() {
    let mut now = Instant::now();
    let breaker = open(now);
    for times in 2..=12 {
        now += refused(&breaker, now).unwrap();
        pass(&breaker, now).fault(now);
        assert_eq!(refused(&breaker, now), Some(seconds((30 * times).min(300))));
    }
    now += seconds(300);
    pass(&breaker, now).success();
    // The success reset both counts: one fault is not enough, and the next opening is the first.
    pass(&breaker, now).fault(now);
    assert_eq!(breaker.state(now), State::Closed);
    for _ in 0..4 {
        pass(&breaker, now).fault(now);
    }
    assert_eq!(refused(&breaker, now), Some(seconds(30)));
}

#[test]
fn a_key_that_is_refused_trips_at_once() {
    let (breaker, now) = (Breaker::default(), Instant::now());
    let others: Vec<Pass> = (0..10).map(|_| pass(&breaker, now)).collect();
    pass(&breaker, now).trip(now);
    assert_eq!(refused(&breaker, now), Some(seconds(30)));
    // Other calls in flight with the same key say nothing new.
    for other in others {
        other.trip(now + seconds(1));
    }
    assert_eq!(refused(&breaker, now), Some(seconds(30)));
    let now = now + seconds(30);
    pass(&breaker, now).trip(now);
    assert_eq!(refused(&breaker, now), Some(seconds(60)));
}

#[test]
fn what_was_sent_before_it_opened_neither_closes_nor_reopens_it() {
    let (breaker, start) = (Breaker::default(), Instant::now());
    let (late, later) = (pass(&breaker, start), pass(&breaker, start));
    for _ in 0..5 {
        pass(&breaker, start).fault(start);
    }
    late.success();
    assert_eq!(breaker.state(start), State::Open);
    let now = start + seconds(30);
    let probe = pass(&breaker, now);
    later.fault(now);
    assert_eq!(breaker.state(now), State::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(now), State::Closed);
}

#[test]
fn the_least_bad_target_can_be_insisted_on() {
    let start = Instant::now();
    let breaker = open(start);
    let forced = breaker.insist(start);
    assert!(!forced.is_probe());
    forced.fault(start + seconds(20));
    // The breaker stays open exactly as long as before.
    assert_eq!(refused(&breaker, start + seconds(20)), Some(seconds(10)));
    // When its time has come, the call is the probe.
    let now = start + seconds(30);
    let probe = breaker.insist(now);
    let beside = breaker.insist(now);
    assert!(probe.is_probe() && !beside.is_probe());
    beside.fault(now);
    assert_eq!(breaker.state(now), State::HalfOpen);
    probe.fault(now);
    assert_eq!(refused(&breaker, now), Some(seconds(60)));
    // The target answered, which is what the probe would find out.
    breaker.insist(now).success();
    assert_eq!(breaker.state(now), State::Closed);
}

#[test]
fn every_kind_has_someone_whose_fault_it_is() {
    use ErrorKind as Kind;
    for kind in Kind::ALL {
        let expected = match kind {
            Kind::Unavailable
            | Kind::Timeout
            | Kind::Connection
            | Kind::BadResponse
            | Kind::StreamBroken => Fault::Provider,
            Kind::Authentication | Kind::Permission | Kind::Quota => Fault::Key,
            Kind::RateLimit => Fault::Limited,
            _ => Fault::None,
        };
        assert_eq!(fault_of(*kind, None), expected, "{kind}");
    }
    assert_eq!(fault_of(Kind::Permission, Some(403)), Fault::Key);
    assert_eq!(fault_of(Kind::Permission, Some(451)), Fault::None);
}

proptest! {
    /// Any mixture of calls that overlap: at most one probe, none before its time, and a breaker
    /// without new failures recovers.
    #[test]
    fn no_schedule_gets_two_probes(steps in proptest::collection::vec((0_u8..5, 0_u64..40), 1..300)) {
        let (breaker, start) = (Breaker::default(), Instant::now());
        let (mut now, mut under_way) = (start, Vec::new());
        let mut rng = fastrand::Rng::with_seed(1);
        for (what, wait) in steps {
            now += seconds(wait);
            let was = breaker.state(now);
            match what {
                0 | 1 => {
                    if let Some(pass) = breaker.admit(now) {
                        prop_assert_ne!(was, State::Open);
                        prop_assert_eq!(pass.is_probe(), was == State::HalfOpen);
                        under_way.push(pass);
                    }
                }
                _ if under_way.is_empty() => {}
                _ => {
                    let pass = under_way.swap_remove(rng.usize(..under_way.len()));
                    match what {
                        2 => drop(pass.success()),
                        3 => drop(pass.fault(now)),
                        _ => drop(pass),
                    }
                }
            }
            // A probe of an earlier opening is outdated. This opening has at most one.
            let epoch = breaker.lock().epoch;
            let probes = under_way.iter().filter(|pass| pass.probe && pass.epoch == epoch).count();
            prop_assert_eq!(probes, usize::from(breaker.lock().probing));
        }
        drop(under_way);
        let now = now + LONGEST_OPEN;
        prop_assert_eq!(refused(&breaker, now), None);
        pass(&breaker, now).success();
        prop_assert_eq!(breaker.state(now), State::Closed);
    }
}
