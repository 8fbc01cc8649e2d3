//! What a gate learns from the headers of answers.

use super::super::learned::{self, Unit};
use super::*;

#[tokio::test(start_paused = true)]
async fn calls_in_flight_use_up_what_was_learned() {
    let gate = Gate::new(Limits::default());
    let mut permit = try_acquire(&gate, 0).await.unwrap();
    // These two calls are sent after it, so the answer does not count them.
    let _others = [try_acquire(&gate, 0).await, try_acquire(&gate, 0).await];
    let answer = headers(&[
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "5"),
        ("x-ratelimit-reset-requests", "12s"),
    ]);
    permit.learn(&answer, Instant::now());
    let mut three = drain(&gate).await;
    assert_eq!(three.len(), 3);
    let error = try_acquire(&gate, 0).await.unwrap_err();
    let what = "the provider's quota of requests";
    assert_eq!(error, Limited { retry_after: Some(SECOND * 12), what });
    // An old answer that comes late does not raise the quota.
    let late =
        headers(&[("x-ratelimit-remaining-requests", "50"), ("x-ratelimit-reset-requests", "12s")]);
    three[2].learn(&answer, Instant::now());
    let after = drain(&gate).await.len();
    three[0].learn(&late, Instant::now());
    permit.learn(&late, Instant::now());
    assert_eq!(drain(&gate).await.len(), 0);
    assert!(after <= 5);
    // At the reset one call goes first.
    three.clear();
    let begun = Instant::now();
    let _probe = gate.acquire(0, true, far()).await.unwrap();
    assert_eq!(begun.elapsed(), SECOND * 12);
    assert_eq!(drain(&gate).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_lasts_too_long_is_the_providers_matter() {
    let gate = Gate::new(Limits::default());
    let mut permit = try_acquire(&gate, 0).await.unwrap();
    let day = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "7h12m")];
    permit.learn(&headers(&day), Instant::now());
    let _judged = try_acquire(&gate, 0).await.unwrap();
    let minute = [("anthropic-ratelimit-tokens-remaining", "100"), ("x-ratelimit-reset", "9")];
    permit.learn(&headers(&minute), Instant::now());
    let _no_reset = try_acquire(&gate, 1000).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_left_are_enough_for_some() {
    let gate = Gate::new(Limits::default());
    let mut permit = try_acquire(&gate, 400).await.unwrap();
    let answer = headers(&[
        ("x-ratelimit-limit-tokens", "1000"),
        ("x-ratelimit-remaining-tokens", "600"),
        ("x-ratelimit-reset-tokens", "24s"),
    ]);
    permit.learn(&answer, Instant::now());
    let _fits = try_acquire(&gate, 300).await.unwrap();
    let error = try_acquire(&gate, 400).await.unwrap_err();
    assert_eq!(error.what, "the provider's quota of tokens");
    // The estimate is no reason to hold a call back for ever.
    let other = Gate::new(Limits::default());
    try_acquire(&other, 400).await.unwrap().learn(&answer, Instant::now());
    let _large = try_acquire(&other, 32_000).await.unwrap();
}

/// Headers and their readings: the unit, what remains, the limit, the reset in ms.
type Row = (&'static [(&'static str, &'static str)], &'static [(Unit, u64, Option<u64>, u64)]);

#[test]
fn the_headers_of_the_providers() {
    use Unit::{Requests, Tokens};
    const DATE: (&str, &str) = ("date", "Sat, 01 Aug 2026 12:00:00 GMT");
    #[rustfmt::skip]
    let table: &[Row] = &[
        // OpenAI, Azure, Groq, Together, Mistral, Hugging Face, OpenRouter, Anthropic.
        (&[("x-ratelimit-remaining-requests", "4999"), ("x-ratelimit-limit-requests", "5000"), ("x-ratelimit-reset-requests", "12ms")], &[(Requests, 4999, Some(5000), 12)]),
        (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")], &[(Tokens, 0, None, 360_000)]),
        (&[("x-ratelimit-remaining-project-tokens", "7"), ("x-ratelimit-reset-project-tokens", "1s")], &[(Tokens, 7, None, 1000)]),
        (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "42")], &[(Requests, 0, None, 42_000)]),
        (&[("x-ratelimit-remaining-tokens", "11"), ("x-ratelimit-reset-tokens", "17.5s")], &[(Tokens, 11, None, 17_500)]),
        (&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "2"), ("x-ratelimit-limit", "10")], &[(Requests, 1, Some(10), 2000)]),
        (&[("x-ratelimit-remaining-req-10-second", "3")], &[(Requests, 3, None, 10_000)]),
        (&[("x-ratelimit-remaining-req-minute", "98"), ("x-ratelimit-limit-req-minute", "100")], &[(Requests, 98, Some(100), 60_000)]),
        (&[("x-ratelimit-remaining-tokens-minute", "5")], &[(Tokens, 5, None, 60_000)]),
        (&[("ratelimitbysize-remaining", "348385"), ("ratelimitbysize-reset", "48")], &[(Tokens, 348_385, None, 48_000)]),
        (&[("ratelimit", "\"api\";r=499;t=70")], &[(Requests, 499, None, 70_000)]),
        (&[DATE, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1785585630000")], &[(Requests, 0, None, 30_000)]),
        (&[DATE, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1785585605")], &[(Requests, 0, None, 5000)]),
        (&[DATE, ("anthropic-ratelimit-requests-remaining", "49"), ("anthropic-ratelimit-requests-reset", "2026-08-01T12:00:03Z")], &[(Requests, 49, None, 3000)]),
        (&[DATE, ("anthropic-ratelimit-input-tokens-remaining", "0"), ("anthropic-ratelimit-input-tokens-reset", "2026-08-01T12:01:00Z")], &[(Tokens, 0, None, 60_000)]),
        // These headers give no usable reset.
        (&[DATE, ("anthropic-ratelimit-tokens-remaining", "0"), ("anthropic-ratelimit-tokens-reset", "1970-01-01T00:00:00Z")], &[]),
        (&[("anthropic-ratelimit-tokens-remaining", "0"), ("anthropic-ratelimit-tokens-reset", "2026-08-01T12:01:00Z")], &[]),
        (&[("x-ratelimit-remaining-tokens", "149984"), ("x-ratelimit-reset-tokens", "0s")], &[]),
        (&[("x-ratelimit-remaining-requests", "XXX"), ("x-ratelimit-reset-requests", "1s")], &[]),
        (&[("x-ratelimit-remaining-tokens-month", "0")], &[]),
        (&[("x-ratelimit-remaining-input-images", "0"), ("x-ratelimit-reset-input-images", "9s")], &[]),
        (&[("x-ratelimit-remaining-ocr-pages-minute", "0")], &[]),
        (&[("x-ratelimit-limit-requests", "0"), ("retry-after", "7")], &[]),
    ];
    for (lines, expected) in table {
        let expected: Vec<_> = expected
            .iter()
            .map(|&(unit, remaining, limit, ms)| {
                (unit, remaining, limit, Duration::from_millis(ms))
            })
            .collect();
        let read = learned::read(&headers(lines));
        let read: Vec<_> = read.iter().map(|r| (r.unit, r.remaining, r.limit, r.reset)).collect();
        assert_eq!(read, expected, "{lines:?}");
    }
    let absurd = headers(&[("ratelimit-remaining", "1e300"), ("ratelimit-reset", "1")]);
    assert_eq!(learned::read(&absurd)[0].remaining, u64::MAX);
}
