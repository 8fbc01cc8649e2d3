//! The framing says how a streamed body is cut into events. Each framing has one parser, and the
//! adapter chooses the framing.

use super::event::{Event, EventError};
use super::event_stream::EventStreamParser;
use super::ndjson::NdjsonParser;
use super::sse::SseParser;

/// How a streamed body is cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// AWS's event stream: binary frames with checksums.
    EventStream,
    /// A JSON document on each line.
    Ndjson,
}

/// The parser of one streamed body. It takes bytes as they come, and returns events.
#[derive(Debug)]
pub enum Frames {
    /// The parser of server-sent events.
    Sse(SseParser),
    /// The parser of AWS's event streams.
    EventStream(EventStreamParser),
    /// The parser of JSON lines.
    Ndjson(NdjsonParser),
}

impl Frames {
    /// Makes a parser for this framing.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Frames::Sse(SseParser::default()),
            Framing::EventStream => Frames::EventStream(EventStreamParser::default()),
            Framing::Ndjson => Frames::Ndjson(NdjsonParser::default()),
        }
    }

    /// Takes bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Frames::Sse(parser) => parser.push(bytes),
            Frames::EventStream(parser) => parser.push(bytes),
            Frames::Ndjson(parser) => parser.push(bytes),
        }
    }

    /// Returns the next complete event.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        match self {
            Frames::Sse(parser) => parser.next_event(),
            Frames::EventStream(parser) => parser.next_event(),
            Frames::Ndjson(parser) => parser.next_event(),
        }
    }

    /// Returns an event that only lacks its end, after the proper end of the body.
    pub fn last_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        match self {
            Frames::Sse(parser) => parser.last_event(),
            Frames::EventStream(parser) => parser.last_event(),
            Frames::Ndjson(parser) => parser.last_event(),
        }
    }
}
