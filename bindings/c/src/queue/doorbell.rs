//! The host's doorbell: rung when the queue stops being empty, always on a library thread.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Queue, lock};
use crate::engine;

/// A host's function, called when the queue stops being empty.
#[derive(Clone, Copy)]
pub(crate) struct Doorbell {
    pub(crate) call: unsafe extern "C" fn(*mut c_void),
    pub(crate) user_data: *mut c_void,
}

// SAFETY: the host promises that its doorbell may be called from any thread.
unsafe impl Send for Doorbell {}

impl Queue {
    /// Rings if the queue stopped being empty since the last time.
    pub(super) fn ring(&self) {
        if self.has_doorbell.load(Ordering::SeqCst) && std::mem::take(&mut lock(&self.state).ring) {
            self.call_doorbell();
        }
    }

    /// Rings from a library thread: the calling one is the host's.
    pub(super) fn ring_later(self: &Arc<Self>) {
        if !self.has_doorbell.load(Ordering::SeqCst) {
            return;
        }
        match engine::running() {
            Some(engine) => {
                let ring = Ring(Arc::clone(self));
                engine.spawn(async move { drop(ring) });
            }
            None => self.call_doorbell(),
        }
    }

    fn call_doorbell(&self) {
        let doorbell = lock(&self.doorbell);
        if let Some(Doorbell { call, user_data }) = *doorbell {
            // SAFETY: the host keeps both valid until `notify(None)` has returned, which waits for
            // the lock held here.
            unsafe { call(user_data) };
        }
    }
}

/// Rings when it is dropped: also where the engine ends before the task that holds it has run.
struct Ring(Arc<Queue>);

impl Drop for Ring {
    fn drop(&mut self) {
        self.0.call_doorbell();
    }
}
