//! A fan-out sends one request to several targets at once and takes the fastest answers.
//!
//! Each target has a call of its own, with retries. When enough calls are answered, the others are
//! dropped, which closes their sockets.

use std::sync::Arc;

use super::hedge::hedged;
use super::race::{Runs, first_of};
use super::served::Served;
use super::{Call, trace};
use crate::error::{Attempt, Error, ErrorKind};
use crate::services::Services;

/// The result of a fan-out.
pub(crate) struct Fastest<T> {
    /// The fastest answers in order of arrival, each with the index of its call.
    pub(crate) answers: Vec<(usize, T)>,
    /// The errors of the targets that failed, and of those cancelled because enough others had
    /// answered.
    pub(crate) failures: Vec<Error>,
}

/// Waits for the fastest answers. `run` runs one of the calls.
pub(crate) async fn fastest<'a, T, F>(
    calls: &'a [Call],
    first: usize,
    run: impl Fn(&'a Call) -> F,
) -> Result<Fastest<T>, Error>
where
    T: Send + 'a,
    F: Future<Output = Result<T, Error>> + Send + 'a,
{
    let mut runs: Runs<'_, (usize, Result<T, Error>)> = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        let run = run(call);
        runs.push(Box::pin(async move {
            in_turn(i).await;
            (i, run.await)
        }));
    }
    let mut open: Vec<usize> = (0..calls.len()).collect();
    let (mut answers, mut failures) = (Vec::new(), Vec::new());
    while answers.len() < first && !runs.is_empty() {
        let (i, outcome) = first_of(&mut runs).await;
        open.retain(|&other| other != i);
        match outcome {
            Ok(answer) => answers.push((i, answer)),
            Err(error) => failures.push((i, error)),
        }
    }
    drop(runs);
    if answers.is_empty() {
        return Err(all_failed(calls, failures));
    }
    let mut failures: Vec<Error> = failures.into_iter().map(|(_, error)| error).collect();
    failures.extend(open.into_iter().map(|i| lost(&calls[i])));
    Ok(Fastest { answers, failures })
}

/// Lets the targets start one after the other. Each encodes its own body, and other calls go on
/// between two of them.
async fn in_turn(place: usize) {
    for _ in 0..place {
        tokio::task::yield_now().await;
    }
}

/// Waits for the stream that shows its first content first. Returns it with the index of its call.
pub(crate) async fn first_stream(
    services: &Services,
    calls: &[Call],
    first: usize,
) -> Result<(usize, Served), Error> {
    if first != 1 {
        let message = "options.fanout.first: of streams only the fastest one can be had";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with(|e| e.param = Some("options.fanout.first".to_owned())));
    }
    let run = |call| async move {
        hedged(services, call).await.map_err(|error| Call::failed(call, error))
    };
    let mut fastest = fastest(calls, 1, run).await?;
    Ok(fastest.answers.swap_remove(0))
}

/// Returns the call that won. It carries the attempts of the others, so that the document can list
/// them.
pub(crate) fn winner(services: &Services, mut calls: Vec<Call>, winner: usize) -> Arc<Call> {
    let mut call = calls.remove(winner);
    call.others_times = trace::times(services, &calls);
    call.others = attempts(&calls);
    Arc::new(call)
}

/// An error of the fan-out as a whole.
pub(crate) fn failed(calls: &[Call], error: Error) -> Error {
    let Some(first) = calls.first() else { return error };
    first.failed(error).with(|e| e.attempts = attempts(calls))
}

/// The error of a fan-out, with the trace of all its calls if somebody asks.
pub(crate) fn traced(services: &Services, calls: &[Call], error: Error) -> Error {
    let Some(first) = calls.first() else { return error };
    first.traced(services, error).with(|e| {
        if let Some(trace) = &mut e.trace {
            trace.attempts = trace::times(services, calls);
        }
    })
}

/// The first target's error, with the attempts of all targets.
fn all_failed(calls: &[Call], failures: Vec<(usize, Error)>) -> Error {
    let first = failures.into_iter().min_by_key(|(i, _)| *i);
    let nobody = || (0, Error::new(ErrorKind::Internal, "a fan-out without targets"));
    let (_, error) = first.unwrap_or_else(nobody);
    error.with(|e| e.attempts = attempts(calls))
}

fn attempts(calls: &[Call]) -> Vec<Attempt> {
    calls.iter().flat_map(Call::attempts).collect()
}

fn lost(call: &Call) -> Error {
    let message = "cancelled: enough other targets had answered";
    call.failed(Error::new(ErrorKind::Cancelled, message))
}
