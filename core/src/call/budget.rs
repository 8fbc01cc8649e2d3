//! The budgets of an attempt: what it may cost is reserved before it is sent.
//!
//! It is looked whether there can be room before the attempt waits for a limit, and reserved after that
//! wait: money that waits would be money that others cannot use.

use std::sync::Arc;
use std::time::SystemTime;

use super::Call;
use super::clock::now;
use super::ledger::Ticket;
use super::reserved::{Quote, Reserved};
use crate::error::{Error, ErrorKind};
use crate::limit::budget::{Budgets, Enforce, Facts, Full, Rule};
use crate::model::{Size, Usd};
use crate::operation::Operation;
use crate::price::{Guess, Moment, Priced, likely, most, searches_by_itself};
use crate::provider::{Notes, asked_extra};
use crate::services::Services;
use crate::target::ChosenTarget;

/// A day in milliseconds: nobody waits longer for the end of a window.
const DAY: u64 = 86_400_000;

/// What an attempt asks of its budgets.
pub(super) struct Plan {
    quote: Quote,
    /// The most that the attempt can cost, in nano-dollars. Without strict budgets nobody asks.
    most: u64,
    /// What it is likely to cost.
    likely: u64,
}

/// Looks whether an attempt has room in its budgets. `body` is the number of bytes of its request.
/// None if it counts in no budget.
pub(super) fn plan(
    services: &Services,
    call: &Call,
    index: usize,
    operation: &Operation,
    body: usize,
) -> Result<Option<Box<Plan>>, Error> {
    let Some(budgets) = services.budgets.as_ref().filter(|_| operation.is_priced()) else {
        return Ok(None);
    };
    let (chosen, facts) = (&call.targets[index], facts(call, index));
    let mut concerned = budgets.rules().iter().filter(|rule| rule.concerns(&facts)).peekable();
    if concerned.peek().is_none() {
        return Ok(None);
    }
    let size = operation.size(body);
    let priced =
        chosen.state.price.asked(&services.settings(chosen).prices, &chosen.target().model);
    let mut strict = concerned.filter(|rule| rule.enforce == Enforce::Strict);
    let most = match strict.next() {
        Some(rule) => bound(operation, chosen, priced, &size, rule, call.has_refused(index))?,
        None => 0,
    };
    let quote = Quote {
        priced: priced.cloned(),
        guess: Guess {
            input: size.likely_input(),
            cached: 0,
            output: chosen.state.usual.answer(size.answer),
            searches: size.searches,
        },
        at: Moment::of(SystemTime::now()),
    };
    let likely = likely(quote.priced.as_ref(), &quote.guess, quote.at).map_or(0, Usd::nano);
    let plan = Plan { quote, most, likely };
    let room = budgets.check(&facts, |rule| plan.amount(rule), now());
    room.map_err(|full| refused(budgets, &full))?;
    // Boxed: without the box every call's future would have room for it.
    Ok(Some(Box::new(plan)))
}

/// Reserves what an attempt may cost. What it passes all the same goes to `notes`.
pub(super) fn reserve(
    services: &Services,
    call: &Call,
    index: usize,
    plan: Option<Box<Plan>>,
    notes: &mut Notes,
) -> Result<Option<Box<Reserved>>, Error> {
    let (Some(plan), Some(budgets)) = (plan, services.budgets.as_ref()) else { return Ok(None) };
    let facts = facts(call, index);
    let hold = budgets.reserve(&facts, |rule| plan.amount(rule), now());
    let hold = hold.map_err(|full| refused(budgets, &full))?;
    for rule in hold.over() {
        let name = &rule.name;
        let message = format!(
            "the budget {name} of {} USD is used up, and is soft",
            Usd::of_nano(rule.limit)
        );
        notes.warn("budget_exceeded", &format!("budgets.{name}"), message);
    }
    if plan.quote.priced.is_none() {
        let model = call.targets[index].name();
        let message = format!(
            "no price is known for {model}, so its budgets do not count it: give one under prices"
        );
        notes.warn("price_unknown", "model", message);
    }
    let came = Arc::default();
    Ok(Some(Box::new(Reserved { hold, again: None, quote: plan.quote, came })))
}

/// Reserves once more in strict budgets, for a request that goes out a second time because its
/// connection was lost.
pub(super) fn again(services: &Services, call: &Call, ticket: Ticket) -> Result<(), Error> {
    let Some(budgets) = services.budgets.as_ref() else { return Ok(()) };
    call.ledger.goes_again(ticket, now()).map_err(|full| refused(budgets, &full))
}

impl Plan {
    /// What is reserved in a budget.
    fn amount(&self, rule: &Rule) -> u64 {
        match rule.enforce {
            Enforce::Strict => self.most,
            Enforce::Hard | Enforce::Soft => self.likely,
        }
    }
}

fn facts(call: &Call, index: usize) -> Facts<'_> {
    let (target, options) = (call.targets[index].target(), &call.options);
    Facts {
        tenant: options.tenant.as_deref().unwrap_or_default(),
        key: options.key.as_deref().unwrap_or_default(),
        tags: options.tags.as_deref().unwrap_or_default(),
        provider: &target.provider,
        model: &target.model,
        route: call.facts().route.as_deref().unwrap_or_default(),
    }
}

/// The most that an attempt can cost, in nano-dollars. It is an error if there is no bound. `reduced`:
/// the target has refused a member, which is left out.
fn bound(
    operation: &Operation,
    chosen: &ChosenTarget,
    priced: Option<&Priced>,
    size: &Size,
    rule: &Rule,
    reduced: bool,
) -> Result<u64, Error> {
    let name = &rule.name;
    let unknown = |code: &str, param: &str, why: String| {
        let message = format!(
            "not sent: the budget {name} is strict, and nobody can say what this call costs at \
             most: {why}"
        );
        Error::invalid(param, message).with(|e| e.code = Some(code.to_owned()))
    };
    if matches!(priced, Some(Priced::Free)) {
        return Ok(0);
    }
    if let Some(boundless) = operation.boundless() {
        return Err(unknown("unbounded", boundless.param, boundless.what.to_owned()));
    }
    let extra = operation.extra().map(|asked| asked_extra(asked, chosen.target()));
    if extra.is_some_and(|extra| !extra.is_empty()) {
        let why = "members of extra may ask for more: leave them out".to_owned();
        return Err(unknown("unbounded", "extra", why));
    }
    if searches_by_itself(&chosen.target().model) {
        let why = format!("{} searches as often as it likes", chosen.name());
        return Err(unknown("unbounded", "model", why));
    }
    if reduced {
        let why = "the provider has refused a member that limits it: leave drop_refused out";
        return Err(unknown("unbounded", "options.drop_refused", why.to_owned()));
    }
    match most(priced, size) {
        Some(usd) => Ok(usd.nano()),
        None => {
            let why = format!("{} has no price: give one under prices", chosen.name());
            Err(unknown("price_unknown", "model", why))
        }
    }
}

/// The error of an attempt without room in a budget.
fn refused(budgets: &Budgets, full: &Full) -> Error {
    let rule = &budgets.rules()[full.rule];
    let name = &rule.name;
    let [left, needed, limit] = [full.left, full.needed, rule.limit].map(Usd::of_nano);
    let may = if rule.enforce == Enforce::Strict { "may cost" } else { "is likely to cost" };
    let wait = full.until.map(|until| until.saturating_sub(now())).filter(|wait| *wait <= DAY);
    let message = format!(
        "not sent: the budget {name} has {left} of {limit} USD left, and this call {may} {needed} USD"
    );
    Error::new(ErrorKind::Quota, message).with(|e| {
        e.code = Some("budget_exceeded".to_owned());
        e.param = Some(format!("budgets.{name}"));
        e.retry_after_ms = wait;
    })
}
