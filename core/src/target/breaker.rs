//! A breaker stops calls to a target that fails.
//!
//! A closed breaker lets every call through and counts consecutive faults. An open breaker lets
//! none through for a while, which is longer the more often it has opened since the last success.
//! After that it is half-open: one call at a time goes through as a probe, and its outcome decides.
//! [`fault_of`] says what counts as whose fault. The caller's faults are never reported here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ErrorKind;

/// The number of consecutive faults that opens a breaker.
const FAULTS: u32 = 5;
/// The time that a breaker stays open at first. The n-th time in a row it stays open n times as
/// long.
const OPEN: Duration = Duration::from_secs(30);
/// The time between two retries of calls that have no other target, while a breaker is open. So a
/// provider that is dead sees hardly more than the calls that were meant for it.
const ASKED: Duration = Duration::from_secs(1);
/// The longest time that a breaker stays open.
const LONGEST_OPEN: Duration = Duration::from_secs(300);

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The caller's fault, or nobody's. It says nothing about the target.
    None,
    /// The provider's fault: [`Pass::fault`].
    Provider,
    /// The fault of the key or its account: [`Pass::trip`] on the key's breaker.
    Key,
    /// A limit was reached. The target works, and says when to come back.
    Limited,
}

/// The fault behind a failure of this kind and HTTP status. A timeout is the provider's fault only
/// if a timer of the target ran out. The caller's deadline does not count, because it may be any
/// time.
pub(crate) fn fault_of(kind: ErrorKind, status: Option<u16>) -> Fault {
    match kind {
        ErrorKind::Unavailable
        | ErrorKind::Timeout
        | ErrorKind::Connection
        | ErrorKind::BadResponse
        | ErrorKind::StreamBroken => Fault::Provider,
        // 451 means "not for legal reasons", which is about the content of the request.
        ErrorKind::Permission if status == Some(451) => Fault::None,
        ErrorKind::Authentication | ErrorKind::Permission | ErrorKind::Quota => Fault::Key,
        ErrorKind::RateLimit => Fault::Limited,
        ErrorKind::InvalidRequest
        | ErrorKind::ContextLength
        | ErrorKind::Unsupported
        | ErrorKind::NotFound
        | ErrorKind::ContentFilter
        | ErrorKind::Cancelled
        | ErrorKind::Internal => Fault::None,
    }
}

/// The breaker of one target or of one key. A clone is the same breaker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker(Arc<Mutex<Circuit>>);

#[derive(Debug, Default)]
struct Circuit {
    /// Consecutive faults while closed.
    faults: u32,
    /// Set while the breaker is open or half-open.
    open_until: Option<Instant>,
    /// Openings since the breaker was last closed.
    openings: u32,
    /// Whether a probe is in flight.
    probing: bool,
    /// When a retry was let through although the breaker was open.
    asked: Option<Instant>,
    /// The count of openings and closings. Passes from before the last one are outdated.
    epoch: u64,
}

/// The state, as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Closed,
    Open,
    HalfOpen,
}

impl State {
    /// The state's name in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half_open",
        }
    }
}

/// How the outcome of a call has turned a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// It has opened, for this long.
    Opened(Duration),
    Closed,
}

/// One call's pass through a breaker. A pass dropped without a report counts as nothing: the call
/// was cancelled, or its failure was the caller's. If it was a probe, the next call may be one.
#[derive(Debug)]
pub(crate) struct Pass {
    breaker: Breaker,
    epoch: u64,
    probe: bool,
}

impl Breaker {
    /// Admits a call, or returns `None`. The pass must be told the outcome of the call.
    pub(crate) fn admit(&self, now: Instant) -> Option<Pass> {
        let mut circuit = self.lock();
        match circuit.open_until {
            Some(until) if now < until || circuit.probing => None,
            _ => Some(self.pass(&mut circuit, now)),
        }
    }

    /// Admits a call in any state, because every target is open and this is the least bad one. Its
    /// success closes the breaker. Its failure does not keep the breaker open longer, unless it is
    /// the probe.
    pub(crate) fn insist(&self, now: Instant) -> Pass {
        self.pass(&mut self.lock(), now)
    }

    fn pass(&self, circuit: &mut Circuit, now: Instant) -> Pass {
        let half_open = circuit.open_until.is_some_and(|until| until <= now);
        let probe = half_open && !circuit.probing;
        circuit.probing |= probe;
        Pass { breaker: self.clone(), epoch: circuit.epoch, probe }
    }

    /// Whether a call that has no other target may try this one again. In an open breaker one retry a
    /// second goes through, and in a half-open one the probe.
    pub(crate) fn ask(&self, now: Instant) -> bool {
        let mut circuit = self.lock();
        if circuit.open_until.is_none() {
            return true;
        }
        let free = circuit.asked.is_none_or(|asked| now >= asked + ASKED);
        if free {
            circuit.asked = Some(now);
        }
        free
    }

    /// Until when no call is admitted; this time is past while a probe is in flight. `None` means
    /// that a call would be admitted.
    pub(crate) fn shut_until(&self, now: Instant) -> Option<Instant> {
        let circuit = self.lock();
        circuit.open_until.filter(|&until| now < until || circuit.probing)
    }

    /// The state, for metrics.
    pub(crate) fn state(&self, now: Instant) -> State {
        match self.lock().open_until {
            None => State::Closed,
            Some(until) if now < until => State::Open,
            Some(_) => State::HalfOpen,
        }
    }

    /// The opening's unique number, and the count of openings in a row. `None` while the breaker is
    /// not open.
    pub(crate) fn opening(&self, now: Instant) -> Option<(u64, u32)> {
        let circuit = self.lock();
        let open = circuit.open_until.is_some_and(|until| now < until);
        open.then_some((circuit.epoch, circuit.openings))
    }

    /// Makes the breaker half-open before its time, unless this opening has ended.
    pub(crate) fn half_open(&self, opening: u64, now: Instant) {
        let mut circuit = self.lock();
        if circuit.epoch == opening {
            circuit.open_until = circuit.open_until.map(|until| until.min(now));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Circuit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circuit {
    fn open(&mut self, now: Instant) -> Turned {
        self.openings = self.openings.saturating_add(1);
        let time = OPEN.saturating_mul(self.openings).min(LONGEST_OPEN);
        self.open_until = Some(now + time);
        self.turn();
        Turned::Opened(time)
    }

    fn close(&mut self) -> Turned {
        (self.open_until, self.openings) = (None, 0);
        self.turn();
        Turned::Closed
    }

    fn turn(&mut self) {
        (self.faults, self.probing) = (0, false);
        self.epoch += 1;
    }
}

impl Pass {
    /// Whether the call is a half-open breaker's probe.
    #[cfg(test)]
    pub(crate) fn is_probe(&self) -> bool {
        self.probe
    }

    /// Reports that the target answered as it should.
    pub(crate) fn success(self) -> Option<Turned> {
        self.report(|circuit| {
            if circuit.open_until.is_some() {
                return Some(circuit.close());
            }
            circuit.faults = 0;
            None
        })
    }

    /// Reports that the provider failed.
    pub(crate) fn fault(self, now: Instant) -> Option<Turned> {
        self.failed(FAULTS, now)
    }

    /// Reports that the provider is late. That is a fault unless a success follows, because the
    /// answer may still come.
    pub(crate) fn late(&self, now: Instant) -> Option<Turned> {
        self.failed(FAULTS, now)
    }

    /// Reports that the key was refused or its account is empty. One such failure is enough.
    pub(crate) fn trip(self, now: Instant) -> Option<Turned> {
        self.failed(1, now)
    }

    /// Reports a failure; `enough` in a row open a closed breaker. While the breaker is open, only
    /// the probe's failure counts.
    fn failed(&self, enough: u32, now: Instant) -> Option<Turned> {
        self.report(|circuit| {
            circuit.faults = circuit.faults.saturating_add(1);
            let opens = match circuit.open_until {
                None => circuit.faults >= enough,
                Some(_) => self.probe,
            };
            opens.then(|| circuit.open(now))
        })
    }

    /// Updates the circuit, unless it has opened or closed since the call began.
    fn report(&self, tell: impl FnOnce(&mut Circuit) -> Option<Turned>) -> Option<Turned> {
        let mut circuit = self.breaker.lock();
        if circuit.epoch == self.epoch { tell(&mut circuit) } else { None }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe {
            self.report(|circuit| {
                circuit.probing = false;
                None
            });
        }
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
