//! What providers say.

use serde_json::{Value, json};

use super::world::{Act, Ask};

/// An answer as it was asked for, whole or streamed.
pub(crate) fn answer(ask: &Ask) -> Vec<Act> {
    if ask.body["stream"] == true {
        return vec![Act::Send(stream(&["one ", "two ", "three"]).into_bytes())];
    }
    answer_with("")(ask)
}

/// A whole answer with these header lines.
pub(crate) fn answer_with(headers: &str) -> impl Fn(&Ask) -> Vec<Act> {
    let reply = json!({
        "id": "x", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "one two three"},
        }],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    });
    let bytes = reply_bytes(200, headers, &reply.to_string());
    move |_| vec![Act::Send(bytes.clone())]
}

/// A refusal with these header lines, and the error's code.
pub(crate) fn refuse(status: u16, headers: &str, code: &str) -> Vec<Act> {
    let body = json!({"error": {"message": "It fails", "type": "error", "code": code}});
    vec![Act::Send(reply_bytes(status, headers, &body.to_string()))]
}

/// An answer of any kind.
pub(crate) fn reply_bytes(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The head of a stream whose end is said in chunks.
pub(crate) const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// An event's bytes, as one chunk of HTTP's.
pub(crate) fn event(data: &str) -> String {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len())
}

pub(crate) fn delta(delta: Value, finish: Value) -> String {
    let chunk = json!({
        "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    });
    event(&chunk.to_string())
}

pub(crate) fn piece(text: &str) -> String {
    delta(json!({"content": text}), Value::Null)
}

/// How a stream ends.
pub(crate) fn end() -> String {
    delta(json!({}), json!("stop")) + &event("[DONE]") + "0\r\n\r\n"
}

/// A complete stream.
pub(crate) fn stream(pieces: &[&str]) -> String {
    let pieces: String = pieces.iter().map(|text| piece(text)).collect();
    [HEAD, &delta(json!({"role": "assistant", "content": ""}), Value::Null), &pieces, &end()]
        .concat()
}
