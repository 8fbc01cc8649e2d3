//! The choice of a call's next target.

use std::sync::MutexGuard;
use std::time::Duration;

use tokio::time::Instant;

use super::Call;
use crate::services::Services;

/// Picks the next of the `wanted` targets: the first healthy one. If none is healthy, it picks the
/// one that is healthy again soonest.
pub(super) fn pick(
    services: &Services,
    call: &Call,
    wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    if call.targets.len() == 1 {
        return wanted(0).then_some(0);
    }
    let now = Instant::now();
    let targets = call.targets.iter().enumerate().filter(|&(i, _)| wanted(i));
    targets.map(|(i, target)| (services.table.unwell_until(target, now), i)).min().map(|(_, i)| i)
}

/// The target at which further attempts begin: a healthy one that was not tried yet, otherwise one
/// without a wait.
pub(super) fn preferred(services: &Services, call: &Call) -> usize {
    if call.targets.len() == 1 {
        return 0;
    }
    let now = Instant::now();
    let open = |i| !call.ledger.has_given_up(i);
    let rested =
        |i| open(i) && call.ledger.paused_until(i, now).is_none() && is_well(services, call, i);
    untried(services, call)
        .or_else(|| pick(services, call, rested))
        .or_else(|| pick(services, call, open))
        .unwrap_or(0)
}

/// A healthy target that was not tried in this call.
pub(super) fn untried(services: &Services, call: &Call) -> Option<usize> {
    let now = Instant::now();
    pick(services, call, |i| {
        !call.ledger.has_tried(i)
            && !call.ledger.has_given_up(i)
            && call.ledger.paused_until(i, now).is_none()
            && is_well(services, call, i)
    })
}

/// Whether this target is passed over because its breaker is open.
pub(super) fn is_open(services: &Services, call: &Call, index: usize) -> bool {
    services.table.is_open(&call.targets[index], Instant::now())
}

/// Until when a target is passed over. `None` means that it is healthy.
pub(super) fn unwell_until(services: &Services, call: &Call, index: usize) -> Option<Instant> {
    services.table.unwell_until(&call.targets[index], Instant::now())
}

pub(super) fn is_well(services: &Services, call: &Call, index: usize) -> bool {
    unwell_until(services, call, index).is_none()
}

/// The target of an attempt beside those in progress. `other` allows only another target.
pub(super) fn beside(services: &Services, call: &Call, other: bool) -> Option<usize> {
    let now = Instant::now();
    let paused = |i| call.ledger.paused_until(i, now).is_some();
    let wanted = |i| !call.ledger.has_given_up(i) && !paused(i) && is_well(services, call, i);
    let again = !other && call.targets.len() == 1;
    pick(services, call, |i| wanted(i) && (again || !call.ledger.is_trying(i)))
}

/// Takes one retry from the budget of the call's provider.
pub(super) fn may_try_again(services: &Services, call: &Call) -> bool {
    services.table.may_try_again(call.targets[0].provider)
}

/// When a call asks its only target again, which is out of service.
pub(super) enum Turn {
    Now,
    /// It waits: for the retry budget, or because another call has just asked this target.
    Later {
        budget: bool,
    },
    /// The retry budget is empty for ever.
    Never,
}

/// Takes a turn at the call's only target, and a retry from the budget.
pub(super) fn turn(services: &Services, call: &Call) -> Turn {
    let table = &services.table;
    if !table.may_ask_open(&call.targets[0], Instant::now()) {
        return Turn::Later { budget: false };
    }
    match table.may_try_again(call.targets[0].provider) {
        true => Turn::Now,
        false if table.retries_refill(call.targets[0].provider) => Turn::Later { budget: true },
        false => Turn::Never,
    }
}

/// Takes one hedge from the budgets. `late` means a fallback that replaces a timeout.
pub(super) fn may_hedge(services: &Services, call: &Call, late: bool) -> bool {
    services.table.may_hedge(call.targets[0].provider, late)
}

/// After what time a target's first token is late, if that starts another attempt and ends none.
pub(super) fn first_token(services: &Services, call: &Call, index: usize) -> Option<Duration> {
    let first_token = services.settings(&call.targets[index]).http.timeouts.first_token;
    first_token.filter(|_| call.operation.streams() && call.targets.len() > 1)
}

pub(super) fn rng(services: &Services) -> MutexGuard<'_, fastrand::Rng> {
    services.table.rng()
}
