//! What an answer costs: a stage between the run and the response.

use std::time::SystemTime;

use tokio::time::Instant;

use super::Call;
use crate::model::{Billed, Cost, Warning};
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
    Some(Box::new(price::cost(priced.as_ref(), billed.as_ref(), began)))
}

fn inconsistent(provider: &str) -> Warning {
    let message = format!(
        "{provider} reports a part of its usage that is larger than the whole: the cost counts no \
         more than the whole"
    );
    Warning { code: "usage_inconsistent", message, param: None }
}
