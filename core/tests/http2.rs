//! HTTP/2: how many calls share a connection, and how few a lost one takes with it. And TLS, where
//! it is agreed on.
#![allow(clippy::unwrap_used)]

mod common;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use common::{
    ASK, Server, answer, assert_says, call, client, events, failure, open, read, until, within,
};
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use liter_llm_core::{Client, ErrorKind, Outcome, Step};
use liter_llm_simulator::{CA_PEM, Options, Simulator};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

type Asked = (Request<RecvStream>, SendResponse<Bytes>);
type Raw = Connection<TcpStream, Bytes>;

/// An HTTP/2 server on plain TCP: `play` gets each connection with its number.
async fn server<F, P>(most: Option<u32>, play: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(usize, Raw) -> P + Send + Sync + 'static,
    P: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let play = Arc::new(play);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let n = count.fetch_add(1, Ordering::SeqCst);
            let play = Arc::clone(&play);
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                if let Some(most) = most {
                    builder.max_concurrent_streams(most);
                }
                let Ok(connection) = builder.handshake(socket).await else { return };
                play(n, connection).await;
            });
        }
    });
    (url, accepted)
}

fn reply(asked: Asked) {
    let (_, mut respond) = asked;
    let Ok(mut stream) = respond.send_response(Response::new(()), false) else { return };
    let _ = stream.send_data(answer("good").into(), true);
}

fn prior(url: &str) -> Client {
    client(url, json!({"http": "2"}))
}

#[tokio::test]
async fn what_is_passed_through_fits_http2() {
    let (url, _) = server(None, async |_, mut connection: Raw| {
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let (head, _) = request.into_parts();
            let authority = head.uri.authority().unwrap().to_string();
            let names: Vec<_> = head.headers.keys().map(|name| name.as_str()).collect();
            let told = format!("{} {authority} {}", head.method, names.join(","));
            let response = Response::builder().status(418).header("x-told", told).body(());
            let _ = respond.send_response(response.unwrap(), true);
        }
    })
    .await;
    let request = json!({"op": "http", "url": format!("{url}/x"), "method": "PUT", "body": "x",
        "headers": [["Host", url.trim_start_matches("http://")], ["connection", "keep-alive"], ["te", "trailers"],
            ["transfer-encoding", "chunked"], ["authorization", "Bearer mine"]]});
    let answer = within(prior(&url).answer(request.to_string().as_bytes(), b"")).await.unwrap();
    let Outcome::Http(answer) = answer else { panic!("not passed through") };
    let host = url.trim_start_matches("http://");
    let told = format!("PUT {host} authorization,content-length");
    assert_eq!((answer.status, answer.headers["x-told"].to_str().unwrap()), (418, told.as_str()));
}

/// So many calls at once, all of which succeed.
async fn many(client: &Client, n: usize) {
    let mut calls = JoinSet::new();
    for _ in 0..n {
        let client = client.clone();
        calls.spawn(async move { client.call(ASK, b"").await.map(drop) });
    }
    within(calls.join_all()).await.into_iter().for_each(|call| call.unwrap());
}

/// Answers a request only when the gate has a permit, counting how many wait.
async fn gated(mut connection: Raw, gate: Arc<Semaphore>, waiting: Arc<AtomicUsize>) {
    while let Some(Ok(asked)) = connection.accept().await {
        let (gate, waiting) = (Arc::clone(&gate), Arc::clone(&waiting));
        tokio::spawn(async move {
            waiting.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            reply(asked);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_opens_as_many_connections_as_it_needs() {
    for (most, calls, wanted) in [(Some(100), 200, 2), (Some(10), 35, 4), (None, 300, 1)] {
        let gate = Arc::new(Semaphore::new(0));
        let waiting = Arc::new(AtomicUsize::new(0));
        let (url, accepted) = server(most, {
            let (gate, waiting) = (Arc::clone(&gate), Arc::clone(&waiting));
            move |_, connection| gated(connection, Arc::clone(&gate), Arc::clone(&waiting))
        })
        .await;
        let client = prior(&url);
        let all = tokio::spawn({
            let client = client.clone();
            async move { many(&client, calls).await }
        });
        // None queues: all are with the server at once.
        until(|| waiting.load(Ordering::SeqCst) == calls).await;
        gate.add_permits(calls);
        within(all).await.unwrap();
        assert_eq!(accepted.load(Ordering::SeqCst), wanted);
        gate.add_permits(calls);
        many(&client, calls).await;
        assert_eq!(accepted.load(Ordering::SeqCst), wanted, "steady");
    }
}

#[tokio::test]
async fn a_goaway_is_survived() {
    let gone = Arc::new(Notify::new());
    let (url, accepted) = server(None, {
        let gone = Arc::clone(&gone);
        move |n, mut connection| {
            let gone = Arc::clone(&gone);
            async move {
                reply(connection.accept().await.unwrap().unwrap());
                if n % 2 == 0 {
                    // In good order.
                    connection.graceful_shutdown();
                }
                // Else the socket just closes, when the answer is out.
                let _ = tokio::time::timeout(
                    Duration::from_millis(50),
                    poll_fn(|cx| connection.poll_closed(cx)),
                )
                .await;
                drop(connection);
                gone.notify_one();
            }
        }
    })
    .await;
    let client = prior(&url);
    for calls in 1..7 {
        assert_eq!(call(&client).await.unwrap().text(), "good");
        within(gone.notified()).await;
        assert_eq!(accepted.load(Ordering::SeqCst), calls);
    }
}

#[tokio::test]
async fn what_the_server_did_not_take_up_is_sent_again() {
    // The first stream is refused.
    let (url, _) = server(None, |n, mut connection| async move {
        let mut refused = false;
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            match (n, refused) {
                (0, false) => respond.send_reset(Reason::REFUSED_STREAM),
                _ => reply((request, respond)),
            }
            refused = true;
        }
    })
    .await;
    let client = prior(&url);
    assert_eq!(call(&client).await.unwrap().text(), "good");

    // One that is refused for ever ends. Any other reset may have been processed.
    for (reason, words, times) in
        [(Reason::REFUSED_STREAM, "refused", 4), (Reason::INTERNAL_ERROR, "lost before", 1)]
    {
        let asked = Arc::new(AtomicUsize::new(0));
        let (url, _) = server(None, {
            let asked = Arc::clone(&asked);
            move |_, mut connection| {
                let asked = Arc::clone(&asked);
                async move {
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        asked.fetch_add(1, Ordering::SeqCst);
                        respond.send_reset(reason);
                    }
                }
            }
        })
        .await;
        assert_says(&failure(&prior(&url)).await, ErrorKind::Connection, words);
        assert_eq!(asked.load(Ordering::SeqCst), times);
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_is_broken() {
    let (url, accepted) = server(None, |_, mut connection| async move {
        let mut first = true;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            let text = events("good");
            let cut = if first { text.find("\n\n").unwrap() + 2 } else { text.len() };
            stream.send_data(text[..cut].to_owned().into(), !first).unwrap();
            if first {
                tokio::spawn(async move {
                    // After the first event has been written.
                    poll_fn(|cx| {
                        stream.reserve_capacity(1 << 20);
                        stream.poll_capacity(cx)
                    })
                    .await;
                    tokio::task::yield_now().await;
                    stream.send_reset(Reason::INTERNAL_ERROR);
                });
            }
            first = false;
        }
    })
    .await;
    let client = prior(&url);
    let error = read(open(&client).await.unwrap()).await.unwrap_err();
    assert_says(&error, ErrorKind::StreamBroken, "lost in the middle of the stream");
    assert_eq!(read(open(&client).await.unwrap()).await.unwrap(), "good");
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

/// Streams whose readers are slow hold up themselves, not the others of their connection.
#[tokio::test]
async fn slow_readers_leave_room_for_others() {
    let (url, accepted) = server(None, |_, mut connection| async move {
        let (mut asked, mut kept) = (0, Vec::new());
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            asked += 1;
            if asked > 12 {
                reply((request, respond));
                continue;
            }
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            let text = events("good");
            let first = text[..text.find("\n\n").unwrap() + 2].to_owned();
            stream.send_data(first.into(), false).unwrap();
            stream.send_data(format!(": {}", "x".repeat(2 << 20)).into(), false).unwrap();
            kept.push(stream);
        }
    })
    .await;
    let client = prior(&url);
    let mut slow = Vec::new();
    for _ in 0..12 {
        slow.push(open(&client).await.unwrap());
    }
    assert_eq!(within(client.call(ASK, b"")).await.unwrap().text(), "good");
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    drop(slow);
}

#[tokio::test]
async fn many_who_wait_for_one_failure_fail_with_it() {
    // A port that nobody listens on, and an address where nobody answers the handshake of TLS.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let client =
        client(&format!("https://localhost:{port}"), json!({"timeouts": {"connect_ms": 300}}));
    let begun = std::time::Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        calls.spawn(async move { client.call(ASK, b"").await.unwrap_err() });
    }
    for error in within(calls.join_all()).await {
        assert_says(&error, ErrorKind::Timeout, "timeouts.connect_ms");
    }
    // One after the other they would take 15 seconds.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

fn tls(h2: bool) -> (Simulator, tempfile::CaFile) {
    let anywhere = Some(([127, 0, 0, 1], 0).into());
    let mut options = Options::default();
    options.tls_addr = anywhere;
    options.tls_wrong_addr = anywhere;
    options.h2 = h2;
    (Simulator::start(options).unwrap(), tempfile::CaFile::new())
}

/// The simulator's authority in a file, until it is dropped.
mod tempfile {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    pub(crate) struct CaFile(pub(crate) PathBuf);

    impl CaFile {
        pub(crate) fn new() -> Self {
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let path =
                std::env::temp_dir().join(format!("liter-llm-ca-{}-{n}.pem", std::process::id()));
            std::fs::write(&path, super::CA_PEM).unwrap();
            CaFile(path)
        }
    }

    impl Drop for CaFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_are_agreed_on() {
    for (offered, http, h2) in
        [(true, "auto", true), (true, "1.1", false), (true, "2", true), (false, "auto", false)]
    {
        let (simulator, ca) = tls(offered);
        let url = format!("{}/sim,delay_ms=100/v1", simulator.tls_url().unwrap());
        let client = client(&url, json!({"ca_file": ca.0, "http": http}));
        many(&client, 40).await;
        many(&client, 40).await;
        assert!(!read(open(&client).await.unwrap()).await.unwrap().is_empty());
        let stats = simulator.stats();
        assert_eq!((stats.h2_connections > 0, stats.streams_aborted), (h2, 0), "{http} {stats:?}");
        assert!(stats.connections_opened <= if h2 { 1 } else { 40 }, "{http} {stats:?}");
    }
}

#[tokio::test]
async fn first_calls_do_not_wait_for_one_another_where_there_is_no_http2() {
    let (simulator, ca) = tls(false);
    let url = format!("{}/sim,delay_ms=1000/v1", simulator.tls_url().unwrap());
    let client = client(&url, json!({"ca_file": ca.0}));
    let begun = std::time::Instant::now();
    many(&client, 20).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(simulator.stats().connections_opened, 20);
}

#[tokio::test]
async fn a_dropped_call_resets_its_stream_only() {
    let (simulator, ca) = tls(true);
    let url =
        format!("{}/sim,chunks=100,interval_ms=60000,burst=1/v1", simulator.tls_url().unwrap());
    let client = client(&url, json!({"ca_file": ca.0}));
    let mut dropped = open(&client).await.unwrap();
    let mut kept = open(&client).await.unwrap();
    for stream in [&mut dropped, &mut kept] {
        assert!(matches!(within(stream.next()).await.unwrap(), Step::Chunks(_)));
    }
    drop(dropped);
    until(|| simulator.stats().requests_open == 1).await;
    let stats = simulator.stats();
    assert_eq!((stats.connections_open, stats.streams_aborted), (1, 1));
    drop(kept);
    until(|| simulator.stats().requests_open == 0).await;
    // The connection is still good.
    let third = open(&client).await.unwrap();
    assert_eq!(simulator.stats().connections_opened, 1);
    drop(third);
}

#[tokio::test]
async fn certificates_and_plain_text() {
    let (simulator, ca) = tls(true);
    let good = simulator.tls_url().unwrap();
    let wrong = simulator.tls_wrong_url().unwrap();
    let kind = ErrorKind::Connection;

    let error = failure(&client(&good, json!({}))).await;
    assert_says(&error, kind, "name its PEM file in ca_file");
    let error = failure(&client(&wrong, json!({"ca_file": ca.0}))).await;
    assert_says(&error, kind, "not valid for name");
    let error = failure(&client(&good, json!({"ca_file": "/no/such/file"}))).await;
    assert_says(&error, ErrorKind::InvalidRequest, "/no/such/file");

    let https = simulator.url().replace("http://", "https://");
    for http in ["auto", "1.1", "2"] {
        let error = failure(&client(&https, json!({"http": http}))).await;
        assert_says(&error, kind, "base_url has to begin with http://");
    }
    let banner = Server::start(|_, mut peer| async move {
        peer.send(b"220 smtp.example ESMTP\r\n").await;
        peer.closed().await;
    })
    .await;
    let error = failure(&client(&banner.url.replace("http", "https"), json!({}))).await;
    assert_says(&error, kind, "base_url has to begin with http://");

    let plain = good.replace("https://", "http://");
    let error = failure(&client(&plain, json!({}))).await;
    assert_says(&error, ErrorKind::BadResponse, "base_url has to begin with https://");
    // HTTP/2 where only HTTP/1.1 is spoken.
    let error = failure(&client(&simulator.url(), json!({"http": "2"}))).await;
    assert_says(&error, kind, "");
}
