//! What a provider that is down gets to see.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::say::{answer, refuse};
use super::world::{call, client, health, ms};
use liter_llm_core::ErrorKind;

const CALLS: usize = 2_000;

/// A hundred calls a second, of which `a` fails all. How many succeeded, and how often
/// `a` was asked, and may be asked at most: a fifth more than the calls, and ten a second for as
/// long as calls go on.
async fn offer(calls: usize, config: Value, options: Value) -> (usize, usize, usize) {
    let (client, world) = client(config, |ask| match ask.host.as_str() {
        "a" => refuse(503, "", "overloaded"),
        _ => answer(ask),
    });
    let mut running = JoinSet::new();
    for _ in 0..calls {
        let (client, options) = (client.clone(), options.clone());
        running.spawn(async move { call(&client, "a/m", options).await });
        sleep(ms(10)).await;
    }
    let succeeded = running.join_all().await.iter().filter(|outcome| outcome.is_ok()).count();
    let most = calls * 12 / 10 + (10.0 * (world.now().as_secs_f64() + 1.0)) as usize;
    (succeeded, world.count("a"), most)
}

#[tokio::test(start_paused = true)]
async fn promise_3_a_dead_provider_sees_1_2_times_the_load() {
    let (succeeded, seen, most) = offer(CALLS, json!({"breaker": false}), json!({})).await;
    println!(
        "dead provider, {CALLS} calls: {seen} requests with the budget alone (at most {most})"
    );
    assert_eq!(succeeded, 0);
    assert!(seen > CALLS && seen <= most, "{seen}");

    let three = json!({"retry": {"max_attempts": 3}});
    let (_, flood, _) = offer(CALLS, json!({"breaker": false, "retry_budget": false}), three).await;
    println!("dead provider, {CALLS} calls: {flood} requests without any of it");
    assert_eq!(flood, 3 * CALLS);

    let (succeeded, seen, _) = offer(CALLS, json!({}), json!({})).await;
    println!("dead provider, {CALLS} calls: {seen} requests with the breaker too");
    assert_eq!(succeeded, 0);
    assert!(seen <= CALLS * 12 / 10, "{seen}");
}

/// Where the number of attempts is named, and each call has another target, an open breaker lets no
/// retry through.
#[tokio::test(start_paused = true)]
async fn promise_3_an_open_breaker_lets_no_named_retry_through() {
    let (succeeded, seen, _) = offer(CALLS, json!({}), json!({"retry": {"max_attempts": 3}})).await;
    assert_eq!(succeeded, 0);
    assert!(seen <= CALLS + 15, "{seen}");
}

#[tokio::test(start_paused = true)]
async fn promise_3_with_a_fallback_every_call_succeeds() {
    let (succeeded, seen, _) = offer(6_000, json!({}), json!({"fallback": ["b/m"]})).await;
    println!(
        "dead provider with a fallback, 6000 calls: {succeeded} succeed, {seen} requests to it"
    );
    assert_eq!(succeeded, 6_000);
    // Five until its breaker opens, and a probe when that is half-open.
    assert!((5..=15).contains(&seen), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn promise_3_an_exhausted_budget_is_said() {
    let config = json!({"retry_budget": {"percent": 0, "per_second": 0}});
    let (client, world) = client(config, |_| refuse(500, "", "server_error"));
    let error = call(&client, "a/m", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message.ends_with("too many calls fail at once, see retry_budget)"), "{error}");
    assert_eq!((world.count("a"), error.attempts.len()), (1, 1));
    assert_eq!(health(&client, "a/m")["in_flight"], 0);
}
