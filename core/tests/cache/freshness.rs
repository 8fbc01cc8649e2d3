//! How long an answer is given, and what happens when it is old.

use std::time::Duration;

use serde_json::json;

use super::say::{answer, refuse};
use super::{ask, cached, question, read, tier};
use tokio::time::sleep;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test(start_paused = true)]
async fn an_answer_expires() {
    let (client, world) = cached(&json!({"ttl_s": 10}), answer);
    ask(&client, &question(), &json!({})).await.unwrap();
    sleep(Duration::from_millis(9_900)).await;
    assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "memory");
    sleep(Duration::from_millis(200)).await;
    assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "none");
    assert_eq!(world.count("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_says_how_long_its_answer_is_fresh_and_how_old_it_takes_one() {
    let (client, world) = cached(&json!({"ttl_s": 10}), answer);
    ask(&client, &question(), &json!({"cache": {"ttl_s": 100}})).await.unwrap();
    sleep(secs(50)).await;
    assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "memory");
    let young = json!({"cache": {"max_age_s": 49}});
    assert_eq!(tier(&ask(&client, &question(), &young).await.unwrap()), "none");
    // It is the one that is stored now.
    assert_eq!(tier(&ask(&client, &question(), &young).await.unwrap()), "memory");
    assert_eq!(world.count("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_given_while_one_call_refreshes_it() {
    let (client, world) = cached(&json!({"ttl_s": 10, "stale_s": 10}), |ask| {
        let mut acts = vec![super::world::Act::Wait(secs(1))];
        acts.extend(answer(ask));
        acts
    });
    ask(&client, &question(), &json!({})).await.unwrap();
    sleep(secs(12)).await;
    let start = tokio::time::Instant::now();
    for _ in 0..20 {
        let response = ask(&client, &question(), &json!({})).await.unwrap();
        assert_eq!(tier(&response), "memory");
        assert!(response.liter.cache.unwrap().age_ms >= 11_000);
    }
    assert_eq!(read(&client, &question(), &json!({})).await.unwrap().0, "one two three");
    assert_eq!(start.elapsed(), Duration::ZERO);
    sleep(secs(2)).await;
    assert_eq!(world.count("a"), 2);
    let response = ask(&client, &question(), &json!({})).await.unwrap();
    assert!(response.liter.cache.unwrap().age_ms < 2_000);
    // Beyond that time it is asked for.
    sleep(secs(30)).await;
    assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "none");
}

/// A call that refreshes in the background ends with its client.
#[tokio::test(start_paused = true)]
async fn a_refresh_ends_with_the_client() {
    let (client, world) = cached(&json!({"ttl_s": 1, "stale_s": 10}), |ask| match ask.number {
        0 => answer(ask),
        _ => vec![super::world::Act::Hang],
    });
    ask(&client, &question(), &json!({})).await.unwrap();
    sleep(secs(2)).await;
    ask(&client, &question(), &json!({})).await.unwrap();
    sleep(secs(1)).await;
    assert_eq!((world.count("a"), world.left("a").len()), (2, 0));
    client.close(Duration::ZERO).await;
    sleep(secs(1)).await;
    assert_eq!(world.left("a").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_expired_answer_stands_in_if_no_target_answers() {
    let (client, world) =
        cached(&json!({"ttl_s": 10, "stale_if_error_s": 10}), |ask| match ask.number {
            0 => answer(ask),
            3 => refuse(400, "", "bad"),
            _ => refuse(503, "", "down"),
        });
    ask(&client, &question(), &json!({})).await.unwrap();
    sleep(secs(11)).await;
    let stale = ask(&client, &question(), &json!({})).await.unwrap();
    assert_eq!((tier(&stale), stale.warnings[0].code), ("memory", "stale"));
    let (text, stale) = read(&client, &question(), &json!({})).await.unwrap();
    assert_eq!((text.as_str(), stale.warnings[0].code), ("one two three", "stale"));
    // A request that is wrong now is wrong.
    ask(&client, &question(), &json!({})).await.unwrap_err();
    sleep(secs(10)).await;
    ask(&client, &question(), &json!({})).await.unwrap_err();
    assert_eq!(world.count("a"), 5);
}

/// XFetch: nobody looks ahead of a young answer, and nearly everybody of one that ends.
#[tokio::test(start_paused = true)]
async fn early_looks_ahead_the_likelier_the_older_an_answer_is() {
    let slow = |ask: &super::world::Ask| {
        let mut acts = vec![super::world::Act::Wait(secs(2))];
        acts.extend(answer(ask));
        acts
    };
    let (client, world) = cached(&json!({"ttl_s": 100, "early": true}), slow);
    ask(&client, &question(), &json!({})).await.unwrap();
    for _ in 0..100 {
        assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "memory");
    }
    assert_eq!(world.count("a"), 1);
    sleep(secs(96)).await;
    for _ in 0..200 {
        assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "memory");
    }
    sleep(secs(3)).await;
    assert_eq!(world.count("a"), 2);
    let (client, world) = cached(&json!({"ttl_s": 100}), slow);
    ask(&client, &question(), &json!({})).await.unwrap();
    sleep(secs(97)).await;
    for _ in 0..200 {
        ask(&client, &question(), &json!({})).await.unwrap();
    }
    assert_eq!(world.count("a"), 1);
}

/// The memory keeps to its bound.
#[tokio::test(start_paused = true)]
async fn the_memory_is_bounded_by_bytes() {
    let (client, _) = cached(&json!({"memory_bytes": 1 << 20}), |ask| {
        let length = 1 << (ask.number % 18);
        let body = json!({"choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "x".repeat(length)}}]});
        vec![super::world::Act::Send(super::say::reply_bytes(200, "", &body.to_string()))]
    });
    for i in 0..500 {
        let request = json!({"model": "a/m", "prompt": format!("{i}"), "seed": 1});
        ask(&client, &request, &json!({})).await.unwrap();
        let bytes = super::world::metrics(&client)["cache"]["bytes"].as_u64().unwrap();
        assert!(bytes <= 1 << 20, "{bytes}");
    }
    let found = super::world::metrics(&client)["cache"].clone();
    assert!(found["bytes"].as_u64().unwrap() > 1 << 18, "{found}");
}
