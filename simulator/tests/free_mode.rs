//! Free mode: the three wire formats, unary and streamed, the knobs, and refusals.

mod common;

use std::time::{Duration, Instant};

use common::{ask, ask_whole, body, connect, dechunk, post, start};
use liter_llm_simulator::Simulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const CLOSE: &str = "connection: close\r\nauthorization: Bearer x\r\n";

async fn send(target: &str, request: &Value) -> (String, Vec<u8>) {
    let simulator = start(&[]);
    let (answer, end) = ask(&simulator, &post(target, CLOSE, &request.to_string())).await;
    end.expect("an orderly end");
    let content = body(&answer);
    let head = String::from_utf8(answer[..answer.len() - content.len()].to_vec()).expect("UTF-8");
    (head, content.to_vec())
}

fn json_of(content: &[u8]) -> Value {
    serde_json::from_slice(content).expect("JSON")
}

/// The data of each event but `[DONE]`.
fn events(content: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(dechunk(content).0).expect("UTF-8");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| json_of(data.as_bytes())).collect()
}

fn request(text: &str, stream: bool) -> Value {
    let earlier = json!({"role": "user", "content": "earlier"});
    let last = json!({"content": [{"type": "image_url", "image_url": {"url": "data:…"}}, {"type": "text", "text": text}], "role": "user"});
    json!({"model": "m\"1", "max_tokens": 9, "stream": stream, "messages": [earlier, last],
           "stream_options": {"include_usage": true},
           "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}, {"name": "g"}]})
}

/// Target, request-id header, pointer to a unary text, pointer to a delta's text, pointer to a unary tool name.
const PROVIDERS: [(&str, &str, &str, &str, &str); 3] = [
    (
        "/v1/chat/completions",
        "x-request-id: req_",
        "/choices/0/message/content",
        "/choices/0/delta/content",
        "/choices/0/message/tool_calls/0/function/name",
    ),
    (
        "/v1/messages?beta=true",
        "request-id: req_",
        "/content/0/text",
        "/delta/text",
        "/content/0/name",
    ),
    (
        "/any/prefix/v2/chat",
        "x-debug-trace-id: ",
        "/message/content/0/text",
        "/delta/message/content/text",
        "/message/tool_calls/0/function/name",
    ),
];

#[tokio::test]
async fn unary_echoes() {
    for (target, id, text, _, _) in PROVIDERS {
        let (head, content) = send(target, &request("grüß \"dich\"\n🦀", false)).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains(id), "{head}");
        let answer = json_of(&content);
        assert_eq!(answer.pointer(text), Some(&json!("You said: grüß \"dich\"\n🦀")), "{answer}");
        if !target.ends_with("/v2/chat") {
            assert_eq!(answer["model"], "m\"1");
        }
        assert!(answer["usage"].is_object());
    }
}

#[tokio::test]
async fn streams_have_exactly_the_chunks_asked_for() {
    for (target, _, _, delta, _) in PROVIDERS {
        let (_, content) =
            send(&format!("/sim,chunks=64,bytes=1000{target}"), &request("hé", true)).await;
        assert_eq!(dechunk(&content).1.len(), 1, "one burst");
        let texts: Vec<String> = events(&content)
            .iter()
            .filter_map(|event| event.pointer(delta)?.as_str().map(str::to_owned))
            .filter(|text| !text.is_empty())
            .collect();
        assert_eq!(texts.len(), 64, "{target}");
        assert_eq!(texts.concat().len(), 1000);
        assert!(texts.concat().starts_with("You said: hé The quick"));
    }
}

#[tokio::test]
async fn a_tool_is_called_when_the_user_says_so() {
    for (target, _, _, _, name) in PROVIDERS {
        let (_, content) = send(target, &request("use the tool", false)).await;
        assert_eq!(json_of(&content).pointer(name), Some(&json!("f")));
        let (_, content) = send(target, &request("use the tool", true)).await;
        assert!(events(&content).iter().any(|event| event.to_string().contains("\"name\":\"f\"")));

        let mut after = request("use the tool", false);
        let result = json!({"role": "tool", "tool_call_id": "1", "content": "42"});
        after["messages"].as_array_mut().expect("a list").push(result);
        let (_, content) = send(target, &after).await;
        assert_eq!(json_of(&content).pointer(name), None, "an agent would never end");
    }
}

#[tokio::test]
async fn pacing_and_delay() {
    let begin = Instant::now();
    let target = "/sim,delay_ms=20,chunks=6,interval_ms=10,burst=2/v1/chat/completions";
    let (_, content) = send(target, &request("x", true)).await;
    assert!(begin.elapsed() >= Duration::from_millis(40));
    assert_eq!(dechunk(&content).1.len(), 3);
}

#[tokio::test]
async fn refusals_in_the_providers_own_words() {
    let simulator = start(&[]);
    for (target, pointer) in [
        ("/v1/chat/completions", "/error/message"),
        ("/v1/messages", "/error/message"),
        ("/v2/chat", "/message"),
    ] {
        let answer = ask_whole(&simulator, &post(target, "connection: close\r\n", "{}")).await;
        assert!(answer.starts_with(b"HTTP/1.1 401 Unauthorized\r\n"));
        assert!(json_of(body(&answer)).pointer(pointer).is_some());
        for wrong in ["{}", "{", "[]"] {
            let answer = ask_whole(&simulator, &post(target, CLOSE, wrong)).await;
            assert!(answer.starts_with(b"HTTP/1.1 400 "), "{wrong}");
        }
    }
    for (target, status) in [
        ("/v1/models", "404"),
        ("/sim,bytes=x/v1/messages", "400"),
        ("/sim,a=1/v1/messages", "400"),
    ] {
        let answer = ask_whole(&simulator, &post(target, CLOSE, "{}")).await;
        assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
    }
}

#[tokio::test]
async fn models_and_moderations() {
    let simulator = start(&[]);
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n{CLOSE}\r\n").into_bytes();
    let (answer, _) = ask(&simulator, &get("/v1/models?limit=2")).await;
    let list = json_of(body(&answer));
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2), "{list}");
    let (answer, _) = ask(&simulator, &get("/v1/models/org/any")).await;
    assert_eq!(json_of(body(&answer))["id"], "org/any");

    let (_, content) = send("/v1/moderations", &json!({"input": ["good", "violence"]})).await;
    let verdicts = json_of(&content);
    assert_eq!(verdicts["results"][0]["flagged"], false);
    assert_eq!(verdicts["results"][1]["flagged"], true);
    let parts = json!([{"type": "text", "text": "violence"}, {"type": "image_url"}]);
    let (_, content) = send("/v1/moderations", &json!({"input": parts})).await;
    assert_eq!(json_of(&content)["results"].as_array().map(Vec::len), Some(1));
    let (head, _) = send("/v1/moderations", &json!({})).await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let keyless = b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let (answer, _) = ask(&simulator, keyless).await;
    assert!(answer.starts_with(b"HTTP/1.1 401 "));
}

/// The answer of a simulator whose requests go wrong: its bytes, and whether they ended in order.
async fn faulty(simulator: &Simulator, knobs: &str, target: &str, stream: bool) -> (String, bool) {
    let request = request("one two three four", stream).to_string();
    let request = post(&format!("/sim,{knobs}{target}"), CLOSE, &request);
    let (answer, end) = ask(simulator, &request).await;
    (String::from_utf8_lossy(&answer).into_owned(), end.is_ok())
}

#[tokio::test]
async fn faults_of_the_status_speak_the_providers_words() {
    let simulator = start(&[]);
    for (fault, status, said) in [
        ("rate_limit", "429", ["rate_limit_exceeded", "rate_limit_error", "Rate limit"]),
        ("server_error", "500", ["server_error", "api_error", "had an error"]),
        ("unavailable", "503", ["server_is_overloaded", "overloaded_error", "Overloaded"]),
        ("authentication", "401", ["invalid_api_key", "authentication_error", "Incorrect"]),
        ("context_length", "400", ["context_length_exceeded", "too long", "too long"]),
    ] {
        for ((target, ..), said) in PROVIDERS.iter().zip(said) {
            let (answer, _) = faulty(&simulator, &format!("fault={fault}"), target, false).await;
            let own = if status == "503" && target.contains("messages") { "529" } else { status };
            assert!(answer.starts_with(&format!("HTTP/1.1 {own} ")), "{answer}");
            assert!(answer.contains(said), "{answer}");
            assert_eq!(answer.contains("retry-after: 1\r\n"), status == "429", "{answer}");
        }
    }
}

#[tokio::test]
async fn faults_of_the_body_break_it() {
    let simulator = start(&[]);
    for (target, ..) in PROVIDERS {
        let (whole, _) = faulty(&simulator, "", target, true).await;
        assert!(whole.ends_with("0\r\n\r\n") && whole.contains("three"), "{whole}");

        let (cut, _) = faulty(&simulator, "fault=cut", target, true).await;
        assert!(cut.contains("You") && !cut.contains("four"), "{cut}");
        assert!(!cut.ends_with("0\r\n\r\n"), "{cut}");
        let (cut, _) = faulty(&simulator, "fault=cut", target, false).await;
        let length = cut.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
        assert!(body(cut.as_bytes()).len() < length, "{cut}");

        let (open, _) = faulty(&simulator, "fault=no_terminator", target, true).await;
        let text = String::from_utf8(dechunk(body(open.as_bytes())).0).expect("UTF-8");
        assert!(text.contains("four"), "{text}");
        let ends = ["\"stop\"", "message_stop", "message-end", "[DONE]"];
        assert!(ends.iter().all(|end| !text.contains(end)), "{text}");

        let (broken, _) = faulty(&simulator, "fault=malformed", target, true).await;
        assert!(broken.contains("data: {\"id\":\n\n"), "{broken}");
        let (broken, in_order) = faulty(&simulator, "fault=malformed", target, false).await;
        assert!(in_order, "{broken}");
        assert!(serde_json::from_slice::<Value>(body(broken.as_bytes())).is_err(), "{broken}");

        let (page, _) = faulty(&simulator, "fault=html", target, true).await;
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("text/html"), "{page}");
    }
}

#[tokio::test]
async fn faults_of_the_connection() {
    let simulator = start(&[]);
    let target = "/v1/chat/completions";
    assert_eq!(faulty(&simulator, "fault=reset", target, false).await, (String::new(), false));
    for (fault, stream) in [("silence", false), ("stall", false), ("stall", true)] {
        let mut socket = connect(&simulator).await;
        let request = request("one two three four", stream).to_string();
        let post = post(&format!("/sim,fault={fault}{target}"), CLOSE, &request);
        socket.write_all(&post).await.unwrap();
        let mut answer = Vec::new();
        if fault == "stall" {
            while !String::from_utf8_lossy(&answer).contains("You") {
                assert!(socket.read_buf(&mut answer).await.unwrap() > 0, "it ended");
            }
        }
        while simulator.stats().requests_open == 0 {
            tokio::task::yield_now().await;
        }
        // The simulator waits for the peer to go, and counts the answer as aborted.
        drop(socket);
        while simulator.stats().requests_open > 0 {
            tokio::task::yield_now().await;
        }
        let answer = String::from_utf8_lossy(&answer);
        let last = if stream { "four" } else { "service_tier" };
        assert!(!answer.contains(last), "{fault}: {answer}");
    }
    assert_eq!(simulator.stats().streams_aborted, 3);
}

#[tokio::test]
async fn a_fault_comes_as_often_as_asked() {
    let simulator = start(&[]);
    let target = "/v1/chat/completions";
    for run in ["a", "b"] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let knobs = format!("fault=server_error,times=2,run={run}");
            let (answer, _) = faulty(&simulator, &knobs, target, false).await;
            statuses.push(answer[9..12].to_owned());
        }
        assert_eq!(statuses, ["500", "500", "200"], "{run}");
    }
    for (knobs, said) in [("fault=flood", "rate_limit, server_error"), ("times=1", "fault=")] {
        let (answer, _) = faulty(&simulator, knobs, target, false).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(said), "{answer}");
    }
}
