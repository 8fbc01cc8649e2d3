//! What the current thread is: one of the library's own, or in the middle of a host's doorbell.

use std::cell::Cell;

thread_local! {
    static LIBRARY: Cell<bool> = const { Cell::new(false) };
    static RINGING: Cell<bool> = const { Cell::new(false) };
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
