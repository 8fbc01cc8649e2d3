//! Bodies of HTTP/1.1 answers: their forms, those that are no HTTP, compression, floods.
//!
//! Over real sockets, against a server whose every byte is written here.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{
    Server, answer, assert_says, call, client, events, failure, gzip, ok, open, read,
    stream_of_gzip, within,
};
use liter_llm_core::{ErrorKind, Step};
use serde_json::json;
use tokio::sync::Notify;

#[tokio::test]
async fn answers_in_unusual_forms() {
    let body = answer("good");
    let length = body.len();
    let chunked = |trailer: &str| {
        let (a, b) = body.split_at(10);
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na;x=y\r\n{a}\r\n{:x}\r\n{b}\r\n0\r\n{trailer}\r\n",
            b.len()
        )
    };
    for bytes in [
        chunked(""),
        chunked("x-trailer: 1\r\n"),
        format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
        format!(
            "HTTP/1.1 200\r\nx-big: {}\r\ncontent-length: {length}\r\n\r\n{body}",
            "v".repeat(100_000)
        ),
    ] {
        let server = Server::answering(bytes).await;
        let client = client(&server.url, json!({}));
        for _ in 0..3 {
            assert_eq!(call(&client).await.unwrap().text(), "good");
        }
        assert_eq!(server.accepted(), 1);
    }
}

#[tokio::test]
async fn what_is_no_http_is_a_bad_response() {
    let endless = "x-endless: header\r\n".repeat(100_000);
    for (bytes, kind, words) in [
        ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), ErrorKind::BadResponse, "proper HTTP"),
        ("HTTP/1.1 banana\r\n\r\n".to_owned(), ErrorKind::BadResponse, "proper HTTP"),
        (
            "HTTP/1.1 200 OK\r\nx: 1\r\n folded\r\n\r\n".to_owned(),
            ErrorKind::BadResponse,
            "proper HTTP",
        ),
        (format!("HTTP/1.1 200 OK\r\n{endless}"), ErrorKind::BadResponse, "proper HTTP"),
        (
            format!("HTTP/1.1 200 OK\r\nx: {}", "v".repeat(1 << 20)),
            ErrorKind::BadResponse,
            "proper HTTP",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef".to_owned(),
            ErrorKind::BadResponse,
            "proper HTTP",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nabcdef".to_owned(),
            ErrorKind::Connection,
            "in the middle of the answer",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nabcdef".to_owned(),
            ErrorKind::BadResponse,
            "improper HTTP",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n".to_owned(),
            ErrorKind::Connection,
            "in the middle of the answer",
        ),
        (String::new(), ErrorKind::Connection, "lost before an answer came"),
        ("HTTP/1.1 200 O".to_owned(), ErrorKind::Connection, "lost before an answer came"),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), ErrorKind::BadResponse, ""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(), ErrorKind::BadResponse, ""),
    ] {
        let server = Server::closing(bytes).await;
        let client = client(&server.url, json!({}));
        assert_says(&failure(&client).await, kind, words);
    }
}

#[tokio::test]
async fn a_cut_stream_is_broken() {
    let text = events("good");
    let cut = &text[..text.len() - 30];
    for (framing, words) in [
        (format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{cut}\r\n", cut.len()), "lost"),
        (
            format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{cut}\r\nzz\r\n", cut.len()),
            "improper",
        ),
        (format!("content-length: {}\r\n\r\n{cut}", text.len()), "lost"),
        (format!("\r\n{cut}"), ""),
    ] {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
        let server = Server::closing(format!("{head}{framing}")).await;
        let client = client(&server.url, json!({}));
        let error = read(open(&client).await.unwrap()).await.unwrap_err();
        assert_says(&error, ErrorKind::StreamBroken, words);
        assert_eq!(error.partial.as_ref().unwrap().text, "good");
    }
}

#[tokio::test]
async fn gzip_answers() {
    let body = answer("good");
    let whole = gzip(body.as_bytes());
    let (a, b) = body.split_at(20);
    let members = [gzip(a.as_bytes()), gzip(b.as_bytes())].concat();
    for (coding, bytes) in
        [("gzip", &whole), ("GZIP", &whole), ("x-gzip", &whole), ("gzip", &members)]
    {
        let server = Server::answering(ok(&format!("content-encoding: {coding}\r\n"), bytes)).await;
        let client = client(&server.url, json!({}));
        for _ in 0..3 {
            assert_eq!(call(&client).await.unwrap().text(), "good");
        }
        assert_eq!(server.accepted(), 1);
    }

    let garbage = [whole.as_slice(), b"and more"].concat();
    let mut flipped = whole.clone();
    let crc = flipped.len() - 6;
    flipped[crc] ^= 1;
    let bomb = gzip(&vec![b' '; 200 << 20]);
    assert!(bomb.len() < 256 << 10);
    for (coding, bytes, words) in [
        ("gzip", &whole[..whole.len() - 9], "gzip data is broken"),
        ("gzip", &whole[..5], "gzip data is broken"),
        ("gzip", &garbage, "gzip data is broken"),
        ("gzip", &flipped, "gzip data is broken"),
        ("gzip", body.as_bytes(), "gzip data is broken"),
        ("gzip", &bomb, "larger than 32 MiB"),
        ("br", body.as_bytes(), "only gzip is"),
        ("gzip, gzip", body.as_bytes(), "only gzip is"),
    ] {
        let server = Server::answering(ok(&format!("content-encoding: {coding}\r\n"), bytes)).await;
        let client = client(&server.url, json!({}));
        assert_says(&failure(&client).await, ErrorKind::BadResponse, words);
    }

    // An error's status counts, whatever its text is packed in; so does an empty text.
    for coding in ["br", "gzip"] {
        let head = "HTTP/1.1 503 No\r\ncontent-length: 0\r\ncontent-encoding: ";
        let server = Server::answering(format!("{head}{coding}\r\n\r\n")).await;
        let client = client(&server.url, json!({}));
        assert_says(&failure(&client).await, ErrorKind::Unavailable, "");
    }
}

#[tokio::test]
async fn a_gzip_stream_is_read_as_it_comes() {
    use std::io::Write as _;
    let read_on = Arc::new(Notify::new());
    let server = Server::start({
        let read_on = Arc::clone(&read_on);
        move |_, mut peer| {
            let read_on = Arc::clone(&read_on);
            async move {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                let text = events("good");
                let first = text.find("\n\n").unwrap() + 2;
                peer.request().await.unwrap();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                            content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n";
                peer.send(head.as_bytes()).await;
                let mut part = async |bytes: Vec<u8>| {
                    let size = format!("{:x}\r\n", bytes.len());
                    peer.send(&[size.as_bytes(), &bytes, b"\r\n"].concat()).await;
                };
                encoder.write_all(&text.as_bytes()[..first]).unwrap();
                encoder.flush().unwrap();
                part(std::mem::take(encoder.get_mut())).await;
                // Only when the first event has been read.
                read_on.notified().await;
                encoder.write_all(&text.as_bytes()[first..]).unwrap();
                part(encoder.finish().unwrap()).await;
                peer.send(b"0\r\n\r\n").await;
            }
        }
    })
    .await;
    let client = client(&server.url, json!({}));
    let mut stream = open(&client).await.unwrap();
    assert!(matches!(within(stream.next()).await.unwrap(), Step::Chunks(_)));
    read_on.notify_one();
    assert_eq!(read(stream).await.unwrap(), "good");
}

/// 64 MiB of blank lines are here at once: who reads them lets others have their turn.
#[tokio::test]
async fn a_flood_does_not_keep_the_thread() {
    let flood = [gzip(&[b'\n'; 1 << 20]).repeat(64), gzip(events("good").as_bytes())].concat();
    let server = Server::answering(stream_of_gzip(&flood)).await;
    let client = client(&server.url, json!({}));
    let reading = tokio::spawn(async move { read(open(&client).await?).await });
    let mut turns = 0;
    while !reading.is_finished() {
        turns += 1;
        tokio::task::yield_now().await;
    }
    assert_eq!(reading.await.unwrap().unwrap(), "good");
    assert!(turns >= 128, "{turns} turns");
}
