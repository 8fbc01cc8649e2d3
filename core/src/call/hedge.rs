//! A hedge is a second attempt beside a slow first one.
//!
//! The attempt that has content first wins. The other is dropped, which closes its socket. A hedge
//! goes to another target if there is one. With several targets, a late first token
//! (`timeouts.first_token_ms`) also starts an attempt at the next target, and does not end the
//! first attempt.

use std::time::Duration;

use tokio::time::Instant;

use super::attempt::{Mode, attempt};
use super::race::{Runs, first_of};
use super::retry::with_retries;
use super::served::{Failure, Served};
use super::{Call, notices, targets};
use crate::error::{Error, ErrorKind};
use crate::http::Deadline;
use crate::model::HedgeDelay;
use crate::observe::Reason;
use crate::retry::{Failed, Next, decide};
use crate::services::Services;

/// The time until a fallback that found no budget or no target is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// When further attempts start, and how many.
struct Plan {
    /// The delay before a hedge. A hedge buys speed, so its budget allows it to few calls.
    hedge: Duration,
    hedges: u32,
    /// The number of fallbacks left. A fallback starts when a first token is late, instead of a
    /// timeout.
    fallbacks: u32,
    /// The earliest time of the next fallback.
    not_before: Instant,
}

/// Runs [`with_retries`], with hedges if the call asks for them.
pub(crate) async fn hedged(services: &Services, call: &Call) -> Result<Served, Error> {
    match plan(services, call) {
        None => with_retries(services, call).await,
        // Boxed: without the box every call's future would have room for this one.
        Some(plan) => Box::pin(run(services, call, plan)).await,
    }
}

fn plan(services: &Services, call: &Call) -> Option<Plan> {
    let hedge = call.hedge.filter(|hedge| hedge.max > 0).and_then(|hedge| {
        let delay = match hedge.after {
            HedgeDelay::Fixed(delay) => delay,
            HedgeDelay::P95 => call.targets[0].state.slow_after(call.operation.streams())?,
        };
        Some((delay, hedge.max))
    });
    let others = u32::try_from(call.targets.len() - 1).unwrap_or(u32::MAX);
    let may_be_late =
        (0..call.targets.len()).any(|i| targets::first_token(services, call, i).is_some());
    let fallbacks = if may_be_late { others } else { 0 };
    let (hedge, hedges) = hedge.unwrap_or_default();
    let plan = Plan { hedge, hedges, fallbacks, not_before: Instant::now() };
    (hedges > 0 || fallbacks > 0).then_some(plan)
}

impl Plan {
    /// When the next attempt starts beside those in progress, and whether it is a fallback. Returns
    /// `None` if no attempt is in progress, because a call in backoff was asked to wait.
    fn next(&self, services: &Services, call: &Call) -> Option<(Instant, bool)> {
        let [first, last] = call.ledger.under_way()?;
        let hedge = (self.hedges > 0).then(|| (Deadline::after(last.1, self.hedge), false));
        let late = || {
            let late = |target| targets::first_token(services, call, target);
            let time = late(last.0).or_else(|| late(first.0))?;
            Some((Deadline::after(last.1, time).max(self.not_before), true))
        };
        let late = if self.fallbacks > 0 { late() } else { None };
        [hedge, late].into_iter().flatten().min()
    }

    /// The target of the next attempt, if a target may be asked now.
    fn start(&mut self, services: &Services, call: &Call, late: bool) -> Option<usize> {
        let target = targets::beside(services, call, late)
            .filter(|_| targets::may_hedge(services, call, late));
        match (late, target) {
            (true, Some(_)) => self.fallbacks -= 1,
            // The call has no other hope, so it tries again later.
            (true, None) => self.not_before = Instant::now() + AGAIN,
            (false, Some(_)) => self.hedges -= 1,
            // A hedge without budget is not tried again. New budget helps more for a call that has
            // not waited yet.
            (false, None) => self.hedges = 0,
        }
        target
    }
}

async fn run(services: &Services, call: &Call, mut plan: Plan) -> Result<Served, Error> {
    let mut runs: Runs<'_, (bool, Result<Served, Error>)> =
        vec![Box::pin(async { (true, with_retries(services, call).await) })];
    let mut kept = None;
    loop {
        let next = plan.next(services, call);
        let due = next.map_or_else(Instant::now, |(due, _)| due);
        let ended = tokio::select! {
            biased;
            ended = first_of(&mut runs) => Some(ended),
            () = call.ledger.begun() => None,
            () = tokio::time::sleep_until(due), if next.is_some() => None,
        };
        match ended {
            Some((_, Ok(served))) => {
                drop(runs);
                call.ledger.won(served.under_way(), Instant::now());
                return Ok(served);
            }
            Some((own, Err(error))) => {
                // A hedge's error says less than the error of the attempt that it was to help.
                if own || kept.is_none() {
                    kept = Some(error);
                }
                if own {
                    (plan.hedges, plan.fallbacks) = (0, 0);
                }
                if runs.is_empty()
                    && let Some(error) = kept
                {
                    return Err(error);
                }
            }
            // The late attempt may have ended meanwhile, or another one may have begun, so the plan
            // is checked again.
            None => {
                if let Some((due, late)) = plan.next(services, call)
                    && due <= Instant::now()
                    && let Some(target) = plan.start(services, call, late)
                {
                    if late && let Some([first, _]) = call.ledger.under_way() {
                        let reason = Reason { kind: ErrorKind::Timeout, status: None, code: None };
                        notices::goes_on(services, call, [first.0, target], &reason, None);
                    }
                    runs.push(Box::pin(async move {
                        let mode = Mode { hedge: true, wait: false };
                        let outcome = attempt(services, call, target, mode).await;
                        (false, outcome.map_err(|failure| judged(services, call, target, failure)))
                    }));
                }
            }
        }
    }
}

/// Applies a hedge's failure to the whole call, because it says something about the target.
fn judged(services: &Services, call: &Call, target: usize, failure: Failure) -> Error {
    let failed = Failed { error: &failure.error, attempt: 1, patience: None };
    let next = decide(&call.retry, &failed, call.remaining(), &mut targets::rng(services));
    match next {
        Next::Retry { after } if failure.tried => {
            call.ledger.pause(target, Instant::now() + after);
        }
        _ if failure.tried => call.ledger.give_up(target),
        _ => {}
    }
    failure.error
}
