//! Limits that are waited for, so that the provider refuses nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liter_llm_core::ErrorKind;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::say::{answer, answer_with, refuse};
use super::world::{Act, Ask, call, client, ms, secs, seeded};

/// A provider that takes a hundred requests a minute.
#[derive(Default)]
struct Quota {
    passed: VecDeque<Duration>,
    refused: usize,
}

const PER_MINUTE: usize = 100;
const MINUTE: Duration = Duration::from_secs(60);
/// Where in a minute of the provider's clock the test begins.
const PHASE: Duration = Duration::from_secs(41);

impl Quota {
    /// `sliding`: any minute counts, not those of a clock. `tells`: in headers.
    fn take(&mut self, ask: &Ask, sliding: bool, tells: bool) -> Vec<Act> {
        let now = ask.at + PHASE;
        let window = |at: Duration| at.as_secs() / 60;
        self.passed
            .retain(|at| if sliding { *at + MINUTE > now } else { window(*at) == window(now) });
        if self.passed.len() >= PER_MINUTE {
            self.refused += 1;
            return refuse(429, "", "rate_limit_exceeded");
        }
        self.passed.push_back(now);
        if !tells {
            return answer(ask);
        }
        let left = PER_MINUTE - self.passed.len();
        let reset = match sliding {
            true => self.passed[0] + MINUTE - now,
            false => MINUTE - Duration::from_millis((now.as_millis() % 60_000) as u64),
        };
        let headers = format!(
            "x-ratelimit-limit-requests: {PER_MINUTE}\r\nx-ratelimit-remaining-requests: {left}\r\n\
             x-ratelimit-reset-requests: {}ms\r\n",
            reset.as_millis() + 1
        );
        answer_with(&headers)(ask)
    }
}

/// Three hundred calls a minute for three minutes.
async fn offer(seed: u64, config: Value, sliding: bool, tells: bool) {
    let quota = Arc::new(Mutex::new(Quota::default()));
    let own = Arc::clone(&quota);
    let (client, world) = seeded(seed, config, move |ask| {
        let way = fastrand::Rng::with_seed(seed << 32 | ask.number as u64).u64(20..400);
        let mut acts = vec![Act::Wait(ms(way))];
        acts.extend(own.lock().unwrap().take(ask, sliding, tells));
        acts
    });
    let mut calls = JoinSet::new();
    for _ in 0..900 {
        let client = client.clone();
        calls.spawn(async move {
            let begun = tokio::time::Instant::now();
            (call(&client, "a/m", json!({"retry": false})).await, begun.elapsed())
        });
        sleep(ms(200)).await;
    }
    let (mut succeeded, mut rejected, mut late, mut waited) = (0, 0, 0, Duration::ZERO);
    for (outcome, took) in calls.join_all().await {
        match outcome {
            Ok(_) => {
                succeeded += 1;
                waited = waited.max(took);
            }
            Err(error) => {
                assert_eq!((error.kind(), error.status), (ErrorKind::RateLimit, None), "{error}");
                assert!(error.retry_after_ms.unwrap() > 0);
                assert!(error.attempts.is_empty(), "{error:?}");
                late += usize::from(!took.is_zero());
                rejected += 1;
            }
        }
    }
    let refused = quota.lock().unwrap().refused;
    let kind = if sliding { "sliding" } else { "fixed" };
    let how = if tells { "learned" } else { "configured" };
    println!(
        "100 a minute ({kind}, {how}) under 300: {succeeded} succeed, the longest after {waited:?}, \
         {rejected} are told to come later, {late} of them not at once, {refused} times 429"
    );
    assert_eq!(refused, 0);
    // What answers tell may move the turn of one who waits already.
    assert!(late <= if tells { 9 } else { 0 }, "{late}");
    assert_eq!((succeeded + rejected, world.count("a")), (900, succeeded));
    // In three minutes, and the one that may be waited.
    assert!(succeeded >= 330, "{succeeded}");
    assert!(waited <= if tells { secs(66) } else { secs(61) }, "{waited:?}");
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn promise_9_a_configured_quota_is_never_exceeded() {
    for seed in 0..3 {
        let limits = json!({"limits": {"requests_per_minute": PER_MINUTE}});
        let config = json!({"providers": {"a": limits}});
        offer(seed, config.clone(), false, false).await;
        offer(seed, config, true, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn promise_9_a_quota_is_learned_from_headers() {
    for seed in 0..3 {
        offer(seed, json!({}), false, true).await;
        offer(seed, json!({}), true, true).await;
    }
}

/// A proxy's pause of a day must not close a target for a day.
#[tokio::test(start_paused = true)]
async fn promise_9_a_pause_that_is_asked_for_binds_for_five_minutes_at_most() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        0 => refuse(503, "retry-after: 86400\r\n", "maintenance"),
        _ => answer(ask),
    });
    let error = call(&client, "a/m", json!({})).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after_ms), (ErrorKind::Unavailable, Some(86_400_000)));
    let error = call(&client, "a/m", json!({})).await.unwrap_err();
    assert_eq!((error.attempts.len(), world.count("a")), (0, 1), "{error:?}");
    assert!((1..=300_000).contains(&error.retry_after_ms.unwrap()), "{error:?}");
    sleep(secs(300)).await;
    call(&client, "a/m", json!({})).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn promise_9_what_answers_tell_can_be_left_unheeded() {
    for (learns, asked) in [(true, 1), (false, 3)] {
        let (client, world) = client(json!({"learn_limits": learns}), |ask| match ask.number {
            0 => refuse(429, "retry-after: 50\r\n", "busy"),
            _ => answer_with(
                "x-ratelimit-limit-requests: 9\r\nx-ratelimit-remaining-requests: 0\r\n\
                 x-ratelimit-reset-requests: 55s\r\n",
            )(ask),
        });
        for _ in 0..3 {
            let _ = call(&client, "a/m", json!({"retry": false, "limit": {"wait": false}})).await;
        }
        assert_eq!((world.count("a"), world.now()), (asked, Duration::ZERO), "{learns}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_9_who_may_not_wait_is_told_at_once_or_goes_elsewhere() {
    let limits = json!({"limits": {"requests_per_minute": 10}});
    let (client, world) = client(json!({"providers": {"a": limits}}), answer);
    call(&client, "a/m", json!({})).await.unwrap();
    let error = call(&client, "a/m", json!({"limit": {"wait": false}})).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts.len()), (ErrorKind::RateLimit, 0));
    assert!((1..=7_000).contains(&error.retry_after_ms.unwrap()), "{error:?}");
    let error = call(&client, "a/m", json!({"timeout_ms": 1_000})).await.unwrap_err();
    assert_eq!((error.kind(), world.now()), (ErrorKind::RateLimit, Duration::ZERO));
    let answer = call(&client, "a/m", json!({"fallback": ["b/m"]})).await.unwrap();
    assert_eq!((answer.provider.as_str(), world.now()), ("b", Duration::ZERO));
    call(&client, "a/m", json!({})).await.unwrap();
    assert!(world.now() > secs(5), "{:?}", world.now());
}

/// A place that is held while another limit is waited for must not be waited for itself.
#[tokio::test(start_paused = true)]
async fn promise_9_limits_of_a_model_and_of_its_provider_go_together() {
    let limits = json!({
        "limits": {"requests_per_minute": 30},
        "models": {"m": {"limits": {"max_in_flight": 1}}},
    });
    let (client, world) = client(json!({"providers": {"a": limits}}), |ask| {
        [vec![Act::Wait(ms(10))], answer(ask)].into_iter().flatten().collect()
    });
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        calls.spawn(async move { call(&client, "a/m", json!({})).await });
    }
    for outcome in calls.join_all().await {
        outcome.unwrap();
    }
    // Three at once, and one more each 61 s / 28.
    assert!((secs(15)..secs(17)).contains(&world.now()), "{:?}", world.now());
}

/// What one limit let through and another did not was not sent, and is not counted.
#[tokio::test(start_paused = true)]
async fn promise_9_what_was_not_sent_uses_up_no_limit() {
    let limits = json!({
        "limits": {"max_in_flight": 1},
        "models": {"m": {"limits": {"requests_per_minute": 100, "tokens_per_minute": 20_000}}},
    });
    let (client, world) = client(json!({"providers": {"a": limits}}), |ask| match ask.number {
        0 => [vec![Act::Wait(secs(30))], answer(ask)].into_iter().flatten().collect(),
        _ => answer(ask),
    });
    let first = tokio::spawn({
        let client = client.clone();
        async move { call(&client, "a/m", json!({})).await }
    });
    sleep(secs(1)).await;
    for _ in 0..50 {
        let error = call(&client, "a/m", json!({"limit": {"wait": false}})).await.unwrap_err();
        assert!(error.message.contains("max_in_flight"), "{error}");
    }
    for _ in 0..50 {
        let waits = call(&client, "a/m", json!({}));
        assert!(tokio::time::timeout(ms(1), waits).await.is_err());
    }
    first.await.unwrap().unwrap();
    call(&client, "a/m", json!({"limit": {"wait": false}})).await.unwrap();
    assert_eq!(world.count("a"), 2);
}

/// A request that is refused for what it asks has used none of the tokens that it was estimated at.
#[tokio::test(start_paused = true)]
async fn promise_9_a_refused_request_holds_no_tokens() {
    let configured = json!({"providers": {"a": {"limits": {"tokens_per_minute": 50_000}}}});
    for (config, most) in
        [(json!({}), 1_000_000), (json!({}), u64::MAX), (configured, 1_000_000_u64)]
    {
        let learned = config == json!({});
        let (client, world) = client(config, |ask| match ask.body["max_tokens"].as_u64() {
            Some(_) => refuse(400, "", "invalid_value"),
            None => answer_with(
                "x-ratelimit-limit-tokens: 100000\r\nx-ratelimit-remaining-tokens: 90000\r\n\
                 x-ratelimit-reset-tokens: 50s\r\n",
            )(ask),
        });
        let now = json!({"limit": {"wait": false}});
        if learned {
            call(&client, "a/m", now.clone()).await.unwrap();
        }
        let request = json!({"model": "a/m", "prompt": "Hi", "max_tokens": most}).to_string();
        let outcome = client.call(request.as_bytes(), now.to_string().as_bytes()).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidRequest);
        call(&client, "a/m", now).await.unwrap();
        assert_eq!(world.now(), Duration::ZERO);
    }
}

/// Calls that have to pass two limits get their share where others have to pass but one of them.
#[tokio::test(start_paused = true)]
async fn promise_9_two_limits_that_are_both_full_starve_nobody() {
    let limits = json!({
        "limits": {"requests_per_minute": 120},
        "models": {"m": {"limits": {"requests_per_minute": 40}}},
    });
    let (client, world) = client(json!({"providers": {"a": limits}}), |ask| {
        [vec![Act::Wait(ms(100))], answer(ask)].into_iter().flatten().collect()
    });
    let mut calls = JoinSet::new();
    for i in 0..900 {
        let client = client.clone();
        calls.spawn(async move {
            let model = if i % 3 == 0 { "a/m" } else { "a/n" };
            call(&client, model, json!({"retry": false})).await.is_ok()
        });
        sleep(ms(200)).await;
    }
    calls.join_all().await;
    let minutes = world.now().as_secs_f64() / 60.0;
    let asked = world.asked("a");
    let limited = asked.iter().filter(|ask| ask.body["model"] == "m").count();
    let (all, limited) = (asked.len() as f64 / minutes, limited as f64 / minutes);
    println!("120 a minute, 40 of them for m, under 300 and 100: {all:.0} and {limited:.0}");
    assert!(all >= 100.0 && limited >= 25.0, "{all} {limited}");
}

/// Names of models come from callers: however many there are, a configured limit is kept.
#[tokio::test(start_paused = true)]
async fn promise_9_a_flood_of_names_does_not_lift_a_limit() {
    let limits = json!({"models": {"m": {"limits": {"requests_per_minute": 10}}}});
    let (client, _) = client(json!({"providers": {"a": limits}}), answer);
    let now = json!({"limit": {"wait": false}});
    call(&client, "a/m", now.clone()).await.unwrap();
    for name in 0..1_100 {
        call(&client, &format!("a/{name}"), now.clone()).await.unwrap();
    }
    let error = call(&client, "a/m", now).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimit);
}
