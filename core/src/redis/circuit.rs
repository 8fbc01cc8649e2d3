//! A circuit says whether Redis is asked at all, so that nobody waits for a server that is away.
//!
//! Three late answers in a row open it, and one refusal does. It is open for a second, and twice as
//! long after each failure, up to 30 s. Then one attempt is made beside the calls, and its outcome
//! closes or opens it. It knows no clock: each event has its time.

use std::time::Duration;

use tokio::time::Instant;

/// The number of late answers in a row that open it.
const MOST_LATE: u32 = 3;

/// How long it is open at first, and at most.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Whether Redis may be asked.
#[derive(Debug)]
pub(super) struct Circuit {
    state: State,
    /// Late answers since the last one in time.
    late: u32,
    /// Openings since the last answer to a question.
    openings: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open(Instant),
    /// An attempt is under way.
    Trying,
}

/// What a question may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Ask,
    /// It does not ask. It starts the one attempt, and does not wait for that.
    Try,
    No,
}

impl Circuit {
    pub(super) fn new() -> Self {
        Circuit { state: State::Closed, late: 0, openings: 0 }
    }

    pub(super) fn pass(&mut self, now: Instant) -> Pass {
        match self.state {
            State::Closed => Pass::Ask,
            State::Open(until) if until <= now => {
                self.state = State::Trying;
                Pass::Try
            }
            State::Open(_) | State::Trying => Pass::No,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// A question was answered in time.
    pub(super) fn answered(&mut self) {
        self.late = 0;
        if self.is_closed() {
            self.openings = 0;
        }
    }

    /// An answer did not come in time. Returns whether that opens the circuit. `jitter` is a random
    /// number between 0 and 1.
    pub(super) fn late(&mut self, now: Instant, jitter: f64) -> bool {
        self.late += 1;
        let opens = self.is_closed() && self.late >= MOST_LATE;
        if opens {
            self.open(now, jitter);
        }
        opens
    }

    /// Redis refused, or was not there.
    pub(super) fn refused(&mut self, now: Instant, jitter: f64) {
        if self.is_closed() {
            self.open(now, jitter);
        }
    }

    /// The one attempt is over.
    pub(super) fn tried(&mut self, well: bool, now: Instant, jitter: f64) {
        if well {
            (self.state, self.late) = (State::Closed, 0);
        } else {
            self.open(now, jitter);
        }
    }

    /// Up to a fifth of the time is taken off, so that processes do not come back all at once.
    fn open(&mut self, now: Instant, jitter: f64) {
        let time = FIRST.saturating_mul(1 << self.openings.min(5)).min(LONGEST);
        self.openings = self.openings.saturating_add(1);
        self.state = State::Open(now + time.mul_f64(1.0 - jitter / 5.0));
        self.late = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn three_late_answers_in_a_row_open_it() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        assert!(!circuit.late(now, 0.0) && !circuit.late(now, 0.0));
        circuit.answered();
        assert!(!circuit.late(now, 0.0) && !circuit.late(now, 0.0));
        assert_eq!(circuit.pass(now), Pass::Ask);
        assert!(circuit.late(now, 0.0));
        assert_eq!(circuit.pass(now), Pass::No);
        assert!(!circuit.late(now, 0.0), "what was still under way opens nothing again");
    }

    #[test]
    fn it_is_open_for_a_second_doubling_to_thirty() {
        let (mut circuit, mut now) = (Circuit::new(), Instant::now());
        circuit.refused(now, 0.0);
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(circuit.pass(now + SECOND * seconds - SECOND / 1000), Pass::No);
            now += SECOND * seconds;
            assert_eq!(circuit.pass(now), Pass::Try, "{seconds}");
            assert_eq!(circuit.pass(now), Pass::No, "one attempt at a time");
            circuit.tried(false, now, 0.0);
        }
        now += SECOND * 30;
        assert_eq!(circuit.pass(now), Pass::Try);
        circuit.tried(true, now, 0.0);
        assert_eq!(circuit.pass(now), Pass::Ask);
        // A server that answers pings and refuses questions is not asked more often for that.
        circuit.refused(now, 0.0);
        assert_eq!(circuit.pass(now + SECOND * 29), Pass::No);
        now += SECOND * 30;
        assert_eq!(circuit.pass(now), Pass::Try);
        circuit.tried(true, now, 0.0);
        circuit.answered();
        circuit.refused(now, 1.0);
        assert_eq!(circuit.pass(now + SECOND * 4 / 5), Pass::Try, "jitter takes a fifth off");
    }
}
