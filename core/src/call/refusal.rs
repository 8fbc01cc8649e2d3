//! A request that its provider refused for one parameter goes again without it, if the caller wants
//! that (`options.drop_refused`).
//!
//! It happens once for each target of a call, and later attempts at that target leave the parameter
//! out from the beginning. The repetition is an attempt of its own. It follows at once, and takes
//! nothing from the retry budget, because nothing is out of order at the provider.

use std::sync::{MutexGuard, PoisonError};

use super::Call;
use crate::error::Error;
use crate::operation::Operation;
use crate::provider::{Notes, refused};
use crate::retry::MIN_ATTEMPT;
use crate::services::Services;
use crate::target::ChosenTarget;
use crate::wire;

/// Whether an attempt that failed with `error` is to be repeated without one parameter.
pub(super) fn goes_again(services: &Services, call: &Call, index: usize, error: &Error) -> bool {
    let asked = call.options.drop_refused == Some(true);
    if !asked || call.remaining() < MIN_ATTEMPT {
        return false;
    }
    let chosen = &call.targets[index];
    let adapter = services.settings(chosen).row.adapter();
    let operation = asked_of(call, chosen);
    let operation = operation.as_ref().unwrap_or(&call.operation);
    let Ok(sent) = operation.encode(adapter, chosen.target(), &mut notes(call)) else {
        return false;
    };
    let Some(member) = refused::refused(error, &sent.body) else { return false };
    let mut known = known(call);
    match known.iter().find(|(target, _)| *target == index) {
        // A hedge was refused for the same meanwhile.
        Some((_, known)) => *known == member,
        None => {
            known.push((index, member));
            true
        }
    }
}

/// Takes out what this target has refused in this call.
pub(super) fn leave_out(call: &Call, index: usize, wire: &mut wire::Request, notes: &mut Notes) {
    if call.options.drop_refused != Some(true) {
        return;
    }
    let known = known(call);
    let Some((_, member)) = known.iter().find(|(target, _)| *target == index) else { return };
    if let Some(body) = refused::without(&wire.body, member) {
        wire.body = body;
        let who = &call.targets[index].target().provider;
        let message = format!("{who} refused {member}: the request went again without it");
        notes.warn("unsupported_parameter", member, message);
    }
}

/// The operation for a target with parameters of its own.
pub(super) fn asked_of(call: &Call, chosen: &ChosenTarget) -> Option<Operation> {
    chosen.parameters.as_ref().map(|own| call.operation.adapted(own))
}

/// Empty notes under the call's policies.
pub(super) fn notes(call: &Call) -> Notes {
    let notes = Notes::new(call.options.unsupported.unwrap_or_default());
    if call.options.adapt == Some(false) { notes.as_it_is() } else { notes }
}

fn known(call: &Call) -> MutexGuard<'_, Vec<(usize, String)>> {
    call.refused.lock().unwrap_or_else(PoisonError::into_inner)
}
