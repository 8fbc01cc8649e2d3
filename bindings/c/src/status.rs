//! The header's numbers: its version, statuses, flags and kinds of events.

/// Raised only by a change that breaks a caller compiled against an older header.
pub const LITER_LLM_ABI_VERSION: u32 = 1;

/// Done.
pub const LITER_LLM_OK: i32 = 0;
/// The request failed: an error document says why.
pub const LITER_LLM_FAILED: i32 = 1;
/// NULL, zero, out of range, not UTF-8.
pub const LITER_LLM_E_ARGUMENT: i32 = -1;
/// The client or queue was closed.
pub const LITER_LLM_E_CLOSED: i32 = -2;
/// The handle belongs to the parent process.
pub const LITER_LLM_E_FORKED: i32 = -3;
/// A second reader, max_in_flight is reached, or a doorbell called.
pub const LITER_LLM_E_BUSY: i32 = -4;
/// The next event needs liter_llm_queue_next_size().
pub const LITER_LLM_E_SPACE: i32 = -5;
/// Not on this platform.
pub const LITER_LLM_E_UNSUPPORTED: i32 = -6;
/// A bug in the library; the process goes on.
pub const LITER_LLM_E_INTERNAL: i32 = -7;
/// No file descriptor is left: raise the limit (ulimit -n), or close what is idle.
pub const LITER_LLM_E_DESCRIPTORS: i32 = -8;

/// The call runs on the thread that reads the queue, while it reads. Implies WHOLE.
pub const LITER_LLM_SUBMIT_INLINE: u32 = 1;
/// The answer comes as CHUNKs and a RESULT, whatever "stream" in the request says.
pub const LITER_LLM_SUBMIT_STREAM: u32 = 2;
/// The answer comes as one RESULT, whatever "stream" in the request says.
pub const LITER_LLM_SUBMIT_WHOLE: u32 = 4;
/// The whole answer is one response: "fanout" in the options is an error, and nothing is sent.
pub const LITER_LLM_SUBMIT_SINGLE: u32 = 8;
/// CHUNKs that were read count as unread until liter_llm_credit says that they are consumed.
pub const LITER_LLM_SUBMIT_CREDIT: u32 = 16;

/// count chunk documents of a stream, one a line.
pub const LITER_LLM_EVENT_CHUNK: u32 = 1;
/// The response document; always the last of its token.
pub const LITER_LLM_EVENT_RESULT: u32 = 2;
/// An error document; always the last of its token.
pub const LITER_LLM_EVENT_ERROR: u32 = 3;
/// A log record; token 0.
pub const LITER_LLM_EVENT_LOG: u32 = 4;

/// The status for what the system refused.
pub(crate) fn refused(error: &std::io::Error) -> i32 {
    match (error.raw_os_error(), error.kind()) {
        (Some(libc::EMFILE | libc::ENFILE), _) => LITER_LLM_E_DESCRIPTORS,
        (_, std::io::ErrorKind::Unsupported) => LITER_LLM_E_UNSUPPORTED,
        _ => LITER_LLM_E_INTERNAL,
    }
}
