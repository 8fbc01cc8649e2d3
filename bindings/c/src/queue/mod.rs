//! A completion queue: what the library's threads push and one thread of the host reads.
//!
//! Chunks of a stream that wait are merged into one event. The descriptor and the doorbell ring only
//! when the queue goes from empty to non-empty. What one stream holds unread is counted, and its task
//! waits while that is too much, so that its socket is not read: nothing is dropped.

mod doorbell;
mod event;
mod inline;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use doorbell::Doorbell;
use inline::Inline;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::sys::Flag;
use crate::{
    LITER_LLM_E_ARGUMENT, LITER_LLM_E_BUSY, LITER_LLM_E_CLOSED, LITER_LLM_E_INTERNAL,
    LITER_LLM_E_SPACE, LITER_LLM_EVENT_CHUNK, LITER_LLM_EVENT_LOG, guard,
};

/// Bytes of a record's head, as `liter_llm_event` lays it out.
pub(crate) const HEAD: usize = 32;

/// Waiting chunks are merged up to this size, so that a reader's buffer of 64 KiB holds an event.
const MERGED: usize = 32 << 10;

/// A queue; the handle holds it, requests in flight hold it weakly.
pub(crate) struct Queue {
    stream_bytes: usize,
    state: Mutex<State>,
    wake: Condvar,
    reading: AtomicBool,
    doorbell: Mutex<Option<Doorbell>>,
    /// Whether there is a doorbell: all that a push looks at when there is none.
    has_doorbell: AtomicBool,
    /// The call that runs on the reader's thread, while nobody drives it.
    inline: Mutex<Option<Inline>>,
    /// There is such a call, or will be at once.
    has_lane: AtomicBool,
    /// An event came, for whoever drives a lane.
    pushed: Notify,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// How many events have ever been taken: the number of the first that waits.
    taken: u64,
    calls: HashMap<u64, Call>,
    /// How many requests have ever begun: a call's number tells it from an earlier one of its token.
    begun: u64,
    flag: Option<Flag>,
    closed: bool,
    /// A reader waits for the first event.
    waiting: bool,
    /// The queue stopped being empty, and the doorbell has not been rung for it.
    ring: bool,
}

struct Event {
    token: u64,
    kind: u32,
    status: i32,
    count: u32,
    payload: Vec<u8>,
    stream: Option<Arc<Stream>>,
}

/// A request in flight.
#[derive(Default)]
struct Call {
    number: u64,
    abort: Option<AbortHandle>,
    cancelled: bool,
    /// The number of the waiting event that takes further chunks.
    open: Option<u64>,
    stream: Option<Arc<Stream>>,
}

/// What one stream holds unread.
#[derive(Default)]
struct Stream {
    unread: Mutex<usize>,
    read: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    pub(crate) fn new(stream_bytes: usize) -> Self {
        Queue {
            stream_bytes,
            state: Mutex::default(),
            wake: Condvar::new(),
            reading: AtomicBool::new(false),
            doorbell: Mutex::new(None),
            has_doorbell: AtomicBool::new(false),
            inline: Mutex::new(None),
            has_lane: AtomicBool::new(false),
            pushed: Notify::new(),
        }
    }

    // ---- The host's side ------------------------------------------------------------------

    pub(crate) fn fd(&self) -> std::io::Result<RawFd> {
        let mut state = lock(&self.state);
        if state.flag.is_none() {
            let mut flag = Flag::new()?;
            if !state.events.is_empty() || state.over() {
                flag.raise();
            }
            state.flag = Some(flag);
        }
        state.flag.as_ref().map(Flag::fd).ok_or_else(|| std::io::ErrorKind::Other.into())
    }

    /// Sets or ends the doorbell. The lock is the barrier: whoever rings holds it.
    pub(crate) fn notify(self: &Arc<Self>, doorbell: Option<Doorbell>) {
        *lock(&self.doorbell) = doorbell;
        self.has_doorbell.store(doorbell.is_some(), Ordering::SeqCst);
        if doorbell.is_some() && !lock(&self.state).events.is_empty() {
            self.ring_later();
        }
    }

    /// Moves whole events into `buf`. `wait`: how long for the first; `None` has no limit.
    pub(crate) fn read(self: &Arc<Self>, buf: &mut [u8], wait: Option<Duration>) -> i64 {
        if self.reading.swap(true, Ordering::Acquire) {
            return i64::from(LITER_LLM_E_BUSY);
        }
        let result = guard(i64::from(LITER_LLM_E_INTERNAL), || self.read_alone(buf, wait));
        self.reading.store(false, Ordering::Release);
        result
    }

    fn read_alone(self: &Arc<Self>, buf: &mut [u8], wait: Option<Duration>) -> i64 {
        // No end: further off than any clock goes.
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = lock(&self.state);
        while state.events.is_empty() {
            if state.over() {
                return i64::from(LITER_LLM_E_CLOSED);
            }
            let left = match (wait, until) {
                (Some(_), Some(until)) => until.saturating_duration_since(Instant::now()),
                _ => Duration::from_secs(3600),
            };
            let inline = lock(&self.inline).take();
            if let Some(inline) = inline {
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
            let woken = self.wake.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting = false;
        }
        let mut written = 0;
        while let Some(event) = state.events.front() {
            let size = event.size();
            if size > buf.len() - written {
                break;
            }
            event.write(&mut buf[written..written + size]);
            written += size;
            state.taken += 1;
            if let Some(event) = state.events.pop_front() {
                event.read();
            }
        }
        if written == 0 {
            return i64::from(LITER_LLM_E_SPACE);
        }
        let rest = !state.events.is_empty();
        if !rest
            && !state.over()
            && let Some(flag) = &mut state.flag
        {
            flag.lower();
        }
        drop(state);
        if rest {
            self.ring_later();
        }
        i64::try_from(written).unwrap_or(i64::MAX)
    }

    pub(crate) fn next_size(&self) -> usize {
        lock(&self.state).events.front().map_or(0, Event::size)
    }

    /// Refuses submits and cancels what runs; what is queued can still be read.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let aborts: Vec<_> = state.calls.values_mut().filter_map(Call::cancel).collect();
        if state.over() {
            self.wake_reader(state);
        } else {
            drop(state);
        }
        // Not under the lock: an abort may drop the task here, which pushes its last event.
        aborts.iter().for_each(AbortHandle::abort);
        self.settle();
    }

    /// Drops everything: the handle is freed. Tasks still running find nobody to tell.
    pub(crate) fn discard(self: &Arc<Self>) {
        self.notify(None);
        self.close();
        let mut state = lock(&self.state);
        // Counted as taken: a stream that still runs must not add to another's event.
        while let Some(event) = state.events.pop_front() {
            state.taken += 1;
            event.read();
        }
        state.flag = None;
    }

    pub(crate) fn cancel(&self, token: u64) {
        let abort = lock(&self.state).calls.get_mut(&token).and_then(Call::cancel);
        if let Some(abort) = abort {
            abort.abort();
            self.settle();
        }
    }

    // ---- The library's side ---------------------------------------------------------------

    /// Registers a request and returns its number. An error is a status for the caller.
    pub(crate) fn begin(&self, token: u64) -> Result<u64, i32> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(LITER_LLM_E_CLOSED);
        }
        let number = state.begun + 1;
        match state.calls.entry(token) {
            Entry::Occupied(_) => return Err(LITER_LLM_E_ARGUMENT),
            Entry::Vacant(entry) => entry.insert(Call { number, ..Call::default() }),
        };
        state.begun = number;
        Ok(number)
    }

    /// Gives a registered request its means to be cancelled.
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

    /// Adds chunk documents, one a line. Resolves when the stream may go on reading its socket.
    pub(crate) async fn chunks(&self, token: u64, payload: Vec<u8>, count: u32) {
        let stream = self.add_chunks(token, payload, count);
        self.ring();
        let Some(stream) = stream else { return };
        loop {
            let read = stream.read.notified();
            if *lock(&stream.unread) <= self.stream_bytes {
                return;
            }
            read.await;
        }
    }

    fn add_chunks(&self, token: u64, payload: Vec<u8>, count: u32) -> Option<Arc<Stream>> {
        let mut held = lock(&self.state);
        let state = &mut *held;
        let next = state.taken + state.events.len() as u64;
        let call = state.calls.get_mut(&token)?;
        let stream = call.stream.get_or_insert_default().clone();
        *lock(&stream.unread) += payload.len();
        let waiting = call.open.and_then(|number| number.checked_sub(state.taken));
        let waiting = waiting.and_then(|at| state.events.get_mut(usize::try_from(at).ok()?));
        match waiting {
            Some(event) if event.payload.len() + payload.len() <= MERGED => {
                event.payload.extend_from_slice(&payload);
                event.count += count;
            }
            _ => {
                call.open = Some(next);
                let stream = Some(Arc::clone(&stream));
                let kind = LITER_LLM_EVENT_CHUNK;
                self.push(held, Event { token, kind, status: 0, count, payload, stream });
            }
        }
        Some(stream)
    }

    /// Adds a request's last event.
    pub(crate) fn end(&self, token: u64, kind: u32, status: i32, payload: Vec<u8>) {
        let mut state = lock(&self.state);
        if state.calls.remove(&token).is_some() {
            self.push(state, Event { token, kind, status, count: 0, payload, stream: None });
        }
        self.ring();
    }

    pub(crate) fn log(&self, payload: Vec<u8>) {
        let state = lock(&self.state);
        if !state.closed {
            let kind = LITER_LLM_EVENT_LOG;
            let event = Event { token: 0, kind, status: 0, count: 0, payload, stream: None };
            self.push(state, event);
        }
        self.ring();
    }

    fn push(&self, mut state: MutexGuard<'_, State>, event: Event) {
        state.events.push_back(event);
        if state.events.len() == 1 {
            state.ring = true;
            self.wake_reader(state);
            self.pushed.notify_one();
        }
    }

    fn wake_reader(&self, mut state: MutexGuard<'_, State>) {
        if let Some(flag) = &mut state.flag {
            flag.raise();
        }
        let waiting = state.waiting;
        // First, or the reader would wake only to wait for the lock.
        drop(state);
        if waiting {
            self.wake.notify_one();
        }
    }
}

impl State {
    /// Closed, and nothing can come any more.
    fn over(&self) -> bool {
        self.closed && self.calls.is_empty() && self.events.is_empty()
    }
}

impl Call {
    fn cancel(&mut self) -> Option<AbortHandle> {
        self.cancelled = true;
        self.abort.take()
    }
}
