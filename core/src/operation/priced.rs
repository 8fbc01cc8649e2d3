//! What of an answer its cost is made from.

use super::{Decoded, Operation};
use crate::codec::Object;
use crate::json::Value;
use crate::model::{Content, Counts, Part, Side, Size, Usage};
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

impl Operation {
    /// How large the request is, whose document has so many bytes.
    pub(crate) fn size(&self, bytes: usize) -> Size {
        let answer = self.max_tokens();
        let size = Size { bytes: bytes as u64, answer, ..Size::default() };
        let Operation::Chat(request) = self else { return Size { messages: 1, ..size } };
        let mut size = Size {
            messages: request.messages.len() as u64,
            tools: !request.tools.is_empty(),
            answer: answer.map(|most| most.saturating_mul(request.n.unwrap_or(1))),
            ..size
        };
        for message in request.messages.iter() {
            let Some(Content::Parts(parts)) = &message.content else { continue };
            for part in parts {
                match part {
                    Part::Text { .. } => {}
                    Part::Audio { .. } => size.sounds += 1,
                    Part::Image { .. } | Part::File { .. } => size.pictures += 1,
                }
            }
        }
        size
    }
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
