//! What of an answer its cost is made from.

use super::{Decoded, Operation};
use crate::codec::Object;
use crate::json::Value;
use crate::model::{
    Content, Counts, EmbedInput, Part, Request, ResponseFormat, Side, Size, Tool, Traits, Usage,
};
use crate::provider::Reported;

/// The members of an answer that say what it costs.
pub(crate) struct Answered<'a> {
    /// The model, as the provider names it.
    pub(crate) model: Option<&'a str>,
    usage: Option<&'a Usage>,
    raw: Option<&'a Value>,
    fields: &'a Object,
    message: Option<&'a Object>,
    /// Whether there is no answer without tokens of its own.
    chats: bool,
}

/// What makes a request cost more than any number of its tokens says.
pub(crate) struct Boundless {
    pub(crate) param: &'static str,
    pub(crate) what: &'static str,
}

/// The documents that one search of a ranking has at most, and the tokens from which on a document
/// counts as several.
const SEARCHED: u64 = 100;
const CHUNK: u64 = 500;

impl Operation {
    /// Whether an answer costs something.
    pub(crate) fn is_priced(&self) -> bool {
        matches!(self, Operation::Chat(_) | Operation::Embed(_) | Operation::Rerank(_))
    }

    /// How large the request is, whose document has so many bytes.
    pub(crate) fn size(&self, bytes: usize) -> Size {
        let answer = self.max_tokens();
        let size = Size { bytes: bytes as u64, answer, ..Size::default() };
        match self {
            Operation::Chat(request) => chat(request, size),
            Operation::Embed(request) => {
                let mut size = Size { messages: request.asked().len() as u64, ..size };
                for input in request.asked() {
                    if let EmbedInput::Parts(parts) = input {
                        parts.iter().for_each(|part| add(&mut size, part));
                    }
                }
                size
            }
            Operation::Rerank(request) => {
                let (documents, query) = (request.documents.len() as u64, request.query.len());
                // Each document is looked at with the query, and some providers count both.
                let bytes = size.bytes.saturating_add(documents.saturating_mul(query as u64));
                let chunks = documents + bytes / CHUNK;
                Size { messages: 1, bytes, searches: chunks.div_ceil(SEARCHED).max(1), ..size }
            }
            // Nobody charges for the others.
            _ => Size { messages: 1, ..size },
        }
    }

    /// What rules of routes look at. The request's document has so many bytes.
    pub(crate) fn traits(&self, bytes: usize) -> Traits {
        let traits = Traits { size: self.size(bytes), ..Traits::default() };
        let Operation::Chat(request) = self else { return traits };
        let format = request.response_format.as_deref();
        let json_schema = matches!(format, Some(ResponseFormat::JsonSchema { .. }));
        Traits { json_schema, reasoning: request.reasoning.is_some(), ..traits }
    }

    /// What makes the request cost more than its tokens say, if anything does.
    pub(crate) fn boundless(&self) -> Option<Boundless> {
        let of = |param, what| Some(Boundless { param, what });
        let is_file = |part: &Part| matches!(part, Part::File { .. });
        let files = || of("messages", "a file, whose pages nobody has counted");
        match self {
            Operation::Chat(request) => {
                if request.max_tokens.is_none() {
                    return of("max_tokens", "an answer of any length: give max_tokens");
                }
                if request.tools.iter().any(|tool| matches!(tool, Tool::Native(_))) {
                    return of("tools", "a tool that the provider runs itself");
                }
                let has_file = request.messages.iter().any(|message| match &message.content {
                    Some(Content::Parts(parts)) => parts.iter().any(is_file),
                    Some(Content::Text(_)) | None => false,
                });
                if has_file { files() } else { None }
            }
            Operation::Embed(request) => {
                let mut inputs = request.asked().iter();
                let has_file = inputs.any(|input| match input {
                    EmbedInput::Parts(parts) => parts.iter().any(is_file),
                    EmbedInput::Text(_) | EmbedInput::Tokens(_) => false,
                });
                if has_file { files() } else { None }
            }
            // A ranking has its bytes, and nobody charges for the others.
            _ => None,
        }
    }
}

fn chat(request: &Request, size: Size) -> Size {
    // A prediction that does not come true is billed as an answer.
    let predicted = request.further.iter().any(|(name, _)| *name == "prediction");
    let predicted = if predicted { size.bytes } else { 0 };
    let answers = request.n.unwrap_or(1);
    let answer = size.answer.map(|most| most.saturating_mul(answers).saturating_add(predicted));
    let (messages, tools) = (request.messages.len() as u64, !request.tools.is_empty());
    let mut size = Size { messages, tools, answer, ..size };
    for message in request.messages.iter() {
        if let Some(Content::Parts(parts)) = &message.content {
            parts.iter().for_each(|part| add(&mut size, part));
        }
    }
    size
}

/// Adds one part of a prompt. Its bytes are no text.
fn add(size: &mut Size, part: &Part) {
    let data = match part {
        Part::Text { .. } => return,
        Part::Audio { data, .. } => {
            size.sounds += 1;
            data.len()
        }
        Part::Image { url, .. } => {
            size.pictures += 1;
            if url.starts_with("data:") { url.len() } else { 0 }
        }
        Part::File { .. } => {
            size.pictures += 1;
            0
        }
    };
    size.bytes = size.bytes.saturating_sub(data as u64);
}

impl Decoded {
    /// What says the cost of this answer. None for an operation that costs nothing.
    pub(crate) fn priced(&self) -> Option<Answered<'_>> {
        Some(match self {
            Decoded::Chat(answer) => Answered {
                model: answer.model.as_deref(),
                usage: answer.usage.as_ref(),
                raw: answer.usage_raw.as_ref(),
                fields: &answer.fields,
                message: answer.choices.first().map(|choice| &choice.message.provider_fields),
                chats: true,
            },
            Decoded::Embed(answer) => Answered {
                model: answer.model.as_deref(),
                usage: answer.usage.as_ref(),
                raw: answer.usage_raw.as_ref(),
                fields: &answer.fields,
                message: None,
                chats: false,
            },
            Decoded::Rerank(answer) => Answered {
                model: answer.model.as_deref(),
                usage: answer.usage.as_ref(),
                raw: answer.usage_raw.as_ref(),
                fields: &answer.fields,
                message: None,
                chats: false,
            },
            // Nobody charges for the others.
            _ => return None,
        })
    }
}

impl<'a> Answered<'a> {
    /// What the answer reports. None if it says nothing of its usage.
    pub(crate) fn reported(&self) -> Option<Reported<'a>> {
        static NONE: Usage = Usage {
            prompt_tokens: None,
            completion_tokens: None,
            total_tokens: None,
            prompt_tokens_details: None,
            completion_tokens_details: None,
        };
        Some(Reported {
            usage: self.usage.unwrap_or(&NONE),
            raw: self.raw?.as_object()?,
            fields: self.fields,
            message: self.message,
        })
    }

    /// Whether the counts are those of a whole answer: a chat has tokens of its own, or says that it
    /// has none.
    pub(crate) fn is_whole(&self, counts: &Counts) -> bool {
        let answered = || counts.used().any(|(unit, _)| unit.side() == Side::Output);
        let said = || self.usage.is_some_and(|usage| usage.completion_tokens.is_some());
        !self.chats || said() || answered()
    }
}
