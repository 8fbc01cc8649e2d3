//! Which targets are passed over, and for how long.

use std::time::Duration;

use liter_llm_core::{Client, ErrorKind};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::say::{HEAD, answer, answer_with, piece, refuse};
use super::world::{Act, Ask, call, client, health, metrics, ms, secs, stream};

async fn fails(client: &Client, times: usize) {
    for _ in 0..times {
        call(client, "a/m", json!({"retry": false})).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn promise_7_five_faults_open_it_and_one_probe_goes_through() {
    let (client, world) = client(json!({}), |ask| match (ask.host.as_str(), ask.number) {
        ("a", 0..5) => refuse(503, "", "overloaded"),
        ("a", 5) => {
            let late = [vec![Act::Wait(secs(5))], refuse(503, "", "overloaded")];
            late.into_iter().flatten().collect()
        }
        ("a", 6) => [vec![Act::Wait(secs(5))], answer(ask)].into_iter().flatten().collect(),
        _ => answer(ask),
    });
    fails(&client, 4).await;
    assert_eq!(health(&client, "a/m")["breaker"], "closed");
    fails(&client, 1).await;
    assert_eq!(health(&client, "a/m")["breaker"], "open");
    let fallback = json!({"fallback": ["b/m"], "retry": false});
    // The n-th opening lasts n times 30 s. Of many calls after that, one goes through.
    for (opening, seen) in [(30, 6), (60, 7)] {
        sleep(secs(opening) - ms(1)).await;
        assert_eq!(call(&client, "a/m", fallback.clone()).await.unwrap().provider, "b");
        assert_eq!(
            (world.count("a"), &health(&client, "a/m")["breaker"]),
            (seen - 1, &json!("open"))
        );
        sleep(ms(2)).await;
        assert_eq!(health(&client, "a/m")["breaker"], "half_open");
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let (client, options) = (client.clone(), fallback.clone());
            calls.spawn(async move { call(&client, "a/m", options).await.unwrap().provider });
        }
        let providers = calls.join_all().await;
        assert_eq!(world.count("a"), seen);
        let at_a = providers.iter().filter(|provider| *provider == "a").count();
        assert_eq!(at_a, usize::from(opening == 60), "{providers:?}");
    }
    assert_eq!(health(&client, "a/m")["breaker"], "closed");
    assert_eq!(call(&client, "a/m", fallback).await.unwrap().provider, "a");
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_probe_that_is_given_up_makes_room() {
    let (client, world) = client(json!({}), |ask| match (ask.host.as_str(), ask.number) {
        ("a", 0..5) => refuse(503, "", "overloaded"),
        ("a", 5) => vec![Act::Hang],
        _ => answer(ask),
    });
    fails(&client, 5).await;
    sleep(secs(31)).await;
    let fallback = json!({"fallback": ["b/m"]});
    let probe = call(&client, "a/m", fallback.clone());
    tokio::time::timeout(secs(1), probe).await.unwrap_err();
    assert_eq!(call(&client, "a/m", fallback).await.unwrap().provider, "a");
    assert_eq!(world.count("a"), 7);
}

#[tokio::test(start_paused = true)]
async fn promise_7_the_callers_faults_do_not_count() {
    for (status, code) in [
        (400, "invalid_value"),
        (404, "model_not_found"),
        (422, "invalid_value"),
        (400, "context_length_exceeded"),
        (400, "content_filter"),
        (429, "rate_limit_exceeded"),
    ] {
        let (client, _) = client(json!({}), move |_| refuse(status, "", code));
        fails(&client, 10).await;
        assert_eq!(health(&client, "a/m")["breaker"], "closed", "{status} {code}");
        assert_eq!(health(&client, "a/m")["failures"], 10);
    }
    // Nor does a deadline of the caller's own.
    let (client, _) = client(json!({}), |_| vec![Act::Hang]);
    for _ in 0..10 {
        call(&client, "a/m", json!({"timeout_ms": 100})).await.unwrap_err();
    }
    assert_eq!(health(&client, "a/m")["breaker"], "closed");
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_key_that_is_refused_trips_at_once() {
    for (status, code) in [(401, "invalid_api_key"), (429, "insufficient_quota")] {
        let (client, world) = client(json!({}), move |ask| match (ask.host.as_str(), ask.number) {
            ("a", 0) => refuse(status, "", code),
            _ => answer(ask),
        });
        let fallback = json!({"fallback": ["b/m"]});
        for _ in 0..3 {
            assert_eq!(call(&client, "a/m", fallback.clone()).await.unwrap().provider, "b");
        }
        // The key is that of all models.
        assert_eq!(call(&client, "a/other", fallback.clone()).await.unwrap().provider, "b");
        assert_eq!(world.count("a"), 1, "{code}");
        sleep(secs(31)).await;
        assert_eq!(call(&client, "a/m", fallback).await.unwrap().provider, "a");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_7_where_all_are_open_the_least_bad_is_asked() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        0..5 => refuse(503, "", "overloaded"),
        _ => answer(ask),
    });
    fails(&client, 5).await;
    sleep(secs(10)).await;
    for _ in 0..5 {
        call(&client, "b/m", json!({"retry": false})).await.unwrap_err();
    }
    // `a` is well 10 s earlier.
    let found = call(&client, "b/m", json!({"fallback": ["a/m"]})).await.unwrap();
    assert_eq!((found.provider.as_str(), world.count("b")), ("a", 5));
    let codes: Vec<_> = found.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["breaker_open"]);
    // That has closed its breaker.
    let found = call(&client, "a/m", json!({})).await.unwrap();
    assert!(found.warnings.is_empty());
}

/// Fault 15 of the sixteen: a provider that flaps for a minute under twenty requests.
#[tokio::test(start_paused = true)]
async fn promise_7_a_flapping_provider_is_ridden_out() {
    let is_down = |at: Duration| at < secs(60) && (at.as_secs() / 5) % 2 == 1;
    for fallback in [false, true] {
        let (client, world) = client(json!({}), move |ask| match ask.host.as_str() {
            "a" if is_down(ask.at) => refuse(503, "", "overloaded"),
            _ => answer(ask),
        });
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let (client, begun) = (client.clone(), world.now());
            let options = if fallback { json!({"fallback": ["b/m"]}) } else { json!({}) };
            calls.spawn(async move {
                match call(&client, "a/m", options).await {
                    Ok(answer) => answer.liter.attempts,
                    Err(error) => {
                        panic!("{begun:?}: {error:?}");
                    }
                }
            });
            sleep(secs(3)).await;
        }
        let attempts = calls.join_all().await;
        let lost = attempts.iter().filter(|own| own[own.len() - 1].kind.is_some()).count();
        let (a, b) = (world.count("a"), world.count("b"));
        println!(
            "flapping for 60 s under 20 calls, fallback {fallback}: {lost} lost, {a} requests to it, \
             {b} to the fallback"
        );
        // Every request is in the account of some call.
        assert_eq!(attempts.iter().map(Vec::len).sum::<usize>(), a + b);
        assert!(a <= 100, "{a}");
        assert_eq!(lost, 0);
    }
}

/// A caller with little patience closes a provider to nobody else.
#[tokio::test(start_paused = true)]
async fn promise_7_the_callers_own_patience_does_not_count() {
    let slow = |_: &Ask| {
        vec![Act::Send([HEAD, &piece("one")].concat().into_bytes()), Act::Wait(secs(9)), Act::Close]
    };
    for (config, options, opens) in [
        (json!({}), json!({"idle_ms": 1_000}), false),
        (json!({"idle_ms": 2_000}), json!({"idle_ms": 1_000}), false),
        (json!({"idle_ms": 2_000}), json!({"idle_ms": 5_000}), true),
        (json!({"idle_ms": 2_000}), json!({}), true),
    ] {
        let config = json!({"providers": {"a": {"timeouts": config}}});
        let (client, _) = client(config, slow);
        for _ in 0..5 {
            let error = stream(&client, "a/m", options.clone()).await.end().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
        }
        let state = if opens { "open" } else { "closed" };
        assert_eq!(health(&client, "a/m")["breaker"], state, "{options}");
    }
}

/// A fallback that is open is no better than waiting for the target that may be well again.
#[tokio::test(start_paused = true)]
async fn promise_7_a_fallback_that_is_open_is_passed_over() {
    let (client, world) = client(json!({}), |ask| match (ask.host.as_str(), ask.number) {
        ("a", n) if n % 2 == 1 => answer(ask),
        _ => refuse(503, "", "overloaded"),
    });
    for _ in 0..5 {
        call(&client, "b/m", json!({"retry": false})).await.unwrap_err();
    }
    for _ in 0..3 {
        let answer = call(&client, "a/m", json!({"fallback": ["b/m"]})).await.unwrap();
        assert_eq!((answer.provider.as_str(), answer.liter.attempts.len()), ("a", 2));
    }
    assert_eq!(world.count("b"), 5);
}

/// Callers make up names of models. That costs nobody what is known of the others.
#[tokio::test(start_paused = true)]
async fn l6_made_up_names_forget_no_open_breaker_and_no_limit() {
    let (client, world) =
        client(json!({"retry": false}), |ask: &Ask| match ask.body["model"].as_str().unwrap() {
            "broken" => refuse(503, "", "down"),
            "limited" => {
                let left = "x-ratelimit-remaining-requests: 0\r\n\
                            x-ratelimit-reset-requests: 50s\r\n";
                answer_with(left)(ask)
            }
            "popular" => answer(ask),
            _ => refuse(404, "", "model_not_found"),
        });
    for _ in 0..5 {
        call(&client, "a/broken", json!({})).await.unwrap_err();
        call(&client, "a/popular", json!({})).await.unwrap();
    }
    call(&client, "a/limited", json!({})).await.unwrap();
    assert_eq!(health(&client, "a/broken")["breaker"], "open");
    for number in 0..3_000 {
        call(&client, &format!("a/made-up-{number}"), json!({})).await.unwrap_err();
    }
    assert_eq!(health(&client, "a/broken")["breaker"], "open");
    let asked = world.count("a");
    let options = json!({"limit": {"wait": false}});
    let error = call(&client, "a/limited", options).await.unwrap_err();
    assert_eq!((error.kind(), world.count("a")), (ErrorKind::RateLimit, asked));
    // What was asked most is kept longest.
    assert_eq!(health(&client, "a/popular")["attempts"], 5);
    let known = metrics(&client)["targets"].as_array().unwrap().len();
    assert!((3..=1_024).contains(&known), "{known}");
}
