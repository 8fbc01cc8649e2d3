//! The host's doorbell: rung when the queue stops being empty, always on a library thread.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::{engine, lock};

/// A host's function, called when the queue stops being empty.
#[derive(Clone, Copy)]
pub(crate) struct Doorbell {
    pub(crate) call: unsafe extern "C" fn(*mut c_void),
    pub(crate) user_data: *mut c_void,
}

// SAFETY: the host promises that its doorbell may be called from any thread.
unsafe impl Send for Doorbell {}

/// Where a queue's doorbell hangs.
#[derive(Default)]
pub(super) struct Bell {
    doorbell: Mutex<Option<Doorbell>>,
    /// Whether there is one: all that a push looks at when there is none.
    hangs: AtomicBool,
}

impl Bell {
    /// Sets or ends the doorbell. The lock is the barrier: whoever rings holds it.
    pub(super) fn set(&self, doorbell: Option<Doorbell>) {
        *lock(&self.doorbell) = doorbell;
        self.hangs.store(doorbell.is_some(), Ordering::SeqCst);
    }

    pub(super) fn hangs(&self) -> bool {
        self.hangs.load(Ordering::SeqCst)
    }

    pub(super) fn ring(&self) {
        let doorbell = lock(&self.doorbell);
        if let Some(Doorbell { call, user_data }) = *doorbell {
            // SAFETY: the host keeps both valid until `set(None)` has returned, which waits for the
            // lock held here.
            unsafe { call(user_data) };
        }
    }

    /// Rings from a library thread: the calling one is the host's.
    pub(super) fn ring_later(self: &Arc<Self>) {
        if !self.hangs() {
            return;
        }
        match engine::running() {
            Some(engine) => {
                let ring = Ring(Arc::clone(self));
                engine.spawn(async move { drop(ring) });
            }
            None => self.ring(),
        }
    }
}

/// Rings when it is dropped: also where the engine ends before the task that holds it has run.
struct Ring(Arc<Bell>);

impl Drop for Ring {
    fn drop(&mut self) {
        self.0.ring();
    }
}
