//! Tells the observers what a call meets between its attempts: waits, fallbacks, breakers.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::Call;
use crate::limit::Limited;
use crate::observe::metrics::Waiting;
use crate::observe::{CallFacts, Met, Notice, Reason};
use crate::services::Services;
use crate::target::{Turned, Turns};

/// The call asks `to` next, after a failure at `from`, and waits this long.
pub(super) fn goes_on(
    services: &Services,
    call: &Call,
    [from, to]: [usize; 2],
    reason: &Reason,
    wait: Option<Duration>,
) {
    let other = call.targets[to].target();
    let met = if from == to { Met::Retry } else { Met::Fallback(other) };
    tell(services, call, from, met, Some(reason), wait);
}

/// The outcome of an attempt at a target has turned its breakers.
pub(super) fn turned(
    services: &Services,
    call: &Call,
    index: usize,
    turns: Turns,
    reason: Option<&Reason>,
) {
    for (turned, key) in turns.into_iter().zip([false, true]) {
        match turned {
            None => {}
            Some(Turned::Closed) => {
                tell(services, call, index, Met::BreakerClosed { key }, None, None);
            }
            Some(Turned::Opened(time)) => {
                tell(services, call, index, Met::BreakerOpened { key }, reason, Some(time));
            }
        }
    }
}

/// The call waits for room at a target, until the guard is dropped.
pub(super) fn waits(services: &Services, call: &Call, index: usize) -> Waiting {
    let chosen = &call.targets[index];
    let held = services.table.holds_back(chosen.provider, Some(&chosen.state));
    let (met, time) = limit(held);
    tell(services, call, index, met, None, time);
    services.metrics.waits()
}

/// A call without targets waits for room at a provider, until the guard is dropped.
pub(super) fn waits_for_provider(
    services: &Services,
    facts: &CallFacts,
    provider: usize,
) -> Waiting {
    let (met, how_long) = limit(services.table.holds_back(provider, None));
    let target = &services.config.providers[provider].target("");
    let notice = Notice { target, met, reason: None, how_long, tally: None };
    services.observers.iter().for_each(|observer| observer.noticed(facts, &notice));
    services.metrics.waits()
}

/// Waits for a place, and says so if there is none at once.
pub(super) async fn entered<T>(
    mut place: Pin<&mut impl Future<Output = T>>,
    waits: impl FnOnce() -> Waiting,
) -> T {
    let first = poll_fn(|context| Poll::Ready(place.as_mut().poll(context))).await;
    if let Poll::Ready(entered) = first {
        return entered;
    }
    let _waiting = waits();
    place.await
}

fn limit(held: Option<Limited>) -> (Met<'static>, Option<Duration>) {
    let what = held.map_or("another call's turn comes first", |held| held.what);
    (Met::Limit(what), held.and_then(|held| held.retry_after))
}

fn tell(
    services: &Services,
    call: &Call,
    index: usize,
    met: Met<'_>,
    reason: Option<&Reason>,
    how_long: Option<Duration>,
) {
    let state = &call.targets[index].state;
    let notice = Notice { target: &state.target, met, reason, how_long, tally: Some(&state.tally) };
    services.observers.iter().for_each(|observer| observer.noticed(call.facts(), &notice));
}
