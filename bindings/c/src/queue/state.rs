//! What a queue's lock guards: the events that wait and the requests in flight.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::task::AbortHandle;

use super::event::{Event, Stream};
use crate::sys::Flag;
use crate::{LITER_LLM_E_ARGUMENT, LITER_LLM_E_CLOSED, LITER_LLM_EVENT_CHUNK, LITER_LLM_EVENT_LOG};

/// Waiting chunks are merged up to this size, so that a reader's buffer of 64 KiB holds an event.
const MERGED: usize = 32 << 10;

/// The most log records that may wait unread, and the bytes that they may have, their heads
/// included.
const MOST_LOGS: usize = 10_000;
const MOST_LOG_BYTES: usize = 4 << 20;

#[derive(Default)]
pub(super) struct State {
    events: VecDeque<Event>,
    /// Log records are apart, because the oldest of them may be dropped.
    logs: VecDeque<Event>,
    log_bytes: usize,
    /// How many log records were dropped and not yet told of: the first of `logs` tells.
    lost: u64,
    /// How many events and log records have ever come: their order.
    order: u64,
    /// How many events have ever been taken: the number of the first that waits.
    taken: u64,
    pub(super) calls: HashMap<u64, Call>,
    /// How many requests have ever begun: a call's number tells it from an earlier one of its token.
    begun: u64,
    pub(super) flag: Option<Flag>,
    pub(super) closed: bool,
    /// A reader waits for the first event.
    pub(super) waiting: bool,
    /// The queue stopped being empty, and nobody has been told yet.
    pub(super) came: bool,
}

/// A request in flight.
#[derive(Default)]
pub(super) struct Call {
    pub(super) number: u64,
    pub(super) abort: Option<AbortHandle>,
    pub(super) cancelled: bool,
    /// The host gives credit for the chunks that it has consumed.
    on_credit: bool,
    /// The number of the waiting event that takes further chunks.
    open: Option<u64>,
    stream: Option<Arc<Stream>>,
}

impl State {
    /// Closed, and nothing can come any more.
    pub(super) fn over(&self) -> bool {
        self.closed && self.calls.is_empty() && self.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.logs.is_empty()
    }

    /// Refuses requests from now on. Returns the means to end those in flight.
    pub(super) fn close(&mut self) -> Vec<AbortHandle> {
        self.closed = true;
        self.calls.values_mut().filter_map(Call::cancel).collect()
    }

    /// Registers a request and returns its number. An error is a status for the caller.
    pub(super) fn begin(&mut self, token: u64, on_credit: bool) -> Result<u64, i32> {
        if self.closed {
            return Err(LITER_LLM_E_CLOSED);
        }
        let number = self.begun + 1;
        match self.calls.entry(token) {
            Entry::Occupied(_) => return Err(LITER_LLM_E_ARGUMENT),
            Entry::Vacant(entry) => entry.insert(Call { number, on_credit, ..Call::default() }),
        };
        self.begun = number;
        Ok(number)
    }

    /// Chunk documents have come: the stream they are of. `None`: nobody waits for them any more.
    pub(super) fn chunks(
        &mut self,
        token: u64,
        payload: Vec<u8>,
        count: u32,
    ) -> Option<Arc<Stream>> {
        let next = self.taken + self.events.len() as u64;
        let call = self.calls.get_mut(&token)?;
        let stream = Arc::clone(call.stream());
        stream.add(payload.len());
        let waiting = call.open.and_then(|number| number.checked_sub(self.taken));
        let waiting = waiting.and_then(|at| self.events.get_mut(usize::try_from(at).ok()?));
        match waiting {
            Some(event) if event.payload.len() + payload.len() <= MERGED => {
                event.payload.extend_from_slice(&payload);
                event.count += count;
            }
            _ => {
                call.open = Some(next);
                let (kind, of) = (LITER_LLM_EVENT_CHUNK, Some(Arc::clone(&stream)));
                self.push(Event { token, kind, count, payload, stream: of, ..Event::default() });
            }
        }
        Some(stream)
    }

    /// Adds an event.
    pub(super) fn push(&mut self, event: Event) {
        let event = self.arrived(event);
        self.events.push_back(event);
    }

    /// Adds a log record and drops the oldest where they have become too many. `lost` makes the
    /// record that says how many.
    pub(super) fn log(&mut self, payload: Vec<u8>, lost: fn(u64) -> Vec<u8>) {
        if self.closed {
            return;
        }
        let event = self.arrived(Event { kind: LITER_LLM_EVENT_LOG, payload, ..Event::default() });
        self.log_bytes += event.size();
        self.logs.push_back(event);
        while self.is_full() && self.logs.len() > 1 {
            // The record that tells of earlier ones is replaced, and is none of the lost.
            if self.lost > 0 {
                self.drop_log();
            }
            let Some(order) = self.drop_log() else { return };
            self.lost += 1;
            let (kind, payload) = (LITER_LLM_EVENT_LOG, lost(self.lost));
            let telling = Event { kind, payload, order, ..Event::default() };
            self.log_bytes += telling.size();
            self.logs.push_front(telling);
        }
    }

    fn is_full(&self) -> bool {
        // The record that tells of dropped ones is none of them.
        let records = self.logs.len() - usize::from(self.lost > 0);
        records > MOST_LOGS || self.log_bytes > MOST_LOG_BYTES
    }

    /// Drops the first log record. Returns its place in the order.
    fn drop_log(&mut self) -> Option<u64> {
        let event = self.logs.pop_front()?;
        self.log_bytes -= event.size();
        Some(event.order)
    }

    fn arrived(&mut self, mut event: Event) -> Event {
        self.came |= self.is_empty();
        self.order += 1;
        event.order = self.order;
        event
    }

    /// Whether the next event is a log record.
    fn is_log_next(&self) -> bool {
        match (self.events.front(), self.logs.front()) {
            (Some(event), Some(log)) => log.order < event.order,
            (_, log) => log.is_some(),
        }
    }

    /// The next event.
    pub(super) fn front(&self) -> Option<&Event> {
        if self.is_log_next() { self.logs.front() } else { self.events.front() }
    }

    /// Takes the next event; its stream may read on.
    pub(super) fn take(&mut self) {
        if self.is_log_next() {
            self.drop_log();
            self.lost = 0;
        } else if let Some(event) = self.events.pop_front() {
            self.taken += 1;
            event.read();
        }
    }
}

impl Call {
    /// What is known of the reading of its chunks.
    pub(super) fn stream(&mut self) -> &Arc<Stream> {
        self.stream.get_or_insert_with(|| Arc::new(Stream::new(self.on_credit)))
    }

    pub(super) fn cancel(&mut self) -> Option<AbortHandle> {
        self.cancelled = true;
        self.abort.take()
    }
}
