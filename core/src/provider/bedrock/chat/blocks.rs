//! What an answer's blocks, finish words and counts mean.

use crate::codec::Object;
use crate::json::{Value, json, parse};
use crate::model::{FinishReason, PromptDetails, Usage};
use crate::provider::citation::{self, Source, Span, is_url};
use crate::provider::ids;
use crate::provider::json::count;

/// The member of `message.provider_fields` that holds an answer's blocks unchanged.
pub(super) const CONTENT: &str = "bedrock_content";

/// The longest id of a call [sdk].
const LONGEST_ID: usize = 64;

/// What a block says.
pub(super) enum Said<'a> {
    Text(&'a str),
    Reasoning(&'a str),
    /// A call of one of the caller's tools.
    Call(&'a Object),
    /// Anything else: an image, a tool that AWS ran and its result, hidden reasoning.
    Other,
}

pub(super) fn said(block: &Value) -> Said<'_> {
    if let Some(text) = block.get("text").and_then(Value::as_str) {
        return Said::Text(text);
    }
    if let Some(reasoning) = block.get("reasoningContent") {
        let text = reasoning.get("reasoningText").and_then(|said| said.get("text")?.as_str());
        return text.map_or(Said::Other, Said::Reasoning);
    }
    match block.get("toolUse").and_then(Value::as_object) {
        Some(call) if !is_own(call) => Said::Call(call),
        _ => Said::Other,
    }
}

/// Whether a call is one of a tool that AWS runs itself. The caller has nothing to do for it.
pub(super) fn is_own(call: &Object) -> bool {
    call.get("type").and_then(Value::as_str) == Some("server_tool_use")
}

/// The texts of a block with citations.
pub(super) fn cited(block: &Value) -> impl Iterator<Item = &str> {
    let content = block.get("citationsContent").and_then(|cited| cited.get("content")?.as_array());
    content.into_iter().flatten().filter_map(|part| part.get("text")?.as_str())
}

/// A citation as an annotation of the words at `span`.
pub(super) fn annotation(citation: &Value, span: Span) -> Option<Value> {
    let text = |name: &str| citation.get(name).and_then(Value::as_str);
    let location = citation.get("location");
    let page = location.and_then(|at| at.get("web")?.get("url")?.as_str());
    // The source of a search result is a URL or any other text [sdk].
    let (source, id) = match text("source") {
        Some(source) if is_url(source) => (Some(source), None),
        id => (None, id),
    };
    let mut documents =
        ["documentChar", "documentPage", "documentChunk"].into_iter().filter_map(|kind| {
            let place = location?.get(kind)?;
            count(place.get("documentIndex"))
        });
    let said = citation.get("sourceContent").and_then(Value::as_array).into_iter().flatten();
    let said: String = said.filter_map(|part| part.get("text")?.as_str()).collect();
    let (url, document) = (page.or(source), documents.next());
    Source { url, title: text("title"), id, document, content: Some(&said) }.annotation(span)
}

/// An image that came as bytes.
pub(super) fn image(image: &Value) -> Option<Value> {
    let data = image.get("source")?.get("bytes")?.as_str()?;
    let format = image.get("format").and_then(Value::as_str).unwrap_or("png");
    Some(citation::image_data(&format!("image/{format}"), data))
}

/// Whether the blocks hold more than the unified message can express: signatures, citations, images,
/// tools that AWS ran, or an order other than texts before calls.
pub(super) fn needs_verbatim(blocks: &[Value]) -> bool {
    let mut called = false;
    !blocks.iter().all(|block| {
        let Value::Object(members) = block else { return false };
        match said(block) {
            Said::Text(_) => !called && members.len() == 1,
            Said::Call(call) => {
                called = true;
                let known = |(name, value): (&crate::json::Key, &Value)| match name.as_str() {
                    "toolUseId" | "name" => value.is_string(),
                    "input" => true,
                    // Newer answers say so of each call [rec].
                    "type" => value.is_null() || *value == *"tool_use",
                    _ => false,
                };
                members.len() == 1 && call.iter().all(known)
            }
            Said::Reasoning(_) | Said::Other => false,
        }
    })
}

/// The arguments of a call: the JSON text of its input.
pub(super) fn arguments(call: &Object) -> String {
    match call.get("input") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(input) => input.to_string(),
    }
}

/// The input of a call whose arguments are this text. It must be an object, so a text that is none,
/// such as one that the token limit cut, is wrapped.
pub(super) fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(Object::new());
    }
    match parse(arguments) {
        Ok(value @ Value::Object(_)) => value,
        _ => json!({ "INVALID_JSON": arguments }),
    }
}

/// The id of a call as Bedrock takes it: `[a-zA-Z0-9_.:-]`, 64 of them at most [sdk]. Another
/// provider's id is replaced by a short one, which is always the same.
pub(super) fn call_id(id: &str) -> String {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    if !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(taken) {
        return id.to_owned();
    }
    format!("call_{}", ids::short(id))
}

/// What a finish word means.
pub(super) enum Finish {
    /// One of our finish reasons. `known` is false for a word that is in no table.
    Reason { reason: FinishReason, known: bool },
    /// The answer failed.
    Failed,
}

/// The table of finish words [sdk].
pub(super) fn finish(word: &str) -> Finish {
    let (reason, known) = match word {
        "end_turn" | "stop_sequence" => (FinishReason::Stop, true),
        "tool_use" => (FinishReason::ToolCalls, true),
        "max_tokens" | "model_context_window_exceeded" => (FinishReason::Length, true),
        "guardrail_intervened" | "content_filtered" => (FinishReason::ContentFilter, true),
        "malformed_model_output" | "malformed_tool_use" => return Finish::Failed,
        _ => (FinishReason::Stop, false),
    };
    Finish::Reason { reason, known }
}

/// Token counts. `inputTokens` leaves out the tokens that were written to the cache and read from
/// it, and `totalTokens` has them [rec].
pub(super) fn usage(raw: &Object) -> Usage {
    let at = |name: &str| count(raw.get(name));
    let (written, read) = (at("cacheWriteInputTokens"), at("cacheReadInputTokens"));
    let add = |a: u64, b: Option<u64>| a.saturating_add(b.unwrap_or(0));
    let prompt = at("inputTokens").map(|input| add(add(input, written), read));
    let completion = at("outputTokens");
    let sum = prompt.zip(completion).map(|(a, b)| a.saturating_add(b));
    Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: at("totalTokens").or(sum),
        prompt_tokens_details: (written.is_some() || read.is_some()).then_some(PromptDetails {
            cached_tokens: read,
            cache_write_tokens: written,
            audio_tokens: None,
        }),
        completion_tokens_details: None,
    }
}
