//! What must hold for any answer of an OpenAI-shaped server, recorded or made up: no panic, no
//! difference between splits, and no success for a stream that was cut.
#![allow(clippy::unwrap_used)]

#[path = "wire/corpus.rs"]
#[allow(dead_code)]
mod corpus;

use http::HeaderMap;
use liter_llm_core::error::Error;
use liter_llm_core::provider::{Completion, Progress, StreamReader};
use liter_llm_core::wire::Reply;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Reads `chunks` with a proper end after them.
fn read(kind: &str, chunks: &[&[u8]]) -> Result<Completion, Error> {
    let provider = corpus::provider(kind);
    let adapter = provider.row.chat().unwrap();
    let target = provider.target("model-1");
    let mut reader = StreamReader::new(adapter, &target, false);
    for chunk in chunks {
        if reader.push(chunk)? == Progress::Done {
            break;
        }
    }
    reader.end(&HeaderMap::new())?;
    Ok(reader.into_completion())
}

#[test]
fn a_recorded_stream_that_was_cut_is_never_a_success() {
    let Some(records) = corpus::records("openai__chat.jsonl") else { return };
    let mut rng = fastrand::Rng::with_seed(1);
    let mut cuts = 0;
    for record in records.iter().filter(|record| record.streaming) {
        let end = memchr::memmem::rfind(&record.body, b"[DONE]").expect("a terminal event");
        let end = end + b"[DONE]".len();
        let all = end <= 2_000;
        let offsets: Vec<usize> = if all {
            (0..end).collect()
        } else {
            (end - 100..end).chain((0..100).map(|_| rng.usize(0..end))).collect()
        };
        for offset in offsets {
            let outcome = read("openai", &[&record.body[..offset]]);
            assert!(outcome.is_err(), "{} cut at {offset} of {end} succeeds", record.id);
            cuts += 1;
        }
    }
    assert!(cuts > 1_000, "only {cuts} cuts were made");
}

/// JSON whose members are those that the adapter looks for, with values of any type.
fn foreign() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z\\[\\]{}\" ]{0,8}".prop_map(Value::from),
        prop_oneof![Just("stop"), Just("error"), Just("function"), Just("custom"), Just("text")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let names = prop::sample::select(vec![
            "choices",
            "delta",
            "message",
            "content",
            "tool_calls",
            "function",
            "arguments",
            "index",
            "id",
            "name",
            "type",
            "finish_reason",
            "usage",
            "error",
            "reasoning",
            "reasoning_details",
            "logprobs",
            "audio",
            "code",
            "metadata",
            "raw",
            "detail",
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "completion_tokens_details",
            "reasoning_tokens",
            "thinking",
            "created",
            "model",
            "x_groq",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((names, inner), 0..6).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_document_is_an_answer_or_an_error(
        value in foreign(),
        status in prop_oneof![Just(200_u16), 400..600_u16],
    ) {
        let provider = corpus::provider("compatible");
        let target = provider.target("model-1");
        for body in [value.clone(), json!({"choices": [value]})] {
            let body = serde_json::to_vec(&body).unwrap();
            let outcome =
                provider.row.chat().unwrap().decode(&Reply { status, headers: &HeaderMap::new(), body: &body, received: None }, &target);
            prop_assert!(status == 200 || outcome.is_err());
        }
    }

    #[test]
    fn any_bytes_are_an_error(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let provider = corpus::provider("compatible");
        let target = provider.target("model-1");
        let outcome = provider.row.chat().unwrap().decode(&Reply { status: 200, headers: &HeaderMap::new(), body: &body, received: None }, &target);
        prop_assert!(outcome.is_err());
    }

    #[test]
    fn any_split_gives_the_same_outcome(
        events in prop::collection::vec(foreign(), 0..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut body = String::new();
        for event in events {
            body.push_str(&format!("data: {}\r\n\r\n", json!({"choices": [{"delta": event}]})));
        }
        body.push_str("data: [DONE]\r\n\r\n");
        let body = body.as_bytes();
        let whole = format!("{:?}", read("compatible", &[body]));
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        prop_assert_eq!(&whole, &format!("{:?}", read("compatible", &bytes)));
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        at.sort_unstable();
        let mut parts = Vec::new();
        let mut from = 0;
        for cut in at {
            parts.push(&body[from..cut]);
            from = cut;
        }
        parts.push(&body[from..]);
        prop_assert_eq!(&whole, &format!("{:?}", read("compatible", &parts)));
    }
}
