//! The C ABI is the interface to which every language package binds. All `unsafe` of the project
//! lives in this crate.
//!
//! `include/liter_llm.h` is generated from here, doc comments included. The functions check their
//! arguments and hand over to the modules: `engine` owns the threads, `lane` lends a caller's,
//! `queue` has the events. `task` runs one request, `document` owns returned text, `fork` knows the
//! process of an object, and `sys` calls the system.
//!
//! Every function here keeps three rules. A panic is caught ([`guard`]). NULL is answered, not
//! followed. A handle made before a fork is not touched in the child ([`fork::generation`]).
#![warn(clippy::unwrap_used)]
#![allow(non_camel_case_types)]
// The caller's duties are stated once, in the header's prologue (cbindgen.toml).
#![allow(clippy::missing_safety_doc)]

mod client;
mod document;
mod engine;
mod fork;
mod invoke;
mod lane;
mod logs;
mod panic;
mod process;
mod queue;
mod queue_abi;
mod status;
mod sync;
mod sys;
mod task;
mod thread;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};

use status::*;

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
