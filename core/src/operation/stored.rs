//! Answers as documents that are kept elsewhere, and read again.

use super::Answer;
use crate::json::parse;
use crate::model::{EmbedResponse, RerankResponse, Response};

/// What an answer is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoredAs {
    Chat = 1,
    Embed = 2,
    Rerank = 3,
}

impl StoredAs {
    /// The kind of this number.
    pub(crate) fn of(number: u8) -> Option<Self> {
        [StoredAs::Chat, StoredAs::Embed, StoredAs::Rerank]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

impl Answer {
    /// What this is stored as. `None`: it is not stored.
    pub(crate) fn stored_as(&self) -> Option<StoredAs> {
        match self {
            Answer::Chat(_) => Some(StoredAs::Chat),
            Answer::Embed(_) => Some(StoredAs::Embed),
            Answer::Rerank(_) => Some(StoredAs::Rerank),
            _ => None,
        }
    }

    /// Reads an answer that was stored. `None`: it is none, or of another version.
    pub(crate) fn read_stored(kind: StoredAs, document: &[u8]) -> Option<Answer> {
        let document = parse(std::str::from_utf8(document).ok()?).ok()?;
        Some(match kind {
            StoredAs::Chat => Answer::Chat(Box::new(Response::read_stored(document)?)),
            StoredAs::Embed => Answer::Embed(Box::new(EmbedResponse::read_stored(document)?)),
            StoredAs::Rerank => Answer::Rerank(Box::new(RerankResponse::read_stored(document)?)),
        })
    }

    /// Whether the document of this is read as it was written. Tests of the cache ask for each answer.
    pub(crate) fn is_read_again(&self, document: &[u8]) -> bool {
        let Some(kind) = self.stored_as() else { return true };
        Answer::read_stored(kind, document).is_some_and(|read| read.to_json() == document)
    }
}
