//! What a queue's lock guards: the events that wait and the requests in flight.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::task::AbortHandle;

use super::event::{Event, Stream};
use crate::sys::Flag;
use crate::{LITER_LLM_E_ARGUMENT, LITER_LLM_E_CLOSED, LITER_LLM_EVENT_CHUNK};

/// Waiting chunks are merged up to this size, so that a reader's buffer of 64 KiB holds an event.
const MERGED: usize = 32 << 10;

#[derive(Default)]
pub(super) struct State {
    pub(super) events: VecDeque<Event>,
    /// How many events have ever been taken: the number of the first that waits.
    taken: u64,
    pub(super) calls: HashMap<u64, Call>,
    /// How many requests have ever begun: a call's number tells it from an earlier one of its token.
    begun: u64,
    pub(super) flag: Option<Flag>,
    pub(super) closed: bool,
    /// A reader waits for the first event.
    pub(super) waiting: bool,
    /// The queue stopped being empty, and the doorbell has not been rung for it.
    pub(super) ring: bool,
}

/// A request in flight.
#[derive(Default)]
pub(super) struct Call {
    pub(super) number: u64,
    pub(super) abort: Option<AbortHandle>,
    pub(super) cancelled: bool,
    /// The number of the waiting event that takes further chunks.
    open: Option<u64>,
    stream: Option<Arc<Stream>>,
}

impl State {
    /// Closed, and nothing can come any more.
    pub(super) fn over(&self) -> bool {
        self.closed && self.calls.is_empty() && self.events.is_empty()
    }

    /// Registers a request and returns its number. An error is a status for the caller.
    pub(super) fn begin(&mut self, token: u64) -> Result<u64, i32> {
        if self.closed {
            return Err(LITER_LLM_E_CLOSED);
        }
        let number = self.begun + 1;
        match self.calls.entry(token) {
            Entry::Occupied(_) => return Err(LITER_LLM_E_ARGUMENT),
            Entry::Vacant(entry) => entry.insert(Call { number, ..Call::default() }),
        };
        self.begun = number;
        Ok(number)
    }

    /// Chunk documents have come: the stream they are of, and an event to be added, unless they went
    /// into one that waits. `None`: nobody waits for them any more.
    pub(super) fn chunks(
        &mut self,
        token: u64,
        payload: Vec<u8>,
        count: u32,
    ) -> Option<(Arc<Stream>, Option<Event>)> {
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
                Some((stream, None))
            }
            _ => {
                call.open = Some(next);
                let (kind, of) = (LITER_LLM_EVENT_CHUNK, Some(Arc::clone(&stream)));
                let event = Event { token, kind, status: 0, count, payload, stream: of };
                Some((stream, Some(event)))
            }
        }
    }

    /// Takes the first event; its stream may read on.
    pub(super) fn take(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.taken += 1;
            event.read();
        }
    }
}

impl Call {
    /// What is known of the reading of its chunks.
    pub(super) fn stream(&mut self) -> &Arc<Stream> {
        self.stream.get_or_insert_default()
    }

    pub(super) fn cancel(&mut self) -> Option<AbortHandle> {
        self.cancelled = true;
        self.abort.take()
    }
}
