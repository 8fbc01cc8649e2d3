//! Each fault of Redis, as calls with a cache see it: none fails, and the worst is that a provider is
//! asked.

use std::time::{Duration, Instant};

use liter_llm_core::{Client, ErrorKind};
use serde_json::json;

use crate::fleet::until;
use crate::provider::Provider;
use crate::proxy::{Proxy, Way};
use crate::second::{SECRET, ask, client, keys, metrics, settings, stored, tier};
use crate::server::{Server, needs_redis};

/// The longest that a call waits for Redis in these tests.
const TIMEOUT: Duration = Duration::from_millis(300);

fn hasty(port: u16, provider: &str) -> serde_json::Value {
    let mut settings = settings(port, provider);
    settings["redis"]["timeout_ms"] = json!(TIMEOUT.as_millis() as u64);
    settings
}

/// Asks sixteen questions at once, twice: none fails, and the second time memory answers.
async fn goes_on(client: &Client, name: &str) {
    for wanted in ["none", "memory"] {
        let calls: Vec<_> = (0..16)
            .map(|number| {
                let (client, prompt) = (client.clone(), format!("{name} {number}"));
                tokio::spawn(async move { ask(&client, &prompt, json!({})).await })
            })
            .collect();
        for call in calls {
            let answer = call.await.unwrap().unwrap();
            assert_eq!((tier(&answer), answer.text()), (wanted, "ok"), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_for_a_redis_that_is_away() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    for (name, way) in [
        ("silent", Way::Silent),
        ("slow", Way::Slow(TIMEOUT * 3)),
        ("cut", Way::Cut),
        ("garbage", Way::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())),
        ("LOADING", Way::Says(b"-LOADING Redis is loading the dataset\r\n".to_vec())),
        ("NOPERM", Way::Says(b"-NOPERM this user has no permissions\r\n".to_vec())),
        ("READONLY", Way::Says(b"-READONLY You can't write against a replica\r\n".to_vec())),
    ] {
        let proxy = Proxy::before(server.address()).await;
        let client = client(&hasty(proxy.address.port, &provider.url));
        ask(&client, &format!("{name} before"), json!({})).await.unwrap();
        stored(&server, "ll:t:l:*", 0).await;
        proxy.set(way);
        let began = Instant::now();
        goes_on(&client, name).await;
        // Late three times, and never again. The machine is busy.
        assert!(began.elapsed() < TIMEOUT * 3 + Duration::from_secs(10), "{name}");
        let error = client.answer(br#"{"op": "cache_purge", "tenant": ""}"#, b"").await.err();
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{name}: {error}");
        assert_eq!(error.code.as_deref(), Some("redis_away"));
        // Its own memory is cleared all the same.
        let again = ask(&client, &format!("{name} 0"), json!({})).await.unwrap();
        assert_eq!(tier(&again), "none", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_for_a_redis_that_is_not_there() {
    needs_redis!();
    let mut server = Server::start(&[]);
    let provider = Provider::start().await;
    let settings = settings(server.port, &provider.url);
    let one = client(&settings);
    ask(&one, "before", json!({})).await.unwrap();
    stored(&server, "ll:t:c:*", 1).await;
    server.kill();
    goes_on(&one, "gone").await;
    // A process that starts meanwhile, too.
    goes_on(&client(&settings), "new").await;
    server.restart();
    // It is used again, when it is there again.
    let late = client(&settings);
    let mut number = 0;
    while keys(&server, "ll:t:c:*").is_empty() {
        ask(&one, &format!("after {number}"), json!({})).await.unwrap();
        number += 1;
        assert!(number < 3_000, "Redis is not used again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let last = format!("after {}", number - 1);
    assert_eq!(tier(&ask(&late, &last, json!({})).await.unwrap()), "redis");
}

/// A value of another type, cut, or changed: a miss that is counted, and overwritten.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_not_ours_is_a_miss_and_is_overwritten() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let settings = settings(server.port, &provider.url);
    ask(&client(&settings), "Why?", json!({})).await.unwrap();
    stored(&server, "ll:t:c:*", 1).await;
    let key = keys(&server, "ll:t:c:*").remove(0);
    let whole: u64 = server.cli(&["strlen", &key]).parse().unwrap();
    let last = (whole - 8).to_string();
    let spoilt: [&[&str]; 6] = [
        &["setrange", &key, "60", "xxxxxxxx"],
        &["setrange", &key, &last, "xxxxxxxx"],
        &["append", &key, "x"],
        &["set", &key, "LC1"],
        &["set", &key, ""],
        &["del", &key],
    ];
    for (number, words) in spoilt.iter().enumerate() {
        server.cli(words);
        if words[0] == "del" {
            server.cli(&["rpush", &key, "a", "list"]);
        }
        let fresh = client(&settings);
        assert_eq!(tier(&ask(&fresh, "Why?", json!({})).await.unwrap()), "none", "{words:?}");
        assert_eq!(metrics(&fresh)["cache"]["redis"]["corrupt"], json!(1), "{words:?}");
        assert_eq!(provider.asked(), number as u64 + 2);
        until(|| server.cli(&["strlen", &key]) == whole.to_string()).await;
        assert_eq!(tier(&ask(&client(&settings), "Why?", json!({})).await.unwrap()), "redis");
    }
    // Entries of another secret are not found.
    let mut other = settings.clone();
    other["cache"]["secret"] = json!("another secret of them");
    assert_eq!(tier(&ask(&client(&other), "Why?", json!({})).await.unwrap()), "none");
    stored(&server, "ll:t:c:*", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_and_a_flushed_redis_are_misses() {
    needs_redis!();
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let provider = Provider::start().await;
    let settings = settings(server.port, &provider.url);
    let one = client(&settings);
    ask(&one, "before", json!({})).await.unwrap();
    stored(&server, "ll:t:c:*", 1).await;
    server.cli(&["config", "set", "maxmemory", "1"]);
    goes_on(&one, "full").await;
    server.cli(&["config", "set", "maxmemory", "0"]);
    server.cli(&["flushall"]);
    assert_eq!(tier(&ask(&client(&settings), "before", json!({})).await.unwrap()), "none");
    stored(&server, "ll:t:c:*", 1).await;
    assert_eq!(tier(&ask(&client(&settings), "before", json!({})).await.unwrap()), "redis");
}

/// A program that prints the secret late holds no call up, and what it prints is used then.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_source_of_the_secret_is_a_miss() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let folder = std::env::temp_dir().join(format!("liter-llm-secret-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("go");
    let script = format!("while [ ! -e {} ]; do sleep 0.1; done; echo {SECRET}", path.display());
    let mut settings = hasty(server.port, &provider.url);
    settings["cache"]["secret"] = json!(format!("exec:{}", json!(["/bin/sh", "-c", script])));
    let client = client(&settings);
    for number in 0..5 {
        let answer = ask(&client, &format!("before {number}"), json!({"timeout_ms": 8_000})).await;
        assert_eq!(tier(&answer.unwrap()), "none");
    }
    assert_eq!(keys(&server, "ll:t:c:*").len(), 0);
    std::fs::write(&path, "").unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    for number in 0.. {
        ask(&client, &format!("after {number}"), json!({})).await.unwrap();
        if !keys(&server, "ll:t:c:*").is_empty() {
            break;
        }
        assert!(Instant::now() < end, "the secret is not used");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// A call that has less time than the timer of Redis waits for its own time alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_less_time_than_redis_has_ends_in_time() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let proxy = Proxy::before(server.address()).await;
    let mut settings = settings(proxy.address.port, &provider.url);
    settings["redis"]["timeout_ms"] = json!(10_000);
    let client = client(&settings);
    ask(&client, "before", json!({})).await.unwrap();
    proxy.set(Way::Silent);
    let began = Instant::now();
    let tenant = json!({"timeout_ms": 500, "tenant": "another"});
    let _ = ask(&client, "Why?", tenant).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // It says nothing about Redis, which has had no time.
    assert!(client.redis().unwrap().is_up());
}
