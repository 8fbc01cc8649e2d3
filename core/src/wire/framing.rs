//! How a streamed body is cut into events: one parser a framing, chosen by the adapter.

use super::event::{Event, EventError};
use super::sse::SseParser;

/// How a streamed body is cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
}

/// The parser of one streamed body: bytes in as they come, events out.
#[derive(Debug)]
pub enum Frames {
    /// Of server-sent events.
    Sse(SseParser),
}

impl Frames {
    /// A parser for this framing.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Frames::Sse(SseParser::default()),
        }
    }

    /// Takes what has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Frames::Sse(parser) => parser.push(bytes),
        }
    }

    /// The next complete event.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        match self {
            Frames::Sse(parser) => parser.next_event(),
        }
    }

    /// The body has ended properly: the event that only lacks its end.
    pub fn last_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        match self {
            Frames::Sse(parser) => parser.last_event(),
        }
    }
}
