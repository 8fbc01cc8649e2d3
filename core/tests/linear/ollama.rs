//! Streams of Ollama's own API, in each kind of line.

use serde_json::{Value, json};

use crate::linear;
use crate::streams::read;

/// How many of a thing a stream may have, and a fourth of it.
const FEW: usize = 250;
const MANY: usize = 2_000;

/// A stream whose n-th line has the message that `message` makes.
#[track_caller]
fn ollama(kind: &str, n: usize, message: impl Fn(usize) -> Value) {
    lines(kind, n, |i| json!({"model": "m", "message": message(i), "done": false}));
}

#[track_caller]
fn lines(kind: &str, n: usize, line: impl Fn(usize) -> Value) {
    let make = |n: usize| {
        let mut body: String = (0..n).map(|i| format!("{}\n", line(i))).collect();
        body.push_str("{\"message\":{},\"done\":true,\"done_reason\":\"stop\"}\n");
        body
    };
    linear(&format!("ollama, {kind}"), n, make, |body: &String| read("ollama", body, true));
}

#[test]
fn lines_of_ollama() {
    ollama("text", MANY, |_| json!({"content": "word "}));
    ollama("thinking", MANY, |_| json!({"content": "", "thinking": "word "}));
    let call = |i: usize| json!({"function": {"index": 0, "name": "f", "arguments": {"a": i}}});
    ollama("calls", FEW, |i| json!({"tool_calls": [call(i)]}));
    ollama("names in a message", MANY, |i| json!({format!("m{i}"): i}));
    lines("names in a line", MANY, |i| json!({"message": {}, format!("m{i}"): i}));
    lines(
        "log probabilities",
        MANY,
        |i| json!({"message": {"content": "x"}, "logprobs": [{"token": "x", "logprob": i}]}),
    );
}
