//! The wire room holds the form of bytes between the engine and a provider. It has no I/O, settings
//! or keys.
//!
//! `request` is what an adapter writes and a credential signs. `headers` and `retry_after` read the
//! head of an answer. `framing` cuts a streamed body into events.

mod event;
mod event_stream;
mod framing;
pub mod headers;
mod ndjson;
mod request;
pub mod retry_after;
mod sse;

pub use event::{Event, EventError, MAX_EVENT};
pub use event_stream::EventStreamParser;
pub use framing::{Frames, Framing};
pub use ndjson::NdjsonParser;
pub use request::{Plane, Reply, Request, Scheme};
pub use sse::SseParser;
