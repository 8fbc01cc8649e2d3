//! A second attempt beside a slow first one.

use std::time::Duration;

use liter_llm_core::{Client, ErrorKind, Outcome};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::say::{HEAD, answer, piece, refuse, stream as whole_stream};
use super::world::{Act, Ask, call, client, health, ms, secs, seeded, stream};

const CALLS: usize = 2_000;

/// Of twenty answers, one has its first token after 5 s, the others after 80 to 120 ms.
fn straggling(seed: u64, ask: &Ask) -> Vec<Act> {
    let number = ask.number as u64;
    let draw = |n| fastrand::Rng::with_seed(seed << 32 | n);
    let late = draw(number / 20).u64(0..20) == number % 20;
    let first = if late { secs(5) } else { ms(draw(number).u64(80..=120)) };
    vec![Act::Wait(first), Act::Send(whole_stream(&["one ", "two"]).into_bytes())]
}

/// The 50th and 99th percentile of the time to the first token, and how many requests there were.
async fn measured(seed: u64, options: Value) -> (Duration, Duration, usize) {
    let (client, world) = seeded(seed, json!({}), move |ask| straggling(seed, ask));
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let (client, options) = (client.clone(), options.clone());
        calls.spawn(async move {
            let streamed = stream(&client, "a/m", options).await;
            let ttft = streamed.ttft;
            assert_eq!(streamed.end().unwrap().text(), "one two");
            ttft.unwrap()
        });
        sleep(ms(20)).await;
    }
    let mut times = calls.join_all().await;
    times.sort();
    (times[CALLS / 2], times[CALLS * 99 / 100], world.count("a"))
}

#[tokio::test(start_paused = true)]
async fn promise_8_hedging_halves_the_p99_for_a_twentieth_more() {
    for seed in 0..3 {
        let (p50, plain, requests) = measured(seed, json!({})).await;
        println!("5 % stragglers, no hedges: p50 {p50:?}, p99 {plain:?}, {requests} requests");
        assert_eq!(requests, CALLS);
        for after in [json!(300), json!("p95")] {
            let options = json!({"hedge": {"after_ms": after}});
            let (p50, p99, requests) = measured(seed, options).await;
            let extra = requests - CALLS;
            let percent = extra as f64 * 100.0 / CALLS as f64;
            println!(
                "5 % stragglers, hedged after {after}: p50 {p50:?}, p99 {p99:?}, {extra} more \
                 requests ({percent:.1} %)"
            );
            assert!(p99 * 2 <= plain, "{p99:?} of {plain:?}");
            assert!(extra * 20 <= CALLS, "{extra}");
        }
    }
}

/// What one hedge costs: a twentieth of twenty calls.
async fn saved(client: &Client) {
    for _ in 0..20 {
        call(client, "a/m", json!({})).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn promise_8_the_loser_is_closed_and_accounted() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        20 => vec![Act::Hang],
        _ => answer(ask),
    });
    saved(&client).await;
    let streamed = stream(&client, "a/m", json!({"hedge": {"after_ms": 500}})).await;
    assert_eq!(streamed.ttft, Some(ms(500)));
    let attempts = streamed.end().unwrap().liter.attempts;
    assert_eq!(attempts.len(), 2);
    assert!(attempts[0].may_be_billed && !attempts[0].hedge && attempts[1].hedge);
    assert_eq!(attempts[0].kind, Some(ErrorKind::Cancelled));
    sleep(ms(1)).await;
    assert_eq!(world.left("a"), [ms(500)]);
    assert_eq!(health(&client, "a/m")["in_flight"], 0);
}

#[tokio::test(start_paused = true)]
async fn promise_8_a_hedge_goes_to_the_fallback() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        20 => vec![Act::Wait(secs(3)), Act::Hang],
        _ => answer(ask),
    });
    saved(&client).await;
    let options = json!({"hedge": {"after_ms": 500}, "fallback": ["b/m"]});
    let answer = call(&client, "a/m", options).await.unwrap();
    assert_eq!(answer.provider, "b");
    assert_eq!((world.count("a"), world.count("b")), (21, 1));
}

#[tokio::test(start_paused = true)]
async fn promise_8_a_late_first_token_starts_the_fallback_and_ends_nothing() {
    let config = json!({"providers": {"a": {"timeouts": {"first_token_ms": 1_000}}}});
    for (fallback, winner, ttft) in [(ms(500), "b", ms(1_500)), (secs(60), "a", ms(3_000))] {
        let (client, world) = client(config.clone(), move |ask| {
            let first = if ask.host == "a" { secs(3) } else { fallback };
            vec![Act::Wait(first), Act::Send(whole_stream(&["one"]).into_bytes())]
        });
        let streamed = stream(&client, "a/m", json!({"fallback": ["b/m"]})).await;
        assert_eq!(streamed.ttft, Some(ttft));
        let answer = streamed.end().unwrap();
        assert_eq!(answer.provider, winner);
        assert_eq!(answer.liter.attempts.len(), 2);
        sleep(ms(1)).await;
        let loser = if winner == "a" { "b" } else { "a" };
        assert_eq!(world.left(loser), [ttft]);
    }
}

#[tokio::test(start_paused = true)]
async fn promise_8_of_a_fan_out_the_slow_are_cancelled() {
    let (client, world) = client(json!({}), |ask| {
        let after = match ask.host.as_str() {
            "a" => secs(9),
            "b" => ms(200),
            _ => ms(100),
        };
        [vec![Act::Wait(after)], answer(ask)].into_iter().flatten().collect()
    });
    let request = json!({
        "prompt": "Hi",
        "options": {"fanout": {"targets": ["a/m", "b/m", "c/m"], "first": 2}},
    });
    let Outcome::Many(many) = client.answer(request.to_string().as_bytes(), b"").await.unwrap()
    else {
        panic!("one answer")
    };
    let winners: Vec<_> = many.results.iter().map(|answer| answer.provider()).collect();
    assert_eq!(winners, ["c", "b"]);
    assert_eq!(many.failures.len(), 1);
    assert_eq!(many.failures[0].kind(), ErrorKind::Cancelled);
    assert!(many.failures[0].attempts[0].may_be_billed);
    sleep(ms(1)).await;
    assert_eq!(world.left("a"), [ms(200)]);
}

/// Hedges are few; the fallback for a late first token is there for every call.
#[tokio::test(start_paused = true)]
async fn promise_8_a_late_first_token_counts_beside_a_hedge() {
    let (client, _) = client(impatient(), |ask| match ask.host.as_str() {
        "a" => vec![Act::Hang],
        _ => answer(ask),
    });
    let options = json!({"hedge": {"after_ms": 100}, "fallback": ["b/m"]});
    let streamed = stream(&client, "a/m", options).await;
    assert_eq!(streamed.ttft, Some(secs(1)));
    assert_eq!(streamed.end().unwrap().provider, "b");
}

fn impatient() -> Value {
    json!({"providers": {"a": {"timeouts": {"first_token_ms": 1_000}}}})
}

/// A target that never speaks is passed over like one that refuses, though nothing ends it.
#[tokio::test(start_paused = true)]
async fn promise_7_late_first_tokens_open_the_breaker() {
    let (client, world) = client(impatient(), |ask| match ask.host.as_str() {
        "a" => vec![Act::Hang],
        _ => answer(ask),
    });
    for _ in 0..8 {
        let streamed = stream(&client, "a/m", json!({"fallback": ["b/m"]})).await;
        assert_eq!(streamed.end().unwrap().provider, "b");
    }
    assert_eq!((world.count("a"), world.count("b"), world.now()), (5, 8, secs(5)));
    assert_eq!(health(&client, "a/m")["breaker"], "open");
    // Half-open: one call asks it, and is not asked to wait longer for the fallback.
    sleep(secs(30)).await;
    for _ in 0..2 {
        stream(&client, "a/m", json!({"fallback": ["b/m"]})).await.end().unwrap();
    }
    assert_eq!((world.count("a"), world.now()), (6, secs(36)));
    assert_eq!(health(&client, "a/m")["breaker"], "open");
}

/// More calls than the budget has fallbacks for get theirs when it has, not at their deadline.
#[tokio::test(start_paused = true)]
async fn promise_8_a_late_first_token_waits_for_the_budget() {
    let (client, world) = client(impatient(), |ask| match ask.host.as_str() {
        "a" => vec![Act::Hang],
        _ => answer(ask),
    });
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let client = client.clone();
        calls.spawn(async move { stream(&client, "a/m", json!({"fallback": ["b/m"]})).await });
    }
    for streamed in calls.join_all().await {
        assert_eq!(streamed.end().unwrap().provider, "b");
    }
    assert!(world.now() <= secs(30), "{:?}", world.now());
}

/// What runs beside nothing is no hedge: a wait that the provider asked for is kept.
#[tokio::test(start_paused = true)]
async fn promise_1_a_hedge_does_not_cut_a_wait_short() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        20 => refuse(500, "retry-after: 5\r\n", "error"),
        _ => answer(ask),
    });
    saved(&client).await;
    let answer = call(&client, "a/m", json!({"hedge": {"after_ms": 500}})).await.unwrap();
    assert_eq!(answer.liter.attempts.len(), 2);
    let asked = world.asked("a");
    assert!(asked[21].at - asked[20].at >= secs(5), "{:?}", asked[21].at - asked[20].at);
}

/// However many are allowed and however soon, a call does not go round in circles for them.
#[tokio::test(start_paused = true)]
async fn promise_4_endless_hedges_do_not_outlast_the_call() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        20 => vec![Act::Hang],
        _ => answer(ask),
    });
    saved(&client).await;
    let options = json!({
        "hedge": {"after_ms": 0, "max": u32::MAX}, "fallback": ["b/m"], "timeout_ms": 1_000,
    });
    let answer = call(&client, "a/m", options).await.unwrap();
    assert_eq!((answer.provider.as_str(), world.now()), ("b", Duration::ZERO));
    let options = json!({"hedge": {"after_ms": 0, "max": u32::MAX}, "timeout_ms": 1_000});
    let (client, world) = self::client(json!({}), |_| vec![Act::Hang]);
    let error = call(&client, "a/m", options).await.unwrap_err();
    assert_eq!((error.kind(), world.now()), (ErrorKind::Timeout, secs(1)));
}

/// The loser's time ends with its attempt, not with the stream that won.
#[tokio::test(start_paused = true)]
async fn promise_8_a_losers_time_ends_when_it_lost() {
    let (client, world) = client(impatient(), |ask| match (ask.host.as_str(), ask.number) {
        ("a", 0) => [vec![Act::Wait(secs(60))], answer(ask)].into_iter().flatten().collect(),
        ("b", 0) => vec![
            Act::Send([HEAD, &piece("one")].concat().into_bytes()),
            Act::Wait(secs(9)),
            Act::Close,
        ],
        ("b", _) => vec![Act::Hang],
        _ => answer(ask),
    });
    let options = json!({"on_break": "restart", "fallback": ["b/m"]});
    let answer = stream(&client, "a/m", options).await.end().unwrap();
    let attempts = answer.liter.attempts;
    let told: Vec<_> = attempts.iter().map(|one| (one.target.as_str(), one.kind)).collect();
    let (lost, broke) = (Some(ErrorKind::Cancelled), Some(ErrorKind::StreamBroken));
    assert_eq!(told, [("a/m", lost), ("b/m", broke), ("a/m", None)]);
    assert_eq!(attempts[0].ms, 1_000);
    assert_eq!((world.count("a"), world.now()), (2, secs(10)));
}

/// Of a fan-out, the losers of a stream too are told with what they may have cost.
#[tokio::test(start_paused = true)]
async fn promise_8_of_a_fan_out_of_streams_every_attempt_is_told() {
    let (client, _) = client(json!({}), |ask| match ask.host.as_str() {
        "a" => vec![Act::Hang],
        "b" => refuse(401, "", "invalid_api_key"),
        _ => [vec![Act::Wait(ms(100))], answer(ask)].into_iter().flatten().collect(),
    });
    let options = json!({"fanout": {"targets": ["a/m", "b/m", "c/m"]}});
    let answer = stream(&client, "ignored", options).await.end().unwrap();
    assert_eq!(answer.provider, "c");
    let attempts = &answer.liter.attempts;
    let told: Vec<_> = attempts.iter().map(|one| (one.target.as_str(), one.kind)).collect();
    let expected = [
        ("c/m", None),
        ("a/m", Some(ErrorKind::Cancelled)),
        ("b/m", Some(ErrorKind::Authentication)),
    ];
    assert_eq!(told, expected);
    assert!(attempts[1].may_be_billed && !attempts[2].may_be_billed);
}

#[tokio::test(start_paused = true)]
async fn promise_8_of_a_fan_out_that_fails_the_first_target_says_why() {
    for streams in [false, true] {
        let (client, _) = client(json!({}), |ask| match ask.host.as_str() {
            "a" => [vec![Act::Wait(secs(1))], refuse(404, "", "model_not_found")]
                .into_iter()
                .flatten()
                .collect(),
            _ => refuse(400, "", "invalid_value"),
        });
        let options = json!({"fanout": {"targets": ["a/m", "b/m"]}});
        let error = if streams {
            stream(&client, "ignored", options).await.end().unwrap_err()
        } else {
            let request = json!({"prompt": "Hi", "options": options}).to_string();
            client.answer(request.as_bytes(), b"").await.err().unwrap()
        };
        assert_eq!((error.kind(), error.provider.as_deref()), (ErrorKind::NotFound, Some("a")));
        let tried: Vec<_> = error.attempts.iter().map(|one| one.target.as_str()).collect();
        assert_eq!(tried, ["a/m", "b/m"]);
    }
}
