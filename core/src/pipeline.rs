//! The stages of a call, in order. Read this first.
//!
//! ```text
//!        plan      cache          run                                   respond            observe
//! document ─ targets ─ look ─┬─ prepare ─ enter ─ exchange ─ settle ─┬─ answer | error ─ events
//!                            │              attempt                  │
//!                            └─ retry, fallback, hedge, fan-out ─────┘
//! ```
//!
//! `call::plan` finds the targets. `call::cached` looks for a stored answer, or a call to share.
//! `call::{hedge, retry}` make attempts until one is answered, `split` in parts, `pages` in pages.
//! A stage takes what it needs of [`Services`] and of the call. None sleeps past its one deadline.

use std::pin::pin;
use std::sync::Arc;

use crate::admission::{Admission, closed};
use crate::call::chat_stream::ChatStream;
use crate::call::fanout::{self, Fastest};
use crate::call::hedge::hedged;
use crate::call::outcome::{Outcome, Started};
use crate::call::pages::{self, Followed};
use crate::call::plan::Plan;
use crate::call::{Call, cached, passthrough, purge, shared, spending, split};
use crate::error::Error;
use crate::observe::CallOutcome;
use crate::operation::{Answer, Many};
use crate::services::Services;

/// Runs a plan: opens a stream if one is wanted, otherwise waits for the whole answer.
pub(crate) async fn run(
    services: &Arc<Services>,
    admission: Admission,
    planned: Plan,
) -> Result<Started, Error> {
    Ok(match planned {
        Plan::One(call) if call.operation.streams() => {
            Started::Stream(Box::new(stream(services, admission, call).await?))
        }
        Plan::Many(calls, first) if calls[0].operation.streams() => {
            Started::Stream(Box::new(fastest_stream(services, admission, calls, first).await?))
        }
        Plan::Http(call, options) if call.stream => {
            Started::Http(Box::new(passthrough::open(services, admission, *call, &options).await?))
        }
        planned => Started::Whole(answer(services, &admission, planned).await?),
    })
}

/// Runs a plan and waits for the whole answer.
pub(crate) async fn answer(
    services: &Arc<Services>,
    admission: &Admission,
    planned: Plan,
) -> Result<Outcome, Error> {
    Ok(match planned {
        Plan::One(call) => Outcome::Answer(whole(services, admission, &call).await?),
        Plan::Many(calls, first) => Outcome::Many(many(services, admission, &calls, first).await?),
        Plan::Http(call, options) => Outcome::Http(Box::new(
            passthrough::answer(services, admission, *call, &options).await?,
        )),
        Plan::Purge(purge) => Outcome::Purged(purge::purge(services, admission, purge).await?),
        Plan::Budget(ask) => Outcome::Budget(spending::read(services, admission, *ask)?),
    })
}

/// Runs one call and waits for its whole answer.
pub(crate) async fn whole(
    services: &Arc<Services>,
    admission: &Admission,
    call: &Arc<Call>,
) -> Result<Answer, Error> {
    let outcome = match cached::concerns(services, call) {
        // Boxed: without the box every call's future would have room for this one.
        true => admission.unless_closed(Box::pin(cached::whole(services, call, RUN))).await,
        false => admission.unless_closed(pin!(answered(services, call))).await,
    };
    let outcome = outcome.unwrap_or_else(|| Err(call.failed(closed())));
    let answer = outcome.map_err(|error| admission.failed(call.traced(services, error)))?;
    admission.ended(&[CallOutcome::from(&answer)]);
    Ok(answer)
}

const RUN: cached::Run = |services, call| Box::pin(answered(services, call));

async fn answered(services: &Services, call: &Call) -> Result<Answer, Error> {
    if let Some(parts) = split::parts(services, call) {
        // Boxed: without the box every call's future would have room for this one.
        return Box::pin(split::answered(services, call, parts)).await;
    }
    let served = hedged(services, call).await.map_err(|error| call.failed(error))?;
    match pages::answered(services, call, served) {
        Followed::Whole(answer) => Ok(answer),
        Followed::Pages(pages) => pages.await,
    }
}

/// Runs one call and returns its stream at the first content.
pub(crate) async fn stream(
    services: &Arc<Services>,
    admission: Admission,
    call: Arc<Call>,
) -> Result<ChatStream, Error> {
    if cached::concerns(services, &call)
        && let Some(shared) = Box::pin(shared::open(services, &admission, &call, RUN)).await?
    {
        return Ok(ChatStream::shared(admission, shared));
    }
    let served = admission.unless_closed(pin!(hedged(services, &call))).await;
    let served = served.unwrap_or_else(|| Err(closed())).map_err(|error| call.failed(error));
    let served = served.map_err(|error| admission.failed(call.traced(services, error)))?;
    Ok(ChatStream::new(services, admission, &call, served))
}

/// Runs a fan-out and returns its fastest whole answers.
pub(crate) async fn many(
    services: &Services,
    admission: &Admission,
    calls: &[Call],
    first: usize,
) -> Result<Many, Error> {
    let run = |call| answered(services, call);
    // Boxed: fan-outs are rare, and without the box every call's future would have room for theirs.
    let fastest = Box::pin(fanout::fastest(calls, first, run));
    let fastest = admission.unless_closed(fastest).await;
    let fastest = fastest.unwrap_or_else(|| Err(fanout::failed(calls, closed())));
    let failed = |error| admission.failed(fanout::traced(services, calls, error));
    let Fastest { answers, failures } = fastest.map_err(failed)?;
    let results: Vec<Answer> = answers.into_iter().map(|(_, answer)| answer).collect();
    let outcomes = results.iter().map(CallOutcome::from);
    let outcomes: Vec<_> = outcomes.chain(failures.iter().map(CallOutcome::from)).collect();
    admission.ended(&outcomes);
    Ok(Many { results, failures })
}

/// Runs a fan-out and returns the stream that shows its first content first.
pub(crate) async fn fastest_stream(
    services: &Arc<Services>,
    admission: Admission,
    calls: Vec<Call>,
    first: usize,
) -> Result<ChatStream, Error> {
    let fastest = Box::pin(fanout::first_stream(services, &calls, first));
    let fastest = admission.unless_closed(fastest).await;
    let fastest = fastest.unwrap_or_else(|| Err(fanout::failed(&calls, closed())));
    let failed = |error| admission.failed(fanout::traced(services, &calls, error));
    let (winner, served) = fastest.map_err(failed)?;
    let call = fanout::winner(services, calls, winner);
    Ok(ChatStream::new(services, admission, &call, served))
}
