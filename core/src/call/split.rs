//! A request with more inputs than one request to its provider may have goes out in parts.
//!
//! Each part is a call of its own, with attempts, retries and limits. Their answers are joined in the
//! order of the inputs. All parts are answered by one target: where several are possible, the first
//! part finds the one that answers, and the others go there. The vectors of two models have nothing
//! in common.

use std::ops::Range;
use std::sync::Arc;

use tokio::time::Instant;

use super::Call;
use super::hedge::hedged;
use super::race::{Runs, first_of};
use super::respond::respond;
use crate::error::{Done, Error, Partial};
use crate::observe::millis;
use crate::operation::{Answer, Operation};
use crate::services::Services;

/// The most parts that are asked at once.
const AT_ONCE: usize = 8;

/// A part of a request: the range of its inputs, and its call.
struct Part {
    range: Range<usize>,
    call: Call,
    answer: Option<Answer>,
}

/// The answer to a part, with the target that gave it.
type Outcome = Result<(usize, Answer), Error>;

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
    let mut parts = parts.into_iter().enumerate();
    let mut all = Vec::with_capacity(parts.len());
    let mut only = (call.targets.len() == 1).then_some(0);
    if only.is_none()
        && let Some((i, (range, operation))) = parts.next()
    {
        let own = call.part(i, operation, None);
        match one(services, &own).await {
            Ok((target, answer)) => {
                only = Some(target);
                all.push(Part { range, call: own, answer: Some(answer) });
            }
            Err(error) => {
                return Err(failed(call, &[Part { range, call: own, answer: None }], 0, error));
            }
        }
    }
    all.extend(parts.map(|(i, (range, operation))| Part {
        range,
        call: call.part(i, operation, only),
        answer: None,
    }));
    match ask(services, call, &mut all).await {
        Ok(()) => join(call, all),
        Err((i, error)) => Err(failed(call, &all, i, error)),
    }
}

/// Asks about the parts that have no answer yet, some at once. The first failure ends the others, and
/// comes with the place of its part.
async fn ask(services: &Services, call: &Call, parts: &mut [Part]) -> Result<(), (usize, Error)> {
    // A caller that does not wait for limits is not to meet its own.
    let at_once = if call.wait { AT_ONCE } else { 1 };
    let (mut answers, mut failure) = (Vec::new(), None);
    {
        let mut waiting = parts.iter().enumerate().filter(|(_, part)| part.answer.is_none());
        let mut runs: Runs<'_, (usize, Outcome)> = Vec::new();
        while failure.is_none() {
            while runs.len() < at_once
                && let Some((i, part)) = waiting.next()
            {
                runs.push(Box::pin(async move { (i, one(services, &part.call).await) }));
            }
            if runs.is_empty() {
                break;
            }
            match first_of(&mut runs).await {
                (i, Ok((_, answer))) => answers.push((i, answer)),
                (i, Err(error)) => failure = Some((i, error)),
            }
        }
    }
    for (i, answer) in answers {
        parts[i].answer = Some(answer);
    }
    failure.map_or(Ok(()), Err)
}

/// Asks about a part.
async fn one(services: &Services, part: &Call) -> Outcome {
    let served = hedged(services, part).await?;
    Ok((served.target, respond(services, part, served)))
}

fn join(call: &Call, parts: Vec<Part>) -> Result<Answer, Error> {
    let mut ids = Vec::new();
    let mut answers = Vec::with_capacity(parts.len());
    let attempts: Vec<_> = parts.iter().flat_map(|part| part.call.attempts()).collect();
    for part in parts {
        let Some(answer) = part.answer else { continue };
        ids.extend(answer.liter().provider_request_id.clone());
        answers.push(answer);
    }
    let mut whole = Answer::joined(answers)
        .map_err(|error| call.failed(error).with(|e| e.attempts = attempts))?;
    let (warnings, liter) = whole.additions();
    warnings.splice(0..0, call.warnings.iter().cloned());
    liter.provider_request_id = (!ids.is_empty()).then(|| ids.join(", "));
    liter.timing.total_ms = millis(Instant::now().duration_since(call.facts().began));
    Ok(whole)
}

/// The error of a part, with its inputs, the parts that were answered, and the attempts of all.
fn failed(call: &Call, parts: &[Part], i: usize, error: Error) -> Error {
    let Range { start, end } = parts[i].range.clone();
    let done = parts.iter().filter(|part| part.answer.is_some());
    let inputs = done.map(|part| Done { from: part.range.start, to: part.range.end }).collect();
    let attempts = parts.iter().flat_map(|part| part.call.attempts()).collect();
    let message = format!("input[{start}] to input[{}]: {}", end - 1, error.message);
    call.failed(error).with(|e| {
        e.message = message;
        e.partial = Some(Partial { inputs, ..Partial::default() });
        e.attempts = attempts;
    })
}

impl Call {
    /// A call about a part of this one's request, to one of its targets or to all of them.
    fn part(&self, i: usize, operation: Operation, only: Option<usize>) -> Call {
        let targets = match only {
            Some(target) => vec![self.targets[target].clone()],
            None => self.targets.clone(),
        };
        let call = Call {
            operation: Arc::new(operation),
            options: Arc::clone(&self.options),
            targets,
            retry: self.retry,
            hedge: self.hedge,
            wait: self.wait,
            ledger: self.ledger.beside(),
            others: Vec::new(),
            deadline: self.deadline,
            patience: self.patience,
            warnings: Vec::new(),
            idempotency: Default::default(),
            refused: Default::default(),
        };
        if let Some(own) = &self.options.idempotency_key {
            // With the same key a server would take the parts for one request.
            let _ = call.idempotency.set(format!("{own}-{i}"));
        }
        call
    }
}
