//! What happened, as the far end and the callers saw it.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::fault::Fault;

/// A point in the order of all that happened.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Stamp {
    pub(crate) order: usize,
    /// Since the beginning.
    pub(crate) at: Duration,
}

/// A connection that was asked for.
#[derive(Debug)]
pub(crate) struct Dial {
    /// `None`: it was asked for outside of any call's own future.
    pub(crate) call: Option<usize>,
    pub(crate) target: usize,
    pub(crate) begun: Stamp,
    pub(crate) end: Option<(Stamp, Dialled)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dialled {
    Refused,
    /// Whoever asked left before it was open.
    Dropped,
    /// The connection of this number.
    Opened(usize),
}

#[derive(Debug)]
pub(crate) struct Conn {
    /// When the client dropped its end.
    pub(crate) closed: Option<Stamp>,
    pub(crate) requests: usize,
    /// The far end has reset it; `true`: and what was on the way is lost.
    pub(crate) reset: Option<bool>,
    /// The client has read a byte since the last request.
    pub(crate) heard: bool,
}

/// A request that arrived.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) call: usize,
    pub(crate) target: usize,
    pub(crate) conn: usize,
    pub(crate) stream: bool,
    pub(crate) seen: Stamp,
    pub(crate) fault: Fault,
    pub(crate) text: String,
    /// Bytes that have been sent, and from how many on the answer may count as complete.
    pub(crate) sent: usize,
    pub(crate) complete: usize,
    /// When that was so.
    pub(crate) whole: Option<Stamp>,
    /// When everything was sent, or the connection was ended.
    pub(crate) over: Option<Stamp>,
    /// It was not the first of its connection, which ended before the client could read a byte.
    pub(crate) stale: bool,
}

/// The log of a run.
pub(crate) struct World {
    begun: Instant,
    log: Mutex<Log>,
}

#[derive(Default)]
pub(crate) struct Log {
    order: usize,
    pub(crate) dials: Vec<Dial>,
    pub(crate) conns: Vec<Conn>,
    pub(crate) exchanges: Vec<Exchange>,
    /// What is wrong whatever else happens, said where it is seen.
    pub(crate) wrong: Vec<String>,
    pub(crate) trace: String,
}

impl World {
    /// Begins now.
    pub(crate) fn new() -> World {
        World { begun: Instant::now(), log: Mutex::default() }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The moment `after` the beginning.
    pub(crate) fn at(&self, after: Duration) -> Instant {
        self.begun + after
    }

    /// Writes a line into the trace.
    pub(crate) fn note(&self, what: std::fmt::Arguments<'_>) -> Stamp {
        let at = self.begun.elapsed();
        let mut log = self.log();
        log.order += 1;
        let order = log.order;
        // Writing into a String cannot fail.
        let _ = writeln!(log.trace, "{:>10.3} s  {what}", at.as_secs_f64());
        Stamp { order, at }
    }
}

impl Log {
    /// When the attempt of a request began: where it opened a connection, there.
    pub(crate) fn begun(&self, exchange: &Exchange) -> Stamp {
        let opened = |dial: &&Dial| matches!(dial.end, Some((_, Dialled::Opened(conn))) if conn == exchange.conn);
        let first = self.exchanges.iter().find(|other| other.conn == exchange.conn);
        let is_first = first.is_some_and(|first| first.seen == exchange.seen);
        let Some(dial) = self.dials.iter().find(opened).filter(|_| is_first) else {
            return exchange.seen;
        };
        let lost = self.exchanges.iter().find(|lost| self.is_for(dial, lost));
        lost.map_or(dial.begun, |lost| self.begun(lost))
    }

    /// Whether a dial is for a request that a reused connection took with it: there is no moment in
    /// between.
    fn is_for(&self, dial: &Dial, lost: &Exchange) -> bool {
        lost.stale
            && (dial.call, dial.target) == (Some(lost.call), lost.target)
            && lost
                .over
                .is_some_and(|over| over.at == dial.begun.at && over.order < dial.begun.order)
    }

    /// Whether a request went once more, as a part of the same attempt.
    pub(crate) fn was_resent(&self, lost: &Exchange) -> bool {
        self.dials.iter().any(|dial| self.is_for(dial, lost))
    }

    /// The requests that are the last of their attempts.
    pub(crate) fn attempts(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| !self.was_resent(exchange))
    }

    /// The dials that led to no request: each is an attempt that came to nothing.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &Dial> {
        self.dials.iter().filter(|dial| match dial.end {
            Some((_, Dialled::Opened(conn))) => self.conns[conn].requests == 0,
            _ => true,
        })
    }
}
