//! What the items of an answer say, and what has a place in the unified message.

use crate::codec::Object;
use crate::json::Value;
use crate::model::{CompletionDetails, FinishReason, PromptDetails, Usage, Warning, says_nothing};
use crate::provider::citation;
use crate::provider::json::count;

/// Which text of an item: that of the answer, a refusal, a summary of the reasoning, or the
/// reasoning itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    Content,
    Refusal,
    Summary,
    Thought,
}

impl Which {
    pub(super) fn is_reasoning(self) -> bool {
        matches!(self, Which::Summary | Which::Thought)
    }
}

/// A text member of an item; "" if it has none.
pub(super) fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The type of an item.
pub(super) fn kind(item: &Value) -> &str {
    text(item, "type")
}

/// The id by which a call and its result find each other.
pub(super) fn call_id(item: &Value) -> &str {
    match text(item, "call_id") {
        "" => text(item, "id"),
        id => id,
    }
}

/// The texts of an item, each with its place among those of the same list, and its part.
pub(super) fn texts(item: &Value) -> Vec<(Which, u64, &str, &Value)> {
    let list = |name: &str| item.get(name).and_then(Value::as_array).into_iter().flatten();
    let mut found = Vec::new();
    match kind(item) {
        "message" => {
            for (i, part) in (0..).zip(list("content")) {
                match kind(part) {
                    "refusal" => found.push((Which::Refusal, i, text(part, "refusal"), part)),
                    _ => found.push((Which::Content, i, text(part, "text"), part)),
                }
            }
            if let Some(Value::String(text)) = item.get("content") {
                found.push((Which::Content, 0, text, &Value::Null));
            }
        }
        "reasoning" => {
            for (name, which) in [("summary", Which::Summary), ("content", Which::Thought)] {
                let parts = (0..).zip(list(name));
                found.extend(parts.map(|(i, part)| (which, i, text(part, "text"), part)));
            }
        }
        _ => {}
    }
    found
}

/// The image that the provider's own tool made [rec].
pub(super) fn image(item: &Value) -> Option<Value> {
    let data = Some(text(item, "result")).filter(|data| !data.is_empty())?;
    let format = match text(item, "output_format") {
        "" => "png",
        format => format,
    };
    let is_call = kind(item) == "image_generation_call";
    is_call.then(|| citation::image_data(&format!("image/{format}"), data))
}

/// Whether a reasoning item can go back. One without its content is only the id of a stored item,
/// and nothing is stored.
pub(super) fn is_sendable(item: &Value) -> bool {
    let says = |name: &str| item.get(name).is_some_and(|value| !says_nothing(value));
    says("encrypted_content") || says("content")
}

/// Whether the unified message cannot hold these items. It holds one message followed by calls, and
/// neither ids of items nor signatures.
pub(super) fn needs_verbatim(items: &[Value]) -> bool {
    let mut kinds = items.iter().map(|item| (kind(item), item));
    let first = kinds.clone().next();
    if first.is_some_and(|(kind, item)| kind == "message" && is_plain(item)) {
        kinds.next();
    }
    kinds.any(|(kind, item)| kind != "function_call" || !is_plain(item))
}

/// Whether an item is only a text or a call.
fn is_plain(item: &Value) -> bool {
    let known = |members: &Object, names: &[&str]| {
        members.iter().all(|(name, value)| names.contains(&name.as_str()) || says_nothing(value))
    };
    let Value::Object(members) = item else { return false };
    if kind(item) == "function_call" {
        return known(members, &["id", "type", "status", "call_id", "name", "arguments"]);
    }
    let parts = item.get("content").and_then(Value::as_array);
    let plain = |part: &Value| {
        let Value::Object(members) = part else { return false };
        // Log probabilities belong to the choice.
        known(members, &["type", "text", "refusal", "logprobs"])
    };
    known(members, &["id", "type", "status", "role", "content"])
        && parts.is_none_or(|parts| parts.iter().all(plain))
}

/// Why an answer ended: the provider's word, what it means, and whether it is in the table.
pub(super) fn finish(response: &Object, calls_tools: bool) -> (String, FinishReason, bool) {
    let status = response.get("status").and_then(Value::as_str).unwrap_or("completed");
    let details = response.get("incomplete_details");
    let why = details.and_then(|details| details.get("reason")?.as_str());
    let done = if calls_tools { FinishReason::ToolCalls } else { FinishReason::Stop };
    let (reason, known) = match (status, why) {
        // "complete" is the word of test servers [rec].
        ("completed" | "complete", _) => (done, true),
        ("incomplete", Some("content_filter")) => (FinishReason::ContentFilter, true),
        ("incomplete", None | Some("max_output_tokens" | "max_tokens")) => {
            (FinishReason::Length, true)
        }
        ("incomplete", _) => (FinishReason::Length, false),
        // An answer in the background is not over.
        ("queued" | "in_progress", _) => (FinishReason::Length, true),
        _ => (done, false),
    };
    let word = why.filter(|_| status == "incomplete").unwrap_or(status);
    (word.to_owned(), reason, known)
}

/// Token counts. Cached tokens are part of the input's, and reasoning is part of the output's [doc].
pub(super) fn usage(raw: &Object) -> Usage {
    let of = |list: &str, name: &str| count(raw.get(list)?.get(name));
    let prompt = PromptDetails {
        cached_tokens: of("input_tokens_details", "cached_tokens"),
        cache_write_tokens: of("input_tokens_details", "cache_write_tokens"),
        audio_tokens: of("input_tokens_details", "audio_tokens"),
    };
    let completion = CompletionDetails {
        reasoning_tokens: of("output_tokens_details", "reasoning_tokens"),
        audio_tokens: of("output_tokens_details", "audio_tokens"),
        ..CompletionDetails::default()
    };
    Usage {
        prompt_tokens: count(raw.get("input_tokens")),
        completion_tokens: count(raw.get("output_tokens")),
        total_tokens: count(raw.get("total_tokens")),
        prompt_tokens_details: Some(prompt).filter(|d| *d != PromptDetails::default()),
        completion_tokens_details: Some(completion).filter(|d| *d != CompletionDetails::default()),
    }
}

/// The warning about an answer that is not over.
pub(super) fn unfinished(status: &str) -> Warning {
    let message = format!(
        "the provider still works on this answer (status {status:?}): fetch it later by its id"
    );
    Warning { code: "unfinished_turn", message, param: None }
}

/// The warning about a text that came twice, and not the same.
pub(super) fn contradiction() -> Warning {
    let message = "a text came in pieces, and was another or a longer one at its end: the pieces \
                   count, and what a longer one adds to them";
    Warning { code: "contradiction", message: message.to_owned(), param: None }
}
