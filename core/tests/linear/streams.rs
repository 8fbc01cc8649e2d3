//! Streams of each wire format, in each kind of event.

use http::HeaderMap;
use liter_llm_core::provider::StreamReader;
use serde_json::{Value, json};

use crate::{corpus, linear};

/// How many of a thing a stream may have, and a fourth of it.
const FEW: usize = 250;
const MANY: usize = 2_000;

/// Reads a stream in reads of the size of a network packet, and takes its chunks as the engine does.
/// `is_whole` says whether the stream must be a whole answer.
pub(crate) fn read(provider: &str, body: impl AsRef<[u8]>, is_whole: bool) {
    let provider = corpus::provider(provider);
    let target = provider.target("model");
    let mut reader = StreamReader::new(provider.row.chat().unwrap(), &target, false);
    let mut pushed = Ok(());
    for part in body.as_ref().chunks(1_400) {
        pushed = pushed.and_then(|()| reader.push(part).map(drop));
        reader.take_chunks();
    }
    let ended = pushed.and_then(|()| reader.end(&HeaderMap::new()));
    assert_eq!(ended.is_ok(), is_whole, "{ended:?}");
    std::hint::black_box(reader.into_completion());
}

pub(crate) fn sse(events: impl IntoIterator<Item = Value>) -> String {
    events.into_iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// A stream of chat completions whose n-th event `event` makes.
#[track_caller]
fn openai(kind: &str, n: usize, event: impl Fn(usize) -> Value) {
    let first = delta(json!({"content": ""}));
    let make = |n| sse([first.clone()].into_iter().chain((0..n).map(&event))) + "data: [DONE]\n\n";
    linear(&format!("openai, {kind}"), n, make, |text: &String| read("openai", text, true));
}

fn choice(choice: Value) -> Value {
    json!({"id": "a", "choices": [choice]})
}

pub(crate) fn delta(delta: Value) -> Value {
    choice(json!({"index": 0, "delta": delta}))
}

pub(crate) fn call(call: Value) -> Value {
    delta(json!({"tool_calls": [call]}))
}

#[test]
fn tool_calls_of_openai() {
    let named = |i: usize| {
        let arguments = if i == 0 { "{\"a\":\"" } else { "some words " };
        call(json!({"index": 0, "function": {"name": "f", "arguments": arguments}}))
    };
    openai("a name in each delta", MANY, named);
    openai("a name and an object's end in each", MANY, |i| {
        let arguments = if i == 0 { "{" } else { "\"a\":[{}]}," };
        call(json!({"index": 0, "function": {"name": "f", "arguments": arguments}}))
    });
    openai("calls", FEW, |i| {
        let function = json!({"name": "f", "arguments": "{}"});
        call(json!({"index": i, "id": format!("call_{i}"), "function": function}))
    });
    openai("deltas of one call", MANY, |i| {
        let function = json!({"name": if i == 0 { "f" } else { "" }, "arguments": "words "});
        call(json!({"index": 0, "id": if i == 0 { "a" } else { "" }, "function": function}))
    });
    openai("members beside a call's name", MANY, |i| {
        call(json!({"index": 0, "id": "a", "function": {"name": "f"}, "x": {"y": i}}))
    });
    openai("pieces without a name", MANY, |i| call(json!({"index": i, "id": format!("{i}")})));
    openai("pieces of one custom call", MANY, |_| {
        call(json!({"index": 0, "type": "custom", "custom": {"name": "f", "input": "some words"}}))
    });
    openai("custom calls", FEW, |i| {
        call(json!({"index": i, "type": "custom", "custom": {"name": "f", "input": "words"}}))
    });
}

#[test]
fn texts_of_openai() {
    openai("text", MANY, |_| delta(json!({"content": "word "})));
    openai("reasoning", MANY, |_| delta(json!({"reasoning_content": "word "})));
    openai("refusal", MANY, |_| delta(json!({"refusal": "word "})));
    openai("parts", MANY, |_| delta(json!({"content": [{"type": "text", "text": "word "}]})));
    openai("unknown parts", MANY, |i| delta(json!({"content": [{"type": "x", "y": i}]})));
    openai("audio", MANY, |_| delta(json!({"audio": {"id": "a", "data": "AAAA"}})));
    let halves = |n| {
        let event = "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud83c\"}}]}\n\n";
        event.repeat(n) + "data: [DONE]\n\n"
    };
    linear("openai, halves of characters", MANY, halves, |text| read("openai", text, true));
    openai("choices", FEW, |i| choice(json!({"index": i, "delta": {"content": "x"}})));
    openai("choices from the last on", FEW, |i| {
        choice(json!({"index": 1_000 - i, "delta": {"content": "x"}}))
    });
}

#[test]
fn what_has_no_place_in_openai() {
    let detail = |kind: &str, i: usize| {
        let detail = json!({"type": kind, "index": i, "text": "word ", "data": "AAAA"});
        delta(json!({"reasoning_details": [detail]}))
    };
    openai("reasoning details of one block", MANY, |_| detail("reasoning.text", 0));
    openai("blocks of reasoning details", MANY, |i| detail("reasoning.text", i));
    openai("encrypted reasoning details", MANY, |_| detail("reasoning.encrypted", 0));
    openai("annotations", MANY, |i| {
        delta(json!({"annotations": [{"type": "url_citation", "url": i}]}))
    });
    openai("citations", MANY, |i| json!({"citations": [i], "choices": []}));
    openai("logprobs", MANY, |i| {
        let logprobs = json!({"content": [{"token": "a", "logprob": i, "bytes": [1, 2]}]});
        choice(json!({"index": 0, "delta": {"content": "a"}, "logprobs": logprobs}))
    });
    openai("names in logprobs", MANY, |i| {
        choice(json!({"index": 0, "delta": {}, "logprobs": {format!("m{i}"): null, "a": null}}))
    });
    openai("names at the top", MANY, |i| json!({"choices": [], format!("m{i}"): i}));
    openai("names in a member", MANY, |i| json!({"choices": [], "x": {format!("m{i}"): i}}));
    openai("names in a choice", MANY, |i| choice(json!({"index": 0, format!("m{i}"): i})));
    openai("names in a delta", MANY, |i| delta(json!({format!("m{i}"): i})));
    openai("names in a delta's member", MANY, |i| delta(json!({"x": {format!("m{i}"): i}})));
    openai("usages", MANY, |i| json!({"choices": [], "usage": {"total_tokens": i}}));
    openai("finish reasons", MANY, |_| choice(json!({"index": 0, "finish_reason": "stop"})));
}

/// A message of Anthropic's whose n-th event in the middle `event` makes.
#[track_caller]
fn anthropic(kind: &str, n: usize, event: impl Fn(usize) -> Value) {
    let make = |n| {
        let start = json!({"type": "message_start", "message": {"id": "a", "content": []}});
        let block = json!({"type": "text", "text": ""});
        let block = json!({"type": "content_block_start", "index": 0, "content_block": block});
        let end = json!({"type": "message_stop"});
        sse([start, block].into_iter().chain((0..n).map(&event)).chain([end]))
    };
    linear(&format!("anthropic, {kind}"), n, make, |text: &String| read("anthropic", text, true));
}

#[test]
fn blocks_of_anthropic() {
    let start = |i: usize, block: Value| json!({"type": "content_block_start", "index": i + 1, "content_block": block});
    let part = |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
    anthropic("empty texts", MANY, |i| start(i, json!({"type": "text", "text": ""})));
    anthropic("unknown blocks", MANY, |i| start(i, json!({"type": "x", "y": i})));
    anthropic("calls", FEW, |i| start(i, json!({"type": "tool_use", "id": i.to_string()})));
    anthropic("blocks that end", MANY, |i| match i % 2 {
        0 => start(i, json!({"type": "thinking", "thinking": "x"})),
        _ => json!({"type": "content_block_stop", "index": i}),
    });
    anthropic("text", MANY, |_| part(json!({"type": "text_delta", "text": "word "})));
    anthropic("input", MANY, |_| {
        part(json!({"type": "input_json_delta", "partial_json": "[1, 2], "}))
    });
    anthropic("citations", MANY, |i| {
        part(json!({"type": "citations_delta", "citation": {"start": i}}))
    });
    anthropic("lists in deltas", MANY, |i| part(json!({"type": "x_delta", "x": [i]})));
    anthropic("names in deltas", MANY, |i| part(json!({"type": "x_delta", format!("m{i}"): i})));
    anthropic(
        "usages",
        MANY,
        |i| json!({"type": "message_delta", "delta": {}, "usage": {format!("m{i}"): i}}),
    );
    anthropic("names at the end", MANY, |i| json!({"type": "message_delta", format!("m{i}"): i}));
    anthropic("pings", MANY, |_| json!({"type": "ping"}));
}

/// A message of Cohere's whose n-th event in the middle `event` makes.
#[track_caller]
fn cohere(kind: &str, n: usize, event: impl Fn(usize) -> Value) {
    let make = |n| {
        let start = json!({"type": "message-start", "id": "a"});
        let end = json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}});
        sse([start].into_iter().chain((0..n).map(&event)).chain([end]))
    };
    linear(&format!("cohere, {kind}"), n, make, |text: &String| read("cohere", text, true));
}

#[test]
fn parts_of_cohere() {
    let part = |kind: &str, index: usize, message: Value| json!({"type": kind, "index": index, "delta": {"message": message}});
    let call = |id: usize| json!({"tool_calls": {"id": id.to_string(), "function": {"name": "f", "arguments": "{}"}}});
    cohere("text", MANY, |_| part("content-delta", 0, json!({"content": {"text": "word "}})));
    cohere("parts", MANY, |i| {
        part("content-start", i, json!({"content": {"type": "text", "text": "word "}}))
    });
    cohere("unknown parts", MANY, |i| {
        part("content-start", i, json!({"content": {"type": "x", "y": i}}))
    });
    cohere("plans", MANY, |_| part("tool-plan-delta", 0, json!({"tool_plan": "word "})));
    cohere("citations", MANY, |i| part("citation-start", i, json!({"citations": {"start": i}})));
    cohere("calls", FEW, |i| part("tool-call-start", i, call(i)));
    cohere("deltas of a call", MANY, |_| part("tool-call-delta", 0, call(0)));
    cohere("calls without a name", FEW, |i| {
        part("tool-call-delta", i, json!({"tool_calls": {"function": {"arguments": "{}"}}}))
    });
}

/// A stream of Gemini's whose n-th candidate `candidate` makes.
#[track_caller]
fn gemini(kind: &str, n: usize, candidate: impl Fn(usize) -> Value) {
    let make = |n| {
        let of = |i| json!({"responseId": "a", "candidates": [candidate(i)]});
        let end = |i: usize| {
            let index = of(i)["candidates"][0]["index"].clone();
            json!({"candidates": [{"index": index, "finishReason": "STOP"}]})
        };
        sse((0..n).map(of)) + &sse((0..n).map(end))
    };
    linear(&format!("gemini, {kind}"), n, make, |text: &String| read("gemini", text, true));
}

fn parts(parts: Value) -> Value {
    json!({"index": 0, "content": {"parts": parts}})
}

/// A piece of the arguments of a call that goes on.
pub(crate) fn argument(i: usize, path: String, value: Value) -> Value {
    let mut piece = json!({"jsonPath": path, "willContinue": true});
    piece.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    let mut call = json!({"partialArgs": [piece], "willContinue": true});
    if i == 0 {
        call["name"] = "f".into();
    }
    parts(json!([{ "functionCall": call }]))
}

#[test]
fn parts_of_gemini() {
    gemini("text", MANY, |_| parts(json!([{"text": "word "}])));
    gemini("thoughts", MANY, |_| parts(json!([{"text": "word ", "thought": true}])));
    gemini("texts and thoughts", MANY, |i| {
        parts(json!([{"text": "word ", "thought": i.is_multiple_of(2)}]))
    });
    gemini("signatures", MANY, |i| {
        parts(json!([{"text": "", "thoughtSignature": format!("s{i}")}]))
    });
    gemini("empty parts", MANY, |_| parts(json!([{}])));
    gemini("empty lists of parts", MANY, |_| parts(json!([])));
    gemini("other parts", MANY, |i| parts(json!([{"executableCode": {"code": i}}])));
    gemini("calls", FEW, |i| {
        parts(json!([{"functionCall": {"id": format!("c{i}"), "name": "f", "args": {"a": i}}}]))
    });
    gemini("calls without an id", FEW, |i| {
        parts(json!([{"functionCall": {"name": "f", "args": {"a": i}}}]))
    });
    gemini("pieces of one text", MANY, |i| {
        argument(i, "$.a".to_owned(), json!({"stringValue": "word "}))
    });
    gemini("paths", FEW, |i| argument(i, format!("$.a{i}"), json!({"numberValue": i})));
    gemini("items", FEW, |i| argument(i, format!("$.a[{i}]"), json!({"stringValue": "x"})));
    gemini("one path again", MANY, |i| argument(i, "$.a.b".to_owned(), json!({"numberValue": i})));
    gemini("calls in pieces", FEW, |_| {
        let pieces = json!([{"jsonPath": "$.a", "stringValue": "x"}]);
        parts(json!([{"functionCall": {"name": "f", "partialArgs": pieces}}]))
    });
    gemini("candidates", FEW, |i| json!({"index": i, "content": {"parts": [{"text": "x"}]}}));
    gemini(
        "candidates from the last on",
        FEW,
        |i| json!({"index": 1_000 - i, "content": {"parts": [{"text": "x"}]}}),
    );
}

#[test]
fn what_has_no_place_in_gemini() {
    let cited = |list: Value| json!({"index": 0, "citationMetadata": list});
    gemini("citations", MANY, |i| cited(json!({"citationSources": [{"startIndex": i}]})));
    gemini("lists of citations", MANY, |i| cited(json!({format!("m{i}"): [i]})));
    gemini("names in citations", MANY, |i| cited(json!({format!("m{i}"): i})));
    gemini("grounding", MANY, |i| json!({"index": 0, "groundingMetadata": {format!("m{i}"): i}}));
    gemini("names in a candidate", MANY, |i| json!({"index": 0, format!("m{i}"): i}));
    gemini("finish reasons", MANY, |_| json!({"index": 0, "finishReason": "STOP"}));
    let top = |kind: &str, of: fn(usize) -> Value| {
        let end = json!({"candidates": [{"index": 0, "finishReason": "STOP"}]});
        let make = |n| sse((0..n).map(of).chain([end.clone()]));
        linear(&format!("gemini, {kind}"), MANY, make, |text| read("gemini", text, true));
    };
    top("usages", |i| json!({"usageMetadata": {format!("m{i}"): i}}));
    top("names at the top", |i| json!({format!("m{i}"): i}));
    top("names in a member", |i| json!({"x": {format!("m{i}"): i}}));
}

/// A stream of Responses whose n-th event `event` makes, with the `items` of its end.
#[track_caller]
fn responses(
    kind: &str,
    n: usize,
    event: impl Fn(usize) -> Value,
    items: impl Fn(usize) -> Vec<Value>,
) {
    let make = |n| {
        let response = json!({"id": "r", "status": "completed", "output": items(n)});
        let last = json!({"type": "response.completed", "response": response});
        sse((0..n).map(&event).chain([last]))
    };
    linear(&format!("responses, {kind}"), n, make, |text: &String| {
        read("openai/responses", text, true);
    });
}

#[test]
fn items_of_responses() {
    let piece = |kind: &str, index: usize, text: &str| {
        json!({
            "type": format!("response.{kind}.delta"),
            "output_index": index,
            "item_id": format!("i{index}"),
            "delta": text,
        })
    };
    let none = |_| Vec::new();
    responses("words", MANY, |_| piece("output_text", 0, "some words "), none);
    responses("thoughts", MANY, |_| piece("reasoning_summary_text", 0, "some words "), none);
    responses("items", FEW, |i| piece("output_text", i, "some words "), none);
    let unnumbered = |i: usize| {
        let kind = "response.output_text.delta";
        json!({"type": kind, "item_id": format!("i{i}"), "delta": "some words "})
    };
    responses("items without an index", FEW, unnumbered, none);
    let begun = |i: usize| {
        let item = json!({"type": "function_call", "call_id": format!("c{i}"), "name": "f"});
        json!({"type": "response.output_item.added", "output_index": i, "item": item})
    };
    responses("calls", FEW, begun, none);
    let message = |i: usize| {
        let part = json!({"type": "output_text", "text": "some words "});
        json!({"type": "message", "id": format!("other{i}"), "content": [part]})
    };
    let named = |n| (0..n).rev().map(message).collect();
    responses("items under other names", FEW, |i| piece("output_text", i, "some words "), named);
    let part = |i: usize| {
        let kind = "response.reasoning_summary_text.delta";
        json!({"type": kind, "output_index": 0, "summary_index": i, "delta": "some words "})
    };
    responses("parts of a summary", FEW, part, none);
}
