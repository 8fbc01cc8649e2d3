//! An attempt that a target answered: the whole answer, or a stream with its first content.

use tokio::time::Instant;

use super::ledger::Ticket;
use crate::error::Error;
use crate::http::{Body, Deadline};
use crate::model::{Chunk, Warning};
use crate::operation::Decoded;
use crate::provider::StreamReader;
use crate::target::AttemptGuard;

/// An attempt that a target answered.
pub(crate) struct Served {
    /// The target's place among the call's.
    pub(super) target: usize,
    pub(super) ticket: Ticket,
    /// Held while a stream goes on.
    pub(super) guard: Option<AttemptGuard>,
    pub(super) head: Head,
    /// What could not be asked of this target.
    pub(super) warnings: Vec<Warning>,
    /// When the first content of a stream came.
    pub(super) first_content: Option<Instant>,
    pub(super) content: Content,
}

/// What is kept of an answer's head while its body is read.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: ::http::HeaderMap,
}

/// What came.
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
    /// `None` once it has ended.
    pub(super) body: Option<Body>,
    pub(super) deadline: Deadline,
    /// What came up to the first content.
    pub(super) chunks: Vec<Chunk>,
    /// What ended the stream right after that.
    pub(super) failure: Option<Error>,
}

impl Served {
    /// The attempt, if it goes on.
    pub(super) fn under_way(&self) -> Option<Ticket> {
        matches!(self.content, Content::Stream(_)).then_some(self.ticket)
    }
}
