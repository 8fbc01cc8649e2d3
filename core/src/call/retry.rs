//! Tries a call's targets until one answers: retries at the same target, fallbacks to the next.
//!
//! `retry::decide` judges each failure. A healthy target that was not tried yet comes before a
//! retry at the target that failed. The call waits only if there is no other target. No attempt
//! starts that cannot end before the call's deadline. Every attempt after the first is paid for
//! from the retry budget.
//!
//! A call with one target only outlasts its outage: failures that cost nothing are tried on beyond
//! the usual number of attempts, as long as the call has [`Call::patience`]. Such a call waits for
//! the budget, and while the target's breaker is open it waits for its turn: one call a second asks
//! such a target again.

use std::time::Duration;

use tokio::time::Instant;

use super::attempt::{Mode, attempt};
use super::served::{Failure, Served};
use super::targets::{self, Turn};
use super::{Call, notices};
use crate::error::{Error, ErrorKind};
use crate::observe::Reason;
use crate::retry::{Failed, MIN_ATTEMPT, Next, decide, is_outage, outage_backoff};
use crate::services::Services;

/// Makes attempts until one is answered. The error is that of the target that was tried first. Its
/// `attempts` hold the outcomes of the others.
pub(super) async fn with_retries(services: &Services, call: &Call) -> Result<Served, Error> {
    let first = targets::preferred(services, call);
    // A call waits for a limit only if no other target may have room.
    let others = targets::pick(services, call, |i| i != first && !call.ledger.has_given_up(i));
    let wait = call.wait && others.is_none();
    let mode = Mode { hedge: false, wait };
    match attempt(services, call, first, mode).await {
        Ok(served) => Ok(served),
        // Nearly every call has ended here, so only the others allocate for what follows.
        Err(failure) => Box::pin(go_on(Tries::new(services, call, first), failure, wait)).await,
    }
}

/// Goes on after the first failure.
async fn go_on(
    mut tries: Tries<'_>,
    mut failure: Failure,
    mut wait: bool,
) -> Result<Served, Error> {
    loop {
        let (sent, reason) = (failure.tried, Reason::from(&failure.error));
        let to = match tries.next(failure, wait) {
            Some(to) => to,
            None => return Err(tries.error()),
        };
        let outage = tries.patience.is_some();
        if sent && !outage && !targets::may_try_again(tries.services, tries.call) {
            return Err(over_budget(tries.error()));
        }
        let paused = tries.paused_until(to);
        // A target without room is waited for where its limit is.
        if sent || to != tries.current {
            let wait = paused.map(|until| until.saturating_duration_since(tries.now));
            notices::goes_on(tries.services, tries.call, [tries.current, to], &reason, wait);
        }
        if let Some(then) = paused {
            tokio::time::sleep_until(then).await;
            if tries.call.ledger.has_given_up(to) {
                return Err(tries.error());
            }
        }
        if outage {
            tries.turn().await?;
        }
        tries.current = to;
        wait = tries.call.wait && tries.fresh().is_none();
        let mode = Mode { hedge: false, wait };
        match attempt(tries.services, tries.call, to, mode).await {
            Ok(served) => return Ok(served),
            Err(again) => failure = again,
        }
    }
}

/// The state of one target in this call.
#[derive(Clone, Default)]
struct Tried {
    attempts: u32,
    /// The target is not tried again in this call.
    given_up: bool,
    /// When its limit has room again. It has none now.
    full_until: Option<Instant>,
}

impl Tried {
    fn is_fresh(&self) -> bool {
        self.attempts == 0 && !self.given_up && self.full_until.is_none()
    }
}

/// The state of all targets in this call.
struct Tries<'a> {
    services: &'a Services,
    call: &'a Call,
    first: usize,
    /// The target of the last attempt.
    current: usize,
    tried: Vec<Tried>,
    first_error: Option<Error>,
    /// When the last failure was judged.
    now: Instant,
    /// The time left to outlast the outage of the call's only target, if the last failure was one.
    patience: Option<Duration>,
}

impl<'a> Tries<'a> {
    fn new(services: &'a Services, call: &'a Call, first: usize) -> Self {
        let new = |i| Tried { given_up: call.ledger.has_given_up(i), ..Tried::default() };
        let tried = (0..call.targets.len()).map(new).collect();
        let now = Instant::now();
        let (first_error, patience) = (None, None);
        Tries { services, call, first, current: first, tried, first_error, now, patience }
    }

    /// Judges a failure of the current target. Returns the target of the next attempt, if there is
    /// to be one.
    fn next(&mut self, failure: Failure, waited: bool) -> Option<usize> {
        self.now = Instant::now();
        let Failure { error, tried: sent, .. } = failure;
        self.patience = self.patience(&error, sent);
        let next = self.judge(&error, sent, waited);
        let after = self.pause_or_give_up(next, sent);
        // A wrong request is wrong at every target. A fallback's refusal does not end the call,
        // because the fallback alone may be unable to take it. A target that a stream has begun at
        // before did take it.
        let alone = self.current == self.first && !self.call.ledger.has_begun_beside(self.current);
        let stop = matches!(next, Next::Stop) && alone;
        if self.current == self.first || self.first_error.is_none() {
            self.first_error = Some(error);
        }
        // A hedge may have given up other targets.
        for (i, other) in self.tried.iter_mut().enumerate() {
            other.given_up |= self.call.ledger.has_given_up(i);
        }
        let to = self.fresh().or(after.map(|_| self.current)).or_else(|| self.least_bad());
        let most = self.call.retry.max_attempts as usize + self.tried.len() - 1;
        let more = self.patience.is_some() || self.call.ledger.len() < most;
        let room = more && self.call.remaining() >= MIN_ATTEMPT;
        to.filter(|_| !stop && room)
    }

    /// The time left to outlast an outage, if this failure is one and the call has no other target.
    fn patience(&self, error: &Error, sent: bool) -> Option<Duration> {
        let until = self.call.patience?;
        let left = until.checked_duration_since(self.now).filter(|left| *left >= MIN_ATTEMPT)?;
        (sent && is_outage(error)).then_some(left)
    }

    /// Waits until the call's only target, which is out of service, may be asked again. An error is
    /// the end of its patience.
    async fn turn(&mut self) -> Result<(), Error> {
        loop {
            let turn = targets::turn(self.services, self.call);
            let budget = match turn {
                Turn::Now => return Ok(()),
                Turn::Never => return Err(over_budget(self.error())),
                Turn::Later { budget } => budget,
            };
            let left = self.call.patience.map(|until| until - Instant::now());
            let attempt = self.tried[self.current].attempts;
            let bound = outage_backoff(&self.call.retry, attempt, left.unwrap_or_default());
            let Some(bound) = bound else {
                let error = self.error();
                return Err(if budget { over_budget(error) } else { error });
            };
            let wait = bound.mul_f64(targets::rng(self.services).f64());
            tokio::time::sleep(wait.max(MIN_ATTEMPT)).await;
        }
    }

    /// The decision that a failure means for its target.
    fn judge(&mut self, error: &Error, sent: bool, waited: bool) -> Next {
        let call = self.call;
        let own = &mut self.tried[self.current];
        own.full_until = None;
        if sent {
            own.attempts += 1;
            let failed = Failed { error, attempt: own.attempts, patience: self.patience };
            return decide(
                &call.retry,
                &failed,
                call.remaining(),
                &mut targets::rng(self.services),
            );
        }
        if error.kind() == ErrorKind::RateLimit && call.wait && !waited {
            let room = Duration::from_millis(error.retry_after_ms.unwrap_or(0));
            own.full_until = Some(self.now + room);
        }
        // It could not be asked: it has no room, cannot take a parameter, or has no key.
        Next::Elsewhere
    }

    /// How long the current target is paused before a retry. `None` means that it is given up, or
    /// full.
    fn pause_or_give_up(&mut self, next: Next, sent: bool) -> Option<Duration> {
        let (call, current) = (self.call, self.current);
        if let Next::Retry { after } = next {
            call.ledger.pause(current, self.now + after);
        }
        let given_up = call.ledger.has_given_up(current);
        let after = match next {
            Next::Retry { after }
                if (self.patience.is_some() || !targets::is_open(self.services, call, current))
                    && !given_up =>
            {
                Some(after)
            }
            _ => None,
        };
        let own = &mut self.tried[current];
        own.given_up = after.is_none() && own.full_until.is_none();
        if own.given_up && sent {
            call.ledger.give_up(current);
        }
        after
    }

    /// A healthy target that was not tried yet.
    fn fresh(&self) -> Option<usize> {
        let fresh = |i: usize| {
            i != self.current && self.tried[i].is_fresh() && self.paused_until(i).is_none()
        };
        targets::pick(self.services, self.call, |i| {
            fresh(i) && targets::is_well(self.services, self.call, i)
        })
    }

    /// The target that has room first, or may be asked again first. Among targets that are passed
    /// over it is the least bad one.
    fn least_bad(&self) -> Option<usize> {
        (0..self.tried.len()).filter(|&i| !self.tried[i].given_up).min_by_key(|&i| {
            let then = self.tried[i].full_until.max(self.paused_until(i));
            (targets::unwell_until(self.services, self.call, i), then)
        })
    }

    /// Until when a target is paused, as of the last failure.
    fn paused_until(&self, target: usize) -> Option<Instant> {
        self.call.ledger.paused_until(target, self.now)
    }

    /// The error of the call so far.
    fn error(&mut self) -> Error {
        let nothing_tried = || Error::new(ErrorKind::Internal, "no target was tried");
        self.first_error.take().unwrap_or_else(nothing_tried)
    }
}

/// Adds to a failure why it was not retried.
fn over_budget(error: Error) -> Error {
    let message = format!(
        "{} (not tried again: too many calls fail at once, see retry_budget)",
        error.message
    );
    error.with(|e| e.message = message)
}
