//! The second tier of the cache: answers in Redis, for all processes of a namespace.

use std::time::{Duration, Instant};

use liter_llm_core::{Client, Config, Error, Outcome, Response, Step};
use serde_json::{Value, json};

use crate::fleet::until;
use crate::provider::Provider;
use crate::server::{Server, needs_redis};

pub(crate) const SECRET: &str = "a secret of the tests";

/// The settings of a client whose answers stand in this Redis.
pub(crate) fn settings(port: u16, provider: &str) -> Value {
    json!({
        "redis": {"url": format!("redis://127.0.0.1:{port}"), "namespace": "t", "timeout_ms": 5_000},
        "cache": {"redis": true, "secret": SECRET},
        "retry": false,
        "providers": {"p": {"kind": "openai", "base_url": provider, "api_key": "sk"}},
    })
}

pub(crate) fn client(settings: &Value) -> Client {
    Client::new(Config::parse(settings.to_string().as_bytes()).unwrap())
}

/// A request whose answer does not change.
pub(crate) fn question(prompt: &str) -> Value {
    json!({"model": "p/m", "prompt": prompt, "temperature": 0})
}

pub(crate) async fn ask(client: &Client, prompt: &str, options: Value) -> Result<Response, Error> {
    let request = question(prompt).to_string();
    client.call(request.as_bytes(), options.to_string().as_bytes()).await
}

pub(crate) fn tier(response: &Response) -> &'static str {
    response.liter.cache.as_ref().map_or("none", |cached| cached.tier.name())
}

/// Waits until so many keys stand in Redis, as answers are stored when nobody waits any more.
pub(crate) async fn stored(server: &Server, pattern: &str, count: usize) {
    until(|| keys(server, pattern).len() == count).await;
}

pub(crate) fn keys(server: &Server, pattern: &str) -> Vec<String> {
    let found = server.cli(&["--scan", "--pattern", pattern]);
    found.lines().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

/// The answer without what is of a call.
fn plain(mut response: Response) -> String {
    let liter = &mut response.liter;
    (liter.request_id, liter.cache, liter.cost) = (String::new(), None, None);
    (liter.attempts, liter.timing) = (Vec::new(), Default::default());
    String::from_utf8(response.to_json()).unwrap()
}

pub(crate) fn metrics(client: &Client) -> Value {
    serde_json::from_slice(&client.metrics_json()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_is_answered_from_redis() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    provider.says(&"a long answer, é😀 ".repeat(600));
    let settings = settings(server.port, &provider.url);
    let (one, other, third) = (client(&settings), client(&settings), client(&settings));
    let first = ask(&one, "Why?", json!({})).await.unwrap();
    assert_eq!(tier(&first), "none");
    stored(&server, "ll:t:c:*", 1).await;
    stored(&server, "ll:t:l:*", 0).await;
    let second = ask(&other, "Why?", json!({})).await.unwrap();
    assert_eq!((tier(&second), second.liter.attempts.len()), ("redis", 0));
    assert_eq!(second.liter.cost.as_ref().unwrap().usd.unwrap().to_string(), "0");
    assert_eq!(tier(&ask(&other, "Why?", json!({})).await.unwrap()), "memory");
    // As a stream, in pieces that are the same text.
    let request = question("Why?").to_string();
    let mut stream = third.stream(request.as_bytes(), b"").await.unwrap();
    let (mut text, mut chunks) = (String::new(), 0);
    let whole = loop {
        match stream.next().await.unwrap() {
            Step::Chunks(some) => {
                chunks += some.len();
                for choice in some.iter().flat_map(|chunk| &chunk.choices) {
                    text.extend(choice.delta.content.as_deref());
                }
            }
            Step::Restarted(_) => panic!("nothing broke"),
            Step::Done(response) => break response,
        }
    };
    assert_eq!((text.as_str(), tier(&whole)), (first.text(), "redis"));
    assert!(chunks > 40, "{chunks}");
    let first = plain(first);
    assert_eq!(first, plain(second));
    assert_eq!(first, plain(*whole));
    assert_eq!(provider.asked(), 1);
    let redis = &metrics(&other)["cache"]["redis"];
    assert_eq!(*redis, json!({"hit": 1, "miss": 0, "corrupt": 0}));
    let text = String::from_utf8(other.metrics_prometheus()).unwrap();
    assert!(text.contains("liter_llm_cache_total{tier=\"redis\",result=\"hit\"} 1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_and_ages() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let settings = settings(server.port, &provider.url);
    let fresh = || client(&settings);
    let only = || json!({"cache": {"mode": "only"}});
    let error = ask(&fresh(), "Why?", only()).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("cache_miss"));
    assert_eq!(provider.asked(), 0);
    assert!(keys(&server, "ll:t:l:*").is_empty(), "a look alone takes no lock");
    ask(&fresh(), "Why?", json!({})).await.unwrap();
    stored(&server, "ll:t:c:*", 1).await;
    assert_eq!(tier(&ask(&fresh(), "Why?", only()).await.unwrap()), "redis");
    let bypass = json!({"cache": {"mode": "bypass"}});
    assert_eq!(tier(&ask(&fresh(), "Why?", bypass).await.unwrap()), "none");
    let refresh = json!({"cache": {"mode": "refresh"}});
    provider.says("a newer answer");
    assert_eq!(tier(&ask(&fresh(), "Why?", refresh).await.unwrap()), "none");
    until_text(&settings, "a newer answer").await;
    assert_eq!(provider.asked(), 3);
    // An answer that is older than the call takes is asked for anew.
    let key = keys(&server, "ll:t:c:*").remove(0);
    server.cli(&["pexpire", &key, "100000"]);
    let young = json!({"cache": {"max_age_s": 100}});
    assert_eq!(tier(&ask(&fresh(), "Why?", young.clone()).await.unwrap()), "none");
    // The server's clock says how old it is, whatever the clients' clocks say.
    until(|| server.cli(&["pttl", &key]).parse::<u64>().unwrap() > 200_000).await;
    server.cli(&["pexpire", &key, "250000"]);
    let old = ask(&fresh(), "Why?", young).await.unwrap();
    let age = old.liter.cache.as_ref().map(|cached| cached.age_ms).unwrap();
    assert!((50_000..80_000).contains(&age), "{age}");
}

async fn until_text(settings: &Value, text: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while ask(&client(settings), "Why?", json!({})).await.unwrap().text() != text {
        assert!(Instant::now() < end, "it is not stored");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_answer_is_given_where_the_settings_say_so() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let mut settings = settings(server.port, &provider.url);
    settings["cache"]["stale_s"] = json!(60);
    settings["cache"]["stale_if_error_s"] = json!(600);
    ask(&client(&settings), "Why?", json!({})).await.unwrap();
    stored(&server, "ll:t:c:*", 1).await;
    let key = keys(&server, "ll:t:c:*").remove(0);
    // It lives for 300 + 600 s, so it is 10 s over.
    server.cli(&["pexpire", &key, "590000"]);
    provider.says("a newer answer");
    let late = client(&settings);
    let old = ask(&late, "Why?", json!({})).await.unwrap();
    assert_eq!((tier(&old), old.text()), ("redis", "ok"));
    // It is asked for anew meanwhile.
    until(|| server.cli(&["pttl", &key]).parse::<u64>().unwrap() > 600_000).await;
    assert_eq!(provider.asked(), 2);
    let new = ask(&client(&settings), "Why?", json!({})).await.unwrap();
    assert_eq!((tier(&new), new.text()), ("redis", "a newer answer"));
    // No target answers, and the answer is 200 s over.
    server.cli(&["pexpire", &key, "400000"]);
    provider.refuses(30);
    let old = ask(&client(&settings), "Why?", json!({})).await.unwrap();
    assert_eq!(old.text(), "a newer answer");
    assert!(old.warnings.iter().any(|warning| warning.code == "stale"));
    let error = ask(&client(&settings), "What?", json!({})).await.unwrap_err();
    assert_eq!(error.status, Some(429));
}

/// Neither in memory, nor in Redis, nor on the way.
#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_never_share_an_answer() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(100));
    let settings = settings(server.port, &provider.url);
    let clients = [client(&settings), client(&settings)];
    let tenants = ["", "a", "b", "ab"];
    let calls = tenants.iter().flat_map(|tenant| {
        clients.iter().flat_map(move |client| {
            (0..2).map(move |_| ask(client, "Why?", json!({"tenant": tenant})))
        })
    });
    for answer in futures(calls).await {
        answer.unwrap();
    }
    assert_eq!(provider.asked(), 4, "one for each tenant");
    stored(&server, "ll:t:c:*", 4).await;
    let found = keys(&server, "ll:t:c:*");
    let part = |key: &String, at: usize| key.split(':').nth(at).unwrap().to_owned();
    for at in [3, 4] {
        let parts: std::collections::BTreeSet<String> =
            found.iter().map(|key| part(key, at)).collect();
        assert_eq!(parts.len(), 4, "{found:?}");
    }
    // A tenant that knows where another one's answer stands has nothing of it.
    let (a, b) = (&found[0], &found[1]);
    server.cli(&["copy", a, b, "replace"]);
    let fresh = client(&settings);
    for tenant in tenants {
        ask(&fresh, "Why?", json!({"tenant": tenant})).await.unwrap();
    }
    assert_eq!(provider.asked(), 5, "the one that was moved");
    assert_eq!(metrics(&fresh)["cache"]["redis"], json!({"hit": 3, "miss": 0, "corrupt": 1}));
}

/// Runs them all at once.
async fn futures<F: Future<Output = Result<Response, Error>>>(
    calls: impl Iterator<Item = F>,
) -> Vec<Result<Response, Error>> {
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    let mut done: Vec<Option<Result<Response, Error>>> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, done) in calls.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(answer) = call.as_mut().poll(context)
            {
                *done = Some(answer);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Nobody who reads Redis learns a prompt, an answer or a tenant; nor does who reads metrics.
#[tokio::test(flavor = "multi_thread")]
async fn no_canary_is_in_a_dump() {
    needs_redis!();
    for (encrypt, secret) in [(true, true), (false, true), (false, false)] {
        let server = Server::start(&["--rdbcompression", "no"]);
        let provider = Provider::start().await;
        let mut settings = settings(server.port, &provider.url);
        settings["cache"] = json!({"redis": true, "encrypt": encrypt});
        if secret {
            settings["cache"]["secret"] = json!(SECRET);
        }
        let client = client(&settings);
        for (number, length) in [1, 1_000].into_iter().enumerate() {
            provider.says(&"canary-answer ".repeat(length));
            let prompt = format!("canary-prompt {number}");
            ask(&client, &prompt, json!({"tenant": "canary-tenant"})).await.unwrap();
        }
        stored(&server, "ll:t:c:*", 2).await;
        assert_eq!(server.cli(&["save"]), "OK");
        let dump = std::fs::read(server.folder.join("dump.rdb")).unwrap();
        let shows = |word: &str| dump.windows(word.len()).any(|part| part == word.as_bytes());
        assert!(shows("ll:t:c:"), "it is the right file");
        assert!(!shows("canary-prompt") && !shows("canary-tenant") && !shows(SECRET));
        assert_eq!(shows("canary-answer"), !encrypt, "what is not encrypted is seen");
        let metrics = String::from_utf8(client.metrics_prometheus()).unwrap();
        assert!(!metrics.contains("canary"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_leaves_nothing_of_a_tenant() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let settings = settings(server.port, &provider.url);
    let (one, other) = (client(&settings), client(&settings));
    for prompt in ["1", "2", "3"] {
        for tenant in ["a", "b"] {
            ask(&one, prompt, json!({"tenant": tenant})).await.unwrap();
        }
    }
    stored(&server, "ll:t:c:*", 6).await;
    for tenant in ["a", "b"] {
        assert_eq!(tier(&ask(&other, "1", json!({"tenant": tenant})).await.unwrap()), "redis");
    }
    // One is on its way.
    provider.takes(Duration::from_secs(1));
    let late = {
        let one = one.clone();
        tokio::spawn(async move { ask(&one, "late", json!({"tenant": "a"})).await })
    };
    until(|| provider.asked() == 7).await;
    assert_eq!(purge(&one, "a").await, json!({"memory": 3, "redis": 3}));
    provider.takes(Duration::ZERO);
    late.await.unwrap().unwrap();
    // The other process looks every five seconds.
    let began = Instant::now();
    while tier(&ask(&other, "1", json!({"tenant": "a"})).await.unwrap()) == "memory" {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(began.elapsed() < Duration::from_secs(30));
    }
    assert_eq!(tier(&ask(&other, "1", json!({"tenant": "b"})).await.unwrap()), "memory");
    stored(&server, "ll:t:c:*", 4).await;
    for (tenant, count) in [("a", 1), ("b", 3)] {
        assert_eq!(purge(&other, tenant).await["redis"], json!(count), "{tenant}");
    }
    // Nothing comes after: not the answer that was on its way either.
    stored(&server, "ll:t:c:*", 0).await;
    assert_eq!(purge(&one, "a").await, json!({"memory": 0, "redis": 0}));
}

async fn purge(client: &Client, tenant: &str) -> Value {
    let request = json!({"op": "cache_purge", "tenant": tenant}).to_string();
    let Outcome::Purged(purged) = client.answer(request.as_bytes(), b"").await.unwrap() else {
        panic!("a purge is answered")
    };
    serde_json::to_value(purged.removed).unwrap()
}

/// Times that no server can count are cut, and stop nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_times_are_times() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let mut settings = settings(server.port, &provider.url);
    for name in ["ttl_s", "max_ttl_s", "stale_s", "stale_if_error_s"] {
        settings["cache"][name] = json!(9_007_199_254_740_991_u64);
    }
    ask(&client(&settings), "Why?", json!({})).await.unwrap();
    stored(&server, "ll:t:c:*", 1).await;
    assert_eq!(tier(&ask(&client(&settings), "Why?", json!({})).await.unwrap()), "redis");
}
