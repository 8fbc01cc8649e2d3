//! Limits that several clients share, through a real Redis and a provider that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use liter_llm_core::limit::fleet::rules::{Rule, Settled, Until, Verdict, settle, take};
use liter_llm_core::{Client, Config, ErrorKind};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::provider::Provider;
use crate::proxy::{Proxy, Way};
use crate::server::{Server, cli, needs_redis, redis, until_up};

pub(crate) const ASK: &[u8] = br#"{"model":"p/m","max_tokens":40,"prompt":"hi"}"#;

/// A client of the fleet at this Redis, whose provider has these limits. Its timer is long, so that a
/// busy machine is not taken for a Redis that is away.
pub(crate) fn member(port: u16, provider: &str, limits: Value, replicas: u32) -> Client {
    let config = json!({
        "redis": {"url": format!("redis://127.0.0.1:{port}"), "namespace": "fleet", "timeout_ms": 10_000},
        "fleet": {"limits": true, "replicas": replicas},
        "retry": false,
        "learn_limits": true,
        "providers": {"p": {"kind": "openai", "base_url": provider, "api_key": "sk", "limits": limits}},
    });
    Client::new(Config::parse(config.to_string().as_bytes()).unwrap())
}

/// Members that ask without end, until they are told to stop.
struct Crowd {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Crowd {
    fn of(members: &[Client], callers: usize) -> Crowd {
        let mut crowd = Crowd { tasks: JoinSet::new(), stop: Arc::default() };
        for member in members {
            for _ in 0..callers {
                let (member, stop) = (member.clone(), Arc::clone(&crowd.stop));
                crowd.tasks.spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let _ = member.call(ASK, br#"{"timeout_ms": 20000}"#).await;
                    }
                });
            }
        }
        crowd
    }

    async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// Waits until it is so.
pub(crate) async fn until(so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < end, "it does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Eight members offer far more than the quota; what passes is the quota.
#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_requests_holds_for_all_together() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let limits = json!({"requests_per_minute": 1_200});
    let members: Vec<Client> =
        (0..8).map(|_| member(server.port, &provider.url, limits.clone(), 8)).collect();
    let began = Instant::now();
    let crowd = Crowd::of(&members, 6);
    // So many take about eight seconds, and longer on a busy machine.
    until(|| provider.asked() >= 260).await;
    let (passed, time) = (provider.asked(), began.elapsed());
    crowd.end().await;
    // A tenth at once, and one more after each 61 s / 1,081.
    let fits = 120.0 + time.as_secs_f64() * 1_081.0 / 61.0;
    assert!(passed as f64 <= fits + 1.0, "{passed} of {fits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn places_in_flight_are_exact() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(30));
    let limits = json!({"max_in_flight": 7});
    let members: Vec<Client> =
        (0..8).map(|_| member(server.port, &provider.url, limits.clone(), 8)).collect();
    let crowd = Crowd::of(&members, 4);
    until(|| provider.asked() > 300).await;
    crowd.end().await;
    assert_eq!(provider.most_at_once(), 7);
    // All of them are given back.
    until(|| cli(server.port, &["zcard", "{ll:fleet}:p:c"]) == "0").await;
}

/// Answers that calls wait for are in time for what is settled beside them, too: a slow Redis is
/// not taken for one that is away.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_redis_is_not_away_for_what_nobody_waits_for() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let provider = Provider::start().await;
    let limits = json!({"max_in_flight": 2});
    let members: Vec<Client> =
        (0..4).map(|_| member(proxy.address.port, &provider.url, limits.clone(), 4)).collect();
    for member in &members {
        member.call(ASK, b"").await.unwrap();
    }
    proxy.set(Way::Slow(Duration::from_millis(400)));
    let crowd = Crowd::of(&members, 2);
    let before = provider.asked();
    until(|| provider.asked() >= before + 12).await;
    assert!(members.iter().all(|member| member.redis().unwrap().is_up()));
    crowd.end().await;
    assert!(provider.most_at_once() <= 2, "{} at once", provider.most_at_once());
}

/// Tokens are counted by the estimate, and corrected by the answer's usage.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_corrected_for_all() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let limits = json!({"tokens_per_minute": 2_000});
    let one = member(server.port, &provider.url, limits.clone(), 2);
    let other = member(server.port, &provider.url, limits, 2);
    for client in [&one, &other] {
        client.call(ASK, b"").await.unwrap();
    }
    let sum = || -> i64 {
        let all = cli(server.port, &["hvals", "{ll:fleet}:p:t"]);
        all.lines().filter_map(|line| line.parse::<i64>().ok()).sum()
    };
    let end = Instant::now() + Duration::from_secs(60);
    // The provider says 25 tokens each.
    while sum() != 50 {
        assert!(Instant::now() < end, "{} tokens are counted", sum());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // 45 tokens and the request's own remain for one of a size of about 1,900.
    let big = br#"{"model":"p/m","max_tokens":1900,"prompt":"hi"}"#;
    one.call(big, b"").await.unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while sum() != 75 {
        assert!(Instant::now() < end, "{} tokens are counted", sum());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_reaches_every_process() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let limits = json!({"requests_per_minute": 60_000});
    let one = member(server.port, &provider.url, limits.clone(), 2);
    let other = member(server.port, &provider.url, limits, 2);
    other.call(ASK, b"").await.unwrap();
    provider.refuses(30);
    let error = one.call(ASK, b"").await.unwrap_err();
    assert_eq!(error.status, Some(429));
    provider.refuses(0);
    let asked = provider.asked();
    let end = Instant::now() + Duration::from_secs(60);
    while cli(server.port, &["exists", "{ll:fleet}:p/m:p"]) != "1" {
        assert!(Instant::now() < end, "the pause is not told");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let error = other.call(ASK, br#"{"timeout_ms": 3000}"#).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimit, "{error:?}");
    assert!(error.retry_after_ms.is_some_and(|ms| ms > 20_000.0 as u64), "{error:?}");
    assert_eq!(provider.asked(), asked, "nothing was sent");
}

/// While Redis is away each process has its share, and nobody fails.
#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_process_has_its_share() {
    needs_redis!();
    let mut server = Server::start(&[]);
    let provider = Provider::start().await;
    let limits = json!({"requests_per_minute": 1_200});
    let members: Vec<Client> =
        (0..4).map(|_| member(server.port, &provider.url, limits.clone(), 4)).collect();
    server.kill();
    let began = Instant::now();
    let crowd = Crowd::of(&members, 4);
    until(|| provider.asked() >= 160).await;
    let (passed, time) = (provider.asked(), began.elapsed());
    // 300 a minute each: 30 at once, one more after each 61 s / 271.
    let fits = 4.0 * (30.0 + time.as_secs_f64() * 271.0 / 61.0);
    assert!(passed as f64 <= fits + 4.0, "{passed} of {fits}");
    // Redis comes back without counts: the shares still hold, and both together never pass more.
    server.restart();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (passed, time) = (provider.asked(), began.elapsed());
    crowd.end().await;
    let fits = 120.0 + time.as_secs_f64() * 1_081.0 / 61.0 + 4.0;
    assert!(passed as f64 <= fits, "{passed} of {fits}");
}

/// What Redis loses is found out, and the shares hold from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_flush_let_no_process_send_more_than_the_quota() {
    needs_redis!();
    let mut server = Server::start(&[]);
    let provider = Provider::start().await;
    let limits = json!({"requests_per_minute": 600});
    let member = member(server.port, &provider.url, limits, 1);
    let began = Instant::now();
    let crowd = Crowd::of(std::slice::from_ref(&member), 8);
    until(|| provider.asked() >= 70).await;
    server.cli(&["flushall"]);
    until(|| provider.asked() >= 90).await;
    server.restart();
    until(|| provider.asked() >= 110).await;
    let (passed, time) = (provider.asked(), began.elapsed());
    crowd.end().await;
    let fits = 60.0 + time.as_secs_f64() * 541.0 / 61.0;
    assert!(passed as f64 <= fits + 1.0, "{passed} of {fits}");
}

/// A key of another kind: the share, and a record that names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_key_costs_no_call() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    server.cli(&["rpush", "{ll:fleet}:p:r", "a", "list"]);
    let client = member(server.port, &provider.url, json!({"requests_per_minute": 600}), 1);
    for _ in 0..5 {
        client.call(ASK, b"").await.unwrap();
    }
    assert_eq!(provider.asked(), 5);
}

/// Holds of a budget, by eight writers at once: exact to the last unit.
#[tokio::test(flavor = "multi_thread")]
async fn budgets_are_exact() {
    needs_redis!();
    let server = Server::start(&[]);
    let (first, _) = redis(server.address());
    until_up(&first).await;
    let (key, holds) = ("{ll:b}:b:team", "{ll:b}:b:team:h");
    let budget = move |amount| Rule::Budget {
        key: key.to_owned(),
        holds: holds.to_owned(),
        limit: 5_000_000_000_000_000,
        amount,
        life: Duration::from_secs(60),
    };
    let spent = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for writer in 0..8_u64 {
        let (redis, spent) = (redis(server.address()).0, Arc::clone(&spent));
        tasks.spawn(async move {
            until_up(&redis).await;
            for number in 0..200_u64 {
                let id = format!("{writer}.{number}");
                // Fifteen digits, which Lua writes as 1e+14 where it may.
                let (amount, actual) = (100_000_000_000_000, 4_000_000_000_000 + number);
                let verdict = loop {
                    match take(&redis, &id, &[budget(amount)]).await {
                        Ok(verdict) => break verdict,
                        Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                };
                match verdict {
                    Verdict::Granted(_) => {
                        let (key, holds) = (key.to_owned(), holds.to_owned());
                        let item = Settled::Budget { key, holds, id, held: amount, actual };
                        settle(&redis, &[item], Duration::from_secs(5)).await.unwrap();
                        spent.fetch_add(actual, Ordering::Relaxed);
                    }
                    Verdict::Blocked(rule, until) => assert_eq!((rule, until), (0, Until::Spent)),
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let spent = spent.load(Ordering::Relaxed);
    assert_eq!(server.cli(&["hget", key, "spent"]), spent.to_string());
    assert_eq!(server.cli(&["hget", key, "held"]), "0");
    assert_eq!(server.cli(&["zcard", holds]), "0");
    assert!(spent <= 5_000_000_000_000_000 && spent > 4_000_000_000_000_000, "{spent}");
}

/// A hold that nobody settles counts as spent once its life is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_nobody_settles_counts_as_spent() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    until_up(&redis).await;
    let rule = |amount, ms| Rule::Budget {
        key: "{b}".to_owned(),
        holds: "{b}:h".to_owned(),
        limit: 100,
        amount,
        life: Duration::from_millis(ms),
    };
    assert!(matches!(take(&redis, "one", &[rule(60, 50)]).await, Ok(Verdict::Granted(_))));
    assert_eq!(take(&redis, "two", &[rule(60, 50)]).await, Ok(Verdict::Blocked(0, Until::Spent)));
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert_eq!(take(&redis, "two", &[rule(60, 50)]).await, Ok(Verdict::Blocked(0, Until::Spent)));
    assert_eq!(server.cli(&["hmget", "{b}", "spent", "held"]), "60\n0");
    // Its settlement comes late: what was really spent replaces the hold.
    let (key, holds) = ("{b}".to_owned(), "{b}:h".to_owned());
    let item = Settled::Budget { key, holds, id: "one".to_owned(), held: 60, actual: 10 };
    settle(&redis, &[item], Duration::from_secs(5)).await.unwrap();
    assert_eq!(server.cli(&["hmget", "{b}", "spent", "held"]), "10\n0");
    assert!(matches!(take(&redis, "two", &[rule(90, 50)]).await, Ok(Verdict::Granted(_))));
}

/// All rules of a question are taken, or none.
#[tokio::test(flavor = "multi_thread")]
async fn all_rules_are_taken_or_none() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    until_up(&redis).await;
    let tokens = |tokens| Rule::Tokens { key: "{a}:t".to_owned(), quota: 100, tokens };
    let place = || Rule::InFlight { key: "{a}:c".to_owned(), most: 1 };
    assert!(matches!(take(&redis, "1", &[tokens(40), place()]).await, Ok(Verdict::Granted(_))));
    let second = take(&redis, "2", &[tokens(40), place()]).await;
    assert_eq!(second, Ok(Verdict::Blocked(1, Until::Free)));
    assert_eq!(server.cli(&["hvals", "{a}:t"]), "40", "nothing of the second one is counted");
    let third = take(&redis, "3", &[tokens(70)]).await;
    let Ok(Verdict::Blocked(0, Until::After(wait))) = third else { panic!("{third:?}") };
    assert!(wait > Duration::from_secs(55) && wait <= Duration::from_secs(62), "{wait:?}");
    // A lease that nobody renews ends.
    server.cli(&["zadd", "{a}:c", "1", "1"]);
    assert!(matches!(take(&redis, "2", &[place()]).await, Ok(Verdict::Granted(_))));
}
