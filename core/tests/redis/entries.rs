//! The shared tier of the cache: entries, locks, epochs, purges.

use std::time::Duration;

use liter_llm_core::redis::{Fault, Lookup, Mode, Script};

use crate::proxy::{Proxy, Way};
use crate::server::{Server, needs_redis, of, redis, settings};

const TTL: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn one_asker_makes_an_entry_and_all_get_it() {
    needs_redis!();
    let server = Server::start(&[]);
    let (one, _) = redis(server.address());
    let (other, _) = redis(server.address());
    let (entry, lock) = (b"ll:test:c:t:{k}", b"ll:test:l:{k}");
    assert_eq!(one.get_or_lock(entry, lock, b"one").await, Ok(Lookup::Owner));
    let Ok(Lookup::Busy(left)) = other.get_or_lock(entry, lock, b"other").await else {
        panic!("the lock is taken")
    };
    assert!(left > Duration::from_secs(8) && left <= Duration::from_secs(10), "{left:?}");
    assert_eq!(other.renew_lock(lock, b"other").await, Ok(false));
    assert_eq!(one.renew_lock(lock, b"one").await, Ok(true));
    // Bytes of any kind: a cut character, a zero, the end of a line.
    let value = b"\x00\r\n\xff$-1\r\n";
    one.put(entry, lock, b"one", value, TTL).await.unwrap();
    let Ok(Lookup::Hit(found, life)) = other.get_or_lock(entry, lock, b"other").await else {
        panic!("there is an entry")
    };
    assert_eq!(found, value);
    assert!(life > Duration::from_secs(55) && life <= TTL, "{life:?}");
    assert_eq!(server.cli(&["exists", "ll:test:l:{k}"]), "0", "the lock was given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_was_lost_is_not_given_back_for_another() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    assert_eq!(redis.get_or_lock(b"c{k}", b"l{k}", b"one").await, Ok(Lookup::Owner));
    server.cli(&["set", "l{k}", "other", "px", "5000"]);
    redis.put(b"c{k}", b"l{k}", b"one", b"v", TTL).await.unwrap();
    redis.unlock(b"l{k}", b"one").await.unwrap();
    assert_eq!(server.cli(&["get", "l{k}"]), "other");
    redis.unlock(b"l{k}", b"other").await.unwrap();
    assert_eq!(server.cli(&["exists", "l{k}"]), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_value_is_a_miss_and_is_overwritten() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    server.cli(&["rpush", "c{k}", "a", "list"]);
    assert_eq!(redis.get_or_lock(b"c{k}", b"l{k}", b"one").await, Err(Fault::Foreign));
    redis.put(b"c{k}", b"l{k}", b"one", b"v", TTL).await.unwrap();
    let found = redis.get_or_lock(b"c{k}", b"l{k}", b"one").await;
    assert!(matches!(found, Ok(Lookup::Hit(value, _)) if value == b"v"));
    // A lock of another kind, or without an end, holds nobody up.
    server.cli(&["rpush", "l{j}", "a", "list"]);
    assert_eq!(redis.get_or_lock(b"c{j}", b"l{j}", b"one").await, Ok(Lookup::Owner));
    redis.put(b"c{j}", b"l{j}", b"one", b"v", TTL).await.unwrap();
    server.cli(&["set", "epoch", "many"]);
    assert_eq!(redis.count(b"epoch").await, Err(Fault::Foreign));
    // None of it is a reason to ask less.
    assert_eq!(redis.count(b"other").await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_takes_what_begins_so_and_nothing_else() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    let prefix = b"ll:test:c:a*b[c]?\\d:";
    for i in 0..1_200 {
        let key = [&prefix[..], format!("{{{i}}}").as_bytes()].concat();
        redis.put(&key, b"no{lock}", b"one", b"v", TTL).await.unwrap();
    }
    server.cli(&["set", "ll:test:c:aXb[c]?\\d:{1}", "kept"]);
    redis.epoch(b"ll:test:e:t", TTL).await.unwrap();
    assert_eq!(redis.purge(prefix, Duration::from_secs(20)).await, Ok(1_200));
    assert_eq!(redis.purge(prefix, Duration::from_secs(20)).await, Ok(0));
    assert_eq!(server.cli(&["dbsize"]), "2");
    assert_eq!(redis.purge(prefix, Duration::ZERO).await, Err(Fault::Late));
}

/// What was forgotten once is never remembered: no epoch has the name of another one.
#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_has_a_name_of_its_own() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    let key = b"ll:test:e:t";
    let first = redis.epoch(key, TTL).await.unwrap();
    assert_eq!(redis.epoch(key, TTL).await, Ok(first));
    let second = redis.next_epoch(key, TTL).await.unwrap();
    assert_eq!(redis.epoch(key, TTL).await, Ok(second));
    server.cli(&["flushall"]);
    let third = redis.epoch(key, TTL).await.unwrap();
    assert!(first != 0 && second != first && third != first && third != second);
    // What is no name is overwritten, of whatever kind it is.
    server.cli(&["set", "ll:test:e:t", "many"]);
    let fourth = redis.epoch(key, TTL).await.unwrap();
    server.cli(&["del", "ll:test:e:t"]);
    server.cli(&["rpush", "ll:test:e:t", "a", "list"]);
    let fifth = redis.epoch(key, TTL).await.unwrap();
    assert!(fourth != third && fifth != fourth && redis.epoch(key, TTL).await == Ok(fifth));
    let life: u64 = server.cli(&["pttl", "ll:test:e:t"]).parse().unwrap();
    assert!(life > 30_000 && life <= 60_000, "{life}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_taken_beside_an_entry_and_none_by_a_look() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    assert_eq!(redis.peek(b"c{k}", b"l{k}").await, Ok(None));
    assert_eq!(server.cli(&["dbsize"]), "0");
    redis.put(b"c{k}", b"l{k}", b"o", b"v", TTL).await.unwrap();
    let found = redis.peek(b"c{k}", b"l{k}").await.unwrap();
    assert!(found.is_some_and(|(value, life)| value == b"v" && life <= TTL));
    assert_eq!(redis.take_lock(b"l{k}", b"one").await, Ok(true));
    assert_eq!(redis.take_lock(b"l{k}", b"other").await, Ok(false));
    redis.remove(b"c{k}").await.unwrap();
    assert_eq!(redis.peek(b"c{k}", b"l{k}").await, Ok(None));
}

/// What nobody waits for may take as long as what a call waits for: the circuit stays closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_not_late_for_what_nobody_waits_for() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let mut own = settings(vec![proxy.address.clone()], Mode::Single);
    own.timeout = Duration::from_secs(10);
    let (redis, _) = of(own);
    redis.unlock(b"l", b"o").await.unwrap();
    proxy.set(Way::Slow(Duration::from_millis(400)));
    for _ in 0..4 {
        redis.unlock(b"l", b"o").await.unwrap();
    }
    assert!(redis.is_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_a_server_forgot_is_sent_once_more() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    let script = Script::new("return {#KEYS, tonumber(ARGV[1])}");
    for _ in 0..2 {
        server.cli(&["script", "flush"]);
        for number in ["7", "8"] {
            let answer = redis.numbers(&script, &["k"], &[number], redis.timeout()).await;
            assert_eq!(answer, Ok(vec![1, number.parse().unwrap()]));
        }
    }
    let stats = server.cli(&["info", "commandstats"]);
    assert!(stats.contains("cmdstat_eval:calls=2,"), "{stats}");
}
