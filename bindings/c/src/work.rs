//! Starting and stopping work on a queue.

use std::ffi::c_char;

use liter_llm_core::ErrorKind;

use crate::client::{client, liter_llm_client};
use crate::queue_abi::{liter_llm_queue, queue};
use crate::task::{self, How};
use crate::{
    LITER_LLM_E_ARGUMENT, LITER_LLM_E_BUSY, LITER_LLM_E_CLOSED, LITER_LLM_E_INTERNAL, LITER_LLM_OK,
    bytes, guard,
};

/// Starts a request and returns at once. `token` is the caller's: not 0, unique among those in
/// flight on this queue, never a pointer. After 0, exactly one RESULT or ERROR of this token
/// follows, whatever happens: answer, error, cancel, close or panic. Of a stream, CHUNKs come before
/// it; chunks that wait are merged into one event.
///
/// `flags`: 0, or LITER_LLM_SUBMIT_* joined by `|`. Without STREAM, WHOLE and INLINE the request's own
/// "stream" says how the answer comes. STREAM or CREDIT with one of these, and an unknown bit, is
/// E_ARGUMENT. An INLINE call that nobody reads stands still until it is cancelled; while one is in
/// flight on the queue, further ones run on the library's threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_submit(
    client: *mut liter_llm_client,
    queue: *mut liter_llm_queue,
    token: u64,
    flags: u32,
    request: *const c_char,
    request_len: usize,
    options: *const c_char,
    options_len: usize,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        let Some(how) = How::of(flags) else { return LITER_LLM_E_ARGUMENT };
        if token == 0 || request.is_null() {
            return LITER_LLM_E_ARGUMENT;
        }
        // SAFETY: as the header says of handles and (pointer, length) pairs.
        let ((client, lanes), queue, request, options) = unsafe {
            match (
                self::client(client),
                self::queue(queue),
                bytes(request, request_len),
                bytes(options, options_len),
            ) {
                (Ok(client), Ok(queue), Some(request), Some(options)) => {
                    (client, queue, request, options)
                }
                (Err(status), ..) | (_, Err(status), ..) => return status,
                _ => return LITER_LLM_E_ARGUMENT,
            }
        };
        // The place in flight is taken here, not where the task begins, so that a close after this
        // function waits for it.
        let admission = match client.admit() {
            Ok(admission) => admission,
            Err(error) if error.kind() == ErrorKind::RateLimit => return LITER_LLM_E_BUSY,
            Err(_) => return LITER_LLM_E_CLOSED,
        };
        let order = task::Order { token, how, request, options };
        match task::submit(client, admission, lanes, queue, order) {
            Ok(()) => LITER_LLM_OK,
            Err(status) => status,
        }
    })
}

/// Asks to stop. Safe at any time, more than once, and after the end. The last event still comes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_cancel(queue: *mut liter_llm_queue, token: u64) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        match unsafe { self::queue(queue) } {
            Ok(queue) => {
                queue.cancel(token);
                LITER_LLM_OK
            }
            Err(status) => status,
        }
    })
}

/// Says that `bytes` more of the payload of a stream's CHUNKs are consumed. The stream must have been
/// submitted with CREDIT: its socket is read while less than `stream_bytes` of the queue are not
/// consumed. So one reader serves many streams of one queue, keeps what each is slow to take, and lets
/// no other wait. Give credit for the first chunk at once, then for at most a quarter of
/// `stream_bytes` together. Safe at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_credit(
    queue: *mut liter_llm_queue,
    token: u64,
    bytes: u64,
) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        match unsafe { self::queue(queue) } {
            Ok(queue) => {
                queue.credit(token, bytes);
                LITER_LLM_OK
            }
            Err(status) => status,
        }
    })
}

/// The reader wants only the whole answer of a stream: no further CHUNK comes, but those that wait
/// still do. As nothing of it was shown, an answer that breaks then begins anew by default
/// ("on_break" in the options). Call it before a chunk was shown to anybody. Safe at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn liter_llm_collect(queue: *mut liter_llm_queue, token: u64) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        // SAFETY: a handle, as the header says.
        match unsafe { self::queue(queue) } {
            Ok(queue) => {
                queue.collect(token);
                LITER_LLM_OK
            }
            Err(status) => status,
        }
    })
}
