use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn decided(error: &Error, attempt: u32, remaining: Duration) -> Next {
    let failed = Failed { error, attempt, patience: None };
    decide(&RetryPolicy::default(), &failed, remaining, &mut fastrand::Rng::with_seed(1))
}

fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "m")
}

fn hinted(kind: ErrorKind, ms: u64) -> Error {
    error(kind).with(|e| e.retry_after_ms = Some(ms))
}

fn retries(next: Next) -> bool {
    matches!(next, Next::Retry { .. })
}

#[test]
fn each_kind_has_its_way() {
    use ErrorKind as Kind;
    for kind in Kind::ALL {
        let first = decided(&error(*kind), 1, MINUTE);
        match kind {
            Kind::RateLimit
            | Kind::Unavailable
            | Kind::BadResponse
            | Kind::StreamBroken
            | Kind::Connection
            | Kind::Timeout => assert!(retries(first), "{kind}: {first:?}"),
            Kind::ContextLength
            | Kind::Unsupported
            | Kind::Authentication
            | Kind::Permission
            | Kind::NotFound
            | Kind::Quota => assert_eq!(first, Next::Elsewhere, "{kind}"),
            Kind::InvalidRequest | Kind::ContentFilter | Kind::Cancelled | Kind::Internal => {
                assert_eq!(first, Next::Stop, "{kind}");
            }
        }
    }
}

#[test]
fn the_providers_word_counts_more_than_the_kind() {
    use ErrorKind as Kind;
    let told =
        |kind: Kind, word: bool| decided(&error(kind).with(|e| e.retryable = word), 1, MINUTE);
    for kind in [Kind::RateLimit, Kind::Unavailable, Kind::Timeout, Kind::StreamBroken] {
        assert_eq!(told(kind, false), Next::Elsewhere, "{kind}");
    }
    // 409 is an invalid request that is retryable.
    for kind in [Kind::InvalidRequest, Kind::Authentication, Kind::NotFound, Kind::ContentFilter] {
        assert!(retries(told(kind, true)), "{kind}");
    }
    // Retries do not help these kinds. The next ones are the engine's own.
    for kind in [Kind::Quota, Kind::ContextLength] {
        assert_eq!(told(kind, true), Next::Elsewhere, "{kind}");
    }
    for kind in [Kind::Cancelled, Kind::Internal] {
        assert_eq!(told(kind, true), Next::Stop, "{kind}");
    }
}

#[test]
fn a_garbled_answer_is_asked_for_once_more() {
    let garbled = error(ErrorKind::BadResponse);
    assert!(retries(decided(&garbled, 1, MINUTE)));
    assert_eq!(decided(&garbled, 2, MINUTE), Next::Elsewhere);
}

#[test]
fn attempts_end() {
    let limited = hinted(ErrorKind::RateLimit, 2_000);
    assert!(retries(decided(&limited, 2, MINUTE)));
    assert_eq!(decided(&limited, 3, MINUTE), Next::Elsewhere);
    assert_eq!(decided(&error(ErrorKind::Timeout), 3, MINUTE), Next::Elsewhere);
}

#[test]
fn a_hint_that_is_too_long_is_not_waited_for() {
    let limited = |ms: u64| hinted(ErrorKind::RateLimit, ms);
    // The second wait is longer than any call waits.
    assert!(retries(decided(&limited(60_000), 1, MINUTE * 10)));
    assert_eq!(decided(&limited(60_001), 1, MINUTE * 10), Next::Elsewhere);
    assert_eq!(decided(&limited(73_189_000), 1, MINUTE * 10), Next::Elsewhere);
    assert_eq!(decided(&limited(u64::MAX), 1, Duration::MAX), Next::Elsewhere);
    // The wait and an attempt do not fit into this call's time. A wait that just fits has no
    // jitter.
    assert_eq!(decided(&limited(2_000), 1, Duration::from_millis(2_019)), Next::Elsewhere);
    let just = decided(&limited(2_000), 1, Duration::from_millis(2_020));
    assert_eq!(just, Next::Retry { after: SECOND * 2 });
    assert_eq!(decided(&limited(2_000), 1, Duration::ZERO), Next::Elsewhere);
    // No wait helps these kinds.
    assert_eq!(decided(&hinted(ErrorKind::ContextLength, 2_000), 1, MINUTE), Next::Elsewhere);
    assert_eq!(decided(&hinted(ErrorKind::Quota, 2_000), 1, MINUTE), Next::Elsewhere);
}

#[test]
fn a_hint_of_zero_is_not_a_licence_to_hammer() {
    let zero = hinted(ErrorKind::RateLimit, 0);
    let mut rng = fastrand::Rng::with_seed(1);
    let failed = Failed { error: &zero, attempt: 2, patience: None };
    let waits = (0..1_000).map(|_| decide(&RetryPolicy::default(), &failed, MINUTE, &mut rng));
    let long = |next: &Next| matches!(next, Next::Retry { after } if after.as_millis() > 250);
    assert!((400..600).contains(&waits.filter(long).count()));
    assert_eq!(decided(&zero, 3, MINUTE), Next::Elsewhere);
}

#[test]
fn backoff_doubles_up_to_its_cap() {
    let policy = RetryPolicy::default();
    let bounds: Vec<u128> = (1..=8).map(|attempt| backoff(&policy, attempt).as_millis()).collect();
    assert_eq!(bounds, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    assert_eq!(backoff(&policy, u32::MAX), policy.cap);
    assert_eq!(backoff(&policy, 0), policy.base);
    let odd = RetryPolicy { base: Duration::MAX, ..policy };
    assert_eq!(backoff(&odd, 9), odd.cap);
}

#[test]
fn a_backoff_that_leaves_no_time_for_an_attempt_is_not_begun() {
    let (down, mut rng) = (error(ErrorKind::Unavailable), fastrand::Rng::with_seed(1));
    let failed = Failed { error: &down, attempt: 1, patience: None };
    let remaining = MIN_ATTEMPT + Duration::from_millis(125);
    let mut begun = 0;
    for _ in 0..1_000 {
        match decide(&RetryPolicy::default(), &failed, remaining, &mut rng) {
            Next::Retry { after } => {
                assert!(after + MIN_ATTEMPT <= remaining, "{after:?}");
                begun += 1;
            }
            next => assert_eq!(next, Next::Elsewhere),
        }
    }
    // Half of the waits of full jitter are within half of its bound.
    assert!((400..600).contains(&begun), "{begun}");
    assert_eq!(decided(&down, 1, Duration::ZERO), Next::Elsewhere);
}

#[test]
fn the_same_seed_waits_the_same() {
    let down = error(ErrorKind::Unavailable);
    assert_eq!(decided(&down, 1, MINUTE), decided(&down, 1, MINUTE));
}

proptest! {
    #[test]
    fn no_wait_is_shorter_than_asked_or_leaves_no_time(
        kind in 0..ErrorKind::ALL.len(),
        hint in proptest::option::of(prop_oneof![0_u64..100_000, any::<u64>()]),
        retryable: bool,
        attempt in 0_u32..12,
        max_attempts in 1_u32..12,
        remaining in prop_oneof![0_u64..100_000, any::<u64>()],
        seed: u64,
    ) {
        let error = error(ErrorKind::ALL[kind]).with(|e| {
            e.retry_after_ms = hint;
            e.retryable = retryable;
        });
        let policy = RetryPolicy { max_attempts, ..RetryPolicy::default() };
        let remaining = Duration::from_millis(remaining);
        let failed = Failed { error: &error, attempt, patience: None };
        let next = decide(&policy, &failed, remaining, &mut fastrand::Rng::with_seed(seed));
        let hint = hint.map(Duration::from_millis).filter(|hint| !hint.is_zero());
        match next {
            Next::Retry { after } => {
                prop_assert!(attempt < max_attempts);
                prop_assert!(after + MIN_ATTEMPT <= remaining);
                match hint {
                    Some(hint) => {
                        let most = hint + (hint / 10).min(SECOND);
                        prop_assert!(hint <= after && after <= most && hint <= policy.max_wait);
                    }
                    None => prop_assert!(after <= backoff(&policy, attempt)),
                }
            }
            Next::Elsewhere | Next::Stop => {}
        }
    }
}
