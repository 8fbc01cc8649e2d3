//! `op: "budget"`: what was spent of a budget. No provider hears of it.

use std::sync::Arc;

use super::clock::now;
use crate::admission::Admission;
use crate::codec::did_you_mean;
use crate::error::{Error, ErrorKind};
use crate::limit::budget::{Account, Rule};
use crate::model::{BudgetAsk, BudgetState, Usd};
use crate::observe::{CallFacts, CallOutcome};
use crate::services::Services;

/// Reads a budget.
pub(crate) fn read(
    services: &Services,
    admission: &Admission,
    ask: BudgetAsk,
) -> Result<Box<BudgetState>, Error> {
    admission.began(&Arc::new(CallFacts::new(services.process, "budget", None, false)));
    let rules = services.budgets.as_ref().map_or(&[][..], |budgets| budgets.rules());
    let found = rules.iter().position(|rule| *rule.name == *ask.name);
    let (Some(found), Some(budgets)) = (found, &services.budgets) else {
        return Err(admission.failed(unknown(&ask.name, rules)));
    };
    let (rule, account) = (&rules[found], budgets.account(found, &ask.value, now()));
    let Account { spent, held, span } = account;
    admission.ended(&[CallOutcome::default()]);
    let used = spent.saturating_add(held);
    Ok(Box::new(BudgetState {
        object: "budget",
        name: ask.name,
        value: ask.value,
        limit_usd: Usd::of_nano(rule.limit),
        spent_usd: Usd::of_nano(spent),
        held_usd: Usd::of_nano(held),
        left_usd: Usd::of_nano(rule.limit.saturating_sub(used)),
        since: span.start / 1_000,
        until: span.end.map(|end| end / 1_000),
    }))
}

fn unknown(name: &str, rules: &[Rule]) -> Error {
    let near = did_you_mean(name, rules.iter().map(|rule| &*rule.name)).unwrap_or_default();
    let message = format!("no budget of the configuration has this name{near}");
    Error::new(ErrorKind::NotFound, message).with(|e| e.param = Some("name".to_owned()))
}
