//! A second attempt beside a slow first one.
//!
//! Whoever has the first content wins; the other is dropped, which closes its socket. A hedge goes
//! to another target where there is one. With further targets, a first token that is late
//! (`timeouts.first_token_ms`) starts the next one in the same way, and does not end the first.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::attempt::{Failure, Mode, Served, attempt};
use crate::config::HedgeDelay;
use crate::error::Error;
use crate::pipeline::Call;
use crate::retry::{Failed, Next, decide};
use crate::route::pursue::pursue;

/// Several futures, of which the first to end is wanted.
pub(crate) type Runs<'a, T> = Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>;

/// When further attempts start, and how many.
struct Plan {
    delay: Duration,
    most: u32,
    /// A fallback in place of a timeout, not an extra call for speed.
    late: bool,
}

/// [`pursue`], with hedges where they are asked for.
pub(crate) async fn race(call: &Call) -> Result<Served, Error> {
    match plan(call) {
        None => pursue(call).await,
        // Boxed: every call would carry its future about.
        Some(plan) => Box::pin(run(call, plan)).await,
    }
}

fn plan(call: &Call) -> Option<Plan> {
    if let Some(hedge) = call.hedge.filter(|hedge| hedge.max > 0) {
        let first = &call.candidates[0].state;
        let delay = match hedge.after {
            HedgeDelay::Fixed(delay) => Some(delay),
            HedgeDelay::P95 => first.slow_after(call.request.stream),
        };
        if let Some(delay) = delay {
            return Some(Plan { delay, most: hedge.max, late: false });
        }
    }
    let others = u32::try_from(call.candidates.len() - 1).unwrap_or(u32::MAX);
    let delay = call.settings(0).timeouts.first_token.filter(|_| call.request.stream)?;
    (others > 0).then_some(Plan { delay, most: others, late: true })
}

async fn run(call: &Call, plan: Plan) -> Result<Served, Error> {
    let mut runs: Runs<'_, (bool, Result<Served, Error>)> =
        vec![Box::pin(async { (true, pursue(call).await) })];
    let mut left = plan.most;
    let mut kept = None;
    loop {
        let due = tokio::time::sleep(plan.delay);
        let ended = tokio::select! {
            biased;
            ended = first_of(&mut runs) => Some(ended),
            () = due, if left > 0 => None,
        };
        match ended {
            Some((_, Ok(served))) => return Ok(served),
            Some((own, Err(error))) => {
                // A hedge's error tells less than that of the attempt it was to help.
                if own || kept.is_none() {
                    kept = Some(error);
                }
                if own {
                    left = 0;
                }
                if runs.is_empty()
                    && let Some(error) = kept
                {
                    return Err(error);
                }
            }
            None => {
                // Where the budget has nothing left just now, it is not asked again: what comes in
                // saves more for one that has not waited yet.
                left -= 1;
                if let Some(target) = call.beside(plan.late)
                    && call.may_hedge(plan.late)
                {
                    runs.push(Box::pin(async move {
                        let mode = Mode { hedge: true, wait: false };
                        let outcome = attempt(call, target, mode).await;
                        (false, outcome.map_err(|failure| judged(call, target, failure)))
                    }));
                }
            }
        }
    }
}

/// A hedge's failure: what it says of its target holds for the whole call.
fn judged(call: &Call, target: usize, failure: Failure) -> Error {
    let failed = Failed { error: &failure.error, attempt: 1, committed: false };
    let next = decide(&call.retry, &failed, call.remaining(), &mut call.rng());
    if failure.tried && !matches!(next, Next::Retry { .. }) {
        call.ledger.give_up(target);
    }
    failure.error
}

/// The first of these that ends, which is taken out.
pub(crate) async fn first_of<T>(runs: &mut Runs<'_, T>) -> T {
    poll_fn(|cx| {
        for i in 0..runs.len() {
            if let Poll::Ready(ended) = runs[i].as_mut().poll(cx) {
                drop(runs.swap_remove(i));
                return Poll::Ready(ended);
            }
        }
        Poll::Pending
    })
    .await
}
