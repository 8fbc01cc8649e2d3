//! Bodies that no provider should send: recorded ones cut short, made-up JSON, and any split.
//!
//! A cut body is never an answer, whatever JSON arrives nothing panics, and how the bytes are
//! split never matters. Beside that, a recorded complete answer that is taken apart into events
//! reads as the complete one does.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "wire/corpus.rs"]
mod corpus;

use http::HeaderMap;
use liter_llm_core::config::ProviderConfig;
use liter_llm_core::error::{Error, ErrorKind};
use liter_llm_core::provider::{Completion, Progress, StreamReader};
use liter_llm_core::wire::Reply;
use proptest::prelude::*;
use serde_json::{Value, json};

const FILES: &[(&str, &str)] = &[
    ("anthropic__messages.jsonl", "anthropic"),
    ("cohere__v2-chat.jsonl", "cohere"),
    ("ollama__ollama-chat.jsonl", "ollama"),
];

/// Reads a streamed body in the given pieces, and its end as proper.
fn stream<'a>(
    provider: &ProviderConfig,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Completion, Error> {
    let target = provider.target("model");
    let adapter = provider.row.chat().unwrap();
    let mut reader = StreamReader::new(adapter, &target, false);
    for piece in pieces {
        if reader.push(piece)? == Progress::Done {
            break;
        }
    }
    reader.end(&HeaderMap::new())?;
    Ok(reader.into_completion())
}

#[test]
fn half_a_character_is_a_stream_that_ended_early() {
    let provider = corpus::provider("openai");
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"é\"}}]}";
    let cut = event.find('é').unwrap() + 1;
    let error = stream(&provider, [&event.as_bytes()[..cut]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamBroken);
}

/// What is looked for among all that came before takes no longer than its length.
#[test]
fn a_flood_of_parts_is_refused_at_once() {
    let call = |i: u64| json!({"index": i, "id": i.to_string(), "function": {"name": "f"}});
    let choice = |i: u64| json!({"index": i, "delta": {"content": "x"}});
    let calls = |from, to| {
        let calls: Vec<Value> = (from..to).map(call).collect();
        json!([{"index": 0, "delta": {"tool_calls": calls}}])
    };
    let choices = |from, to| Value::from((from..to).map(choice).collect::<Vec<Value>>());
    let provider = corpus::provider("openai");
    let read = |events: &[Value]| {
        let event = |choices: &Value| format!("data: {}\n\n", json!({"choices": choices}));
        let text: String = events.iter().map(event).collect();
        stream(&provider, [text.as_bytes(), b"data: [DONE]\n\n"])
    };
    for flood in [&calls as &dyn Fn(u64, u64) -> Value, &choices] {
        assert!(read(&[flood(0, 1_000)]).is_ok());
        let at_once = read(&[flood(0, 100_000)]).unwrap_err();
        let events: Vec<Value> = (0..2_000).map(|i| flood(i, i + 1)).collect();
        for error in [at_once, read(&events).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::BadResponse);
            assert!(error.message.contains("1,024"), "{error}");
        }
    }
}

/// All that a stream says is kept for its whole answer: one without an end is given up.
#[test]
fn a_stream_without_an_end_is_refused() {
    let provider = corpus::provider("openai");
    let comment = format!(": {}\n", "x".repeat(8 << 20));
    let error = stream(&provider, std::iter::repeat_n(comment.as_bytes(), 33)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(error.message.contains("256 MiB"), "{error}");
}

fn whole(provider: &ProviderConfig, status: u16, body: &[u8]) -> Result<Completion, Error> {
    let target = provider.target("model");
    provider
        .row
        .chat()
        .unwrap()
        .decode(&Reply { status, headers: &HeaderMap::new(), body, received: None }, &target)
}

#[test]
fn a_body_that_is_cut_is_never_an_answer() {
    for (file, kind) in FILES {
        let Some(records) = corpus::records(file) else { return };
        let provider = corpus::provider(kind);
        let mut cuts = 0;
        for record in records.iter().filter(|record| record.status == 200) {
            let read = |body: &[u8]| {
                if record.streaming {
                    stream(&provider, [body])
                } else {
                    whole(&provider, 200, body)
                }
            };
            let full = read(&record.body).map(|answer| format!("{answer:?}")).ok();
            for end in offsets(record.body.len()) {
                cuts += 1;
                // White space after the end, and what follows a terminal event, may be missing.
                if let Ok(answer) = read(&record.body[..end]) {
                    let answer = Some(format!("{answer:?}"));
                    assert!(full == answer, "{} cut at {end} became an answer", record.id);
                }
            }
        }
        assert!(cuts > 1000, "{file}: only {cuts} cuts");
    }
}

/// Every offset of a small body; of a large one its end and a fixed sample.
fn offsets(len: usize) -> Vec<usize> {
    if len <= 800 {
        return (0..len).collect();
    }
    let mut rng = fastrand::Rng::with_seed(len as u64);
    (0..60).map(|_| rng.usize(0..len)).chain(len - 80..len).collect()
}

#[test]
fn an_answer_in_events_reads_as_the_whole_one() {
    for ((file, kind), (events, least)) in
        FILES.iter().zip([(anthropic_events as fn(Value) -> Vec<Value>, 300), (cohere_events, 50)])
    {
        let provider = corpus::provider(kind);
        let Some(records) = corpus::records(file) else { return };
        let mut seen = 0;
        for record in records.iter().filter(|record| record.status == 200 && !record.streaming) {
            let body: Value = serde_json::from_slice(&record.body).unwrap();
            let wanted = whole(&provider, 200, body.to_string().as_bytes()).unwrap();
            let events = events(body);
            let events: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
            let found = stream(&provider, [events.as_bytes()]).unwrap();
            assert_eq!(compared(wanted), compared(found), "{}", record.id);
            seen += 1;
        }
        assert!(seen >= least, "{file}: only {seen} records");
    }
}

/// The events that Cohere would have sent for this answer.
fn cohere_events(mut answer: Value) -> Vec<Value> {
    let message = answer["message"].take();
    let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
    let part = |kind: &str, index: usize, message: Value| json!({"type": kind, "index": index, "delta": {"message": message}});
    let mut events = vec![json!({"type": "message-start", "id": answer["id"], "delta": {}})];
    for word in message["tool_plan"].as_str().unwrap_or_default().split_inclusive(' ') {
        events.push(part("tool-plan-delta", 0, json!({"tool_plan": word})));
    }
    for (index, block) in list("content").into_iter().enumerate() {
        let kind = block["type"].as_str().unwrap();
        let start = json!({"content": {"type": kind, kind: ""}});
        events.push(part("content-start", index, start));
        for word in block[kind].as_str().unwrap().split_inclusive(' ') {
            events.push(part("content-delta", index, json!({"content": {kind: word}})));
        }
        events.push(json!({"type": "content-end", "index": index}));
    }
    for (index, mut call) in list("tool_calls").into_iter().enumerate() {
        let arguments = call["function"]["arguments"].take();
        call["function"]["arguments"] = "".into();
        events.push(part("tool-call-start", index, json!({ "tool_calls": call })));
        let delta = json!({"tool_calls": {"function": {"arguments": arguments}}});
        events.push(part("tool-call-delta", index, delta));
        events.push(json!({"type": "tool-call-end", "index": index}));
    }
    for (index, citation) in list("citations").into_iter().enumerate() {
        events.push(part("citation-start", index, json!({ "citations": citation })));
    }
    let end = json!({"finish_reason": answer["finish_reason"], "usage": answer["usage"]});
    events.push(json!({"type": "message-end", "delta": end}));
    events
}

/// The events that Anthropic would have sent for this message.
fn anthropic_events(mut message: Value) -> Vec<Value> {
    let content = std::mem::take(&mut message["content"]);
    let end = json!({
        "stop_reason": message["stop_reason"].take(),
        "stop_sequence": message["stop_sequence"].take(),
        "stop_details": message.get_mut("stop_details").map(Value::take),
    });
    message["content"] = json!([]);
    let mut events = vec![json!({"type": "message_start", "message": message})];
    for (index, mut block) in content.as_array().unwrap().iter().cloned().enumerate() {
        let mut deltas = Vec::new();
        for (name, kind) in [
            ("text", "text_delta"),
            ("thinking", "thinking_delta"),
            ("signature", "signature_delta"),
        ] {
            if let Some(Value::String(text)) = block.get_mut(name) {
                let text = std::mem::take(text);
                let middle =
                    text.char_indices().nth(text.chars().count() / 2).map_or(0, |(i, _)| i);
                for part in [&text[..middle], &text[middle..]] {
                    deltas.push(json!({"type": kind, name: part}));
                }
            }
        }
        if let Some(input) = block.get_mut("input") {
            let text = std::mem::replace(input, json!({})).to_string();
            let text = if text == "{}" { String::new() } else { text };
            let (a, b) = text.split_at(text.len().min(1));
            for part in [a, b] {
                deltas.push(json!({"type": "input_json_delta", "partial_json": part}));
            }
        }
        if let Some(Value::Array(citations)) = block.get_mut("citations") {
            for citation in std::mem::take(citations) {
                deltas.push(json!({"type": "citations_delta", "citation": citation}));
            }
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for delta in deltas {
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "delta": end, "usage": {}}));
    events.push(json!({"type": "message_stop"}));
    events
}

/// What has to be the same. A stream's usage leaves out what is `null`.
fn compared(answer: Completion) -> Value {
    let mut raw = corpus::seen(&answer.usage_raw);
    if let Value::Object(raw) = &mut raw {
        raw.retain(|_, value| !value.is_null());
    }
    json!({
        "id": answer.id,
        "model": answer.model,
        "choices": corpus::seen(&answer.choices),
        "usage": answer.usage,
        "raw": raw,
        "finish": answer.finish_reason_raw,
        "fields": corpus::seen(&answer.fields),
    })
}

/// JSON made of the words that the two wire formats know, so that it gets far into the adapters.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(&WORDS[..]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4u64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        "[ -~é世🦀]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().map(named).collect())),
        ]
    })
}

fn named((name, value): (&str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}

/// An event: of a known type more often than not.
fn any_event() -> impl Strategy<Value = Value> {
    let part = prop::sample::select(&WORDS[..]);
    let members = prop::collection::vec((part, any_json()), 0..5);
    (prop::sample::select(&WORDS[..]), 0..3u64, members).prop_map(|(kind, index, members)| {
        let mut event: serde_json::Map<_, _> = members.into_iter().map(named).collect();
        event.insert("type".to_owned(), kind.into());
        event.insert("index".to_owned(), index.into());
        Value::Object(event)
    })
}

const WORDS: [&str; 66] = [
    "type",
    "message",
    "content",
    "delta",
    "index",
    "usage",
    "id",
    "model",
    "role",
    "error",
    "text",
    "thinking",
    "signature",
    "input",
    "name",
    "tool_use",
    "citations",
    "citation",
    "data",
    "partial_json",
    "content_block",
    "stop_reason",
    "stop_sequence",
    "stop_details",
    "details",
    "error_code",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "tokens",
    "cached_tokens",
    "reasoning_tokens",
    "output_tokens_details",
    "thinking_tokens",
    "end_turn",
    "max_tokens",
    "refusal",
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "text_delta",
    "thinking_delta",
    "input_json_delta",
    "citations_delta",
    "signature_delta",
    "message-start",
    "content-start",
    "content-delta",
    "content-end",
    "tool-plan-delta",
    "tool-call-start",
    "tool-call-delta",
    "citation-start",
    "message-end",
    "tool_calls",
    "tool_plan",
    "function",
    "arguments",
    "finish_reason",
    "COMPLETE",
    "ERROR",
    "TIMEOUT",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_is_read_without_panic(body in any_json(), status in prop::sample::select(vec![200u16, 400, 429, 500])) {
        for (_, kind) in FILES {
            let _ = whole(&corpus::provider(kind), status, body.to_string().as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, kind) in FILES {
            let provider = corpus::provider(kind);
            prop_assert!(whole(&provider, 200, &body).is_err());
            prop_assert!(stream(&provider, [&body[..]]).is_err());
        }
    }

    #[test]
    fn any_events_under_any_split_have_one_outcome(
        events in prop::collection::vec(any_event(), 0..12),
        start in any::<bool>(),
        sizes in prop::collection::vec(1..40usize, 1..20),
    ) {
        for (_, kind) in FILES {
            let provider = corpus::provider(kind);
            let mut body = String::new();
            if start {
                body.push_str("data: {\"type\":\"message_start\",\"message\":{\"id\":\"a\"}}\r\n\r\n");
                body.push_str("data: {\"type\":\"message-start\",\"id\":\"a\"}\n\n");
                let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "n", "input": {}}});
                body.push_str(&format!("data: {block}\n\n"));
            }
            for event in &events {
                body.push_str(&format!("data: {event}\n\n"));
            }
            let mut pieces = Vec::new();
            let mut rest = body.as_bytes();
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*size).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            let one = format!("{:?}", stream(&provider, [body.as_bytes()]));
            prop_assert_eq!(one, format!("{:?}", stream(&provider, pieces)));
        }
    }
}
