//! What the complete and the streamed answer share: content blocks, finish words, token counts.

use std::collections::BTreeMap;

use crate::codec::Object;
use crate::json::{Value, json};
use crate::model::{CompletionDetails, FinishReason, PromptDetails, Usage};
use crate::provider::citation::{Source, is_url};
use crate::provider::json::count;

/// The member of `message.provider_fields` that holds the plan before tool calls.
pub(super) const PLAN: &str = "tool_plan";

/// The member of `message.provider_fields` that holds the citations.
pub(super) const CITATIONS: &str = "citations";

/// The member of `message.provider_fields` that holds content of unknown types.
pub(super) const CONTENT: &str = "cohere_content";

/// The member that holds log probabilities: of an answer, and of a piece of one [sdk].
pub(super) const LOGPROBS: &str = "logprobs";

/// Our finish reason for a `finish_reason` that ends an answer, if there is one. `ERROR_…` and
/// `USER_CANCEL` belong to the API's first version [sdk].
pub(super) fn finish_reason(word: &str) -> Option<FinishReason> {
    Some(match word {
        "COMPLETE" | "STOP_SEQUENCE" | "USER_CANCEL" => FinishReason::Stop,
        "MAX_TOKENS" | "ERROR_LIMIT" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        "ERROR_TOXIC" => FinishReason::ContentFilter,
        _ => return None,
    })
}

/// Token counts. `tokens` counts what the model read and wrote. `billed_units` counts what is paid
/// for, and stays in the raw object only.
pub(super) fn usage(raw: &Object) -> Usage {
    let tokens = raw.get("tokens");
    let at = |name: &str| tokens.and_then(|tokens| count(tokens.get(name)));
    let (prompt, completion) = (at("input_tokens"), at("output_tokens"));
    let cached = count(raw.get("cached_tokens"));
    Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt.zip(completion).map(|(a, b)| a.saturating_add(b)),
        prompt_tokens_details: cached.map(|cached| PromptDetails {
            cached_tokens: Some(cached),
            ..PromptDetails::default()
        }),
        completion_tokens_details: at("reasoning_tokens").map(|reasoning| CompletionDetails {
            reasoning_tokens: Some(reasoning),
            ..CompletionDetails::default()
        }),
    }
}

/// A citation as annotations, one for each source. Its place is counted in the characters of a
/// content's text [rec], before which the answer has as many as `texts` says. A citation of the
/// thinking or of the plan has no place in the answer's text.
pub(super) fn annotations(citation: &Value, texts: &BTreeMap<u64, u64>) -> Vec<Value> {
    let kind = citation.get("type").and_then(Value::as_str);
    let start = match count(citation.get("content_index")) {
        _ if kind.is_some_and(|kind| kind != "TEXT_CONTENT") => None,
        Some(index) => texts.get(&index),
        None => texts.values().next(),
    };
    let at = |name: &str| count(citation.get(name))?.checked_add(*start?);
    let span = at("start").zip(at("end"));
    let sources = citation.get("sources").and_then(Value::as_array).into_iter().flatten();
    let annotation = |source: &Value| {
        // The members of a document and of a tool's result are the caller's own [doc].
        let own = source.get("document").or_else(|| source.get("tool_output"));
        let text = |name: &str| own.and_then(|own| own.get(name)?.as_str());
        let source = Source {
            url: text("url").filter(|url| is_url(url)),
            title: text("title"),
            id: source.get("id").and_then(Value::as_str),
            content: text("snippet").or_else(|| text("text")),
            ..Source::default()
        };
        source.annotation(span)
    };
    sources.filter_map(annotation).collect()
}

/// The log probabilities of pieces of text in OpenAI's form. A piece of several tokens has the sum
/// of theirs, and beside it those of each.
pub(super) fn logprobs(pieces: &[Value]) -> Option<Object> {
    let entry = |piece: &Value| {
        let text = piece.get("text").and_then(Value::as_str).unwrap_or_default();
        let each = piece.get("logprobs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut out = json!({ "token": text });
        match each {
            [] => {}
            [one] => out.set("logprob", one.clone()),
            each => out.set("logprob", each.iter().filter_map(Value::as_f64).sum::<f64>()),
        }
        out.set("bytes", Value::Null);
        out.set("top_logprobs", Vec::<Value>::new());
        if let Some(ids) = piece.get("token_ids") {
            out.set("token_ids", ids.clone());
        }
        if each.len() > 1 {
            out.set("logprobs", each.to_vec());
        }
        out
    };
    let content: Vec<Value> = pieces.iter().filter(|piece| piece.is_object()).map(entry).collect();
    (!content.is_empty()).then(|| Object::from_iter([("content", Value::from(content))]))
}

/// A block's addition to the answer, or that of a part. A part in the middle of a stream has no
/// type, so its member gives it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// Thinking.
    Thinking(&'a str),
}

impl<'a> Piece<'a> {
    pub(super) fn of(block: &'a Value) -> Option<Self> {
        if let Value::String(text) = block {
            return Some(Piece::Text(text));
        }
        let member = |name: &str| block.get(name).and_then(Value::as_str);
        match block.get("type").and_then(Value::as_str) {
            Some("text") => member("text").map(Piece::Text),
            Some("thinking") => member("thinking").map(Piece::Thinking),
            Some(_) => None,
            None => {
                let text = member("text").map(Piece::Text);
                text.or_else(|| member("thinking").map(Piece::Thinking))
            }
        }
    }
}
