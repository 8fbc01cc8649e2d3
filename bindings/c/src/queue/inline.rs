//! The call that runs on the thread that reads the queue (`LITER_LLM_SUBMIT_INLINE`).
//!
//! The reader polls it inside its own wait, so it is no task of the lane's runtime: a task would be
//! handed over through a descriptor of the runtime's, for one write and one more look at the sockets.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::guard;
use crate::lane::{Lane, Lanes};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, lock};

/// What a call is. It says its last event itself, at the latest when it is dropped.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A call that runs on the reader's thread.
pub(super) struct Inline {
    pub(super) token: u64,
    /// `None`: it has ended.
    work: Option<Work>,
    lane: Lane,
    home: Arc<Lanes>,
}

impl Inline {
    pub(super) fn new(token: u64, work: Work, lane: Lane, home: Arc<Lanes>) -> Self {
        Inline { token, work: Some(work), lane, home }
    }

    /// Drives it until `event` comes, it ends, or `left` is over. Whether something came. `None`: the
    /// call panicked, and neither it nor its lane is there any more.
    pub(super) fn drive(
        mut self,
        event: impl Future<Output = ()>,
        left: Duration,
    ) -> Option<(Inline, bool)> {
        guard(None, || {
            let came = self.drive_until(event, left);
            Some((self, came))
        })
    }

    fn drive_until(&mut self, event: impl Future<Output = ()>, left: Duration) -> bool {
        let (work, mut event) = (&mut self.work, pin!(event));
        let either = std::future::poll_fn(|context| {
            work.take_if(|work| work.as_mut().poll(context).is_ready());
            // Also where the call has ended: the ring of its own event is not left for the next wait.
            match event.as_mut().poll(context) {
                Poll::Pending if work.is_some() => Poll::Pending,
                _ => Poll::Ready(()),
            }
        });
        if left.is_zero() {
            self.lane.turn(either)
        } else {
            self.lane.drive(async { tokio::time::timeout(left, either).await }).is_ok()
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.work.is_none()
    }

    /// Ends it, if it has not ended, and gives its lane back.
    pub(super) fn end(self) {
        let Inline { work, lane, home, .. } = self;
        if let Some(work) = work {
            lane.within(|| drop(work));
            // A shared connection tells its server.
            lane.turn(std::future::pending());
        }
        home.give(lane);
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
}
