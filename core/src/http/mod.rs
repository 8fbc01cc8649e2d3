//! HTTP: pools of connections, timers, and the parser of event streams.

mod sse;

pub use sse::{MAX_EVENT, SseError, SseEvent, SseParser};
