//! What an answer's parts, finish words and counts mean.

use crate::codec::Object;
use crate::json::Value;
use crate::model::{CompletionDetails, FinishReason, PromptDetails, Usage};
use crate::provider::json::count;

/// The member of `message.provider_fields` that holds an answer's parts unchanged.
pub(super) const PARTS: &str = "gemini_parts";

/// What a part says.
pub(super) enum Said<'a> {
    Text(&'a str),
    Reasoning(&'a str),
    /// A call of one of the caller's functions.
    Call(&'a Object),
    /// Anything else: an image, code that the provider ran, a tool of its own.
    Other,
}

pub(super) fn said(part: &Value) -> Said<'_> {
    if let Some(call) = part.get("functionCall").and_then(Value::as_object) {
        return Said::Call(call);
    }
    match part.get("text").and_then(Value::as_str) {
        Some(text) if is_thought(part) => Said::Reasoning(text),
        Some(text) => Said::Text(text),
        None => Said::Other,
    }
}

pub(super) fn is_thought(part: &Value) -> bool {
    part.get("thought").and_then(Value::as_bool) == Some(true)
}

/// The signature of a part, under either of the API's spellings.
pub(super) fn signature(part: &Value) -> Option<&Value> {
    part.get("thoughtSignature").or_else(|| part.get("thought_signature"))
}

/// Whether the parts hold more than the unified message can express: signatures, images, the
/// provider's own tools, or an order other than reasoning, text, calls.
pub(super) fn needs_verbatim(parts: &[Value]) -> bool {
    let mut last = 0;
    !parts.iter().all(|part| {
        let Value::Object(members) = part else { return false };
        let (place, known): (u8, &[&str]) = match said(part) {
            Said::Reasoning(_) => (1, &["text", "thought"]),
            Said::Text(_) => (2, &["text", "thought"]),
            Said::Call(call) => {
                if !call.keys().all(|name| matches!(name.as_str(), "name" | "args")) {
                    return false;
                }
                (3, &["functionCall"])
            }
            Said::Other => return members.is_empty(),
        };
        let in_order = place >= last;
        last = place;
        in_order && members.keys().all(|name| known.contains(&name.as_str()))
    })
}

/// Adds a part to those so far, if it says something. Returns whether there is one more. Text
/// continues the text before it, except where a signature stands:
/// "don't merge one part containing a signature with another part" [doc].
pub(super) fn add(parts: &mut Vec<Value>, part: Value) -> bool {
    let plain = |part: &Value| {
        let members = part.as_object();
        members.is_some_and(|members| {
            members.contains_key("text")
                && members.keys().all(|name| matches!(name.as_str(), "text" | "thought"))
        })
    };
    if plain(&part) && part.get("text").is_some_and(|text| *text == *"") {
        return false;
    }
    if let Some(last) = parts.last_mut()
        && plain(last)
        && plain(&part)
        && is_thought(last) == is_thought(&part)
    {
        let more = part.get("text").and_then(Value::as_str).unwrap_or_default();
        if let Some(Value::String(text)) =
            last.as_object_mut().and_then(|last| last.get_mut("text"))
        {
            text.push_str(more);
            return false;
        }
    }
    parts.push(part);
    true
}

/// The text of a part's function call's arguments.
pub(super) fn arguments(call: &Object) -> String {
    match call.get("args") {
        None | Some(Value::Null) => String::new(),
        Some(args) => args.to_string(),
    }
}

/// What a finish word means.
pub(super) enum Finish {
    /// One of our finish reasons. `known` is false for a word that is in no table.
    Reason { reason: FinishReason, known: bool },
    /// The answer failed.
    Failed,
}

/// The table of finish words [sdk 1.62, doc]. They are numbers where the caller asked for numbers
/// [rec]. A tool call finishes with `STOP`.
pub(super) fn finish(word: &str, calls_tools: bool) -> Finish {
    let (reason, known) = match word {
        "STOP" | "1" => (FinishReason::Stop, true),
        "MAX_TOKENS" | "2" => (FinishReason::Length, true),
        "SAFETY" | "3" | "RECITATION" | "4" | "LANGUAGE" | "6" | "BLOCKLIST" | "7"
        | "PROHIBITED_CONTENT" | "8" | "SPII" | "9" | "MODEL_ARMOR" => {
            (FinishReason::ContentFilter, true)
        }
        word if word.starts_with("IMAGE_") => (FinishReason::ContentFilter, true),
        "MALFORMED_FUNCTION_CALL" | "10" | "MALFORMED_RESPONSE" => return Finish::Failed,
        // A call that was not offered, and the like: the caller sees it, with a warning.
        _ => (FinishReason::Stop, false),
    };
    let calls = reason == FinishReason::Stop && calls_tools;
    Finish::Reason { reason: if calls { FinishReason::ToolCalls } else { reason }, known }
}

/// Token counts. `promptTokenCount` holds the cached tokens, but not what the provider's own tools
/// added; `candidatesTokenCount` leaves out the thoughts [doc].
pub(super) fn usage(raw: &Object) -> Usage {
    let at = |name: &str| count(raw.get(name));
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    let audio = |name: &str| {
        let details = raw.get(name)?.as_array()?;
        let audio = |detail: &&Value| detail.get("modality").is_some_and(|kind| *kind == *"AUDIO");
        count(details.iter().find(audio)?.get("tokenCount"))
    };
    let thoughts = at("thoughtsTokenCount");
    let prompt = PromptDetails {
        cached_tokens: at("cachedContentTokenCount"),
        cache_write_tokens: None,
        audio_tokens: audio("promptTokensDetails"),
    };
    let completion = CompletionDetails {
        reasoning_tokens: thoughts,
        audio_tokens: audio("candidatesTokensDetails"),
        ..CompletionDetails::default()
    };
    Usage {
        prompt_tokens: sum(at("promptTokenCount"), at("toolUsePromptTokenCount")),
        completion_tokens: sum(at("candidatesTokenCount"), thoughts),
        total_tokens: at("totalTokenCount"),
        prompt_tokens_details: Some(prompt).filter(|d| *d != PromptDetails::default()),
        completion_tokens_details: Some(completion).filter(|d| *d != CompletionDetails::default()),
    }
}
