//! Every member of a reply, as a raw socket sees it.

mod common;

use std::io::Read as _;
use std::time::{Duration, Instant};

use common::{answer, ask, ask_whole, body, connect, dechunk, get, start_reply};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn json_body_keeps_its_order_and_numbers() {
    let text = r#"{"exchanges":[{"reply":{"headers":{"z":"1","a":["2","3"]},"body": {"b" : 1.0, "a": "x  \" y"} }}]}"#;
    let mut options = liter_llm_simulator::Options::default();
    options.cases = vec![liter_llm_simulator::Case::parse("t/case", text).unwrap()];
    let simulator = liter_llm_simulator::Simulator::start(options).unwrap();
    assert_eq!(
        answer(&simulator).await,
        "HTTP/1.1 200 OK\r\nz: 1\r\na: 2\r\na: 3\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n{\"b\":1.0,\"a\":\"x  \\\" y\"}"
            .replace("content-length: 23", &format!("content-length: {}", r#"{"b":1.0,"a":"x  \" y"}"#.len()))
    );
}

#[tokio::test]
async fn string_body_is_verbatim_without_content_type() {
    let simulator = start_reply(json!({"status": 503, "body": "a\r\nb"}));
    assert_eq!(
        answer(&simulator).await,
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\na\r\nb"
    );
}

#[tokio::test]
async fn framings() {
    let simulator = start_reply(json!({"body": "abc", "framing": "chunked"}));
    assert_eq!(
        answer(&simulator).await,
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    );
    let simulator = start_reply(json!({"body_hex": "61 62", "framing": "close"}));
    assert_eq!(answer(&simulator).await, "HTTP/1.1 200 OK\r\n\r\nab");
    let simulator = start_reply(json!({"status": 204}));
    assert_eq!(answer(&simulator).await, "HTTP/1.1 204 No Content\r\n\r\n");
    let simulator = start_reply(json!({"body": "abc", "headers": {"Content-Length": "9"}}));
    assert_eq!(answer(&simulator).await, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
}

#[tokio::test]
async fn sse_events() {
    let simulator = start_reply(json!({"sse": [
        {"id": 1}, "[DONE]", {"event": "ping", "data": {"a": [1, 2]}}, {"raw": ": hi\n\n"}, {"event": "x"}]}));
    let answer = answer(&simulator).await;
    assert!(
        answer.contains("content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    );
    let (content, sizes) = dechunk(body(answer.as_bytes()));
    assert_eq!(
        String::from_utf8(content).unwrap(),
        "data: {\"id\":1}\n\ndata: [DONE]\n\nevent: ping\ndata: {\"a\":[1,2]}\n\n: hi\n\ndata: {\"event\":\"x\"}\n\n"
    );
    assert_eq!(sizes.len(), 1);
}

#[tokio::test]
async fn splits_reassemble_to_the_same_bytes() {
    let text = "data: {\"text\":\"größer 🦀\"}\r\n\r\n".repeat(400);
    let mut partitions = Vec::new();
    for split in [
        json!({"seed": 1}),
        json!({"seed": 1}),
        json!({"seed": 2}),
        json!({"every": 1}),
        json!([1, 2, 3]),
    ] {
        let simulator = start_reply(json!({"sse": [{"raw": text}], "split": split}));
        let (content, sizes) =
            dechunk(body(&ask_whole(&simulator, &get("/case/run/t~case/")).await));
        assert!(content == text.as_bytes());
        partitions.push(sizes);
    }
    assert_eq!(partitions[0], partitions[1], "a seed always cuts alike");
    assert_ne!(partitions[0], partitions[2]);
    assert!(partitions[0].contains(&1) && partitions[0].iter().any(|size| *size > 1000));
    assert!(partitions[3].iter().all(|size| *size == 1));
    assert_eq!(partitions[4], [1, 2, 3, text.len() - 6]);
    let mut inside = 0;
    let mut at = 0;
    for size in &partitions[0] {
        at += size;
        inside += usize::from(!text.is_char_boundary(at) || text[..at].ends_with('\r'));
    }
    assert!(inside > 0, "no cut inside a character or a CRLF");
}

#[tokio::test]
async fn chunks_are_one_write_each() {
    let simulator = start_reply(json!({"chunks": ["ab", "", "cde"]}));
    let answer = answer(&simulator).await;
    assert_eq!(dechunk(body(answer.as_bytes())), (b"abcde".to_vec(), vec![2, 3]));
}

#[tokio::test]
async fn gzip() {
    let simulator = start_reply(json!({"body": {"a": 1}, "gzip": true}));
    let bytes = ask_whole(&simulator, &get("/case/run/t~case/")).await;
    let mut text = String::new();
    flate2::read::GzDecoder::new(body(&bytes)).read_to_string(&mut text).unwrap();
    assert_eq!(text, "{\"a\":1}");

    let simulator = start_reply(json!({"gzip": {"zeros": 3_000_000}}));
    let bytes = ask_whole(&simulator, &get("/case/run/t~case/")).await;
    assert!(String::from_utf8_lossy(&bytes).contains("content-encoding: gzip\r\n"));
    assert!(bytes.len() < 40_000);
    let mut zeros = Vec::new();
    flate2::read::GzDecoder::new(body(&bytes)).read_to_end(&mut zeros).unwrap();
    assert_eq!(zeros.len(), 3_000_000);
}

#[tokio::test]
async fn delay_and_stall_take_their_time() {
    let simulator =
        start_reply(json!({"body": "abcdef", "delay_ms": 30, "stall_at": 2, "stall_ms": 40}));
    let begin = Instant::now();
    let mut socket = connect(&simulator).await;
    socket.write_all(&get("/case/run/t~case/")).await.unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"ab") {
        socket.read_buf(&mut first).await.unwrap();
    }
    assert!(begin.elapsed() >= Duration::from_millis(30));
    let mut rest = String::new();
    socket.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "cdef");
    assert!(begin.elapsed() >= Duration::from_millis(70));
}

#[tokio::test]
async fn cut_as_if_complete() {
    let simulator = start_reply(json!({"body": "abcdef", "cut_at": 2, "cut": "end"}));
    assert_eq!(answer(&simulator).await, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab");
    let simulator = start_reply(json!({"sse": ["a", "b"], "cut_at": 9, "cut": "end"}));
    let answer = answer(&simulator).await;
    assert_eq!(dechunk(body(answer.as_bytes())).0, b"data: a\n\n");
}

#[tokio::test]
async fn cut_by_close_and_by_reset() {
    let simulator = start_reply(json!({"body": "abcdef", "cut_at": 2}));
    assert_eq!(answer(&simulator).await, "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nab");

    let simulator = start_reply(json!({"chunks": ["abc", "def"], "cut_at": 4, "cut": "close"}));
    assert!(answer(&simulator).await.ends_with("\r\n\r\n3\r\nabc\r\n1\r\nd\r\n"), "no last chunk");

    let simulator = start_reply(json!({"body": "abcdef", "cut_at": 2, "cut": "reset"}));
    let (bytes, end) = ask(&simulator, &get("/case/run/t~case/")).await;
    assert_eq!(body(&bytes), b"ab");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(simulator.stats().streams_aborted, 0, "it was told to");
}

#[tokio::test]
async fn raw_bytes_replace_everything() {
    let simulator = start_reply(json!({"raw": "HTTP/1.1 2000 Hm\r\n\n"}));
    assert_eq!(answer(&simulator).await, "HTTP/1.1 2000 Hm\r\n\n");
    let simulator = start_reply(json!({"raw": {"hex": "00ff"}}));
    assert_eq!(ask_whole(&simulator, &get("/case/run/t~case/")).await, [0, 255]);
}

#[tokio::test]
async fn endless_head_and_body() {
    for (kind, wanted) in [("headers", "x-endless: "), ("body", "data: tick\n\n")] {
        let simulator = start_reply(json!({"endless": kind, "sse": ["tick"]}));
        let mut socket = connect(&simulator).await;
        socket.write_all(&get("/case/run/t~case/")).await.unwrap();
        let mut bytes = Vec::new();
        while bytes.len() < 1 << 20 {
            assert!(socket.read_buf(&mut bytes).await.unwrap() > 0);
        }
        assert!(String::from_utf8_lossy(&bytes).matches(wanted).count() > 10_000);
        assert_eq!(memchr::memmem::find(&bytes, b"\r\n\r\n").is_some(), kind == "body");
    }
}
