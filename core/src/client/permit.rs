//! A call's place among those in flight: counted while it runs, ended when the client is closed.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;
use tokio::time::Instant;

use super::{ChatStream, Inner, State, closed};
use crate::error::{Error, ErrorKind};
use crate::http::until;
use crate::model::Response;
use crate::pipeline::{self, Call};
use crate::route::fanout::{self, Many};
use crate::stream::Open;

/// A call's place among those in flight.
pub struct Permit {
    pub(crate) inner: Arc<Inner>,
    state: watch::Receiver<State>,
    /// The provider that the call was meant for, once that is known.
    meant_for: OnceLock<usize>,
    /// Its end has been counted.
    counted: AtomicBool,
}

impl Permit {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        let state = inner.state.subscribe();
        Permit { inner, state, meant_for: OnceLock::new(), counted: AtomicBool::new(false) }
    }

    /// From here on the call counts, even where it is given up.
    pub(crate) fn begins(&self, provider: usize) {
        let _ = self.meant_for.set(provider);
    }

    pub(super) async fn whole(&self, call: Box<Call>) -> Result<Box<Response>, Error> {
        let outcome = self.unless_closed(pin!(pipeline::whole(&call))).await;
        let outcome = outcome.unwrap_or_else(|| Err(call.failed(closed())));
        let response = outcome.map_err(|error| self.failed(error))?;
        self.count(Some(&response.provider), None);
        Ok(response)
    }

    pub(super) async fn stream(self, call: Box<Call>) -> Result<ChatStream, Error> {
        let served = self.unless_closed(pin!(pipeline::first(&call))).await;
        let served = served.unwrap_or_else(|| Err(call.failed(closed())));
        let served = served.map_err(|error| self.failed(error))?;
        Ok(ChatStream { open: Open::new(call, served), permit: self })
    }

    // Boxed: fan-outs are rare, and every call would carry their futures about.

    pub(super) async fn fastest_stream(
        self,
        calls: Vec<Call>,
        first: usize,
    ) -> Result<ChatStream, Error> {
        let served = self.unless_closed(Box::pin(fanout::first_stream(&calls, first))).await;
        let served = served.unwrap_or_else(|| Err(fanout::failed(&calls, closed())));
        let (i, served) = served.map_err(|error| self.failed(error))?;
        Ok(ChatStream { open: Open::new(fanout::winner(calls, i), served), permit: self })
    }

    pub(super) async fn many(&self, calls: Vec<Call>, first: usize) -> Result<Many, Error> {
        let many = self.unless_closed(Box::pin(fanout::fastest(&calls, first))).await;
        let many = many.unwrap_or_else(|| Err(fanout::failed(&calls, closed())));
        let many = many.map_err(|error| self.failed(error))?;
        for response in &many.results {
            self.count(Some(&response.provider), None);
        }
        for error in &many.failures {
            self.count(error.provider.as_deref(), Some(error.kind()));
        }
        Ok(many)
    }

    /// Waits for `room`, which a slow reader makes.
    pub(crate) async fn wait_for_reader(
        &self,
        deadline: Instant,
        room: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let work = async {
            until(|| deadline, room).await.ok_or_else(|| {
                Error::new(
                    ErrorKind::Timeout,
                    "the call's time ran out while its chunks waited to be read: read the stream \
                     faster, or give it more time",
                )
            })
        };
        self.run(work).await
    }

    /// Runs `work`, unless the client is closed under it.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.unless_closed(work).await.unwrap_or_else(|| Err(closed()))
    }

    /// Runs `work`, pinned by the caller so that its future is not held twice; `None`: the client was
    /// closed under it.
    pub(super) async fn unless_closed<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut state = self.state.clone();
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            _ = state.wait_for(|state| *state == State::Cancelled) => None,
        }
    }

    /// Adds an ended call to its provider's counters.
    pub(crate) fn count(&self, provider: Option<&str>, failed: Option<ErrorKind>) {
        if let Some(index) = provider.and_then(|name| self.inner.config.index(name).ok()) {
            self.counted.store(true, Ordering::Relaxed);
            self.inner.counters[index].count(failed);
        }
    }

    pub(crate) fn failed(&self, error: Error) -> Error {
        self.count(error.provider.as_deref(), Some(error.kind()));
        error
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(provider) = self.meant_for.get()
            && !self.counted.load(Ordering::Relaxed)
        {
            self.inner.counters[*provider].count(Some(ErrorKind::Cancelled));
        }
        if self.inner.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.inner.idle.notify_waiters();
        }
    }
}
