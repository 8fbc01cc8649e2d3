//! What the complete and the streamed answer share: content blocks, finish words, token counts.

use crate::codec::Object;
use crate::json::Value;
use crate::model::{CompletionDetails, FinishReason, PromptDetails, Usage};
use crate::provider::json::count;

/// The member of `message.provider_fields` that holds the plan before tool calls.
pub(super) const PLAN: &str = "tool_plan";

/// The member of `message.provider_fields` that holds the citations.
pub(super) const CITATIONS: &str = "citations";

/// The member of `message.provider_fields` that holds content of unknown types.
pub(super) const CONTENT: &str = "cohere_content";

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
