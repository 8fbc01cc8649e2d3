//! What a stream may not have more of.

use liter_llm_core::error::ErrorKind;
use liter_llm_core::provider::StreamReader;
use serde_json::{Value, json};

use crate::streams::{argument, call, read, sse};
use crate::{corpus, linear};

fn refused(provider: &str, text: &str, words: &str) {
    let provider = corpus::provider(provider);
    let target = provider.target("model");
    let mut reader = StreamReader::new(provider.row.chat().unwrap(), &target, false);
    let error = reader.push(text.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(error.message.contains(words), "{error}");
}

/// A single event may have as many of a thing as a document may have values.
#[test]
fn too_many_in_one_event_cost_no_more_than_to_read_them() {
    let of = |kind: &str, event: fn(usize) -> Value| {
        let provider = kind.split(',').next().unwrap();
        linear(
            kind,
            2_000,
            |n| sse([event(n)]),
            |text: &String| {
                refused(provider, text, "1,024 choices or calls");
            },
        );
    };
    of("openai, choices", |n| {
        let choice = |i| json!({"index": n - i, "delta": {"content": "x"}});
        json!({"choices": (0..n).map(choice).collect::<Vec<_>>()})
    });
    of("openai, calls", |n| {
        let call =
            |i: usize| json!({"index": n - i, "id": i.to_string(), "function": {"name": "f"}});
        json!({"choices": [{"delta": {"tool_calls": (0..n).map(call).collect::<Vec<_>>()}}]})
    });
    of("gemini, candidates", |n| {
        let candidate = |i| json!({"index": n - i, "content": {"parts": [{"text": "x"}]}});
        json!({"candidates": (0..n).map(candidate).collect::<Vec<_>>()})
    });
    of("gemini, calls", |n| {
        let call =
            |i: usize| json!({"functionCall": {"id": i.to_string(), "name": "f", "args": {}}});
        json!({"candidates": [{"content": {"parts": (0..n).map(call).collect::<Vec<_>>()}}]})
    });
    of("openai/responses, items", |n| {
        let item =
            |i: usize| json!({"type": "function_call", "call_id": i.to_string(), "name": "f"});
        let output: Vec<_> = (0..n).map(item).collect();
        json!({"type": "response.completed", "response": {"status": "completed", "output": output}})
    });
    of("openai/responses, parts", |n| {
        let part = json!({"type": "output_text", "text": "x"});
        let item = json!({"type": "message", "content": vec![part; n]});
        json!({"type": "response.output_item.done", "output_index": 0, "item": item})
    });
}

/// What has to be looked up, kept or repeated has an end.
#[test]
fn a_stream_has_no_more_than_an_answer_can_have() {
    let custom = |i| call(json!({"index": i, "type": "custom", "custom": {"input": ""}}));
    refused("openai", &sse((0..2_000).map(custom)), "1,024 choices or calls");
    let long = "x".repeat(20_000);
    let names = [
        json!({"id": long, "choices": []}),
        json!({"model": long, "choices": []}),
        call(json!({"index": 0, "id": long, "function": {"name": "f"}})),
        call(json!({"index": 0, "function": {"name": long}})),
    ];
    for event in names {
        refused("openai", &sse([event]), "16,384 bytes");
    }
    let zeros = format!("[{}0]", "0,".repeat(300_000));
    let many = |event: &str| event.replace("ZEROS", &zeros).repeat(15);
    for event in [
        "data: {\"choices\":[{\"delta\":{\"annotations\":ZEROS}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"logprobs\":{\"content\":ZEROS}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"x\":ZEROS}]}\n\n",
        "data: {\"choices\":[],\"x\":ZEROS}\n\n",
        "data: {\"choices\":[],\"x\":{\"y\":ZEROS}}\n\n",
    ] {
        refused("openai", &many(event), "4,194,304 values");
    }
    let start = "data: {\"type\":\"message_start\",\"message\":{}}\n\ndata: \
                 {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{}}\n\n";
    for delta in ["\"type\":\"citations_delta\",\"citation\":ZEROS", "\"x\":ZEROS"] {
        let event = format!(
            "data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{{delta}}}}}\n\n"
        );
        refused("anthropic", &(start.to_owned() + &many(&event)), "4,194,304 values");
    }
    let event =
        "data: {\"type\":\"citation-start\",\"delta\":{\"message\":{\"citations\":ZEROS}}}\n\n";
    refused("cohere", &many(event), "4,194,304 values");
    for candidate in [
        "\"citationMetadata\":{\"citations\":[ZEROS]}",
        "\"citationMetadata\":{\"x\":{\"y\":ZEROS}}",
        "\"groundingMetadata\":ZEROS",
        "\"content\":{\"parts\":[{\"x\":ZEROS}]}",
        "\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":ZEROS}}]}",
        "\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"willContinue\":true,\"args\":ZEROS,\"partialArgs\":[]}}]}",
        "\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"partialArgs\":[{\"jsonPath\":\"$.a\",\"numberValue\":ZEROS}]}}]}",
    ] {
        let events: String = (0..15)
            .map(|i| {
                let zeros = zeros.replacen('0', &i.to_string(), 1);
                let candidate = candidate.replace("ZEROS", &zeros);
                format!("data: {{\"candidates\":[{{{candidate}}}]}}\n\n")
            })
            .collect();
        refused("gemini", &events, "4,194,304 values");
    }
    let branch = |i| argument(i, format!("$.a{i}"), json!({}));
    let events = (0..1_100).map(|i| json!({"candidates": [branch(i)]}));
    refused("gemini", &sse(events), "has no place");
}

/// A path makes what the answer nests, so it is no deeper than a document may be.
#[test]
fn a_path_of_arguments_is_no_deeper_than_a_document() {
    for (depth, is_whole) in [(60, true), (100, false), (200_000, false)] {
        let path = format!("$.a{}", "[0]".repeat(depth));
        let candidates = json!([argument(0, path, json!({"numberValue": 1}))]);
        let end = json!([{"index": 0, "finishReason": "STOP"}]);
        let events = [candidates, end].map(|candidates| json!({ "candidates": candidates }));
        read("gemini", sse(events), is_whole);
    }
}
