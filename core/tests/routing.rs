//! The promises of `docs/cost.md` that concern routes by cost, in virtual time.
#![allow(clippy::unwrap_used)]

#[path = "promises/say.rs"]
mod say;
#[expect(dead_code, reason = "shared with the promises of resilience, which use all of it")]
#[path = "promises/world.rs"]
mod world;

use std::sync::Arc;

use liter_llm_core::{Client, Error, ErrorKind, Response};
use serde_json::{Value, json};

use say::{answer, refuse};
use world::{Act, Ask, World};

/// A route of three targets: `a` is dear and good, `b` is cheap, `c` is between them.
fn route() -> Value {
    json!({"policy": "cost", "targets": [
        {"target": "a/m", "quality": 5}, {"target": "b/m", "quality": 1}, {"target": "c/m", "quality": 3},
    ]})
}

fn client(
    route: Value,
    prices: &Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    let config = json!({"retry": {"base_ms": 10}, "routes": {"r": route}, "prices": prices});
    world::client(config, play)
}

fn prices() -> Value {
    json!({
        "a/m": {"input": "10", "output": "40"},
        "b/m": {"input": "0.1", "output": "0.4"},
        "c/m": {"input": "1", "output": "4"},
    })
}

async fn ask(client: &Client, more: Value) -> Result<Response, Error> {
    let mut request = json!({"model": "r", "prompt": "Why is the sky blue?"});
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    client.call(request.to_string().as_bytes(), b"").await
}

fn routed(response: &Response) -> Value {
    serde_json::from_slice::<Value>(&response.to_json()).unwrap()["liter"]["route"].clone()
}

#[tokio::test(start_paused = true)]
async fn the_cheapest_target_is_asked() {
    let (client, _) = client(route(), &prices(), answer);
    let response = ask(&client, json!({"max_tokens": 100})).await.unwrap();
    assert_eq!(response.provider, "b");
    // 17 tokens at 0.1 and 100 at 0.4, in USD for a million.
    assert_eq!(routed(&response)["policy"], "cost");
    let expected = routed(&response)["expected_usd"].as_str().unwrap().to_owned();
    assert!(expected.starts_with("0.00004"), "{expected}");
    assert_eq!(routed(&response)["rule"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_price_turns_the_order() {
    let mut dearer = prices();
    dearer["b/m"] = json!({"input": "20", "output": "80"});
    let (client, _) = client(route(), &dearer, answer);
    assert_eq!(ask(&client, json!({})).await.unwrap().provider, "c");
}

#[tokio::test(start_paused = true)]
async fn floors_keep_out_what_is_not_good_enough() {
    let mut own = route();
    own["rules"] = json!([
        {"when": {"tools": true}, "min_quality": 4},
        {"when": {"prompt_tokens_below": 100}, "min_quality": 1},
        {"min_quality": 3},
    ]);
    let (client, _) = client(own, &prices(), answer);
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {}}});
    for (request, provider, rule, floor) in [
        (json!({}), "b", json!(1), json!(1)),
        (json!({"prompt": "x".repeat(500)}), "c", json!(2), json!(3)),
        (json!({"tools": [tool]}), "a", json!(0), json!(4)),
        (json!({"options": {"min_quality": 2}}), "c", Value::Null, json!(2)),
        (json!({"options": {"min_quality": 5}}), "a", Value::Null, json!(5)),
    ] {
        let response = ask(&client, request.clone()).await.unwrap();
        assert_eq!(response.provider, provider, "{request}");
        let routed = routed(&response);
        assert_eq!((&routed["rule"], &routed["min_quality"]), (&rule, &floor), "{request}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_keeps_the_floor() {
    let mut own = route();
    own["rules"] = json!([{"min_quality": 3}]);
    let (client, world) = client(own, &prices(), |ask| match ask.host.as_str() {
        "c" => refuse(429, "", "rate_limit_exceeded"),
        _ => answer(ask),
    });
    assert_eq!(ask(&client, json!({})).await.unwrap().provider, "a");
    assert_eq!((world.count("c"), world.count("b")), (1, 0));
    let (client, world) = client_that_fails();
    let error = ask(&client, json!({})).await.unwrap_err();
    assert_eq!((error.status, world.count("b")), (Some(400), 0));
}

fn client_that_fails() -> (Client, Arc<World>) {
    let mut own = route();
    own["rules"] = json!([{"min_quality": 3}]);
    client(own, &prices(), |_| refuse(400, "", "bad"))
}

#[tokio::test(start_paused = true)]
async fn no_target_may_be_good_enough() {
    let mut own = route();
    own["targets"] = json!([{"target": "b/m", "quality": 2}, "c/m"]);
    let (client, world) = client(own, &prices(), answer);
    let error = ask(&client, json!({"options": {"min_quality": 3}})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.param.as_deref(), Some("options.min_quality"));
    assert_eq!(world.count("b") + world.count("c"), 0);
    // A target without a quality has the least one.
    let response = ask(&client, json!({"options": {"min_quality": 2}})).await.unwrap();
    assert_eq!(response.provider, "b");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_down_is_passed_over() {
    let (client, world) = client(route(), &prices(), |ask| match ask.host.as_str() {
        "b" => refuse(503, "", "down"),
        _ => answer(ask),
    });
    for _ in 0..20 {
        assert_eq!(ask(&client, json!({})).await.unwrap().provider, "c");
    }
    // Its breaker is open by now.
    assert!(world.count("b") < 10, "{}", world.count("b"));
}

#[tokio::test(start_paused = true)]
async fn a_target_without_a_price_comes_last() {
    let mut own = prices();
    own.as_object_mut().unwrap().remove("b/m");
    let (client, _) = client(route(), &own, answer);
    let response = ask(&client, json!({})).await.unwrap();
    assert_eq!(response.provider, "c");
    let codes: Vec<_> = response.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["price_unknown"]);
}

/// A target that answers at length costs more than its prices say.
#[tokio::test(start_paused = true)]
async fn what_a_target_usually_answers_counts() {
    let own = json!({
        "a/m": {"input": "1", "output": "1"}, "b/m": {"input": "1", "output": "0.8"},
        "c/m": {"input": "100", "output": "100"},
    });
    let (client, world) = client(route(), &own, |ask| {
        let tokens = if ask.host == "b" { 2_000 } else { 10 };
        let body = json!({"id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hi."}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": 9 + tokens}});
        vec![Act::Send(say::reply_bytes(200, "", &body.to_string()))]
    });
    for _ in 0..100 {
        ask(&client, json!({})).await.unwrap();
    }
    // The cheaper price wins until the answers of that target are known.
    assert!((25..40).contains(&world.count("b")), "{}", world.count("b"));
    assert_eq!(world.count("a") + world.count("b"), 100);
}

/// The same knowledge has the same order in every client.
#[tokio::test(start_paused = true)]
async fn the_order_is_the_same_everywhere() {
    let orders = (0..20).map(|seed| {
        let config = json!({"routes": {"r": route()}, "prices": prices()});
        let (client, world) = world::seeded(seed, config, |ask| match ask.host.as_str() {
            "b" => refuse(429, "", "rate_limit_exceeded"),
            _ => answer(ask),
        });
        (client, world)
    });
    for (client, world) in orders {
        assert_eq!(ask(&client, json!({})).await.unwrap().provider, "c");
        assert_eq!((world.count("b"), world.count("a")), (1, 0));
    }
}
