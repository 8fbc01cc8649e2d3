//! Giving up, at any moment, ends everything at once.

use std::time::Duration;

use liter_llm_core::{Client, ErrorKind};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::say::{HEAD, answer, piece, refuse};
use super::world::{Act, Ask, call, client, health, metrics, ms, secs, stream};

type Play = fn(&Ask) -> Vec<Act>;

/// Moments at which a call may be given up: what it does for a long time.
fn moments() -> [(&'static str, Play); 4] {
    [
        ("headers", |_| vec![Act::Hang]),
        ("first content", |_| vec![Act::Send(HEAD.into()), Act::Hang]),
        ("in a stream", |_| vec![Act::Send([HEAD, &piece("one")].concat().into()), Act::Hang]),
        ("backoff", |_| refuse(429, "retry-after: 50\r\n", "busy")),
    ]
}

fn nothing_is_held(client: &Client, what: &str) {
    let metrics = metrics(client);
    assert_eq!(metrics["in_flight"], 0, "{what}");
    for target in metrics["targets"].as_array().unwrap() {
        assert_eq!(target["in_flight"], 0, "{what}: {target}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_11_a_dropped_call_frees_everything() {
    for (what, play) in moments() {
        let (client, world) = client(json!({}), play);
        timeout(secs(7), stream(&client, "a/m", json!({}))).await.unwrap_or_default();
        nothing_is_held(&client, what);
        let ended = json!({"calls": 1, "errors": {"cancelled": 1}});
        assert_eq!(metrics(&client)["providers"]["a"], ended, "{what}");
        sleep(ms(1)).await;
        let left: &[Duration] = if what == "backoff" { &[] } else { &[secs(7)] };
        assert_eq!(world.left("a"), left, "{what}");
        sleep(secs(100)).await;
        assert_eq!(world.count("a"), 1, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_11_a_closed_client_ends_its_calls_at_once() {
    for (what, play) in moments() {
        let (client, world) = client(json!({}), play);
        let own = client.clone();
        let running = tokio::spawn(async move { stream(&own, "a/m", json!({})).await });
        sleep(secs(7)).await;
        client.close(secs(3)).await;
        let error = running.await.unwrap().end().unwrap_err();
        assert_eq!(world.now(), secs(10), "{what}");
        if what == "in a stream" {
            assert_eq!(error.partial.as_ref().unwrap().text, "one");
        }
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{what}");
        assert_eq!(error.attempts.len(), 1, "{what}");
        assert_eq!(metrics(&client)["providers"]["a"]["calls"], 1, "{what}");
        nothing_is_held(&client, what);
    }
}

/// A client whose one place is taken, and a call that waits for it.
fn crowded() -> Value {
    json!({"providers": {"a": {"limits": {"max_in_flight": 1}}}})
}

#[tokio::test(start_paused = true)]
async fn promise_11_a_call_that_waits_for_a_limit_ends_at_once() {
    let (client, world) = client(crowded(), |ask| match ask.number {
        0 => [vec![Act::Wait(secs(20))], answer(ask)].into_iter().flatten().collect(),
        _ => answer(ask),
    });
    let own = client.clone();
    let first = tokio::spawn(async move { call(&own, "a/m", json!({})).await });
    sleep(ms(1)).await;
    let waiting = call(&client, "a/m", json!({}));
    timeout(secs(5), waiting).await.unwrap_err();
    assert_eq!((client.in_flight(), world.count("a")), (1, 1));
    first.await.unwrap().unwrap();
    // The place of the one that gave up is not lost.
    call(&client, "a/m", json!({})).await.unwrap();
    assert_eq!(world.now(), secs(20));
    nothing_is_held(&client, "a dropped waiter");

    let (client, world) = super::world::client(crowded(), |_| vec![Act::Hang]);
    let (one, two) = (client.clone(), client.clone());
    let first = tokio::spawn(async move { call(&one, "a/m", json!({})).await });
    let second = tokio::spawn(async move { call(&two, "a/m", json!({})).await });
    sleep(secs(2)).await;
    client.close(Duration::ZERO).await;
    for call in [first, second] {
        assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    }
    assert_eq!(world.now(), secs(2));
    nothing_is_held(&client, "a closed client");
}

#[tokio::test(start_paused = true)]
async fn promise_11_a_hedge_and_its_first_attempt_end_together() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        0..20 if ask.host == "a" => answer(ask),
        _ => vec![Act::Hang],
    });
    for _ in 0..20 {
        call(&client, "a/m", json!({})).await.unwrap();
    }
    let options = json!({"fallback": ["b/m"], "hedge": {"after_ms": 100}});
    timeout(secs(1), call(&client, "a/m", options)).await.unwrap_err();
    sleep(ms(1)).await;
    assert_eq!((world.left("a"), world.left("b")), (vec![secs(1)], vec![secs(1)]));
    nothing_is_held(&client, "a race");
    assert_eq!(health(&client, "b/m")["attempts"], 1);
}
