//! A completion queue: what the library's threads push and one thread of the host reads.
//!
//! Chunks of a stream that wait are merged into one event. The descriptor and the doorbell ring only
//! when the queue goes from empty to non-empty. What one stream holds unread is counted, and its task
//! waits while that is too much, so that its socket is not read: nothing is dropped.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::engine;
use crate::lane::{Lane, Lanes};
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

/// A call that runs on the reader's thread.
struct Inline {
    token: u64,
    lane: Lane,
    home: Arc<Lanes>,
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

/// A host's function, called when the queue stops being empty.
#[derive(Clone, Copy)]
pub(crate) struct Doorbell {
    pub(crate) call: unsafe extern "C" fn(*mut c_void),
    pub(crate) user_data: *mut c_void,
}

// SAFETY: the host promises that its doorbell may be called from any thread.
unsafe impl Send for Doorbell {}

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
            self.wake_reader(&mut state);
        }
        drop(state);
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

    // ---- Calls on the reader's thread ------------------------------------------------------

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
    fn drive(&self, inline: Inline, left: Duration) -> bool {
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
    fn settle(&self) {
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
        let mut guard = lock(&self.state);
        let state = &mut *guard;
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
                self.push(state, Event { token, kind, status: 0, count, payload, stream });
            }
        }
        Some(stream)
    }

    /// Adds a request's last event.
    pub(crate) fn end(&self, token: u64, kind: u32, status: i32, payload: Vec<u8>) {
        let mut state = lock(&self.state);
        if state.calls.remove(&token).is_some() {
            self.push(&mut state, Event { token, kind, status, count: 0, payload, stream: None });
        }
        drop(state);
        self.ring();
    }

    pub(crate) fn log(&self, payload: Vec<u8>) {
        let mut state = lock(&self.state);
        if !state.closed {
            let kind = LITER_LLM_EVENT_LOG;
            let event = Event { token: 0, kind, status: 0, count: 0, payload, stream: None };
            self.push(&mut state, event);
        }
        drop(state);
        self.ring();
    }

    fn push(&self, state: &mut State, event: Event) {
        state.events.push_back(event);
        if state.events.len() == 1 {
            state.ring = true;
            self.pushed.notify_one();
            self.wake_reader(state);
        }
    }

    fn wake_reader(&self, state: &mut State) {
        if let Some(flag) = &mut state.flag {
            flag.raise();
        }
        if state.waiting {
            self.wake.notify_one();
        }
    }
}

impl Queue {
    /// Rings if the queue stopped being empty since the last time.
    fn ring(&self) {
        if self.has_doorbell.load(Ordering::SeqCst) && std::mem::take(&mut lock(&self.state).ring) {
            self.call_doorbell();
        }
    }

    /// Rings from a library thread: the calling one is the host's.
    fn ring_later(self: &Arc<Self>) {
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

impl Event {
    /// Bytes of its record.
    fn size(&self) -> usize {
        HEAD + self.payload.len().next_multiple_of(8)
    }

    fn write(&self, record: &mut [u8]) {
        let (head, rest) = record.split_at_mut(HEAD);
        let (payload, padding) = rest.split_at_mut(self.payload.len());
        // Documents have at most some tens of megabytes.
        let len = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        head[0..8].copy_from_slice(&self.token.to_ne_bytes());
        head[8..12].copy_from_slice(&self.kind.to_ne_bytes());
        head[12..16].copy_from_slice(&self.status.to_ne_bytes());
        head[16..20].copy_from_slice(&len.to_ne_bytes());
        head[20..24].copy_from_slice(&self.count.to_ne_bytes());
        head[24..32].fill(0);
        payload.copy_from_slice(&self.payload);
        padding.fill(0);
    }

    /// It has been taken: its stream may read on.
    fn read(&self) {
        if let Some(stream) = &self.stream {
            let mut unread = lock(&stream.unread);
            *unread = unread.saturating_sub(self.payload.len());
            drop(unread);
            stream.read.notify_one();
        }
    }
}
