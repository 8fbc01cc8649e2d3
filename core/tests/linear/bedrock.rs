//! Streams of Bedrock, in each kind of event.

use liter_llm_simulator::frames::frame;
use serde_json::{Value, json};

use crate::linear;
use crate::streams::read;

/// How many of a thing a stream may have, and a fourth of it.
const FEW: usize = 250;
const MANY: usize = 2_000;

fn event(name: &str, data: &Value) -> Vec<u8> {
    frame("event", name, data.to_string().as_bytes())
}

/// A stream whose n-th events `events` makes: names and data.
#[track_caller]
fn bedrock(kind: &str, n: usize, events: impl Fn(usize) -> Vec<(&'static str, Value)>) {
    let make = |n: usize| {
        let mut body = event("messageStart", &json!({"role": "assistant"}));
        for (name, data) in (0..n).flat_map(&events) {
            body.extend(event(name, &data));
        }
        body.extend(event("messageStop", &json!({"stopReason": "end_turn"})));
        body.extend(event("metadata", &json!({"usage": {"inputTokens": 1, "outputTokens": 1}})));
        body
    };
    linear(&format!("bedrock, {kind}"), n, make, |body: &Vec<u8>| read("bedrock", body, true));
}

fn delta(index: usize, delta: Value) -> Vec<(&'static str, Value)> {
    vec![("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}))]
}

#[test]
fn blocks_of_bedrock() {
    bedrock("text", MANY, |_| delta(0, json!({"text": "word "})));
    bedrock("blocks", MANY, |i| delta(i, json!({"text": "word "})));
    bedrock("calls", FEW, |i| {
        let start = json!({"toolUse": {"toolUseId": format!("t{i}"), "name": "f"}});
        let mut events =
            vec![("contentBlockStart", json!({"contentBlockIndex": i, "start": start}))];
        events.extend(delta(i, json!({"toolUse": {"input": "{}"}})));
        events
    });
    bedrock("pieces of one input", MANY, |i| {
        let start = json!({"toolUse": {"toolUseId": "t", "name": "f"}});
        let start = ("contentBlockStart", json!({"contentBlockIndex": 0, "start": start}));
        let piece = delta(0, json!({"toolUse": {"input": if i == 0 { "{" } else { "word " }}}));
        if i == 0 { [vec![start], piece].concat() } else { piece }
    });
    bedrock("reasoning", MANY, |_| delta(0, json!({"reasoningContent": {"text": "word "}})));
    bedrock("signatures", MANY, |_| delta(0, json!({"reasoningContent": {"signature": "word"}})));
    bedrock("hidden reasoning", MANY, |_| {
        delta(0, json!({"reasoningContent": {"redactedContent": "aGlkZGVu"}}))
    });
    bedrock("names in reasoning", MANY, |i| {
        delta(0, json!({"reasoningContent": {format!("m{i}"): "x"}}))
    });
    bedrock("citations", MANY, |i| delta(0, json!({"citation": {"title": i}})));
    bedrock("results", MANY, |i| delta(0, json!({"toolResult": [{"text": i}]})));
    bedrock("names in a block", MANY, |i| delta(0, json!({format!("m{i}"): i})));
    bedrock("members of an image", MANY, |i| delta(0, json!({"image": {format!("m{i}"): i}})));
    bedrock("counts", MANY, |i| vec![("metadata", json!({format!("m{i}"): i}))]);
}
