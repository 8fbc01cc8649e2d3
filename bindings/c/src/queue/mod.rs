//! A completion queue: what the library's threads push and one thread of the host reads.
//!
//! Chunks of a stream that wait are merged into one event. The descriptor and the doorbell ring only
//! when the queue goes from empty to non-empty. What one stream holds unread is counted, and its task
//! waits while that is too much, so that its socket is not read: nothing of it is dropped. Log records
//! that nobody reads are counted too, and the oldest are dropped.
//!
//! Nobody is called under a lock of this library. Each change goes through [`Queue::change`], which
//! wakes and rings when the lock is free again.

mod doorbell;
mod event;
mod inline;
#[cfg(test)]
mod model;
mod state;

use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use doorbell::Doorbell;
pub(crate) use event::HEAD;

use doorbell::Bell;
use event::{Event, Stream};
pub(crate) use inline::Work;
use inline::{Inline, Place};
use liter_llm_core::Marked;
use state::State;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::lane::{Lane, Lanes};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex, lock, wait_timeout};
use crate::sys::Flag;
use crate::{LITER_LLM_E_BUSY, LITER_LLM_E_CLOSED, LITER_LLM_E_INTERNAL, LITER_LLM_E_SPACE, guard};

/// A queue; the handle holds it, requests in flight hold it weakly.
pub(crate) struct Queue {
    stream_bytes: usize,
    state: Mutex<State>,
    wake: Condvar,
    reading: AtomicBool,
    bell: Arc<Bell>,
    inline: Place,
    /// An event came, for whoever drives a lane.
    pushed: Notify,
}

impl Queue {
    pub(crate) fn new(stream_bytes: usize) -> Self {
        Queue {
            stream_bytes,
            state: Mutex::default(),
            wake: Condvar::new(),
            reading: AtomicBool::new(false),
            bell: Arc::default(),
            inline: Place::default(),
            pushed: Notify::new(),
        }
    }

    // ---- The host's side ------------------------------------------------------------------

    pub(crate) fn fd(&self) -> std::io::Result<RawFd> {
        let mut state = lock(&self.state);
        if state.flag.is_none() {
            let mut flag = Flag::new()?;
            if !state.is_empty() || state.over() {
                flag.raise();
            }
            state.flag = Some(flag);
        }
        state.flag.as_ref().map(Flag::fd).ok_or_else(|| std::io::ErrorKind::Other.into())
    }

    /// Sets or ends the doorbell; none of before is running when this returns.
    pub(crate) fn notify(&self, doorbell: Option<Doorbell>) {
        self.bell.set(doorbell);
        if doorbell.is_some() && !lock(&self.state).is_empty() {
            self.bell.ring_soon();
        }
    }

    /// Moves whole events into `buf`. `wait`: how long for the first; `None` has no limit.
    pub(crate) fn read(&self, buf: &mut [u8], wait: Option<Duration>) -> i64 {
        if self.reading.swap(true, Ordering::Acquire) {
            return i64::from(LITER_LLM_E_BUSY);
        }
        let result = guard(i64::from(LITER_LLM_E_INTERNAL), || self.read_alone(buf, wait));
        self.reading.store(false, Ordering::Release);
        result
    }

    fn read_alone(&self, buf: &mut [u8], wait: Option<Duration>) -> i64 {
        // No end: further off than any clock goes.
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = lock(&self.state);
        while state.is_empty() {
            if state.over() {
                return i64::from(LITER_LLM_E_CLOSED);
            }
            let left = match (wait, until) {
                (Some(_), Some(until)) => until.saturating_duration_since(Instant::now()),
                _ => Duration::from_secs(3600),
            };
            if let Some(inline) = self.inline.take() {
                drop(state);
                let driven = self.drive(inline, left);
                state = lock(&self.state);
                if driven {
                    continue;
                }
            }
            if left.is_zero() {
                return 0;
            }
            state.waiting = true;
            state = wait_timeout(&self.wake, state, left);
            state.waiting = false;
        }
        let mut written = 0;
        while let Some(event) = state.front() {
            let size = event.size();
            if size > buf.len() - written {
                break;
            }
            event.write(&mut buf[written..written + size]);
            written += size;
            state.take();
        }
        if written == 0 {
            return i64::from(LITER_LLM_E_SPACE);
        }
        let rest = !state.is_empty();
        if !rest
            && !state.over()
            && let Some(flag) = &mut state.flag
        {
            flag.lower();
        }
        drop(state);
        if rest {
            self.bell.ring_soon();
        }
        i64::try_from(written).unwrap_or(i64::MAX)
    }

    pub(crate) fn next_size(&self) -> usize {
        lock(&self.state).front().map_or(0, Event::size)
    }

    /// Refuses submits and cancels what runs; what is queued can still be read.
    pub(crate) fn close(&self) {
        let aborts = self.change(State::close);
        // Not under the lock: an abort may drop the task here, which pushes its last event.
        aborts.iter().for_each(AbortHandle::abort);
        self.settle();
    }

    /// Drops everything: the handle is freed. Tasks still running find nobody to tell.
    pub(crate) fn discard(&self) {
        self.notify(None);
        self.close();
        let mut state = lock(&self.state);
        while !state.is_empty() {
            state.take();
        }
        state.flag = None;
    }

    pub(crate) fn cancel(&self, token: u64) {
        let abort = match lock(&self.state).calls.get_mut(&token) {
            Some(call) => call.cancel(),
            None => return,
        };
        match abort {
            Some(abort) => abort.abort(),
            // It may be the reader's own.
            None => self.settle(),
        }
    }

    /// The reader wants no further chunk of this request, but only its last event.
    pub(crate) fn collect(&self, token: u64) {
        if let Some(call) = lock(&self.state).calls.get_mut(&token) {
            call.stream().collect();
        }
    }

    /// The host has consumed so many bytes of this request's chunks.
    pub(crate) fn credit(&self, token: u64, bytes: u64) {
        let stream = lock(&self.state).calls.get_mut(&token).map(|call| Arc::clone(call.stream()));
        // Not under the lock: it wakes the stream's task.
        if let Some(stream) = stream {
            stream.credit(bytes);
        }
    }

    // ---- The library's side ---------------------------------------------------------------

    /// Registers a request and returns its number. An error is a status for the caller.
    pub(crate) fn begin(&self, token: u64, on_credit: bool) -> Result<u64, i32> {
        lock(&self.state).begin(token, on_credit)
    }

    /// Gives a registered request on the library's threads its means to be cancelled.
    pub(crate) fn started(&self, token: u64, number: u64, abort: AbortHandle) {
        let mut state = lock(&self.state);
        // It may have ended already and its token be another's, or have been cancelled in between.
        if let Some(call) = state.calls.get_mut(&token).filter(|call| call.number == number) {
            if call.cancelled {
                drop(state);
                abort.abort();
            } else {
                call.abort = Some(abort);
            }
        }
    }

    /// What is known of the reading of a request's chunks.
    pub(crate) fn stream(&self, token: u64) -> Arc<Stream> {
        let mut state = lock(&self.state);
        state.calls.get_mut(&token).map_or_else(Arc::default, |call| Arc::clone(call.stream()))
    }

    /// Adds chunk documents, one a line. Resolves when the stream may go on reading its socket.
    pub(crate) async fn chunks(&self, token: u64, payload: Vec<u8>, count: u32) {
        let stream = self.change(|state| state.chunks(token, payload, count));
        if let Some(stream) = stream {
            stream.room(self.stream_bytes).await;
        }
    }

    /// Adds a request's last event.
    pub(crate) fn end(&self, token: u64, kind: u32, status: i32, document: Marked) {
        let Marked { bytes: payload, mark: liter } = document;
        self.change(|state| {
            if state.calls.remove(&token).is_some() {
                state.push(Event { token, kind, status, payload, liter, ..Event::default() });
            }
        });
    }

    /// Adds a log record. `lost` makes the one that says how many were dropped.
    pub(crate) fn log(&self, payload: Vec<u8>, lost: fn(u64) -> Vec<u8>) {
        self.change(|state| state.log(payload, lost));
    }

    /// Changes the state. Then, when its lock is free again, wakes the reader and rings, if the queue
    /// stopped being empty or its end came.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let done = change(&mut state);
        let came = std::mem::take(&mut state.came);
        let mut waiting = false;
        if came || state.over() {
            if let Some(flag) = &mut state.flag {
                flag.raise();
            }
            waiting = state.waiting;
        }
        drop(state);
        if waiting {
            self.wake.notify_one();
        }
        if came {
            self.pushed.notify_one();
            self.bell.ring_soon();
        }
        done
    }

    // ---- The call on the reader's thread --------------------------------------------------

    /// Whether a call may be attached.
    pub(crate) fn reserve_lane(&self) -> bool {
        self.inline.reserve()
    }

    pub(crate) fn release_lane(&self) {
        self.inline.release();
    }

    /// Leaves a call to the reader, behind `reserve_lane`.
    pub(crate) fn attach(&self, token: u64, work: Work, lane: Lane, home: Arc<Lanes>) {
        self.rest(Inline::new(token, work, lane, home));
    }

    /// Drives the reader's own call until there is an event or `left` is over. Whether there may be
    /// one.
    fn drive(&self, inline: Inline, left: Duration) -> bool {
        let Some((inline, came)) = inline.drive(self.pushed.notified(), left) else {
            self.inline.release();
            return true;
        };
        self.rest(inline);
        came || !lock(&self.state).is_empty()
    }

    /// Lets a cancelled call of the reader's end now: the reader may not come again, or be driving it.
    fn settle(&self) {
        match self.inline.take() {
            Some(inline) => self.rest(inline),
            None => self.pushed.notify_one(),
        }
    }

    /// Keeps a call that goes on. One that was cancelled ends here, and its lane goes home.
    fn rest(&self, inline: Inline) {
        let state = lock(&self.state);
        let goes_on = state.calls.get(&inline.token).is_some_and(|call| !call.cancelled);
        if goes_on && !inline.has_ended() {
            self.inline.rest(inline);
            // A reader that found nobody's call to drive waits for events only.
            if state.waiting {
                self.wake.notify_one();
            }
        } else {
            drop(state);
            inline.end();
            self.inline.release();
        }
    }
}
