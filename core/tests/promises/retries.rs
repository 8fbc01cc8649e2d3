//! Waiting, trying again, and when the time is up.

use std::time::Duration;

use liter_llm_core::ErrorKind;
use serde_json::{Value, json};

use super::say::{HEAD, answer, piece, refuse, reply_bytes};
use super::world::{Act, call, client, header, ms, secs, stream};

/// How long a call waits after a first answer of this status and these header lines.
async fn waits(status: u16, headers: &'static str) -> Duration {
    let (client, world) = client(json!({}), move |ask| match ask.number {
        0 => refuse(status, headers, "busy"),
        _ => answer(ask),
    });
    call(&client, "a/m", json!({})).await.unwrap();
    let asked = world.asked("a");
    assert_eq!(asked.len(), 2);
    asked[1].at - asked[0].at
}

#[tokio::test(start_paused = true)]
async fn promise_1_retry_after() {
    // The header, and the wait that it asks for: a floor, with up to a tenth, at most 1 s, on top.
    for (status, headers, floor) in [
        (429, "retry-after: 2\r\n", ms(2_000)),
        (429, "retry-after: 1.5\r\n", ms(1_500)),
        (429, "retry-after-ms: 700\r\nretry-after: 1\r\n", ms(700)),
        (429, "x-ms-retry-after-ms: 900\r\nretry-after: 5\r\n", ms(900)),
        (429, "retry-after-ms: 0\r\nretry-after: 3\r\n", secs(3)),
        (503, "retry-after: 30\r\n", secs(30)),
        (529, "retry-after: 4\r\n", secs(4)),
        (408, "retry-after: 4\r\n", secs(4)),
        // The server's clock is years off; the wait is not.
        (
            429,
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:49:47 GMT\r\n",
            secs(10),
        ),
        // The requests are used up, and the tokens are not.
        (
            429,
            "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 6s\r\n\
             x-ratelimit-remaining-tokens: 100\r\nx-ratelimit-reset-tokens: 20s\r\n",
            secs(6),
        ),
    ] {
        let waited = waits(status, headers).await;
        let most = floor + (floor / 10).min(secs(1)) + ms(1);
        assert!((floor..=most).contains(&waited), "{headers}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_1_what_is_too_long_is_not_waited_for() {
    for (headers, options) in
        [("retry-after: 61\r\n", json!({})), ("retry-after: 20\r\n", json!({"timeout_ms": 9_000}))]
    {
        let (client, world) = client(json!({}), move |ask| match ask.host.as_str() {
            "a" => refuse(429, headers, "busy"),
            _ => answer(ask),
        });
        let error = call(&client, "a/m", options.clone()).await.unwrap_err();
        assert_eq!((error.kind(), world.now()), (ErrorKind::RateLimit, Duration::ZERO));
        assert!(error.retry_after_ms.unwrap() >= 20_000);
        // Nor is a target that asked to be left alone asked by the next call.
        let mut options = options;
        options["fallback"] = json!(["b/m"]);
        let answer = call(&client, "a/m", options).await.unwrap();
        assert_eq!((answer.provider.as_str(), world.count("a")), ("b", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn promise_1_a_code_says_more_than_a_status() {
    for (status, headers, code, kind, attempts) in [
        (429, "retry-after: 1\r\n", "insufficient_quota", ErrorKind::Quota, 1),
        (400, "retry-after: 1\r\n", "context_length_exceeded", ErrorKind::ContextLength, 1),
        (429, "retry-after: 1\r\nx-should-retry: false\r\n", "busy", ErrorKind::RateLimit, 1),
        (500, "", "server_error", ErrorKind::Unavailable, 3),
    ] {
        let (client, world) = client(json!({}), move |_| refuse(status, headers, code));
        let error = call(&client, "a/m", json!({})).await.unwrap_err();
        assert_eq!((error.kind(), world.count("a")), (kind, attempts), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_2_backoff_has_full_jitter() {
    let (client, world) = client(json!({"retry_budget": false, "breaker": false}), |ask| {
        if ask.number % 6 == 5 { answer(ask) } else { refuse(500, "", "server_error") }
    });
    let options = json!({"retry": {"max_attempts": 6, "base_ms": 1_000, "cap_ms": 4_000}});
    let mut waits = vec![Vec::new(); 5];
    for _ in 0..200 {
        let before = world.count("a");
        let answer = call(&client, "a/m", options.clone()).await.unwrap();
        let statuses: Vec<_> =
            answer.liter.attempts.iter().map(|attempt| attempt.status.unwrap()).collect();
        assert_eq!(statuses, [500, 500, 500, 500, 500, 200]);
        let asked = &world.asked("a")[before..];
        for (i, pair) in asked.windows(2).enumerate() {
            waits[i].push((pair[1].at - pair[0].at).as_secs_f64());
        }
    }
    for (waits, bound) in waits.iter().zip([1.0, 2.0, 4.0, 4.0, 4.0]) {
        let mean = waits.iter().sum::<f64>() / 200.0;
        let most = waits.iter().fold(0.0, |most: f64, wait| most.max(*wait));
        assert!(most <= bound + 0.002, "{most} of {bound}");
        // Evenly over the whole span, not about its end.
        assert!((0.4..0.6).contains(&(mean / bound)), "{mean} of {bound}");
        assert!(waits.iter().any(|wait| *wait < bound / 10.0));
    }
}

#[tokio::test(start_paused = true)]
async fn promise_2_retry_false_is_one_attempt() {
    for config in [json!({}), json!({"retry": false})] {
        let (client, world) = client(config.clone(), |_| refuse(503, "", "overloaded"));
        let options = if config["retry"] == false { json!({}) } else { json!({"retry": false}) };
        let error = call(&client, "a/m", options).await.unwrap_err();
        assert_eq!((error.kind(), world.count("a")), (ErrorKind::Unavailable, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn promise_2_an_idempotency_key_is_the_same_for_every_attempt() {
    let named = json!({"idempotency_header": "x-once"});
    let config = json!({"providers": {"a": named, "b": named}});
    let (client, world) = client(config, |ask| match ask.host.as_str() {
        "a" => refuse(500, "", "server_error"),
        _ => answer(ask),
    });
    let key = |host, number: usize| header(&world.asked(host)[number].head, "x-once").unwrap();
    let options = json!({"fallback": ["b/m"], "idempotency_key": "mine"});
    call(&client, "a/m", options).await.unwrap();
    assert_eq!((key("a", 0), key("b", 0)), ("mine".to_owned(), "mine".to_owned()));
    // One that is made up differs from call to call only.
    call(&client, "a/m", json!({})).await.unwrap_err();
    assert_eq!(world.count("a"), 4);
    assert_eq!((key("a", 1), key("a", 1)), (key("a", 2), key("a", 3)));
    assert_ne!(key("a", 1), "mine");
    call(&client, "b/m", json!({})).await.unwrap();
    assert_ne!(key("b", 1), key("a", 1));
}

/// How long a stream took, and how it ended.
async fn ended(config: Value, options: Value, play: fn() -> Vec<Act>) -> (Duration, ErrorKind) {
    let (client, world) = client(config, move |_| play());
    let error = stream(&client, "a/m", options).await.end().unwrap_err();
    (world.now(), error.kind())
}

#[tokio::test(start_paused = true)]
async fn promise_4_every_call_ends_by_its_deadline() {
    let silent: fn() -> Vec<Act> = || vec![Act::Hang];
    let headless: fn() -> Vec<Act> = || vec![Act::Send(HEAD.into()), Act::Hang];
    let stalled: fn() -> Vec<Act> =
        || vec![Act::Send([HEAD, &piece("one")].concat().into_bytes()), Act::Hang];
    let failing: fn() -> Vec<Act> = || refuse(500, "", "server_error");
    let options = json!({"timeout_ms": 3_000, "retry": {"max_attempts": 99, "base_ms": 900}});
    for (what, play) in [silent, headless, stalled, failing].into_iter().enumerate() {
        let (took, _) = ended(json!({}), options.clone(), play).await;
        assert!(took <= ms(3_100), "{what}: {took:?}");
    }
    // The timers of an attempt, each with what it is for.
    let once = json!({"retry": false});
    let timers = |timer: &str| json!({"providers": {"a": {"timeouts": {timer: 700}}}});
    for (timer, play) in
        [("headers_ms", silent), ("first_token_ms", headless), ("idle_ms", stalled)]
    {
        let (took, kind) = ended(timers(timer), once.clone(), play).await;
        assert!((ms(700)..=ms(800)).contains(&took), "{timer}: {took:?}");
        assert_eq!(kind, ErrorKind::Timeout, "{timer}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_4_an_attempt_that_cannot_finish_is_not_started() {
    let (client, world) = client(json!({}), |_| {
        [vec![Act::Wait(ms(990))], refuse(500, "", "server_error")].into_iter().flatten().collect()
    });
    let options = json!({"timeout_ms": 1_000});
    let error = call(&client, "a/m", options).await.unwrap_err();
    assert_eq!((error.kind(), world.count("a")), (ErrorKind::Unavailable, 1));
    assert_eq!(world.now(), ms(990));
}

/// More than a repetition for each call is what somebody may want.
#[tokio::test(start_paused = true)]
async fn promise_3_a_budget_may_be_larger_than_the_calls() {
    let config = json!({"retry_budget": {"percent": 200, "per_second": 0}, "breaker": false});
    let (client, world) = client(config, |_| refuse(503, "", "overloaded"));
    for _ in 0..10 {
        call(&client, "a/m", json!({})).await.unwrap_err();
    }
    assert_eq!(world.count("a"), 30);
}

/// A server may send its headers at once and think then.
#[tokio::test(start_paused = true)]
async fn promise_4_a_whole_answer_may_begin_late() {
    let (client, world) = client(json!({}), |ask| {
        let Some(Act::Send(bytes)) = answer(ask).pop() else { return Vec::new() };
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let (head, body) = bytes.split_at(head);
        vec![Act::Send(head.to_vec()), Act::Wait(secs(200)), Act::Send(body.to_vec())]
    });
    let whole = call(&client, "a/m", json!({})).await.unwrap();
    assert_eq!((whole.liter.attempts.len(), world.now()), (1, secs(200)));
    // What is asked for counts from the headers on.
    let error = call(&client, "a/m", json!({"idle_ms": 9_000, "retry": false})).await.unwrap_err();
    assert_eq!((error.kind(), world.now()), (ErrorKind::Timeout, secs(209)));
}

/// Whoever comes back to a target because the others gave up waits as it was asked to.
#[tokio::test(start_paused = true)]
async fn promise_1_a_wait_holds_after_a_fallback_too() {
    for headers in ["retry-after: 5\r\n", ""] {
        let (client, world) = client(json!({}), move |ask| match (ask.host.as_str(), ask.number) {
            ("a", 0) => refuse(500, headers, "error"),
            ("b", _) => refuse(401, "", "invalid_api_key"),
            _ => answer(ask),
        });
        let answer = call(&client, "a/m", json!({"fallback": ["b/m"]})).await.unwrap();
        let tried: Vec<_> = answer.liter.attempts.iter().map(|one| one.target.as_str()).collect();
        assert_eq!(tried, ["a/m", "b/m", "a/m"]);
        let asked = world.asked("a");
        let waited = asked[1].at - asked[0].at;
        let least = if headers.is_empty() { ms(1) } else { secs(5) };
        assert!((least..least + ms(500)).contains(&waited), "{waited:?}");
    }
}

/// An error says as much as an answer: its limits, the provider's own words, and why each attempt
/// failed; but never the key, which some servers repeat.
#[tokio::test(start_paused = true)]
async fn an_error_carries_what_the_provider_said() {
    let (client, _) = client(json!({}), |_| {
        let body = json!({"error": {
            "message": "It fails", "code": "busy", "failed_generation": "{\"name\":",
            "inner": [{"key": "you sent sk-canary-a-0123456789"}],
        }});
        let headers = "x-ratelimit-remaining-requests: 7\r\nx-request-id: req_1\r\n";
        vec![Act::Send(reply_bytes(503, headers, &body.to_string()))]
    });
    let options = json!({"retry": {"max_attempts": 2, "base_ms": 1}});
    let error = call(&client, "a/m", options).await.unwrap_err();
    let document: Value = serde_json::from_slice(&error.to_json()).unwrap();
    let error = &document["error"];
    assert_eq!(error["ratelimit"], json!({"x-ratelimit-remaining-requests": "7"}));
    assert_eq!(error["request_id"], "req_1");
    let own = &error["provider_error"]["error"];
    assert_eq!(own["failed_generation"], "{\"name\":");
    assert_eq!(own["inner"][0]["key"], "you sent [key]");
    let messages: Vec<_> =
        error["attempts"].as_array().unwrap().iter().map(|one| &one["message"]).collect();
    assert_eq!(messages, ["It fails", "It fails"]);
}

/// What is no JSON is kept as text, a page of HTML not at all, and no more than 64 KiB.
#[tokio::test(start_paused = true)]
async fn a_providers_words_are_bounded() {
    for (body, kept) in [
        ("upstream timed out".to_owned(), json!("upstream timed out")),
        ("<html><title>502</title></html>".to_owned(), Value::Null),
        (String::new(), Value::Null),
        ("x".repeat(100_000), json!("x".repeat(64 << 10))),
        // A key is taken out before the cut, which would halve it.
        (
            format!("{} sk-canary-a-0123456789 {}", "x".repeat((64 << 10) - 10), "y".repeat(999)),
            json!(format!("{} [key] yyy", "x".repeat((64 << 10) - 10))),
        ),
    ] {
        let reply = reply_bytes(400, "", &body);
        let (client, _) = client(json!({}), move |_| vec![Act::Send(reply.clone())]);
        let error = call(&client, "a/m", json!({})).await.unwrap_err();
        let document: Value = serde_json::from_slice(&error.to_json()).unwrap();
        assert_eq!(document["error"]["provider_error"], kept);
    }
}

/// A target that answers 503 until then, and what a call to it alone comes to and when.
async fn outage(
    until: Duration,
    config: Value,
    options: Value,
) -> (Result<usize, liter_llm_core::Error>, Duration) {
    let (client, world) = client(config, move |ask| match ask.at < until {
        true => refuse(503, "", "overloaded"),
        false => answer(ask),
    });
    let ended = call(&client, "a/m", options).await.map(|answer| answer.liter.attempts.len());
    (ended, world.now())
}

#[tokio::test(start_paused = true)]
async fn promise_5_an_outage_of_the_only_target_is_outlasted() {
    for down in [ms(1_500), secs(3), secs(6), secs(10)] {
        let (ended, at) = outage(down, json!({}), json!({})).await;
        // Soon after its end.
        assert!(ended.is_ok() && at <= down + ms(2_500), "{down:?}: {at:?} {ended:?}");
        // Its breaker, which five faults have opened, did not refuse it, and was not hammered.
        assert!(ended.unwrap() <= 8 + down.as_secs() as usize, "{down:?}");
    }
    // A call with a time of its own goes on up to that time.
    let (ended, at) = outage(secs(40), json!({}), json!({"timeout_ms": 60_000})).await;
    assert!(ended.is_ok() && at <= secs(43), "{at:?} {ended:?}");
    let config = json!({"providers": {"a": {"timeouts": {"total_ms": 60_000}}}});
    assert!(outage(secs(40), config, json!({})).await.0.is_ok());
    // And ends with the provider's own error in good time.
    for (options, most) in [
        (json!({}), secs(15)),
        (json!({"timeout_ms": 4_000}), secs(4)),
        (json!({"timeout_ms": 100}), ms(100)),
    ] {
        let (ended, at) = outage(secs(1_000), json!({}), options).await;
        let error = ended.unwrap_err();
        assert_eq!((error.kind(), error.status), (ErrorKind::Unavailable, Some(503)));
        assert!(at <= most && at >= most.saturating_sub(ms(2_300)), "{at:?} of {most:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_5_what_may_be_billed_or_is_bounded_is_not_outlasted() {
    let plays: [fn() -> Vec<Act>; 3] = [
        || refuse(500, "", "server_error"),
        || vec![Act::Close],
        || refuse(503, "x-should-retry: false\r\n", "overloaded"),
    ];
    for (play, most) in plays.into_iter().zip([3, 3, 1]) {
        let (client, world) = client(json!({}), move |_| play());
        call(&client, "a/m", json!({})).await.unwrap_err();
        assert_eq!(world.count("a"), most);
    }
    for config in [json!({"retry": {"max_attempts": 2}}), json!({"retry": false})] {
        let (ended, at) = outage(secs(5), config, json!({})).await;
        assert!(ended.unwrap_err().attempts.len() <= 2 && at <= secs(1));
    }
    // The targets of a fan-out do not wait for one another, and a call with a fallback goes there.
    let (client, world) = client(json!({}), |_| refuse(503, "", "overloaded"));
    let fanout = json!({"fanout": {"targets": ["a/m", "b/m"]}});
    client
        .answer(&super::world::request("a/m"), fanout.to_string().as_bytes())
        .await
        .err()
        .unwrap();
    call(&client, "a/m", json!({"fallback": ["b/m"]})).await.unwrap_err();
    assert!(world.now() <= secs(4), "{:?}", world.now());
}

/// Many calls at once in an outage are all answered after it, inside the budget.
#[tokio::test(start_paused = true)]
async fn promise_5_calls_wait_for_the_budget_in_an_outage() {
    let (client, world) = client(json!({}), |ask| match ask.at < secs(4) {
        true => refuse(503, "", "overloaded"),
        false => answer(ask),
    });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        calls.spawn(async move { call(&client, "a/m", json!({})).await });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    let most = 50 + 10 + 10 * (world.now().as_secs() as usize + 1);
    assert!(world.count("a") <= most, "{} of {most}", world.count("a"));
}
