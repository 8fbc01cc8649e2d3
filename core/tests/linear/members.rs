//! What an answer has beside its texts and calls: citations, images, speech, log probabilities.

use serde_json::{Value, json};

use crate::linear;
use crate::streams::{delta, read, sse};

/// How many of a thing an answer may have, and a fourth of it.
const FEW: usize = 250;
const MANY: usize = 2_000;

/// A stream of chat completions whose n-th event `event` makes.
#[track_caller]
fn openai(kind: &str, event: impl Fn(usize) -> Value) {
    let make = |n| sse((0..n).map(&event)) + "data: [DONE]\n\n";
    linear(&format!("openai, {kind}"), MANY, make, |text: &String| read("openai", text, true));
}

#[test]
fn members_of_openai() {
    openai("annotations", |i| {
        let cited = json!({"url": format!("https://a.b/{i}"), "start_index": i});
        delta(json!({"annotations": [{"type": "url_citation", "url_citation": cited}]}))
    });
    openai("images", |_| {
        delta(json!({"images": [{"type": "image_url", "image_url": {"url": "data:,"}}]}))
    });
    openai("padded pieces of speech", |_| delta(json!({"audio": {"data": "QQ=="}})));
    openai("words of speech", |_| delta(json!({"audio": {"transcript": "word "}})));
    let make = |n: usize| {
        let sources: Vec<_> = (0..n).map(|i| json!(format!("https://a.b/{i}"))).collect();
        let choices: Vec<_> = (0..n / 8)
            .map(|i| json!({"index": i, "delta": {"content": "x"}, "finish_reason": "stop"}))
            .collect();
        sse([json!({"choices": choices, "citations": sources})]) + "data: [DONE]\n\n"
    };
    linear("openai, sources beside choices", MANY, make, |text: &String| {
        read("openai", text, true)
    });
}

#[test]
fn citations_of_anthropic() {
    // Each block's place is behind all blocks before it.
    let make = |n: usize| {
        let block = |i: usize| {
            let cited = json!({"type": "char_location", "document_index": i, "cited_text": "x"});
            let text = json!({"type": "text_delta", "text": "größere Worte ".repeat(8)});
            let cited = json!({"type": "citations_delta", "citation": cited});
            let of =
                |delta: Value| json!({"type": "content_block_delta", "index": i, "delta": delta});
            let start = json!({"type": "text", "text": ""});
            let start = json!({"type": "content_block_start", "index": i, "content_block": start});
            [start, of(text), of(cited), json!({"type": "content_block_stop", "index": i})]
        };
        let start = json!({"type": "message_start", "message": {"id": "a", "content": []}});
        sse([start]
            .into_iter()
            .chain((0..n).flat_map(block))
            .chain([json!({"type": "message_stop"})]))
    };
    linear("anthropic, cited blocks", MANY, make, |text: &String| read("anthropic", text, true));
}

#[test]
fn citations_of_cohere() {
    let make = |n: usize| {
        let event = |i: usize| {
            let sources = json!([{"type": "document", "id": "d", "document": {"title": "x"}}]);
            let cited = json!({"start": i, "end": i + 1, "sources": sources});
            json!({"type": "citation-start", "delta": {"message": {"citations": cited}}})
        };
        let text = json!({"content": {"type": "text", "text": "é".repeat(n)}});
        let start = json!({"type": "content-start", "index": 0, "delta": {"message": text}});
        let end = json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}});
        let first = [json!({"type": "message-start", "id": "a"}), start];
        sse(first.into_iter().chain((0..n).map(event)).chain([end]))
    };
    linear("cohere, citations with a place", MANY, make, |text: &String| {
        read("cohere", text, true)
    });
}

#[test]
fn sources_of_gemini() {
    let make = |n: usize| {
        let text = "größer ".repeat(n);
        // Each segment is a word, and its place is counted in bytes from the text's beginning.
        let support = |i: usize| {
            let segment = json!({"startIndex": i * 9, "endIndex": i * 9 + 8, "text": "größer"});
            json!({"segment": segment, "groundingChunkIndices": [i]})
        };
        let chunk = |i: usize| json!({"web": {"uri": format!("https://a.b/{i}"), "title": "x"}});
        let grounding = json!({
            "groundingChunks": (0..n).map(chunk).collect::<Vec<_>>(),
            "groundingSupports": (0..n).map(support).collect::<Vec<_>>(),
        });
        let content = json!({"parts": [{ "text": text }]});
        let candidate =
            json!({"content": content, "finishReason": "STOP", "groundingMetadata": grounding});
        sse([json!({"candidates": [candidate]})])
    };
    linear("gemini, supports", MANY, make, |text: &String| read("gemini", text, true));
    let speech = |n: usize| {
        let part = json!([{"inlineData": {"mimeType": "audio/L16", "data": "QQ=="}}]);
        let end = json!({"candidates": [{"index": 0, "finishReason": "STOP"}]});
        let event = json!({"candidates": [{"index": 0, "content": {"parts": part}}]});
        sse(std::iter::repeat_n(event, n).chain([end]))
    };
    linear("gemini, speech", MANY, speech, |text: &String| read("gemini", text, true));
}

#[test]
fn annotations_of_responses() {
    // From the last part to the first: the places of all parts are known by then.
    let make = |n: usize| {
        let of = |kind: &str, i: usize, more: (&str, Value)| {
            let mut event = json!({"type": format!("response.{kind}"), "output_index": 0});
            event["content_index"] = i.into();
            event[more.0] = more.1;
            event
        };
        let text = |i| of("output_text.delta", i, ("delta", json!("größere Worte ".repeat(8))));
        let cited = |i| {
            let cited = json!({"type": "url_citation", "url": "https://a.b", "start_index": 1});
            of("output_text.annotation.added", i, ("annotation", cited))
        };
        let response = json!({"id": "r", "status": "completed", "output": []});
        let last = json!({"type": "response.completed", "response": response});
        sse((0..n).map(text).chain((0..n).rev().map(cited)).chain([last]))
    };
    linear("responses, annotations", FEW, make, |text: &String| {
        read("openai/responses", text, true);
    });
}

/// Each of Google's supports may name a source that is as long as the answer.
#[test]
fn a_long_source_that_is_cited_again_and_again_is_no_answer() {
    let chunk = json!({"retrievedContext": {"title": "x", "text": "word ".repeat(200_000)}});
    let support = json!({"segment": {"endIndex": 1}, "groundingChunkIndices": vec![0; 100]});
    let grounding = json!({"groundingChunks": [chunk], "groundingSupports": [support]});
    let content = json!({"parts": [{"text": "x"}]});
    let candidate =
        json!({"content": content, "finishReason": "STOP", "groundingMetadata": grounding});
    read("gemini", sse([json!({"candidates": [candidate]})]), false);
}
