//! Turns content blocks into one unified message. A complete answer and the blocks of a stream use
//! the same code, so the two cannot differ.

use crate::codec::Object;
use crate::json::{Value, parse};
use crate::model::CompletionDetails;
use crate::model::{AssistantMessage, FinishReason, PromptDetails, ToolCall, Usage};
use crate::provider::citation::{Source, Span, is_url};
use crate::provider::json::count;

/// The member of `message.provider_fields` that holds an answer's content blocks unchanged.
pub(super) const CONTENT: &str = "anthropic_content";

/// The unified message of these blocks.
pub(super) fn message(blocks: Vec<Value>) -> AssistantMessage {
    let mut message = AssistantMessage::default();
    let mut characters = 0;
    for block in &blocks {
        let text = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "text" => {
                message.content.get_or_insert_default().push_str(text("text"));
                let start = characters;
                characters += text("text").chars().count() as u64;
                message.annotations.extend(annotations(block, Some((start, characters))));
            }
            // Thinking that the answer leaves out comes as an empty text with a signature.
            "thinking" if !text("thinking").is_empty() => {
                message.reasoning.get_or_insert_default().push_str(text("thinking"));
            }
            "tool_use" => {
                let arguments = block.get("input").map(arguments).unwrap_or_default();
                let (id, name) = (text("id").to_owned(), text("name").to_owned());
                message.tool_calls.push(ToolCall::new(id, name, arguments));
            }
            _ => {}
        }
    }
    if needs_verbatim(&blocks) {
        message.provider_fields.insert(CONTENT, Value::Array(blocks));
    }
    message
}

/// The citations of a text block as annotations. `span` is the place of its text.
pub(super) fn annotations(block: &Value, span: Span) -> impl Iterator<Item = Value> {
    let citations = block.get("citations").and_then(Value::as_array).into_iter().flatten();
    citations.filter_map(move |citation| {
        let text = |name: &str| citation.get(name).and_then(Value::as_str);
        // The source of a search result is a URL or any other text [doc].
        let (page, other) = match text("source") {
            Some(source) if is_url(source) => (Some(source), None),
            other => (None, other),
        };
        let source = Source {
            url: text("url").or(page),
            title: text("title").or_else(|| text("document_title")),
            id: text("file_id").or(other),
            document: count(citation.get("document_index")),
            content: text("cited_text"),
        };
        source.annotation(span)
    })
}

/// Whether the blocks hold more than the unified message can express: thinking with its signature,
/// citations, the provider's own tools and their results, and blocks of unknown types.
pub(super) fn needs_verbatim(blocks: &[Value]) -> bool {
    !blocks.iter().all(|block| {
        let Value::Object(block) = block else { return false };
        let kind = block.get("type").and_then(Value::as_str);
        block.iter().all(|(name, value)| match (kind, name.as_str()) {
            (Some(_), "type") => true,
            (Some("text"), "text") | (Some("tool_use"), "id" | "name") => value.is_string(),
            (Some("tool_use"), "input") => true,
            // Newer answers mark a call by the model itself in this way [rec].
            (Some("tool_use"), "caller") => {
                value.get("type").and_then(Value::as_str) == Some("direct")
            }
            (Some("text"), "citations") => is_empty(value),
            (Some("text" | "tool_use"), _) => value.is_null(),
            _ => false,
        })
    })
}

/// The arguments of a call: the JSON text of its input. If a server writes the input as a string,
/// that is already the text.
pub(super) fn arguments(input: &Value) -> String {
    match input {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The input of a call whose arguments are this text. An empty text is an empty object. Any other
/// text that is no JSON object, such as arguments that the token limit cut, is wrapped. Anthropic's
/// documents advise that, because an input must be an object [doc].
pub(super) fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(Object::new());
    }
    match parse(arguments) {
        Ok(value @ Value::Object(_)) => value,
        _ => {
            let mut object = Object::new();
            object.insert("INVALID_JSON", Value::String(arguments.to_owned()));
            Value::Object(object)
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Our finish reason for a `stop_reason`, if there is one [sdk].
pub(super) fn finish_reason(word: &str) -> Option<FinishReason> {
    Some(match word {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        // The turn is not over, so the answer is not complete.
        "pause_turn" | "compaction" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => return None,
    })
}

/// Token counts. `input_tokens` leaves out the tokens written to the cache and read from it, so the
/// prompt is the sum of the three [sdk].
pub(super) fn usage(raw: &Object) -> Usage {
    let at = |name: &str| count(raw.get(name));
    let (written, read) = (at("cache_creation_input_tokens"), at("cache_read_input_tokens"));
    let add = |a: u64, b: Option<u64>| a.saturating_add(b.unwrap_or(0));
    let prompt = at("input_tokens").map(|input| add(add(input, written), read));
    let completion = at("output_tokens");
    let details = raw.get("output_tokens_details");
    let reasoning = details.and_then(|details| count(details.get("thinking_tokens")));
    Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt.zip(completion).map(|(a, b)| a.saturating_add(b)),
        prompt_tokens_details: (written.is_some() || read.is_some()).then_some(PromptDetails {
            cached_tokens: read,
            cache_write_tokens: written,
            audio_tokens: None,
        }),
        completion_tokens_details: reasoning.map(|reasoning| CompletionDetails {
            reasoning_tokens: Some(reasoning),
            ..CompletionDetails::default()
        }),
    }
}
