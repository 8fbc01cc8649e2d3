//! An admission is a call's place among the calls in flight. A place is counted while the call
//! runs, and closing the client ends the call.
//!
//! The admission tells the observers that the call began and that it ended, exactly once each,
//! however the call ends.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::http::until;
use crate::limit::Held;
use crate::observe::{CallFacts, CallOutcome, FailedCall};
use crate::services::{ClientState, Services};

/// The number of calls in flight.
#[derive(Default)]
pub(crate) struct InFlight {
    count: AtomicUsize,
    idle: Notify,
}

/// A call's place among the calls in flight, held until it is dropped.
pub struct Admission {
    services: Arc<Services>,
    in_flight: Arc<InFlight>,
    state: watch::Receiver<ClientState>,
    /// Set once the call has begun.
    facts: OnceLock<Arc<CallFacts>>,
    /// Whether the observers were told of the end.
    ended: AtomicBool,
    /// The request's bytes, if they are many.
    request: OnceLock<Held>,
}

impl InFlight {
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Waits until no call is in flight.
    pub(crate) async fn none(&self, at_most: Duration) {
        let none = async {
            loop {
                let idle = self.idle.notified();
                tokio::pin!(idle);
                idle.as_mut().enable();
                if self.count() == 0 {
                    return;
                }
                idle.await;
            }
        };
        let _ = tokio::time::timeout(at_most, none).await;
    }
}

impl Admission {
    /// Takes a place. The error kind is `cancelled` if the client is closed, and `rate_limit` if
    /// the limit of calls in flight is reached.
    pub(crate) fn take(
        services: &Arc<Services>,
        in_flight: &Arc<InFlight>,
    ) -> Result<Admission, Error> {
        // The call is counted before the check, so a concurrent close sees the call or the call
        // sees the close.
        let before = in_flight.count.fetch_add(1, Ordering::AcqRel);
        let admission = Admission {
            services: Arc::clone(services),
            in_flight: Arc::clone(in_flight),
            state: services.state.subscribe(),
            facts: OnceLock::new(),
            ended: AtomicBool::new(false),
            request: OnceLock::new(),
        };
        if *services.state.borrow() != ClientState::Open {
            return Err(closed());
        }
        if before >= services.config.max_in_flight {
            return Err(Error::new(
                ErrorKind::RateLimit,
                format!(
                    "{before} calls are in flight, which is this client's max_in_flight: wait for \
                     some to end, or raise it in the configuration"
                ),
            ));
        }
        Ok(admission)
    }

    /// Holds room for a request document until the call has ended.
    pub(crate) fn hold(&self, bytes: usize) -> Result<(), Error> {
        let mut held = Held::new(&self.services.room);
        held.hold(bytes)?;
        // A call has one request.
        let _ = self.request.set(held);
        Ok(())
    }

    /// Marks the call as begun. From here on the call counts, even if its caller gives it up.
    pub(crate) fn began(&self, facts: &Arc<CallFacts>) {
        if self.facts.set(Arc::clone(facts)).is_ok() {
            self.services.observers.iter().for_each(|observer| observer.call_began(facts));
        }
    }

    /// Marks the call as ended.
    pub(crate) fn ended(&self, outcomes: &[CallOutcome<'_>]) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        if self.facts.get().is_none() {
            self.began(&Arc::new(CallFacts::new(self.services.process, "", None, false)));
        }
        if let Some(facts) = self.facts.get() {
            self.services.observers.iter().for_each(|each| each.call_ended(facts, outcomes));
        }
    }

    /// Marks the call as failed.
    pub(crate) fn failed(&self, error: Error) -> Error {
        if self.services.config.log_bodies
            && let Some(facts) = self.facts.get()
        {
            // The text so far is the provider's, and may repeat a key.
            let mut shown = error.clone();
            shown.partial = None;
            let text = String::from_utf8_lossy(&shown.to_json()).into_owned();
            self.services.observers.iter().for_each(|each| each.content(facts, "answer", &text));
        }
        self.ended(&[CallOutcome::from(&error)]);
        error
    }

    /// Waits for `room`, which the reader makes by reading.
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

    /// Runs `work`, unless the client is closed meanwhile.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.unless_closed(work).await.unwrap_or_else(|| Err(closed()))
    }

    /// Runs `work`; `None` means that the client was closed meanwhile. The caller pins `work`, so
    /// that its future is not held twice.
    pub(crate) async fn unless_closed<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut state = self.state.clone();
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            _ = state.wait_for(|state| *state == ClientState::Cancelled) => None,
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(facts) = self.facts.get()
            && !self.ended.load(Ordering::Relaxed)
        {
            let failed = FailedCall { kind: ErrorKind::Cancelled, code: None, retryable: false };
            let provider = facts.provider.as_deref();
            let failed = Some(failed);
            self.ended(&[CallOutcome { provider, failed, ..CallOutcome::default() }]);
        }
        if self.in_flight.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.in_flight.idle.notify_waiters();
        }
    }
}

/// The error of a call that closing the client has ended.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Cancelled, "the client is closed")
}
