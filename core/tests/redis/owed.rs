//! What a call owes the fleet when it ends in an unusual way: its place is given back.

use std::time::{Duration, Instant};

use liter_llm_core::limit::fleet::rules::{Settled, settle};
use serde_json::json;

use crate::fleet::{ASK, member, until};
use crate::provider::Provider;
use crate::proxy::{Proxy, Way};
use crate::server::{Server, cli, needs_redis, redis, until_up};

const PLACES: &str = "{ll:fleet}:p:c";

/// The places that are taken, each for ever: only their release ends them.
fn for_ever(port: u16) -> usize {
    let places = cli(port, &["zrange", PLACES, "0", "-1"]);
    let places: Vec<&str> = places.lines().filter(|id| !id.is_empty()).collect();
    for id in &places {
        cli(port, &["zadd", PLACES, "xx", "9000000000000000", id]);
    }
    cli(port, &["persist", PLACES]);
    places.len()
}

/// A release that Redis does not take is sent again when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_given_back_after_redis_was_away() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let provider = Provider::start().await;
    let client = member(proxy.address.port, &provider.url, json!({"max_in_flight": 5}), 1);
    client.call(ASK, b"").await.unwrap();
    until(|| cli(server.port, &["zcard", PLACES]) == "0").await;
    provider.takes(Duration::from_secs(3));
    let own = client.clone();
    let call = tokio::spawn(async move { own.call(ASK, b"").await });
    until(|| provider.asked() == 2).await;
    proxy.set(Way::Cut);
    call.await.unwrap().unwrap();
    provider.takes(Duration::ZERO);
    // Calls without Redis: the release is tried meanwhile, and fails.
    until(|| !client.redis().unwrap().is_up()).await;
    for _ in 0..3 {
        client.call(ASK, b"").await.unwrap();
    }
    assert_eq!(for_ever(server.port), 1);
    proxy.set(Way::On);
    let end = Instant::now() + Duration::from_secs(60);
    while cli(server.port, &["zcard", PLACES]) != "0" {
        assert!(Instant::now() < end, "the place is not given back");
        client.call(ASK, b"").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A call that is cancelled while it asks may have been granted its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_cancelled_while_it_asks_gives_its_place_back() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let provider = Provider::start().await;
    let client = member(proxy.address.port, &provider.url, json!({"max_in_flight": 5}), 1);
    client.call(ASK, b"").await.unwrap();
    until(|| cli(server.port, &["zcard", PLACES]) == "0").await;
    proxy.set(Way::Slow(Duration::from_secs(3)));
    let own = client.clone();
    let call = tokio::spawn(async move { own.call(ASK, b"").await });
    until(|| cli(server.port, &["zcard", PLACES]) == "1").await;
    for_ever(server.port);
    call.abort();
    assert!(call.await.is_err());
    until(|| cli(server.port, &["zcard", PLACES]) == "0").await;
    assert_eq!(provider.asked(), 1);
}

/// The timer of Redis is longer than the call: its own time counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_asks_no_longer_than_it_lasts() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let provider = Provider::start().await;
    let client = member(proxy.address.port, &provider.url, json!({"max_in_flight": 5}), 1);
    client.call(ASK, b"").await.unwrap();
    proxy.set(Way::Silent);
    let began = Instant::now();
    let _ = client.call(ASK, br#"{"timeout_ms": 500}"#).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// A generator in memory has the same state in a forked child. Names come from the system instead.
#[tokio::test]
async fn no_two_processes_share_a_name() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    for number in 1..=3 {
        fastrand::seed(7);
        let client = member(server.port, &provider.url, json!({"max_in_flight": 5}), 1);
        client.call(ASK, b"").await.unwrap();
        until(|| cli(server.port, &["zcard", "{ll:fleet}:alive"]) == number.to_string()).await;
    }
}

/// A key of another kind costs its own item, and not those that are settled with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_key_costs_its_own_item_alone() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    until_up(&redis).await;
    server.cli(&["rpush", "{a}:x", "a", "list"]);
    server.cli(&["set", "{a}:p", "soon"]);
    server.cli(&["zadd", "{a}:c", "9000000000000000", "one"]);
    let release = |key: &str| Settled::Release { key: key.to_owned(), id: "one".to_owned() };
    let time = Duration::from_secs(9);
    let items =
        [release("{a}:x"), Settled::Pause { key: "{a}:p".to_owned(), time }, release("{a}:c")];
    settle(&redis, &items, Duration::from_secs(5)).await.unwrap();
    assert_eq!(server.cli(&["zcard", "{a}:c"]), "0");
}
