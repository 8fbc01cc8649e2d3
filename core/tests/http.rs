//! HTTP/1.1 connections: their reuse, what ends them, what goes out on them.
//!
//! Over real sockets, against the simulator or a server whose every byte is written here. Nothing
//! sleeps to wait for the other side: tests look at counters, or are told through channels.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{
    ASK, Server, answer, assert_says, call, client, failure, ok, open, read, until, within,
};
use liter_llm_core::{Client, ErrorKind, Step};
use liter_llm_simulator::{Options, Simulator};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::JoinSet;

fn simulator() -> Simulator {
    Simulator::start(Options::default()).unwrap()
}

fn of(simulator: &Simulator, knobs: &str) -> Client {
    client(&format!("{}{knobs}/v1", simulator.url()), json!({}))
}

#[tokio::test]
async fn calls_in_a_row_share_one_connection() {
    let simulator = simulator();
    let client = of(&simulator, "");
    for _ in 0..20 {
        call(&client).await.unwrap();
        assert!(!read(open(&client).await.unwrap()).await.unwrap().is_empty());
    }
    assert_eq!(simulator.stats().connections_opened, 1);
    assert_eq!(simulator.stats().streams_aborted, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_steady_load_opens_no_connections() {
    for load in [64, 512] {
        let simulator = simulator();
        let client = of(&simulator, "/sim,delay_ms=30");
        let round = async || {
            let mut calls = JoinSet::new();
            for n in 0..load {
                let client = client.clone();
                calls.spawn(async move {
                    if n % 2 == 0 {
                        return call(&client).await.map(drop);
                    }
                    read(open(&client).await?).await.map(drop)
                });
            }
            calls.join_all().await.into_iter().for_each(|call| call.unwrap());
            // A stream's connection is back once the rest of its body has been read.
            until(|| client.in_flight() == 0).await;
        };
        round().await;
        let warm = simulator.stats().connections_opened;
        assert!(warm <= load, "{warm}");
        for _ in 0..3 {
            round().await;
        }
        assert!(simulator.stats().connections_opened <= load, "{load}: {:?}", simulator.stats());
    }
}

#[tokio::test]
async fn a_dropped_call_closes_its_socket() {
    let simulator = simulator();
    let slow = of(&simulator, "/sim,delay_ms=60000");
    let paced = of(&simulator, "/sim,chunks=100,interval_ms=60000,burst=1");

    // Before the headers.
    let waiting = tokio::spawn({
        let slow = slow.clone();
        async move { slow.call(ASK, b"").await.map(drop) }
    });
    until(|| simulator.stats().requests_open == 1).await;
    waiting.abort();
    until(|| simulator.stats().connections_open == 0).await;
    assert_eq!(simulator.stats().streams_aborted, 1);
    assert_eq!(slow.in_flight(), 0);

    // In the middle of the body.
    let mut stream = open(&paced).await.unwrap();
    assert!(matches!(within(stream.next()).await.unwrap(), Step::Chunks(_)));
    drop(stream);
    until(|| simulator.stats().connections_open == 0).await;
    assert_eq!(simulator.stats().streams_aborted, 2);
}

#[tokio::test]
async fn a_dropped_call_leaves_the_other_connections_alone() {
    let gate = Arc::new(Notify::new());
    let server = Server::start({
        let gate = Arc::clone(&gate);
        move |_, mut peer| {
            let gate = Arc::clone(&gate);
            async move {
                for n in 0.. {
                    let Some(_) = peer.request().await else { return };
                    if n == 1 {
                        gate.notify_one();
                        return peer.closed().await;
                    }
                    peer.send(&ok("", answer("good").as_bytes())).await;
                }
            }
        }
    })
    .await;
    let client = client(&server.url, json!({}));
    call(&client).await.unwrap();
    // On the same connection, whose answer never comes.
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call(ASK, b"").await.map(drop) }
    });
    within(gate.notified()).await;
    waiting.abort();
    assert!(within(waiting).await.is_err());
    assert_eq!(call(&client).await.unwrap().text(), "good");
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn what_says_that_it_closes_is_not_used_again() {
    let body = answer("good");
    let http10 = format!("HTTP/1.0 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let to_the_end = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    for bytes in [ok("connection: close\r\n", body.as_bytes()), http10.into()] {
        // It is not closed, though.
        let server = Server::answering(bytes).await;
        let client = client(&server.url, json!({}));
        for calls in 1..4 {
            assert_eq!(call(&client).await.unwrap().text(), "good");
            assert_eq!(server.accepted(), calls);
        }
    }
    let server = Server::closing(to_the_end).await;
    let client = client(&server.url, json!({}));
    assert_eq!(call(&client).await.unwrap().text(), "good");
    assert_eq!(call(&client).await.unwrap().text(), "good");
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_is_replaced() {
    let closed = Arc::new(Notify::new());
    let server = Server::start({
        let closed = Arc::clone(&closed);
        move |_, mut peer| {
            let closed = Arc::clone(&closed);
            async move {
                if peer.request().await.is_some() {
                    peer.send(&ok("", answer("good").as_bytes())).await;
                    closed.notified().await;
                }
            }
        }
    })
    .await;
    let client = client(&server.url, json!({}));
    for _ in 0..10 {
        assert_eq!(call(&client).await.unwrap().text(), "good");
        closed.notify_one();
        // The server's task runs and closes; the client's runtime has not looked at the socket.
        tokio::task::yield_now().await;
    }
    // A thread that did something else meanwhile: its runtime has not seen the end.
    let other = client.clone();
    call(&other).await.unwrap();
    closed.notify_one();
    tokio::task::yield_now().await;
    std::thread::sleep(Duration::from_millis(150));
    call(&other).await.unwrap();
}

/// The first `good` requests of a connection are answered, the next one gets `last` and the end. With
/// how many requests came.
async fn ending(good: usize, last: &'static [u8]) -> (Server, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&requests);
    let server = Server::start(move |n, mut peer| {
        let seen = Arc::clone(&seen);
        async move {
            // Only the connections after the first are sound, unless none is.
            for turn in 0.. {
                let Some(_) = peer.request().await else { return };
                seen.fetch_add(1, Ordering::SeqCst);
                if turn == good && (n == 0 || good == 0) {
                    return peer.send(last).await;
                }
                peer.send(&ok("", answer("good").as_bytes())).await;
            }
        }
    })
    .await;
    (server, requests)
}

#[tokio::test]
async fn a_reused_connection_that_ends_before_an_answer_costs_no_call() {
    let (server, requests) = ending(1, b"").await;
    let client = client(&server.url, json!({}));
    call(&client).await.unwrap();
    let response = call(&client).await.unwrap();
    assert_eq!(response.text(), "good");
    // Outside of what is tried again: there is one attempt, and `retry` is off.
    let attempts = &response.liter.attempts;
    assert!(attempts.len() == 1 && attempts[0].may_be_billed, "{attempts:?}");
    assert_eq!((requests.load(Ordering::SeqCst), server.accepted()), (3, 2));
}

#[tokio::test]
async fn a_request_that_is_lost_again_may_be_billed() {
    let dead = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&dead);
    let server = Server::start(move |n, mut peer| {
        let seen = Arc::clone(&seen);
        async move {
            if n == 0 {
                peer.request().await;
                peer.send(&ok("", answer("good").as_bytes())).await;
            }
            peer.request().await;
            seen.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let client = client(&server.url, json!({}));
    call(&client).await.unwrap();
    let error = failure(&client).await;
    assert_says(&error, ErrorKind::Connection, "lost before an answer came");
    assert!(error.attempts.len() == 1 && error.attempts[0].may_be_billed, "{error:?}");
    assert_eq!(dead.load(Ordering::SeqCst), 2, "once more, and no more");
}

#[tokio::test]
async fn a_request_that_may_have_been_processed_is_not_sent_again() {
    // On a new connection, and where an answer had begun.
    for (good, last) in [(0, &b""[..]), (1, b"HTTP/1.1 2")] {
        let (server, requests) = ending(good, last).await;
        let client = client(&server.url, json!({}));
        for _ in 0..good {
            call(&client).await.unwrap();
        }
        assert_says(&failure(&client).await, ErrorKind::Connection, "lost before an answer came");
        assert_eq!(requests.load(Ordering::SeqCst), good + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_just_after_its_answer_costs_no_call() {
    let server = Server::start(|n, mut peer| async move {
        let mut random = fastrand::Rng::with_seed(n as u64);
        let turns = random.usize(1..6);
        for _ in 0..turns {
            let Some(_) = peer.request().await else { return };
            peer.send(&ok("", answer("good").as_bytes())).await;
        }
        // The fault that is played is this time.
        tokio::time::sleep(Duration::from_micros(random.u64(0..3_000))).await;
    })
    .await;
    let client = client(&server.url, json!({}));
    let mut tasks = JoinSet::new();
    for seed in 0..16 {
        let client = client.clone();
        tasks.spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..250 {
                assert_eq!(call(&client).await.unwrap().text(), "good");
                tokio::time::sleep(Duration::from_micros(random.u64(0..3_000))).await;
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn a_socket_that_the_server_closed_is_given_back_within_a_second() {
    let (told, mut back) = tokio::sync::mpsc::unbounded_channel();
    let idle = Arc::new(Notify::new());
    let close = Arc::clone(&idle);
    let server = Server::start(move |_, mut peer| {
        let (told, close) = (told.clone(), Arc::clone(&close));
        async move {
            peer.request().await;
            peer.send(&ok("", answer("good").as_bytes())).await;
            close.notified().await;
            peer.socket.shutdown().await.unwrap();
            let ended = std::time::Instant::now();
            peer.closed().await;
            told.send(ended.elapsed()).unwrap();
        }
    })
    .await;
    let client = client(&server.url, json!({}));
    for _ in 0..2 {
        call(&client).await.unwrap();
        idle.notify_one();
        let took = within(back.recv()).await.unwrap();
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

/// A caller's thread runs the client's runtime only while a call does.
#[test]
fn an_answer_that_nobody_asked_for_is_nobodys() {
    let others = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let own = Builder::new_current_thread().enable_all().build().unwrap();
    let (told, late) = std::sync::mpsc::channel();
    let server = others.block_on(Server::start(move |_, mut peer| {
        let told = told.clone();
        async move {
            while peer.request().await.is_some() {
                peer.send(&ok("", answer("good").as_bytes())).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
                peer.send(&ok("", answer("evil").as_bytes())).await;
                let _ = told.send(());
            }
        }
    }));
    let client = client(&server.url, json!({}));
    for calls in 1..=10 {
        assert_eq!(own.block_on(call(&client)).unwrap().text(), "good");
        assert_eq!(server.accepted(), calls);
        late.recv().unwrap();
    }
}

#[tokio::test]
async fn garbage_after_an_answer_reaches_nobody() {
    let bad = [ok("", answer("good").as_bytes()), ok("", answer("evil").as_bytes())].concat();
    let server = Server::answering(bad).await;
    let client = client(&server.url, json!({}));
    for calls in 1..5 {
        assert_eq!(call(&client).await.unwrap().text(), "good");
        assert_eq!(server.accepted(), calls);
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_keys_stay_at_home() {
    let elsewhere = Server::answering(ok("", answer("evil").as_bytes())).await;
    for status in [301, 302, 303, 307, 308, 304] {
        let location = &elsewhere.url;
        let server = Server::answering(format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {location}/v1\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        let client = client(&server.url, json!({}));
        let error = failure(&client).await;
        assert_says(&error, ErrorKind::BadResponse, "redirect");
        assert_eq!(error.status, Some(status));
    }
    assert_eq!(elsewhere.accepted(), 0);
}

#[tokio::test]
async fn the_key_and_the_configured_headers() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start({
        let heads = Arc::clone(&heads);
        move |_, mut peer| {
            let heads = Arc::clone(&heads);
            async move {
                while let Some(head) = peer.request().await {
                    heads.lock().unwrap().push(head);
                    peer.send(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").await;
                }
            }
        }
    })
    .await;
    let file = std::env::temp_dir().join(format!("liter-llm-key-{}", std::process::id()));
    std::fs::write(&file, "sk-canary-file\n").unwrap();
    let reference = format!("file:{}", file.display());
    let path = format!("authorization: Bearer {}", std::env::var("PATH").unwrap());
    for (kind, key, line) in [
        ("openai", "sk-canary-1", "authorization: Bearer sk-canary-1"),
        ("openai", &reference, "authorization: Bearer sk-canary-file"),
        // Always there, and no secret.
        ("openai", "env:PATH", &path),
        ("anthropic", "sk-canary-2", "x-api-key: sk-canary-2"),
    ] {
        let headers = json!({"x-team": "blue"});
        let client = client(&server.url, json!({"kind": kind, "api_key": key, "headers": headers}));
        let request =
            br#"{"model":"p/m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#;
        within(client.call(request, b"")).await.unwrap_err();
        let head = heads.lock().unwrap().pop().unwrap();
        assert_eq!(head.matches(line.split(": ").nth(1).unwrap()).count(), 1, "{head}");
        assert!(head.lines().any(|l| l == line), "{head}");
        assert!(head.lines().any(|l| l == "x-team: blue"), "{head}");
        assert!(head.lines().next().unwrap().starts_with("POST /"), "{head}");
        let host = server.url.strip_prefix("http://").unwrap();
        assert_eq!(head.lines().filter(|l| *l == format!("host: {host}")).count(), 1, "{head}");
    }
    std::fs::remove_file(&file).unwrap();

    for key in ["env:LITER_LLM_NO_SUCH_VARIABLE", "file:/no/such/file", "sk-canary\nx: y"] {
        let client = client(&server.url, json!({"api_key": key}));
        assert_says(&failure(&client).await, ErrorKind::Authentication, "key");
    }
    for (name, value) in
        [("x-a", "a\r\nb: c"), ("bad name", "x"), ("content-length", "3"), ("host", "h")]
    {
        let entry = json!({"base_url": server.url, "kind": "openai", "headers": {name: value}});
        let config = json!({"providers": {"p": entry}}).to_string();
        let error = liter_llm_core::Config::parse(config.as_bytes()).unwrap_err();
        assert_says(&error, ErrorKind::InvalidRequest, "providers.p.headers.");
    }
}

#[tokio::test]
async fn the_client_closes() {
    let simulator = simulator();
    let client = of(&simulator, "/sim,delay_ms=60000");
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call(ASK, b"").await }
    });
    until(|| simulator.stats().requests_open == 1).await;
    within(client.close(Duration::from_millis(20))).await;
    let error = within(waiting).await.unwrap().unwrap_err();
    assert_says(&error, ErrorKind::Cancelled, "closed");
    assert_says(&failure(&client).await, ErrorKind::Cancelled, "closed");
    until(|| simulator.stats().connections_open == 0).await;

    // A call that ends within the grace is waited for, and the idle connection is closed.
    let client = of(&simulator, "/sim,delay_ms=50");
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call(ASK, b"").await }
    });
    until(|| simulator.stats().requests_open == 1).await;
    within(client.close(Duration::from_secs(10))).await;
    within(waiting).await.unwrap().unwrap();
    until(|| simulator.stats().connections_open == 0).await;
}

#[tokio::test]
async fn calls_in_flight_are_bounded_and_counted() {
    let simulator = simulator();
    let url = simulator.url();
    let entry = |knobs: &str| json!({"kind": "openai", "base_url": format!("{url}{knobs}/v1"), "api_key": "k"});
    let providers = json!({"p": entry(""), "slow": entry("/sim,delay_ms=60000")});
    let config = json!({"max_in_flight": 1, "providers": providers}).to_string();
    let client = Client::new(liter_llm_core::Config::parse(config.as_bytes()).unwrap());
    call(&client).await.unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call(ASK, br#"{"provider":"slow","timeout_ms":60000}"#).await }
    });
    until(|| client.in_flight() == 1).await;
    assert_says(&failure(&client).await, ErrorKind::RateLimit, "max_in_flight");
    waiting.abort();
    assert!(within(waiting).await.is_err());
    assert_eq!(client.in_flight(), 0);
    call(&client).await.unwrap();
    let metrics: serde_json::Value = serde_json::from_slice(&client.metrics_json()).unwrap();
    assert_eq!(metrics["in_flight"], 0);
    assert_eq!(metrics["providers"]["p"]["calls"], 2);
}
