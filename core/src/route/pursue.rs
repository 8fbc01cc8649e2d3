//! Tries a call's targets until one answers: retries on the same target, fallbacks to the next.
//!
//! Each failure is judged by `retry::decide`. A healthy target that was not tried yet comes before a
//! second attempt at the one that failed; waiting is what is done when there is no other. Nothing is
//! started that cannot end before the call's deadline, and every attempt after the first is paid for
//! from the retry budget.

use std::time::Duration;

use tokio::time::Instant;

use crate::attempt::{Failure, Mode, Served, attempt};
use crate::error::{Error, ErrorKind};
use crate::pipeline::Call;
use crate::retry::{Failed, MIN_ATTEMPT, Next, decide};

/// What this call has done with one of its targets.
#[derive(Clone, Default)]
struct Tried {
    attempts: u32,
    /// Not to be tried again in this call.
    given_up: bool,
    /// Its limit leaves no room at once, but then.
    full_until: Option<Instant>,
}

impl Tried {
    fn is_fresh(&self) -> bool {
        self.attempts == 0 && !self.given_up && self.full_until.is_none()
    }
}

/// Tries until an attempt is answered. The error is that of the target that was tried first; what
/// became of the others is in its attempts.
pub(crate) async fn pursue(call: &Call) -> Result<Served, Error> {
    let first = call.preferred();
    let mut current = first;
    // A call waits for a limit where no other target may have room.
    let others = call.pick(|i| i != first && !call.ledger.has_given_up(i)).is_some();
    let mut wait = call.wait && !others;
    let mut outcome = attempt(call, first, Mode { hedge: false, wait }).await;
    // Nearly every call ends here: what follows is not made for it.
    let new = |i| Tried { given_up: call.ledger.has_given_up(i), ..Tried::default() };
    let mut tried = Vec::new();
    let most = call.retry.max_attempts as usize + call.candidates.len() - 1;
    let mut first_error = None;
    loop {
        let Failure { error, tried: sent } = match outcome {
            Ok(served) => return Ok(served),
            Err(failure) => failure,
        };
        if tried.is_empty() {
            tried = (0..call.candidates.len()).map(new).collect();
        }
        let now = Instant::now();
        let ready = |i| call.ledger.paused_until(i, now);
        let fresh = |tried: &[Tried], current| {
            let fresh = |i: usize| i != current && tried[i].is_fresh() && ready(i).is_none();
            call.pick(|i| fresh(i) && call.is_well(i))
        };
        let own = &mut tried[current];
        own.full_until = None;
        let next = if sent {
            own.attempts += 1;
            let failed = Failed { error: &error, attempt: own.attempts, committed: false };
            decide(&call.retry, &failed, call.remaining(), &mut call.rng())
        } else {
            if error.kind() == ErrorKind::RateLimit && call.wait && !wait {
                let room = Duration::from_millis(error.retry_after_ms.unwrap_or(0));
                own.full_until = Some(now + room);
            }
            // It could not be asked: no room, a parameter that it cannot take, a missing key.
            Next::Elsewhere { cool: None }
        };
        if let Next::Retry { after } = next {
            call.ledger.pause(current, now + after);
        }
        let given_up = call.ledger.has_given_up(current);
        let after = match next {
            Next::Retry { after } if !call.is_open(current) && !given_up => Some(after),
            _ => None,
        };
        own.given_up = after.is_none() && own.full_until.is_none();
        if own.given_up && sent {
            call.ledger.give_up(current);
        }
        // What is wrong with a request is wrong at every target; but a fallback may be the one that
        // cannot take it.
        let stop = matches!(next, Next::Stop) && current == first;
        if current == first || first_error.is_none() {
            first_error = Some(error);
        }
        // A hedge may have learned it of others.
        for (i, other) in tried.iter_mut().enumerate() {
            other.given_up |= call.ledger.has_given_up(i);
        }
        let to = match (fresh(&tried, current), after) {
            (Some(fresh), _) => Some(fresh),
            (None, Some(_)) => Some(current),
            // The one that has room first, or may be asked again; of those that are passed over the least
            // bad one.
            (None, None) => (0..tried.len())
                .filter(|&i| !tried[i].given_up)
                .min_by_key(|&i| (call.unwell_until(i), tried[i].full_until.max(ready(i)))),
        };
        let room = call.ledger.len() < most && call.remaining() >= MIN_ATTEMPT;
        let Some(to) = to.filter(|_| !stop && room) else {
            return Err(first_error.unwrap_or_else(nothing_tried));
        };
        if sent && !call.may_try_again() {
            return Err(over_budget(first_error.unwrap_or_else(nothing_tried)));
        }
        if let Some(then) = ready(to) {
            tokio::time::sleep_until(then).await;
            if call.ledger.has_given_up(to) {
                return Err(first_error.unwrap_or_else(nothing_tried));
            }
        }
        current = to;
        wait = call.wait && fresh(&tried, current).is_none();
        outcome = attempt(call, current, Mode { hedge: false, wait }).await;
    }
}

fn nothing_tried() -> Error {
    Error::new(ErrorKind::Internal, "no target was tried")
}

/// Says why a failure was not tried again that else would have been.
fn over_budget(error: Error) -> Error {
    let message = format!(
        "{} (not tried again: too many calls fail at once, see retry_budget)",
        error.message
    );
    error.with(|e| e.message = message)
}
