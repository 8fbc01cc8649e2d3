//! Stops asking a target that fails.
//!
//! Closed, it lets every call through and counts the faults that follow each other. Open, it lets
//! none through for a while, the longer the more often it has opened since the last success. After
//! that it is half-open: one call at a time goes through as a probe, and its outcome decides. What
//! counts as whose fault says [`fault_of`]; the caller's faults are never reported here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ErrorKind;

/// How many faults in a row open it.
const FAULTS: u32 = 5;
/// How long it stays open the first time; the n-th time in a row, n times as long.
const OPEN: Duration = Duration::from_secs(30);
/// The longest that it stays open.
const LONGEST_OPEN: Duration = Duration::from_secs(300);

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The caller's, or nobody's: says nothing about the target.
    None,
    /// The provider's: [`Pass::fault`].
    Provider,
    /// The key's, or its account's: [`Pass::trip`] on the key's breaker.
    Key,
    /// A limit was reached: the target works, and says when to come back.
    Limited,
}

/// Whose fault a failure of this kind and HTTP status is. A timeout is the provider's only where
/// it was a timer of the target's that ran out, not the caller's deadline, which may be any.
pub(crate) fn fault_of(kind: ErrorKind, status: Option<u16>) -> Fault {
    match kind {
        ErrorKind::Unavailable
        | ErrorKind::Timeout
        | ErrorKind::Connection
        | ErrorKind::BadResponse
        | ErrorKind::StreamBroken => Fault::Provider,
        // 451: not for legal reasons, which is about what was asked.
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

/// One target's, or one key's, breaker. A clone is the same breaker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker(Arc<Mutex<Circuit>>);

#[derive(Debug, Default)]
struct Circuit {
    /// Faults in a row while closed.
    faults: u32,
    /// Set while it is not closed.
    open_until: Option<Instant>,
    /// Openings since it was last closed.
    openings: u32,
    /// A probe is out.
    probing: bool,
    /// Counts openings and closings. What was admitted before the last of them is old news.
    epoch: u64,
}

/// As seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Closed,
    Open,
    HalfOpen,
}

impl State {
    /// Its name in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half_open",
        }
    }
}

/// One call's way through a breaker. Dropped without a word (the call was cancelled, or its failure
/// was the caller's), it says nothing, and a probe makes room for the next.
#[derive(Debug)]
pub(crate) struct Pass {
    breaker: Breaker,
    epoch: u64,
    probe: bool,
}

impl Breaker {
    /// Asks for a call to be let through; the pass wants to hear how it went.
    pub(crate) fn admit(&self, now: Instant) -> Option<Pass> {
        let mut circuit = self.lock();
        match circuit.open_until {
            Some(until) if now < until || circuit.probing => None,
            _ => Some(self.pass(&mut circuit, now)),
        }
    }

    /// Lets a call through whatever the state: every target is open, and this is the least bad one.
    /// Its success closes the breaker. Its failure keeps it open no longer, unless it is the probe.
    pub(crate) fn insist(&self, now: Instant) -> Pass {
        self.pass(&mut self.lock(), now)
    }

    fn pass(&self, circuit: &mut Circuit, now: Instant) -> Pass {
        let half_open = circuit.open_until.is_some_and(|until| until <= now);
        let probe = half_open && !circuit.probing;
        circuit.probing |= probe;
        Pass { breaker: self.clone(), epoch: circuit.epoch, probe }
    }

    /// Until when nobody is let through, which is past while a probe is out; `None`: a call would be.
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

    /// Which opening this is, as a number that no other has, and how many there were in a row;
    /// `None` while it is not open.
    pub(crate) fn opening(&self, now: Instant) -> Option<(u64, u32)> {
        let circuit = self.lock();
        let open = circuit.open_until.is_some_and(|until| now < until);
        open.then_some((circuit.epoch, circuit.openings))
    }

    /// Ends this opening before its time, unless it has ended by itself: half-open.
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
    fn open(&mut self, now: Instant) {
        self.openings = self.openings.saturating_add(1);
        self.open_until = Some(now + OPEN.saturating_mul(self.openings).min(LONGEST_OPEN));
        self.turn();
    }

    fn close(&mut self) {
        (self.open_until, self.openings) = (None, 0);
        self.turn();
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

    /// The target answered as it should.
    pub(crate) fn success(self) {
        self.report(|circuit| match circuit.open_until {
            None => circuit.faults = 0,
            Some(_) => circuit.close(),
        });
    }

    /// The provider failed.
    pub(crate) fn fault(self, now: Instant) {
        self.failed(FAULTS, now);
    }

    /// The provider is late, and may answer yet: a fault, unless a success follows.
    pub(crate) fn late(&self, now: Instant) {
        self.failed(FAULTS, now);
    }

    /// The key was refused, or its account is empty: no second call is needed to know that.
    pub(crate) fn trip(self, now: Instant) {
        self.failed(1, now);
    }

    /// A failure, of which `enough` in a row open a closed breaker. While it is open the probe's
    /// counts, and no other.
    fn failed(&self, enough: u32, now: Instant) {
        self.report(|circuit| {
            circuit.faults = circuit.faults.saturating_add(1);
            let opens = match circuit.open_until {
                None => circuit.faults >= enough,
                Some(_) => self.probe,
            };
            if opens {
                circuit.open(now);
            }
        });
    }

    /// Tells the circuit, unless it has opened or closed since the call began.
    fn report(&self, tell: impl FnOnce(&mut Circuit)) {
        let mut circuit = self.breaker.lock();
        if circuit.epoch == self.epoch {
            tell(&mut circuit);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe {
            self.report(|circuit| circuit.probing = false);
        }
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
