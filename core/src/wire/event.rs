//! An event of a streamed body, whatever its framing.

/// The largest event, in bytes.
pub const MAX_EVENT: usize = 16 << 20;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event's name (the `event` field of server-sent events), or "" if it has none.
    pub name: &'a str,
    /// The event's data.
    pub data: &'a str,
    /// Whether the framing itself marks it as a failure (an exception frame of AWS).
    pub failed: bool,
}

/// The fault of a stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The text is not UTF-8.
    #[error("an event is not UTF-8")]
    NotUtf8,
    /// An event is larger than [`MAX_EVENT`].
    #[error("an event is larger than 16 MiB")]
    TooLarge,
    /// A frame's checksum is not that of its bytes.
    #[error("the checksum of a frame does not match its bytes")]
    Checksum,
    /// A frame is not built as the framing says.
    #[error("a frame is not built as an event stream's")]
    Malformed,
    /// The body ended in the middle of a frame.
    #[error("the last frame is not whole")]
    Cut,
}
