//! Free mode: the three wire formats, unary and streamed, the knobs, and refusals.

mod common;

use std::time::{Duration, Instant};

use common::{ask, ask_whole, body, dechunk, post, start};
use serde_json::{Value, json};

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
