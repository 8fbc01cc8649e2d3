//! Which answers may be kept for the next caller that asks the same.

use super::Answer;
use crate::json::{Number, Object, Value};
use crate::model::{Content, EmbedInput, EmbedRequest, FinishReason, Part, Request, Tool, Warning};

/// Whether an answer may be kept for the next caller that asks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cacheable {
    /// The same question has the same answer.
    Yes,
    /// The next answer may be another one: only if the caller wants it all the same.
    IfAsked,
    /// The operation asks for what is true now.
    Never,
}

/// Members that make an answer hang on what its provider keeps.
const STATE: [&str; 8] = [
    "store",
    "previous_response_id",
    "conversation",
    "container",
    "background",
    "prompt",
    "cachedContent",
    "cached_content",
];

/// Warnings about an answer that may not be all that there was.
const DOUBTS: [&str; 5] = [
    "breaker_open",
    "stream_end_unmarked",
    "repeated_start",
    "unknown_finish_reason",
    "unfinished_turn",
];

/// A chat's answer changes from call to call, unless its sampling is pinned and nothing else that it
/// hangs on is kept elsewhere.
pub(super) fn chat(request: &Request, body: Option<&Object>) -> Cacheable {
    let zero = |number: &Number| number.as_f64() == Some(0.0);
    let own = || request.extra.values().filter_map(Value::as_object).chain(body);
    // These members are laid over the request's own.
    let unpinned = own().filter_map(|own| own.get("temperature")).any(|t| t.as_f64() != Some(0.0));
    let pinned = request.seed.is_some() || request.temperature.as_ref().is_some_and(zero);
    let pinned = pinned && !unpinned;
    let stateful = own().any(names_state)
        || request.tools.iter().any(|tool| matches!(tool, Tool::Native(_)))
        || request.messages.iter().any(|message| match &message.content {
            Some(Content::Parts(parts)) => parts.iter().any(is_elsewhere),
            Some(Content::Text(_)) | None => false,
        });
    if pinned && !stateful { Cacheable::Yes } else { Cacheable::IfAsked }
}

pub(super) fn embed(request: &EmbedRequest) -> Cacheable {
    let elsewhere = request.asked().iter().any(|input| match input {
        EmbedInput::Parts(parts) => parts.iter().any(is_elsewhere),
        EmbedInput::Text(_) | EmbedInput::Tokens(_) => false,
    });
    if elsewhere { Cacheable::IfAsked } else { Cacheable::Yes }
}

fn names_state(members: &Object) -> bool {
    STATE.iter().any(|name| {
        members.get(name).is_some_and(|value| !value.is_null() && value.as_bool() != Some(false))
    })
}

/// Whether a part's content stands somewhere else, where it may change.
fn is_elsewhere(part: &Part) -> bool {
    match part {
        Part::Text { .. } | Part::Audio { .. } => false,
        Part::Image { url, .. } => !url.starts_with("data:"),
        Part::File { file, .. } => file.get("file_data").is_none_or(Value::is_null),
    }
}

impl Answer {
    /// Whether this is all of an answer, so that the next caller would get the same.
    pub(crate) fn is_whole(&self) -> bool {
        let (doubts, ended) = match self {
            Answer::Chat(response) => {
                let ended = response.choices.iter().all(|choice| {
                    use FinishReason::{Length, Stop, ToolCalls};
                    matches!(choice.finish_reason, Some(Stop | ToolCalls | Length))
                });
                (&response.warnings, ended && !response.choices.is_empty())
            }
            Answer::Embed(response) => (&response.warnings, true),
            Answer::Rerank(response) => (&response.warnings, true),
            // Nobody keeps the others.
            _ => return false,
        };
        let doubtful = |warning: &Warning| DOUBTS.contains(&warning.code);
        ended && !doubts.iter().any(doubtful)
    }
}
