//! Reading requests: keep-alive, pipelining, chunked and large bodies.

mod common;

use common::{ask_whole, connect, post, read_answer, start};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn keep_alive_and_pipelined_requests() {
    let reply = |text: &str| json!({"reply": {"body": text, "split": {"every": 1}}});
    let simulator =
        start(&[("a", json!({"exchanges": [reply("one"), reply("two"), reply("three")]}))]);
    let mut socket = connect(&simulator).await;
    let mut buffer = Vec::new();
    socket.write_all(&post("/case/r/a/", "", "first")).await.unwrap();
    assert!(read_answer(&mut socket, &mut buffer).await.ends_with("one"));
    let two = [post("/case/r/a/", "", "second"), post("/case/r/a/", "", "third")].concat();
    socket.write_all(&two).await.unwrap();
    assert!(read_answer(&mut socket, &mut buffer).await.ends_with("two"));
    assert!(read_answer(&mut socket, &mut buffer).await.ends_with("three"));
    assert_eq!(simulator.stats().connections_opened, 1);
}

#[tokio::test]
async fn a_chunked_request_byte_by_byte() {
    let expect = json!({"expect": {"body": {"text": "hello"}}, "reply": {"body": "ok"}});
    let simulator = start(&[("a", json!({"exchanges": [expect]}))]);
    let mut socket = connect(&simulator).await;
    socket.set_nodelay(true).unwrap();
    let request = "POST /case/r/a/ HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n6;x=y\r\n{\"text\r\nb\r\n\":\"hello\"} \r\n0\r\nTrailer: 1\r\n\r\n";
    for byte in request.as_bytes() {
        socket.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(read_answer(&mut socket, &mut Vec::new()).await.ends_with("ok"));
    assert_eq!(simulator.report().failures, []);
}

#[tokio::test]
async fn a_request_of_33_mib() {
    let text = "x".repeat(33 << 20);
    let expect = json!({"expect": {"body": {"text": text}}, "reply": {"body": "ok"}});
    let simulator = start(&[("a", json!({"exchanges": [expect]}))]);
    let body = json!({ "text": text }).to_string();
    let answer = ask_whole(&simulator, &post("/case/r/a/", "connection: close\r\n", &body)).await;
    assert!(answer.ends_with(b"ok"));
    assert_eq!(simulator.report().failures, []);
}

#[tokio::test]
async fn expect_100_continue() {
    let simulator = start(&[("a", json!({"exchanges": [{"reply": {"body": "ok"}}]}))]);
    let mut socket = connect(&simulator).await;
    let request = post("/case/r/a/", "expect: 100-continue\r\n", "12345");
    socket.write_all(&request[..request.len() - 5]).await.unwrap();
    let mut interim = [0; 25];
    socket.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"12345").await.unwrap();
    assert!(read_answer(&mut socket, &mut Vec::new()).await.ends_with("ok"));
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let simulator = start(&[]);
    let answer = ask_whole(&simulator, b"\x16\x03\x01\x00\xff hello\r\n\r\n").await;
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
}
