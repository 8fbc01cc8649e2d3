//! The host's doorbell: rung when the queue stops being empty, on a library thread, and under no
//! lock. So whatever a doorbell waits for, it holds up no other thread of the library.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex, lock, wait_timeout};
use crate::{engine, thread};

/// How long one wait lasts: the loop around it waits again.
const LONG: Duration = Duration::from_secs(3600);

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
    pub(super) state: Mutex<State>,
    /// A doorbell has returned.
    returned: Condvar,
    /// Whether there is one: all that a push looks at when there is none.
    hangs: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    doorbell: Option<Doorbell>,
    /// A thread rings. It rings for the others too.
    running: bool,
    /// Another thread wanted to ring meanwhile.
    again: bool,
    /// How many calls have returned.
    rounds: u64,
}

impl Bell {
    /// Sets or ends the doorbell, and waits for the one call of before that may be running.
    pub(super) fn set(&self, doorbell: Option<Doorbell>) {
        let mut state = lock(&self.state);
        state.doorbell = doorbell;
        self.hangs.store(doorbell.is_some(), Ordering::SeqCst);
        let rounds = state.rounds;
        while state.running && state.rounds == rounds {
            state = wait_timeout(&self.returned, state, LONG);
        }
    }

    pub(super) fn hangs(&self) -> bool {
        self.hangs.load(Ordering::SeqCst)
    }

    /// Rings on the calling thread. One thread rings at a time, and no other waits for it.
    fn ring(&self) {
        let mut state = lock(&self.state);
        if state.running {
            state.again = true;
            return;
        }
        state.running = true;
        while let Some(Doorbell { call, user_data }) = state.doorbell {
            state.again = false;
            drop(state);
            // SAFETY: the host keeps both valid until `set(None)` has returned, which waits for
            // this call.
            thread::ringing(|| unsafe { call(user_data) });
            state = lock(&self.state);
            state.rounds += 1;
            self.returned.notify_all();
            if !state.again {
                break;
            }
        }
        state.running = false;
        self.returned.notify_all();
    }

    /// Rings on a library thread: the calling one may be the host's, which may hold locks of its own.
    pub(super) fn ring_soon(self: &Arc<Self>) {
        if !self.hangs() {
            return;
        }
        match engine::running() {
            Some(engine) if !thread::is_library() => {
                let ring = Ring(Arc::clone(self));
                engine.spawn(async move { drop(ring) });
            }
            _ => self.ring(),
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
