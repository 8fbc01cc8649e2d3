//! Calls that run on the thread that reads the queue (`options.inline`).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Queue, lock};
use crate::lane::{Lane, Lanes};

/// A call that runs on the reader's thread.
pub(super) struct Inline {
    token: u64,
    lane: Lane,
    home: Arc<Lanes>,
}

impl Queue {
    /// Whether a call may be attached: the reader drives one at a time.
    pub(crate) fn reserve_lane(&self) -> bool {
        !self.has_lane.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn release_lane(&self) {
        self.has_lane.store(false, Ordering::Release);
    }

    /// Leaves a call to the reader, behind `reserve_lane`.
    pub(crate) fn attach(&self, token: u64, lane: Lane, home: Arc<Lanes>) {
        self.rest(Inline { token, lane, home });
    }

    /// Drives the reader's own call until there is an event or `left` is over. Whether that may have
    /// brought one.
    pub(super) fn drive(&self, inline: Inline, left: Duration) -> bool {
        let brought = if left.is_zero() {
            inline.lane.turn();
            false
        } else {
            let pushed = self.pushed.notified();
            inline.lane.drive(async { tokio::time::timeout(left, pushed).await }).is_ok()
        };
        self.rest(inline);
        brought || !lock(&self.state).events.is_empty()
    }

    /// Lets a cancelled call of the reader's end now: the reader may not come again.
    pub(super) fn settle(&self) {
        let inline = lock(&self.inline).take();
        if let Some(inline) = inline {
            inline.lane.turn();
            self.rest(inline);
        }
    }

    /// Keeps a call that goes on; the lane of one that has ended goes home.
    fn rest(&self, inline: Inline) {
        let state = lock(&self.state);
        if state.calls.contains_key(&inline.token) {
            *lock(&self.inline) = Some(inline);
            // A reader that found nobody's call to drive waits for events only.
            if state.waiting {
                self.wake.notify_one();
            }
        } else {
            drop(state);
            inline.home.give(inline.lane);
            self.release_lane();
        }
    }
}
