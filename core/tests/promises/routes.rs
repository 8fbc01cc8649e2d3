//! Which of several targets is asked first.

use std::collections::HashMap;

use liter_llm_core::ErrorKind;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::say::{answer, refuse};
use super::world::{Act, call, client, ms, secs, seeded};

fn route(policy: &str, targets: Value) -> Value {
    json!({"routes": {"chat": {"policy": policy, "targets": targets}}})
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_region_is_never_left() {
    let config = json!({
        "providers": {"a": {"region": "eu"}, "b": {"region": "us"}, "c": {"region": "eu"}},
        "routes": {"chat": {"targets": ["b/m", "a/m", "c/m"]}},
    });
    let (client, world) = client(config, |_| refuse(503, "", "overloaded"));
    let options = json!({"region": "eu", "fallback": ["b/m"], "hedge": {"after_ms": 1}});
    for _ in 0..20 {
        call(&client, "chat", options.clone()).await.unwrap_err();
    }
    assert!(world.count("a") > 0 && world.count("c") > 0);
    assert_eq!(world.count("b"), 0);
    let error = call(&client, "chat", json!({"region": "asia"})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn weights_are_shares_and_a_sticky_key_stays() {
    let targets = json!([
        {"target": "a/m", "weight": 7}, {"target": "b/m", "weight": 2}, {"target": "c/m", "weight": 1},
    ]);
    for seed in 0..3 {
        let (client, world) = seeded(seed, route("weighted", targets.clone()), answer);
        for _ in 0..2_000 {
            call(&client, "chat", json!({})).await.unwrap();
        }
        for (host, expected) in [("a", 1_400), ("b", 400), ("c", 200)] {
            let share: usize = world.count(host);
            assert!(share.abs_diff(expected) < 100, "{host} has {share} of {expected}");
        }
    }
    let mut homes = HashMap::new();
    for seed in 0..3 {
        let (client, _) = seeded(seed, route("weighted", targets.clone()), answer);
        for _ in 0..3 {
            for user in 0..40 {
                let options = json!({"sticky_key": format!("user {user}")});
                let provider = call(&client, "chat", options).await.unwrap().provider;
                // The same in every client.
                assert_eq!(homes.entry(user).or_insert_with(|| provider.clone()), &provider);
            }
        }
    }
    let at_a = homes.values().filter(|provider| *provider == "a").count();
    assert!((20..40).contains(&at_a), "{at_a} of 40");
}

#[tokio::test(start_paused = true)]
async fn latency_prefers_the_quicker() {
    let (client, world) = client(route("latency", json!(["a/m", "b/m", "c/m"])), |ask| {
        let slow = if ask.at < secs(60) { "a" } else { "b" };
        let after = if ask.host == slow { secs(2) } else { ms(100) };
        [vec![Act::Wait(after)], answer(ask)].into_iter().flatten().collect()
    });
    let mut before = [0; 3];
    for phase in 0..2 {
        while world.now() < secs(60) * (phase + 1) {
            call(&client, "chat", json!({})).await.unwrap();
            sleep(ms(100)).await;
        }
        let counts = ["a", "b", "c"].map(|host| world.count(host));
        let own = [0, 1, 2].map(|i| counts[i] - before[i]);
        before = counts;
        let all: usize = own.iter().sum();
        let slow = own[phase as usize];
        println!("latency route, phase {phase}: {own:?}");
        assert!(slow * 10 <= all, "{own:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_least_busy_is_preferred() {
    let (client, world) = client(route("least_in_flight", json!(["a/m", "b/m"])), |ask| {
        let after = if ask.host == "a" { secs(100) } else { ms(100) };
        [vec![Act::Wait(after)], answer(ask)].into_iter().flatten().collect()
    });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let client = client.clone();
        calls.spawn(async move { call(&client, "chat", json!({})).await.unwrap() });
        sleep(ms(200)).await;
    }
    calls.join_all().await;
    assert!(world.count("a") <= 2, "{}", world.count("a"));
}

/// A fallback is what is asked when the route's own targets fail, whatever orders those.
#[tokio::test(start_paused = true)]
async fn fallbacks_come_after_the_routes_targets_in_their_order() {
    for policy in ["priority", "weighted", "latency", "least_in_flight"] {
        let (client, world) = client(route(policy, json!(["a/m"])), |ask| {
            if ask.at >= secs(60) && ask.host != "c" {
                return refuse(503, "", "overloaded");
            }
            answer(ask)
        });
        let options = json!({"fallback": ["b/m", "c/m"]});
        for _ in 0..50 {
            call(&client, "chat", options.clone()).await.unwrap();
        }
        assert_eq!(["a", "b", "c"].map(|host| world.count(host)), [50, 0, 0], "{policy}");
        sleep(secs(60)).await;
        let answer = call(&client, "chat", options).await.unwrap();
        let tried: Vec<_> = answer.liter.attempts.iter().map(|one| one.target.as_str()).collect();
        assert_eq!(tried, ["a/m", "b/m", "c/m"], "{policy}");
    }
}

/// Two ways of asking one model: what differs is in `parameters`.
#[tokio::test(start_paused = true)]
async fn targets_of_one_model_have_their_shares_too() {
    let targets = json!([
        {"target": "a/m", "weight": 3, "parameters": {"temperature": 0}},
        {"target": "a/m", "weight": 1, "parameters": {"temperature": 1}},
    ]);
    for sticky in [false, true] {
        let (client, world) = client(route("weighted", targets.clone()), answer);
        for user in 0..2_000 {
            let options = if sticky { json!({"sticky_key": format!("{user}")}) } else { json!({}) };
            call(&client, "chat", options).await.unwrap();
        }
        let asked = world.asked("a");
        let share = asked.iter().filter(|ask| ask.body["temperature"] == 1).count();
        assert!(share.abs_diff(500) < 80, "{share} of 500, sticky: {sticky}");
    }
}

/// Who fails at once is neither quick nor idle.
#[tokio::test(start_paused = true)]
async fn a_target_that_only_fails_draws_no_calls() {
    for policy in ["latency", "least_in_flight"] {
        let (client, world) = client(route(policy, json!(["a/m", "b/m", "c/m"])), |ask| {
            if ask.host == "c" {
                return refuse(404, "", "model_not_found");
            }
            [vec![Act::Wait(secs(1))], answer(ask)].into_iter().flatten().collect()
        });
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..300 {
            let client = client.clone();
            calls.spawn(async move { call(&client, "chat", json!({})).await.is_ok() });
            sleep(ms(100)).await;
        }
        let succeeded = calls.join_all().await.into_iter().filter(|well| *well).count();
        println!("{policy}: c is asked {} times, {succeeded} of 300 succeed", world.count("c"));
        assert!(world.count("c") <= 10, "{policy}: {}", world.count("c"));
    }
}
