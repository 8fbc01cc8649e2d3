//! The bytes of answers, of which it is known from which byte on they are complete.

use fastrand::Rng;
use serde_json::{Value, json};

/// The bytes of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) bytes: Vec<u8>,
    /// How much of them has to arrive until the answer may count as complete.
    pub(crate) complete: usize,
    /// Where the head ends.
    pub(crate) head: usize,
    /// The end of the connection is the end of the body.
    pub(crate) closes: bool,
}

/// How the end of a body is said.
#[derive(Clone, Copy, PartialEq)]
enum Framing {
    Length,
    Chunked,
    Close,
}

/// A text that no other exchange has.
pub(crate) fn text(exchange: usize, rng: &mut Rng) -> String {
    const WORDS: [&str; 8] =
        ["sky ", "blauäugig ", "空は", "🙂 ", "\"quoted\" ", "\n\n", "data: ", "é"];
    let mut text = format!("<{exchange}> ");
    for _ in 0..rng.usize(1..12) {
        text += WORDS[rng.usize(0..WORDS.len())];
    }
    text + "</>"
}

/// A complete answer.
pub(crate) fn whole(text: &str, rng: &mut Rng) -> Wire {
    let framing = [Framing::Length, Framing::Length, Framing::Chunked, Framing::Close];
    let body = completion(text).to_string().into_bytes();
    let complete = body.len();
    framed("application/json", &body, complete, framing[rng.usize(0..4)], rng)
}

fn completion(text: &str) -> Value {
    json!({
        "id": "x", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{
            "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}
        }],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    })
}

/// What may be wrong with the events of a stream.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Events {
    Good,
    /// Without the events that end it.
    Unterminated,
    /// With one whose data is no JSON.
    Malformed,
    /// With an error in place of the rest.
    Error,
}

/// A streamed answer.
pub(crate) fn stream(text: &str, events: Events, rng: &mut Rng) -> Wire {
    let framing = [Framing::Chunked, Framing::Chunked, Framing::Close][rng.usize(0..3)];
    let mut body = String::new();
    if rng.bool() {
        body += ": ping\n\n";
    }
    // Neither a role nor an empty text is content.
    if rng.bool() {
        body += &event(json!({"role": "assistant", "content": ""}), Value::Null);
    }
    let pieces = cut(text, rng);
    let broken = rng.usize(0..=pieces.len());
    for (i, piece) in pieces.iter().enumerate() {
        if i == broken {
            match events {
                Events::Malformed => body += "data: {\"id\": \"x\", \"choi\n\n",
                Events::Error => body += &error_event(),
                Events::Good | Events::Unterminated => {}
            }
            if events == Events::Error {
                return framed("text/event-stream", body.as_bytes(), usize::MAX, framing, rng);
            }
        }
        body += &event(json!({"content": piece}), Value::Null);
    }
    if broken == pieces.len() {
        match events {
            Events::Malformed => body += "data: }\n\n",
            Events::Error => body += &error_event(),
            Events::Good | Events::Unterminated => {}
        }
    }
    let mut complete = usize::MAX;
    if matches!(events, Events::Good | Events::Malformed) {
        body += &event(json!({}), json!("stop"));
        if events == Events::Good {
            // A `compatible` server may leave out what follows.
            complete = body.len() - 2;
        }
        if rng.bool() {
            body += ": ping\n\n";
        }
        body += "data: [DONE]\n\n";
    }
    framed("text/event-stream", body.as_bytes(), complete, framing, rng)
}

fn event(delta: Value, finish: Value) -> String {
    let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    let chunk = json!({
        "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": choices,
    });
    format!("data: {chunk}\n\n")
}

pub(crate) fn complaint(code: &str, message: &str) -> String {
    json!({"error": {"message": message, "type": "error", "code": code}}).to_string()
}

fn error_event() -> String {
    format!("data: {}\n\n", complaint("server_error", "The server had an error"))
}

/// An answer that is not a completion.
pub(crate) fn other(kind: &str, body: &str, rng: &mut Rng) -> Wire {
    framed(kind, body.as_bytes(), usize::MAX, Framing::Length, rng)
}

/// A refusal; `headers` are whole lines.
pub(crate) fn refusal(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Pieces of a text, cut between characters.
fn cut(text: &str, rng: &mut Rng) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for character in text.chars() {
        if let Some(last) = pieces.last_mut() {
            last.push(character);
        }
        if rng.u8(0..6) == 0 {
            pieces.push(String::new());
        }
    }
    pieces
}

fn framed(kind: &str, body: &[u8], complete: usize, framing: Framing, rng: &mut Rng) -> Wire {
    let how = match framing {
        Framing::Length => format!("content-length: {}\r\n", body.len()),
        Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
        Framing::Close => "connection: close\r\n".to_owned(),
    };
    let mut bytes = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{how}\r\n").into_bytes();
    let head = bytes.len();
    let closes = framing == Framing::Close;
    if framing != Framing::Chunked {
        bytes.extend_from_slice(body);
        return Wire { complete: head.saturating_add(complete), bytes, head, closes };
    }
    let mut at = 0;
    let mut needed = usize::MAX;
    while at < body.len() {
        let to = body.len().min(at + rng.usize(1..400));
        bytes.extend_from_slice(format!("{:x}\r\n", to - at).as_bytes());
        if (at..=to).contains(&complete) && needed == usize::MAX {
            needed = bytes.len() + complete - at;
        }
        bytes.extend_from_slice(&body[at..to]);
        bytes.extend_from_slice(b"\r\n");
        at = to;
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    Wire { bytes, complete: needed, head, closes }
}
