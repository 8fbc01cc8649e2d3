//! A served attempt was answered by its target: with the whole answer, or with a stream's first
//! content.

use std::sync::Arc;

use tokio::time::Instant;

use super::ledger::Ticket;
use super::reserved::Came;
use crate::auth::Proof;
use crate::error::Error;
use crate::http::{Body, Deadline};
use crate::limit::Held;
use crate::model::{Chunk, Warning};
use crate::operation::Decoded;
use crate::provider::StreamReader;
use crate::target::AttemptGuard;

/// An attempt that a target answered.
pub(crate) struct Served {
    /// The target's index in the call's list.
    pub(super) target: usize,
    pub(super) ticket: Ticket,
    /// The attempt's guard, held while a stream goes on.
    pub(super) guard: Option<AttemptGuard>,
    pub(super) head: Head,
    /// The credential that went out with the request.
    pub(super) key: Option<Proof>,
    /// Warnings about what this target could not be asked.
    pub(super) warnings: Vec<Warning>,
    /// When a stream's first content came.
    pub(super) first_content: Option<Instant>,
    pub(super) content: Content,
}

/// An attempt that failed.
pub(super) struct Failure {
    pub(super) error: Error,
    /// The ledger has an entry for it: a request was sent, or the attempt failed before it could be
    /// sent.
    pub(super) tried: bool,
    /// Its credential was refused, and the next one may pass.
    pub(super) mended: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { error, tried: false, mended: false }
    }
}

/// The head of an answer, kept while its body is read.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: ::http::HeaderMap,
    /// The room that the body takes.
    pub(super) held: Held,
}

/// The content of the answer.
#[expect(clippy::large_enum_variant, reason = "most are whole, and a box would cost each of them")]
pub(super) enum Content {
    /// The whole answer.
    Whole(Decoded),
    /// A stream with its first content.
    Stream(Box<Opened>),
}

/// A stream from its first content on.
pub(super) struct Opened {
    pub(super) reader: Box<StreamReader>,
    /// `None` once the body has ended.
    pub(super) body: Option<Body>,
    pub(super) deadline: Deadline,
    /// The chunks up to the first content.
    pub(super) chunks: Vec<Chunk>,
    /// The error that ended the stream right after these chunks.
    pub(super) failure: Option<Error>,
    /// Counts what has come, if a budget wants to know.
    pub(super) came: Option<Arc<Came>>,
}

impl Served {
    /// The page that follows, if the answer is a page of a list.
    pub(super) fn next_page(&self) -> Option<String> {
        match &self.content {
            Content::Whole(answer) => answer.next_page().map(str::to_owned),
            Content::Stream(_) => None,
        }
    }

    /// The attempt's ticket, if the attempt goes on.
    pub(super) fn under_way(&self) -> Option<Ticket> {
        matches!(self.content, Content::Stream(_)).then_some(self.ticket)
    }
}
