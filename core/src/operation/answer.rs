//! What comes of an operation: the provider's answer, and the document. Like `operation`, it has a
//! variant and an arm for each.

use serde::{Serialize, Serializer};

use super::envelope::Envelope;
use super::{chat, count_tokens, embed, models, moderate, rerank};
use crate::error::{Error, ErrorKind};
use crate::json::{Marked, write_behind};
use crate::model::{
    CountTokensResponse, EmbedResponse, Embeddings, Liter, ModelList, ModelsResponse,
    ModerateResponse, Moderations, Ranking, RerankResponse, Response, TokenCount, Usage, Warning,
};
use crate::provider::{Completion, StreamReader};

/// A provider's answer, before the engine adds its own members.
pub(crate) enum Decoded {
    Chat(Completion),
    Embed(Embeddings),
    Models(ModelList),
    Rerank(Ranking),
    CountTokens(TokenCount),
    Moderate(Moderations),
}

/// The document that answers an operation.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The answer to a chat.
    Chat(Box<Response>),
    /// The answer to a request for embeddings.
    Embed(Box<EmbedResponse>),
    /// The answer to a request for models.
    Models(Box<ModelsResponse>),
    /// The answer to a request to rank documents.
    Rerank(Box<RerankResponse>),
    /// The answer to a request to count tokens.
    CountTokens(Box<CountTokensResponse>),
    /// The answer to a moderation.
    Moderate(Box<ModerateResponse>),
}

impl Decoded {
    /// The document, with what the engine adds.
    pub(crate) fn into_answer(self, envelope: Envelope) -> Answer {
        match self {
            Decoded::Chat(completion) => {
                Answer::Chat(Box::new(chat::response(completion, envelope)))
            }
            Decoded::Embed(answer) => Answer::Embed(Box::new(embed::response(answer, envelope))),
            Decoded::Models(list) => Answer::Models(Box::new(models::response(list, envelope))),
            Decoded::Rerank(answer) => Answer::Rerank(Box::new(rerank::response(answer, envelope))),
            Decoded::CountTokens(answer) => {
                Answer::CountTokens(Box::new(count_tokens::response(answer, envelope)))
            }
            Decoded::Moderate(answer) => {
                Answer::Moderate(Box::new(moderate::response(answer, envelope)))
            }
        }
    }

    /// The answer that a stream has built up.
    pub(crate) fn of_stream(reader: StreamReader) -> Decoded {
        Decoded::Chat(reader.into_completion())
    }

    /// The page that follows, if this is a page of a list.
    pub(crate) fn next_page(&self) -> Option<&str> {
        match self {
            Decoded::Models(list) => list.next.as_deref(),
            Decoded::Chat(_)
            | Decoded::Embed(_)
            | Decoded::Rerank(_)
            | Decoded::CountTokens(_)
            | Decoded::Moderate(_) => None,
        }
    }

    /// The usage that the provider reports.
    pub(crate) fn usage(&self) -> Option<&Usage> {
        match self {
            Decoded::Chat(completion) => completion.usage.as_ref(),
            Decoded::Embed(answer) => answer.usage.as_ref(),
            Decoded::Models(_) | Decoded::CountTokens(_) => None,
            Decoded::Rerank(answer) => answer.usage.as_ref(),
            Decoded::Moderate(answer) => answer.usage.as_ref(),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Chat(response) => response.serialize(serializer),
            Answer::Embed(response) => response.serialize(serializer),
            Answer::Models(response) => response.serialize(serializer),
            Answer::Rerank(response) => response.serialize(serializer),
            Answer::CountTokens(response) => response.serialize(serializer),
            Answer::Moderate(response) => response.serialize(serializer),
        }
    }
}

impl Answer {
    /// The document, compact and in canonical member order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        self.to_json_behind(0).bytes
    }

    /// The document behind `room` zero bytes.
    #[must_use]
    pub(crate) fn to_json_behind(&self, room: usize) -> Marked {
        let size = match self {
            Answer::Chat(response) => response.size(),
            _ => 1_024,
        };
        write_behind(room, size, self)
    }

    /// The name in the configuration of the provider that answered.
    #[must_use]
    pub fn provider(&self) -> &str {
        match self {
            Answer::Chat(response) => &response.provider,
            Answer::Embed(response) => &response.provider,
            Answer::Models(response) => &response.provider,
            Answer::Rerank(response) => &response.provider,
            Answer::CountTokens(response) => &response.provider,
            Answer::Moderate(response) => &response.provider,
        }
    }

    /// The model, as the provider names it.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Answer::Chat(response) => response.model.as_deref(),
            Answer::Embed(response) => response.model.as_deref(),
            Answer::Models(_) => None,
            Answer::Rerank(response) => response.model.as_deref(),
            Answer::CountTokens(response) => Some(&response.model),
            Answer::Moderate(response) => response.model.as_deref(),
        }
    }

    /// The usage that the provider reports.
    #[must_use]
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Answer::Chat(response) => response.usage.as_ref(),
            Answer::Embed(response) => response.usage.as_ref(),
            Answer::Models(_) | Answer::CountTokens(_) => None,
            Answer::Rerank(response) => response.usage.as_ref(),
            Answer::Moderate(response) => response.usage.as_ref(),
        }
    }

    /// The members that are volatile or added by the engine.
    #[must_use]
    pub fn liter(&self) -> &Liter {
        match self {
            Answer::Chat(response) => &response.liter,
            Answer::Embed(response) => &response.liter,
            Answer::Models(response) => &response.liter,
            Answer::Rerank(response) => &response.liter,
            Answer::CountTokens(response) => &response.liter,
            Answer::Moderate(response) => &response.liter,
        }
    }

    /// What the engine adds to the provider's own answer.
    pub(crate) fn additions(&mut self) -> (&mut Vec<Warning>, &mut Liter) {
        match self {
            Answer::Chat(response) => (&mut response.warnings, &mut response.liter),
            Answer::Embed(response) => (&mut response.warnings, &mut response.liter),
            Answer::Models(response) => (&mut response.warnings, &mut response.liter),
            Answer::Rerank(response) => (&mut response.warnings, &mut response.liter),
            Answer::CountTokens(response) => (&mut response.warnings, &mut response.liter),
            Answer::Moderate(response) => (&mut response.warnings, &mut response.liter),
        }
    }

    /// One document of the answers to the parts of an operation, in the order of the parts.
    pub(crate) fn joined(parts: Vec<Answer>) -> Result<Answer, Error> {
        let of_part = |part| match part {
            Answer::Embed(response) => Ok(*response),
            Answer::Chat(_)
            | Answer::Models(_)
            | Answer::Rerank(_)
            | Answer::CountTokens(_)
            | Answer::Moderate(_) => {
                Err(Error::new(ErrorKind::Internal, "this operation has no parts"))
            }
        };
        let parts = parts.into_iter().map(of_part).collect::<Result<Vec<_>, _>>()?;
        Ok(Answer::Embed(Box::new(embed::joined(parts)?)))
    }

    /// Adds the next page of the list that this is. Returns the number of its entries.
    pub(crate) fn add_page(&mut self, page: Answer) -> usize {
        match (self, page) {
            (Answer::Models(list), Answer::Models(page)) => {
                models::add(list, *page);
                list.data.len()
            }
            _ => 0,
        }
    }

    /// Returns the chat response, or an error if the answer is of another operation.
    pub fn chat(self) -> Result<Box<Response>, Error> {
        match self {
            Answer::Chat(response) => Ok(response),
            Answer::Embed(_)
            | Answer::Models(_)
            | Answer::Rerank(_)
            | Answer::CountTokens(_)
            | Answer::Moderate(_) => {
                Err(Error::invalid("op", "op must be \"chat\" here: only a chat is answered so"))
            }
        }
    }
}
