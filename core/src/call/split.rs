//! A request with more inputs than one request to its provider may have goes out in parts.
//!
//! Each part is a call of its own, with attempts, retries and limits. Their answers are joined in
//! the order of the inputs. All parts are answered by one target: where several are possible, the
//! first part finds the one that answers, and the others go there. The vectors of two models have
//! nothing in common.
//!
//! The parts belong to the call of the whole, so that what was tried and done is known however the
//! call ends.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::time::Instant;

use super::hedge::hedged;
use super::place::{of_whole, says_a_place};
use super::race::{Runs, first_of};
use super::respond::respond;
use super::{Call, Part};
use crate::error::{Error, ErrorKind};
use crate::observe::millis;
use crate::operation::{Answer, Operation};
use crate::services::Services;

/// The most parts that are asked at once.
const AT_ONCE: usize = 8;

/// The parts of a call's request, or none if it goes out in one piece.
pub(crate) fn parts(services: &Services, call: &Call) -> Option<Vec<(Range<usize>, Operation)>> {
    call.operation.parts(call.targets.iter().map(|chosen| {
        let (settings, target) = (services.settings(chosen), chosen.target());
        (settings.row.adapter(), target, settings.max_inputs(&target.model))
    }))
}

/// Asks about each part, and joins the answers.
pub(crate) async fn answered(
    services: &Services,
    call: &Call,
    parts: Vec<(Range<usize>, Operation)>,
) -> Result<Answer, Error> {
    let targets = able(services, call).map_err(|error| call.failed(error))?;
    let mut parts = parts.into_iter().enumerate();
    let mut only = None;
    if targets.len() > 1
        && let Some((i, (range, operation))) = parts.next()
    {
        let first = call.part(i, Some(range), operation, &targets);
        match one(services, &first).await {
            Ok(target) => only = Some(targets[target]),
            Err(error) => return Err(failed(call, &first, error)),
        }
    }
    let targets = only.map_or(targets, |only| vec![only]);
    let rest: Vec<_> = parts
        .map(|(i, (range, operation))| call.part(i, Some(range), operation, &targets))
        .collect();
    let asked = ask(services, call, &rest).await;
    // The call has them alone, so that their answers can be taken.
    drop(rest);
    match asked {
        Ok(()) => join(services, call),
        Err((part, error)) => Err(failed(call, &part, error)),
    }
}

/// The targets that can embed every input. The error is that of the first one if none can: nothing
/// is sent, and so nothing is paid for, if a later part could not be.
fn able(services: &Services, call: &Call) -> Result<Vec<usize>, Error> {
    let (mut able, mut refused) = (Vec::new(), None);
    for (i, chosen) in call.targets.iter().enumerate() {
        let adapter = services.settings(chosen).row.adapter();
        match call.operation.check(adapter, chosen.target()) {
            Ok(()) => able.push(i),
            Err(error) if refused.is_none() => refused = Some(call.place(error, i)),
            Err(_) => {}
        }
    }
    match refused {
        Some(error) if able.is_empty() => Err(error),
        _ => Ok(able),
    }
}

/// Asks about these parts, some at once. The first failure ends the others, and comes with its part.
async fn ask(
    services: &Services,
    call: &Call,
    parts: &[Arc<Part>],
) -> Result<(), (Arc<Part>, Error)> {
    // A caller that does not wait for limits is not to meet its own.
    let at_once = if call.wait { AT_ONCE } else { 1 };
    let mut waiting = parts.iter();
    let mut runs: Runs<'_, (&Arc<Part>, Result<usize, Error>)> = Vec::new();
    loop {
        while runs.len() < at_once
            && let Some(part) = waiting.next()
        {
            runs.push(Box::pin(async move { (part, one(services, part).await) }));
        }
        if runs.is_empty() {
            return Ok(());
        }
        if let (part, Err(error)) = first_of(&mut runs).await {
            return Err((Arc::clone(part), error));
        }
    }
}

/// Asks about a part. Returns the target that answered, by its place among those of the part.
async fn one(services: &Services, part: &Part) -> Result<usize, Error> {
    let served = hedged(services, &part.call).await?;
    let target = served.target;
    // A part is asked about once.
    let _ = part.answer.set(respond(services, &part.call, served));
    Ok(target)
}

fn join(services: &Services, call: &Call) -> Result<Answer, Error> {
    let trace = call.trace(services, 0);
    let parts = std::mem::take(&mut *call.parts.lock().unwrap_or_else(PoisonError::into_inner));
    let attempts: Vec<_> = parts.iter().flat_map(|part| part.call.attempts()).collect();
    let mut ids = Vec::new();
    let mut answers = Vec::with_capacity(parts.len());
    // Their room is held until the answers are one.
    let mut calls = Vec::with_capacity(parts.len());
    for part in parts {
        let part =
            Arc::into_inner(part).and_then(|part| Some((part.call, part.answer.into_inner()?)));
        let Some((own, answer)) = part else {
            return Err(call.failed(Error::new(ErrorKind::Internal, "a part without an answer")));
        };
        ids.extend(answer.liter().provider_request_id.clone());
        answers.push(answer);
        calls.push(own);
    }
    let mut whole = Answer::joined(answers)
        .map_err(|error| call.failed(error).with(|e| e.attempts = attempts))?;
    let (warnings, liter) = whole.additions();
    warnings.splice(0..0, call.warnings.iter().cloned());
    liter.provider_request_id = (!ids.is_empty()).then(|| ids.join(", "));
    liter.timing.total_ms = millis(Instant::now().duration_since(call.facts().began));
    liter.trace = trace;
    Ok(whole)
}

/// The error of a part, with its inputs. A place that the provider names is one of the part, and
/// becomes one of the whole.
fn failed(call: &Call, part: &Part, error: Error) -> Error {
    let Range { start, end } = part.range.clone().unwrap_or_default();
    let said = error.status.is_some();
    let counts = if said && start > 0 && says_a_place(&error.message) {
        format!(" (the provider counts from input[{start}] on)")
    } else {
        String::new()
    };
    let message = format!("input[{start}] to input[{}]: {}{counts}", end - 1, error.message);
    call.failed(error).with(|e| {
        e.message = message;
        e.param = e.param.take().map(|param| if said { of_whole(&param, start) } else { param });
    })
}

impl Call {
    /// Makes a call about a part of this one's request, to some of its targets.
    pub(super) fn part(
        &self,
        i: usize,
        range: Option<Range<usize>>,
        operation: Operation,
        targets: &[usize],
    ) -> Arc<Part> {
        let call = Call {
            operation: Arc::new(operation),
            options: Arc::clone(&self.options),
            targets: targets.iter().map(|target| self.targets[*target].clone()).collect(),
            retry: self.retry,
            hedge: self.hedge,
            wait: self.wait,
            ledger: self.ledger.beside(),
            others: Vec::new(),
            others_times: Vec::new(),
            trace_headers: self.trace_headers.clone(),
            deadline: self.deadline,
            patience: self.patience,
            warnings: Vec::new(),
            routed: self.routed.clone(),
            idempotency: Default::default(),
            refused: Default::default(),
            served: OnceLock::new(),
            held: OnceLock::new(),
            parts: Mutex::default(),
        };
        if let Some(own) = &self.options.idempotency_key {
            // With the same key a server would take the parts for one request.
            let _ = call.idempotency.set(format!("{own}-{i}"));
        }
        let part = Arc::new(Part { range, call, answer: OnceLock::new() });
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&part));
        part
    }
}
