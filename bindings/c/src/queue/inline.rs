//! The call that runs on the thread that reads the queue (`LITER_LLM_SUBMIT_INLINE`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::lane::{Lane, Lanes};
use crate::lock;

/// A call that runs on the reader's thread.
pub(super) struct Inline {
    pub(super) token: u64,
    pub(super) lane: Lane,
    pub(super) home: Arc<Lanes>,
}

impl Inline {
    /// Drives it until `event` comes or `left` is over. Whether the event came.
    pub(super) fn drive(&self, event: impl Future<Output = ()>, left: Duration) -> bool {
        if left.is_zero() {
            self.lane.turn();
            return false;
        }
        self.lane.drive(async { tokio::time::timeout(left, event).await }).is_ok()
    }
}

/// A queue's place for one such call: the reader drives one at a time.
#[derive(Default)]
pub(super) struct Place {
    /// The call, while nobody drives it.
    resting: Mutex<Option<Inline>>,
    /// There is one, or will be at once.
    reserved: AtomicBool,
}

impl Place {
    /// Whether the place was free.
    pub(super) fn reserve(&self) -> bool {
        !self.reserved.swap(true, Ordering::AcqRel)
    }

    pub(super) fn release(&self) {
        self.reserved.store(false, Ordering::Release);
    }

    pub(super) fn take(&self) -> Option<Inline> {
        lock(&self.resting).take()
    }

    pub(super) fn rest(&self, inline: Inline) {
        *lock(&self.resting) = Some(inline);
    }

    /// The call has ended: its lane goes home, and the place is free.
    pub(super) fn end(&self, inline: Inline) {
        inline.home.give(inline.lane);
        self.release();
    }
}
