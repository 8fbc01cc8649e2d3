//! A flight is one call that several callers wait for, because they ask the same at once.
//!
//! The flight's work is a task of its own ([`Writer`]), and callers have seats ([`Reader`]): they
//! wait for its end, or read what has come of a stream at their own pace. A caller that leaves only
//! leaves. The task ends when nobody is left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::entry::Entry;
use super::key::Key;
use crate::error::{Error, ErrorKind};
use crate::model::{Chunk, Reset};
use crate::operation::Answer;

/// The flights that are under way, by their questions.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Key, Arc<Flight>>>>);

/// One flight.
struct Flight {
    state: Mutex<State>,
    /// Counts what has happened.
    news: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// What has come of a stream.
    log: Vec<Event>,
    end: Option<Result<Arc<Landed>, Error>>,
    readers: usize,
    /// A flight without readers goes on.
    alone: bool,
    task: Option<AbortHandle>,
}

/// What came of a stream.
#[derive(Clone)]
pub(crate) enum Event {
    /// The chunks of one read of the socket.
    Chunks(Arc<Vec<Chunk>>),
    /// The answer broke and begins again.
    Restarted(Reset),
}

/// The answer that a flight brought.
pub(crate) struct Landed {
    /// As the caller gets it that began the flight.
    pub(crate) answer: Answer,
    /// What the others are given.
    pub(crate) entry: Arc<Entry>,
}

/// A seat at a flight.
pub(crate) enum Seat {
    /// The first one, which begins the flight's work.
    First(Writer, Reader),
    /// A seat beside others.
    Beside(Reader),
}

/// The work of a flight. Dropped without an end, the flight has failed.
pub(crate) struct Writer {
    flights: Flights,
    key: Key,
    flight: Arc<Flight>,
}

/// A caller's seat.
pub(crate) struct Reader {
    flights: Flights,
    key: Key,
    flight: Arc<Flight>,
    /// How much of the log was read.
    read: usize,
    news: watch::Receiver<u64>,
}

impl Flights {
    /// A seat at the flight of this question.
    pub(super) fn seat(&self, key: Key) -> Seat {
        let mut flights = self.lock();
        match flights.get(&key) {
            Some(flight) => Seat::Beside(Reader::new(self, key, flight)),
            None => {
                let (writer, reader) = self.begun(&mut flights, key);
                Seat::First(writer, reader)
            }
        }
    }

    /// The first seat at a flight that begins now, whatever is under way. Who comes next joins it.
    pub(super) fn begin(&self, key: Key) -> (Writer, Reader) {
        self.begun(&mut self.lock(), key)
    }

    fn begun(&self, flights: &mut HashMap<Key, Arc<Flight>>, key: Key) -> (Writer, Reader) {
        let flight = Flight::new(false);
        flights.insert(key, Arc::clone(&flight));
        let reader = Reader::new(self, key, &flight);
        (Writer { flights: self.clone(), key, flight }, reader)
    }

    /// The work of a flight that nobody waits for, unless there is a flight.
    pub(super) fn alone(&self, key: Key) -> Option<Writer> {
        let mut flights = self.lock();
        if flights.contains_key(&key) {
            return None;
        }
        let flight = Flight::new(true);
        flights.insert(key, Arc::clone(&flight));
        Some(Writer { flights: self.clone(), key, flight })
    }

    /// Removes a flight, so that the next caller begins another one.
    fn remove(&self, key: &Key, flight: &Arc<Flight>) {
        let mut flights = self.lock();
        if flights.get(key).is_some_and(|found| Arc::ptr_eq(found, flight)) {
            flights.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    fn new(alone: bool) -> Arc<Flight> {
        let state = State { alone, ..State::default() };
        Arc::new(Flight { state: Mutex::new(state), news: watch::Sender::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Adds what has come of a stream.
    pub(crate) fn push(&self, event: Event) {
        self.flight.lock().log.push(event);
        self.flight.news.send_modify(|news| *news += 1);
    }

    /// Ends the flight.
    pub(crate) fn end(self, outcome: Result<Landed, Error>) {
        self.land(outcome.map(Arc::new));
    }

    /// Gives the work up, if nobody waits for it. Otherwise it has to be done.
    pub(crate) fn unless_awaited(self) -> Option<Writer> {
        // The flights are locked, so that nobody takes a seat meanwhile.
        let mut flights = self.flights.lock();
        let mut state = self.flight.lock();
        if state.readers > 0 {
            drop((state, flights));
            return Some(self);
        }
        let given_up = Error::new(ErrorKind::Internal, "nobody waits for this call");
        state.end.get_or_insert(Err(given_up));
        if flights.get(&self.key).is_some_and(|found| Arc::ptr_eq(found, &self.flight)) {
            flights.remove(&self.key);
        }
        drop((state, flights));
        None
    }

    fn land(&self, outcome: Result<Arc<Landed>, Error>) {
        // Whoever asks from now on finds the stored answer, or begins another flight.
        self.flights.remove(&self.key, &self.flight);
        self.flight.lock().end.get_or_insert(outcome);
        self.flight.news.send_modify(|news| *news += 1);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let unended = self.flight.lock().end.is_none();
        if unended {
            self.land(Err(Error::new(
                ErrorKind::Internal,
                "a shared call ended without an answer",
            )));
        }
    }
}

impl Reader {
    /// Takes a seat. The flights are locked, so that the last reader does not leave meanwhile.
    fn new(flights: &Flights, key: Key, flight: &Arc<Flight>) -> Reader {
        flight.lock().readers += 1;
        let news = flight.news.subscribe();
        Reader { flights: flights.clone(), key, flight: Arc::clone(flight), read: 0, news }
    }

    /// Names the task that does the work, so that it ends when nobody is left.
    pub(crate) fn runs_as(&self, task: AbortHandle) {
        self.flight.lock().task = Some(task);
    }

    /// Waits for the end.
    pub(crate) async fn end(&mut self) -> Result<Arc<Landed>, Error> {
        loop {
            self.news.mark_unchanged();
            if let Some(end) = self.flight.lock().end.clone() {
                return end;
            }
            self.changed().await?;
        }
    }

    /// Waits for the next event that was not read. `None`: the end has come, see [`Reader::end`].
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            self.news.mark_unchanged();
            {
                let state = self.flight.lock();
                if let Some(event) = state.log.get(self.read) {
                    self.read += 1;
                    return Some(event.clone());
                }
                if state.end.is_some() {
                    return None;
                }
            }
            if self.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Waits until there is something to read, or the end.
    pub(crate) async fn ready(&mut self) {
        loop {
            self.news.mark_unchanged();
            {
                let state = self.flight.lock();
                if state.log.len() > self.read || state.end.is_some() {
                    return;
                }
            }
            if self.changed().await.is_err() {
                return;
            }
        }
    }

    /// The error that the flight has ended with before anything was read.
    pub(crate) fn failure(&self) -> Option<Error> {
        let state = self.flight.lock();
        let unread = state.log.len() == self.read;
        state.end.as_ref().filter(|_| unread)?.as_ref().err().cloned()
    }

    /// Whether anything of a stream was read.
    pub(crate) fn has_read(&self) -> bool {
        self.read > 0
    }

    async fn changed(&mut self) -> Result<(), Error> {
        // The flight lives as long as this seat, and its sender with it.
        self.news
            .changed()
            .await
            .map_err(|_| Error::new(ErrorKind::Internal, "a shared call without an end"))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // The flights are locked, so that nobody takes a seat meanwhile.
        let mut flights = self.flights.lock();
        let mut state = self.flight.lock();
        state.readers -= 1;
        if state.readers > 0 || state.alone || state.end.is_some() {
            return;
        }
        let task = state.task.take();
        drop(state);
        if flights.get(&self.key).is_some_and(|found| Arc::ptr_eq(found, &self.flight)) {
            flights.remove(&self.key);
        }
        drop(flights);
        if let Some(task) = task {
            task.abort();
        }
    }
}
