//! The C ABI: what every language package binds to. All `unsafe` of the project lives in this crate.
//!
//! `include/liter_llm.h` is generated from here, doc comments included. The functions check their
//! arguments and hand over: `engine` owns the threads, `queue` the events, `task` runs one request,
//! `document` owns returned text, `sys` speaks to the operating system.
//!
//! Rules that every function here keeps: a panic is caught ([`guard`]); NULL is answered, not
//! followed; a handle made before a fork is not touched in the child ([`engine::generation`]).
#![allow(non_camel_case_types)]

mod client;
mod document;
mod engine;
mod invoke;
mod logs;
mod process;
mod queue;
mod queue_abi;
mod sys;
mod task;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};

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
/// A second reader, or max_in_flight is reached.
pub const LITER_LLM_E_BUSY: i32 = -4;
/// The next event needs liter_llm_queue_next_size().
pub const LITER_LLM_E_SPACE: i32 = -5;
/// Not on this platform.
pub const LITER_LLM_E_UNSUPPORTED: i32 = -6;
/// A bug in the library; the process goes on.
pub const LITER_LLM_E_INTERNAL: i32 = -7;

/// count chunk documents of a stream, one a line.
pub const LITER_LLM_EVENT_CHUNK: u32 = 1;
/// The response document; always the last of its token.
pub const LITER_LLM_EVENT_RESULT: u32 = 2;
/// An error document; always the last of its token.
pub const LITER_LLM_EVENT_ERROR: u32 = 3;
/// A log record; token 0.
pub const LITER_LLM_EVENT_LOG: u32 = 4;

/// Runs `body`; a panic becomes `on_panic`, and the process goes on.
fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(on_panic)
}

/// The bytes of a (pointer, length) pair; `None` where the pointer is NULL and the length is not 0.
///
/// # Safety
/// `pointer` is NULL or points to `len` readable bytes that nobody writes to during `'a`.
unsafe fn bytes<'a>(pointer: *const std::ffi::c_char, len: usize) -> Option<&'a [u8]> {
    if pointer.is_null() {
        return (len == 0).then_some(&[]);
    }
    if len > isize::MAX as usize {
        return None;
    }
    // SAFETY: as the caller promises.
    Some(unsafe { std::slice::from_raw_parts(pointer.cast(), len) })
}
