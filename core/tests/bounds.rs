//! Memory and time are bounded by what a call may have, not by what a server or a caller sends.
//!
//! What the memory peaks at is measured in a process of its own: the test starts itself again.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use common::{Server, answer, assert_says, call, failure, ok, stream_of_gzip, within};
use liter_llm_core::{Client, Config, ErrorKind, Outcome};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const MIB: usize = 1 << 20;

fn client(url: &str, more: Value) -> Client {
    let mut config = json!({
        "default_provider": "p",
        "providers": {"p": {"kind": "compatible", "base_url": url, "model": "m"}}, "retry": false,
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Client::new(Config::parse(config.to_string().as_bytes()).unwrap())
}

/// The most memory that this process has had so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

const CHILD: &str = "LITER_LLM_BOUNDS_CHILD";

/// By how many bytes the memory of a process peaks while it does `work`. `name` is the test's.
fn peak_of(name: &str, work: impl AsyncFnOnce()) -> Option<usize> {
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let before = peak();
        runtime.block_on(work());
        println!("\npeak: {}", peak() - before);
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().find_map(|line| line.strip_prefix("peak: "));
    let said = said.unwrap_or_else(|| {
        panic!("{text}{}", String::from_utf8_lossy(&output.stderr));
    });
    eprintln!("{name}: {} MiB", said.parse::<usize>().unwrap() / MIB);
    Some(said.parse().unwrap())
}

/// gzip of `start`, so many `units` and `end`.
fn packed(start: &str, unit: &str, bytes: usize, end: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(start.as_bytes()).unwrap();
    let block = unit.repeat(65_536 / unit.len());
    for _ in 0..bytes / block.len() {
        encoder.write_all(block.as_bytes()).unwrap();
    }
    encoder.write_all(end.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const START: &str = r#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"x":["#;

/// 32 KiB of gzip are a document of 32 MiB, and were 1 GiB of memory.
async fn bomb(unit: &str) {
    let body = packed(START, unit, 31 * MIB, "0]}");
    assert!(body.len() < 128 << 10, "{}", body.len());
    let server = Server::answering(ok("content-encoding: gzip\r\n", &body)).await;
    let error = failure(&client(&server.url, json!({}))).await;
    assert_says(&error, ErrorKind::BadResponse, "more than 2097152 values");
}

#[test]
fn a_bomb_of_numbers_takes_little_memory() {
    let peak = peak_of("a_bomb_of_numbers_takes_little_memory", async || bomb("0,").await);
    assert!(peak.is_none_or(|peak| peak < 256 * MIB), "{peak:?}");
}

#[test]
fn a_bomb_of_lists_takes_little_memory() {
    let peak = peak_of("a_bomb_of_lists_takes_little_memory", async || bomb("[],").await);
    assert!(peak.is_none_or(|peak| peak < 256 * MIB), "{peak:?}");
}

#[test]
fn a_bomb_of_objects_takes_little_memory() {
    let peak = peak_of("a_bomb_of_objects_takes_little_memory", async || {
        bomb("{\"\":0},").await;
    });
    assert!(peak.is_none_or(|peak| peak < 256 * MIB), "{peak:?}");
}

/// The same in the events of a stream, whose values are kept for the answer at its end.
#[test]
fn a_bomb_in_a_stream_takes_little_memory() {
    let peak = peak_of("a_bomb_in_a_stream_takes_little_memory", async || {
        let numbers = "0,".repeat(30_000);
        let event = format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"x\",\"x\":[{numbers}0]}}}}]}}\n\n"
        );
        let server = Server::answering(stream_of_gzip(&packed("", &event, 128 * MIB, ""))).await;
        let stream = common::open(&client(&server.url, json!({}))).await.unwrap();
        let error = common::read(stream).await.unwrap_err();
        assert_says(&error, ErrorKind::BadResponse, "more than 4,194,304 values");
    });
    assert!(peak.is_none_or(|peak| peak < 256 * MIB), "{peak:?}");
}

/// A server that keeps nothing of a request, and answers it at its end.
async fn thrifty() -> Server {
    Server::start(|_, mut peer| async move {
        let mut buffer = vec![0; 64 << 10];
        let mut head = Vec::new();
        let mut left = None;
        while let Ok(read @ 1..) = peer.socket.read(&mut buffer).await {
            let left = match &mut left {
                Some(left) => {
                    *left -= read;
                    left
                }
                None => {
                    head.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
                    let Some(end) = text.find("\r\n\r\n") else { continue };
                    let length = text.split("content-length: ").nth(1).unwrap();
                    let length = length.lines().next().unwrap().parse::<usize>().unwrap();
                    left.insert(length + end + 4 - head.len())
                }
            };
            if *left == 0 {
                let _ = peer.socket.write_all(&ok("", answer("hi").as_bytes())).await;
                return;
            }
        }
    })
    .await
}

/// Each target of a fan-out has its own body on the wire, and all share one request.
#[test]
fn a_fan_out_shares_its_request() {
    let peak = peak_of("a_fan_out_shares_its_request", async || {
        let server = thrifty().await;
        let client = client(&server.url, json!({}));
        let targets: Vec<String> = (0..32).map(|i| format!("p/m{i}")).collect();
        let fanout = json!({"fanout": {"targets": targets, "first": 32}}).to_string();
        let mut request = String::from(r#"{"prompt":""#);
        request.extend(std::iter::repeat_n("word ", 4 * MIB / 5));
        request.push_str("\"}");
        let answer = client.answer(request.as_bytes(), fanout.as_bytes());
        let Ok(Outcome::Many(many)) = within(answer).await else { panic!("not many") };
        assert_eq!(many.results.len(), 32);
    });
    // 32 bodies of 4 MiB, and the request a few times.
    assert!(peak.is_none_or(|peak| peak < 160 * MIB), "{peak:?}");
}

#[tokio::test]
async fn bytes_in_flight_have_a_limit() {
    let body = answer(&"x".repeat(3 * MIB));
    let server = Server::answering(ok("", body.as_bytes())).await;
    let narrow = client(&server.url, json!({"max_bytes_in_flight": 2 * MIB}));
    let error = failure(&narrow).await;
    assert_says(&error, ErrorKind::RateLimit, "max_bytes_in_flight is 2097152");
    // What was held is free again, and small calls pass.
    let prompt = json!({"prompt": "x".repeat(3 * MIB)}).to_string();
    let error = within(narrow.call(prompt.as_bytes(), b"")).await.unwrap_err();
    assert_says(&error, ErrorKind::RateLimit, "max_bytes_in_flight is 2097152");
    let prompt = json!({"prompt": "x".repeat(MIB * 3 / 2)}).to_string();
    let error = within(narrow.call(prompt.as_bytes(), b"")).await.unwrap_err();
    assert_says(&error, ErrorKind::RateLimit, "the requests and answers in flight have");
    assert!(call(&client(&server.url, json!({}))).await.is_ok());

    let small = Server::answering(ok("", answer("hi").as_bytes())).await;
    let narrow = client(&small.url, json!({"max_bytes_in_flight": MIB}));
    for _ in 0..3 {
        assert_eq!(call(&narrow).await.unwrap().text(), "hi");
    }
}

#[tokio::test]
async fn a_stream_is_counted_as_it_grows() {
    let event =
        format!("data: {}\n\n", json!({"choices": [{"delta": {"content": "x".repeat(1_000)}}]}));
    let server = Server::answering(stream_of_gzip(&packed("", &event, 4 * MIB, ""))).await;
    let narrow = client(&server.url, json!({"max_bytes_in_flight": 2 * MIB}));
    let error = common::read(common::open(&narrow).await.unwrap()).await.unwrap_err();
    assert_says(&error, ErrorKind::RateLimit, "max_bytes_in_flight");
    assert!(error.partial.as_ref().unwrap().text.len() > MIB);
    drop(error);
    let error = common::read(common::open(&narrow).await.unwrap()).await.unwrap_err();
    assert!(error.partial.as_ref().unwrap().text.len() > MIB, "what was held is free again");
}

/// One read of the socket may bring thousands of events. Others on the same thread go on between
/// them, and the call's time ends it in the middle.
#[tokio::test]
async fn decoding_lets_others_go_on_and_looks_at_the_clock() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let server = Server::answering(stream_of_gzip(&packed("", event, 200 * MIB, ""))).await;
    let client = client(&server.url, json!({}));
    let request = json!({"prompt": "x", "options": {"timeout_ms": 300}}).to_string();
    let mut stream = within(client.stream(request.as_bytes(), b"")).await.unwrap();
    let reading = async {
        loop {
            if let Err(error) = stream.next().await {
                return error;
            }
        }
    };
    let mut turns = 0_u32;
    let others = async {
        loop {
            turns += 1;
            tokio::task::yield_now().await;
        }
    };
    let error = tokio::select! { error = within(reading) => error, () = others => unreachable!() };
    assert_says(&error, ErrorKind::Timeout, "300 ms");
    // Decoding 32 KiB is followed by a turn for the others, but where a read ends.
    let bytes = error.partial.as_ref().unwrap().text.len() * event.len();
    let each = bytes / turns as usize;
    assert!(each < 80 << 10, "{turns} turns in {bytes} bytes");
}

#[tokio::test]
async fn what_is_too_much_is_refused_before_memory_is_taken() {
    let client = client("http://localhost:9", json!({}));
    let refused = async |document: Value, words: &str| {
        let document = document.to_string();
        let outcome = within(client.answer(document.as_bytes(), b"")).await;
        let Err(error) = outcome else { panic!("{words}: not refused") };
        assert_says(&error, ErrorKind::InvalidRequest, words);
    };
    for pairs in [257, 25_000, 100_000] {
        let headers: Vec<Value> = (0..pairs).map(|i| json!([format!("x-{i}"), "y"])).collect();
        let document = json!({"op": "http", "url": "http://localhost:9/v1/x", "headers": headers});
        refused(document, "256 at most").await;
    }
    let long = "m".repeat(1_025);
    for document in [
        json!({"prompt": "x", "model": long}),
        json!({"op": "embed", "input": "x", "model": long}),
        json!({"op": "models", "model": long}),
        json!({"op": "moderate", "input": "x", "model": long}),
        json!({"op": "count_tokens", "prompt": "x", "model": long}),
        json!({"prompt": "x", "options": {"provider": long}}),
        json!({"prompt": "x", "options": {"fallback": [long]}}),
        json!({"prompt": "x", "options": {"fanout": {"targets": [long]}}}),
    ] {
        refused(document, "a name has 1024 at most").await;
    }
    let many = vec!["p/m"; 33];
    refused(json!({"prompt": "x", "options": {"fallback": many}}), "32 targets at most").await;
    refused(json!({"prompt": "x", "options": {"fanout": {"targets": many}}}), "32 at most").await;
    let values = format!("{{\"prompt\":\"x\",\"x\":[{}0]}}", "0,".repeat(2_200_000));
    let error = within(client.answer(values.as_bytes(), b"")).await.err().unwrap();
    assert_says(&error, ErrorKind::InvalidRequest, "more than 2097152 values");
}

/// Real documents do not come near the limit, so what is below it must pass.
#[tokio::test]
async fn a_document_of_as_many_values_as_allowed_is_read() {
    let body = format!("{START}{}0]}}", "0,".repeat(2_000_000));
    let server = Server::answering(ok("", body.as_bytes())).await;
    let client = client(&server.url, json!({}));
    let response = tokio::time::timeout(Duration::from_secs(60), call(&client)).await.unwrap();
    assert_eq!(response.unwrap().text(), "x");
}

/// What a server answers to a request for a vector or a ranking of one text.
async fn bomb_of(op: &str, [start, unit, end]: [&str; 3], words: &str) {
    let body = packed(start, unit, 31 * MIB, end);
    assert!(body.len() < 128 << 10, "{}", body.len());
    let server = Server::answering(ok("content-encoding: gzip\r\n", &body)).await;
    let request = match op {
        "embed" => json!({"op": "embed", "model": "p/m", "input": ["x"]}),
        _ => json!({"op": "rerank", "model": "p/m", "query": "q", "documents": ["x"]}),
    };
    let client = client(&server.url, json!({}));
    let request = request.to_string();
    let error = within(client.answer(request.as_bytes(), b"")).await.err().unwrap();
    assert_says(&error, ErrorKind::BadResponse, words);
}

#[test]
fn a_bomb_of_one_long_vector_takes_little_memory() {
    let peak = peak_of("a_bomb_of_one_long_vector_takes_little_memory", async || {
        let parts = [r#"{"data":[{"embedding":["#, "0,", "0]}]}"];
        bomb_of("embed", parts, "more than 2097152 values").await;
    });
    assert!(peak.is_none_or(|peak| peak < 256 * MIB), "{peak:?}");
}

#[test]
fn a_bomb_of_vectors_takes_little_memory() {
    let peak = peak_of("a_bomb_of_vectors_takes_little_memory", async || {
        let unit = format!(r#"{{"embedding":[{}0]}},"#, "0,".repeat(1_024));
        let parts = [r#"{"data":["#, &unit, r#"{"embedding":[0]}]}"#];
        bomb_of("embed", parts, "values").await;
    });
    assert!(peak.is_none_or(|peak| peak < 256 * MIB), "{peak:?}");
}

#[test]
fn a_bomb_of_base64_takes_little_memory() {
    let peak = peak_of("a_bomb_of_base64_takes_little_memory", async || {
        let unit = r#"{"embedding":"AAAAAA=="},"#;
        let parts = [r#"{"data":["#, unit, r#"{"embedding":"AAAAAA=="}]}"#];
        bomb_of("embed", parts, "more than 2097152 values").await;
    });
    assert!(peak.is_none_or(|peak| peak < 384 * MIB), "{peak:?}");
}

#[test]
fn a_bomb_of_ranks_takes_little_memory() {
    let peak = peak_of("a_bomb_of_ranks_takes_little_memory", async || {
        let unit = r#"{"index":0,"relevance_score":1},"#;
        let parts = [r#"{"results":["#, unit, r#"{"index":0,"relevance_score":1}]}"#];
        bomb_of("rerank", parts, "more than 2097152 values").await;
    });
    assert!(peak.is_none_or(|peak| peak < 384 * MIB), "{peak:?}");
}
