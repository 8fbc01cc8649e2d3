//! The five timers, over real sockets that stay silent at each stage.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{ASK, Server, answer, assert_says, client, events, gzip, ok, stream_of_gzip, within};
use liter_llm_core::{Client, Error, ErrorKind, Step};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

/// What a call ends with, which is there when the timer that should end it is.
async fn ends(client: &Client, stream: bool, options: Value, after: u64) -> Error {
    let begun = Instant::now();
    let options = options.to_string();
    let error = within(async {
        if !stream {
            return client.call(ASK, options.as_bytes()).await.unwrap_err();
        }
        let mut stream = match client.stream(ASK, options.as_bytes()).await {
            Ok(stream) => stream,
            Err(error) => return error,
        };
        loop {
            match stream.next().await {
                Ok(Step::Chunks(_) | Step::Restarted(_)) => {}
                Ok(Step::Done(_)) => panic!("it ended well"),
                Err(error) => return error,
            }
        }
    })
    .await;
    let took = begun.elapsed();
    let after = Duration::from_millis(after);
    // The promise, 100 ms, is held in virtual time (tests/promises). Here a busy machine has some more:
    // but for the timer, nothing at all would end these.
    assert!(took >= after && took < after + Duration::from_secs(8), "{took:?}: {error:?}");
    error
}

/// Sends these bytes and then nothing.
async fn silent_after(bytes: impl Into<Vec<u8>>) -> Server {
    let bytes: std::sync::Arc<[u8]> = bytes.into().into();
    Server::start(move |_, mut peer| {
        let bytes = std::sync::Arc::clone(&bytes);
        async move {
            peer.request().await.unwrap();
            peer.send(&bytes).await;
            peer.closed().await;
        }
    })
    .await
}

/// As many blank lines as a stream may have, all here at once: no timer fires by itself meanwhile.
#[tokio::test]
async fn a_flood() {
    let flood = gzip(&[b'\n'; 1 << 20]).repeat(255);
    let server = Server::answering(stream_of_gzip(&flood)).await;
    let first = json!({"timeouts": {"first_token_ms": 20}});
    for (config, options, name) in
        [(json!({}), json!({"timeout_ms": 20}), "whole time"), (first, json!({}), "first_token_ms")]
    {
        let error = ends(&client(&server.url, config), true, options, 20).await;
        assert_says(&error, ErrorKind::Timeout, name);
    }
}

#[tokio::test]
async fn connect() {
    // A listener whose queue is full: the system answers nobody any more.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut full = Vec::new();
    while let Ok(connected) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address))
            .await
    {
        full.push(connected.unwrap());
    }
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{address}");
        let client = client(&url, json!({"timeouts": {"connect_ms": 200}}));
        let error = ends(&client, false, json!({}), 200).await;
        assert_says(&error, ErrorKind::Timeout, "within 200 ms (timeouts.connect_ms)");
        // The whole call's time is the shorter.
        let error = ends(&client, false, json!({"timeout_ms": 80}), 80).await;
        assert_says(&error, ErrorKind::Timeout, "timeouts.total_ms");
    }
    drop((full, listener));
}

#[tokio::test]
async fn headers_and_total() {
    let server = silent_after("").await;
    for stream in [false, true] {
        let client = client(&server.url, json!({"timeouts": {"headers_ms": 150}}));
        let error = ends(&client, stream, json!({}), 150).await;
        assert_says(&error, ErrorKind::Timeout, "timeouts.headers_ms");
        let error = ends(&client, stream, json!({"timeout_ms": 100}), 100).await;
        assert_says(&error, ErrorKind::Timeout, "timeouts.total_ms");
    }
    let half = silent_after("HTTP/1.1 200 OK\r\nx: y\r\n").await;
    let client = client(&half.url, json!({"timeouts": {"headers_ms": 150}}));
    assert_says(&ends(&client, false, json!({}), 150).await, ErrorKind::Timeout, "headers_ms");
}

#[tokio::test]
async fn first_token() {
    let timeouts = json!({"timeouts": {"first_token_ms": 150}});
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let role = r#"data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant"}}]}"#;
    for bytes in [String::new(), head.to_owned(), format!("{head}: ping\n\n{role}\n\n")] {
        let server = silent_after(bytes).await;
        let error = ends(&client(&server.url, timeouts.clone()), true, json!({}), 150).await;
        assert_says(&error, ErrorKind::Timeout, "first_token_ms");
    }
    // A whole answer has no first token.
    let server = silent_after("").await;
    let client = client(&server.url, timeouts);
    let error = ends(&client, false, json!({"timeout_ms": 300}), 300).await;
    assert_says(&error, ErrorKind::Timeout, "timeouts.total_ms");
}

#[tokio::test]
async fn idle_and_total_in_a_body() {
    let text = events("good");
    let first = &text[..text.find("\n\n").unwrap() + 2];
    let server = silent_after(format!("HTTP/1.1 200 OK\r\n\r\n{first}")).await;
    let streamed = client(&server.url, json!({"timeouts": {"first_token_ms": 50}}));
    let error = ends(&streamed, true, json!({"idle_ms": 150}), 150).await;
    assert_says(&error, ErrorKind::Timeout, "idle_ms");
    assert_eq!(error.partial.as_ref().unwrap().text, "good");
    let error = ends(&streamed, true, json!({"timeout_ms": 150}), 150).await;
    assert_says(&error, ErrorKind::Timeout, "timeouts.total_ms");

    let whole = ok("", answer("good").as_bytes());
    let server = silent_after(&whole[..whole.len() - 5]).await;
    let whole = client(&server.url, json!({}));
    let error = ends(&whole, false, json!({"idle_ms": 150}), 150).await;
    assert_says(&error, ErrorKind::Timeout, "idle_ms");
}

#[tokio::test]
async fn endless_bytes_do_not_outlast_the_call() {
    for begin in [
        // Informational answers without end, and a body of comments without end.
        "",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let server = Server::start(move |_, mut peer| async move {
            use tokio::io::AsyncWriteExt as _;
            peer.request().await.unwrap();
            peer.send(begin.as_bytes()).await;
            let unit = if begin.is_empty() { "HTTP/1.1 103 X\r\n\r\n" } else { ": ping\n\n" };
            let unit = unit.repeat(1000);
            while peer.socket.write_all(unit.as_bytes()).await.is_ok() {}
        })
        .await;
        let client = client(&server.url, json!({}));
        let error = ends(&client, true, json!({"timeout_ms": 300}), 300).await;
        assert_says(&error, ErrorKind::Timeout, "timeouts.total_ms");
    }
}
