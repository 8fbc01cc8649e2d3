//! What an answer costs: a stage between the run and the response.

use std::time::SystemTime;

use tokio::time::Instant;

use super::Call;
use crate::model::{Billed, Cost, Usd, Warning};
use crate::operation::Decoded;
use crate::price::{self, Moment};
use crate::services::Services;

/// The cost of a target's answer. None for an operation that costs nothing. What is wrong with the
/// usage goes to `warnings`.
pub(super) fn cost(
    services: &Services,
    call: &Call,
    target: usize,
    decoded: &Decoded,
    warnings: &mut Vec<Warning>,
) -> Option<Box<Cost>> {
    let answered = decoded.priced()?;
    let chosen = &call.targets[target];
    let (settings, asked) = (services.settings(chosen), chosen.target());
    let priced = chosen.state.price.find(&settings.prices, &asked.model, answered.model);
    let billed = answered.reported().and_then(|said| settings.row.adapter().billed(&said, asked));
    let billed = billed.filter(|billed| answered.is_whole(&billed.counts));
    if billed.as_ref().is_some_and(|billed: &Billed<'_>| billed.inconsistent) {
        warnings.push(inconsistent(&asked.provider));
    }
    // The clock of the call knows no date.
    let began = || Moment::of(SystemTime::now() - (Instant::now() - call.facts().began));
    let maybe = maybe(services, call);
    let (maybe_usd, maybe_unbounded) = (maybe.flatten(), maybe == Some(None));
    Some(Box::new(Cost {
        maybe_usd,
        maybe_unbounded,
        ..price::cost(priced.as_ref(), billed.as_ref(), began)
    }))
}

/// What a target's answer costs, as far as its budgets are concerned. None if that is not known.
pub(super) fn usd(
    services: &Services,
    call: &Call,
    target: usize,
    decoded: &Decoded,
) -> Option<Usd> {
    cost(services, call, target, decoded, &mut Vec::new())?.usd
}

/// The most that the attempts can have cost that did not answer. None if none can have cost anything,
/// and `Some(None)` if there is no bound.
fn maybe(services: &Services, call: &Call) -> Option<Option<Usd>> {
    if call.others.iter().any(|attempt| attempt.may_be_billed) {
        // Another target of a fan-out: this call knows its attempts and not what was asked of it.
        return Some(None);
    }
    let targets = call.ledger.maybe_billed();
    if targets.is_empty() {
        return None;
    }
    let most = targets.into_iter().map(|target| {
        let chosen = &call.targets[target];
        let (prices, model) = (&services.settings(chosen).prices, &chosen.target().model);
        let asked = chosen.parameters.as_ref().map(|own| call.operation.adapted(own));
        let operation = asked.as_ref().unwrap_or(&*call.operation);
        price::most(prices.find(model, None).as_ref(), &operation.size(call.facts().request_bytes))
    });
    Some(most.reduce(|sum, one| sum?.plus(one?)).flatten())
}

fn inconsistent(provider: &str) -> Warning {
    let message = format!(
        "{provider} reports a part of its usage that is larger than the whole: the cost counts no \
         more than the whole"
    );
    Warning { code: "usage_inconsistent", message, param: None }
}
