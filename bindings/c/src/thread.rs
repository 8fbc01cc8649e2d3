//! Threads of the library's own, and what the current thread is: one of them, or in the middle of a
//! host's doorbell.

use std::cell::Cell;

thread_local! {
    static LIBRARY: Cell<bool> = const { Cell::new(false) };
    static RINGING: Cell<bool> = const { Cell::new(false) };
}

/// The stack of a thread, in bytes: the standard library's own size. Without one it would read
/// `RUST_MIN_STACK` from the environment.
pub(crate) const STACK: usize = 2 << 20;

/// A thread of the library's.
pub(crate) fn builder() -> std::thread::Builder {
    std::thread::Builder::new().name("liter-llm".to_owned()).stack_size(STACK)
}

/// Marks the current thread as one of the library's, for good.
pub(crate) fn belongs_to_library() {
    LIBRARY.set(true);
}

/// Whether the current thread is one of the library's. In the model of the queue (`queue/model.rs`)
/// every thread is.
pub(crate) fn is_library() -> bool {
    cfg!(test) || LIBRARY.get()
}

/// Whether the current thread runs a doorbell, which may call nothing of this library.
pub(crate) fn is_ringing() -> bool {
    RINGING.get()
}

/// Runs a host's doorbell.
pub(crate) fn ringing(doorbell: impl FnOnce()) {
    RINGING.set(true);
    doorbell();
    RINGING.set(false);
}
