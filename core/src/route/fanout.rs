//! One request to several targets at once, the fastest answers wanted.
//!
//! Each target has a call of its own, with its retries; when enough are answered the others are
//! dropped, which closes their sockets.

use serde::Serialize;

use super::race::{Runs, first_of};
use crate::attempt::Served;
use crate::error::{Attempt, Error, ErrorKind};
use crate::json::to_vec;
use crate::model::Response;
use crate::pipeline::{self, Call};

/// What a fan-out brought.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Many {
    /// The fastest answers, in the order in which they came.
    pub results: Vec<Response>,
    /// The targets that failed, and those that were cancelled when enough had answered.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::model::schema::ErrorDocument>"))]
    pub failures: Vec<Error>,
}

impl Many {
    /// The document, compact.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_vec(self, 2_048 * (self.results.len() + self.failures.len()))
    }
}

/// Waits for the fastest answers.
pub(crate) async fn fastest(calls: &[Call], first: usize) -> Result<Many, Error> {
    let mut runs: Runs<'_, (usize, Result<Box<Response>, Error>)> = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        runs.push(Box::pin(async move { (i, pipeline::whole(call).await) }));
    }
    let mut open: Vec<usize> = (0..calls.len()).collect();
    let (mut results, mut failures) = (Vec::new(), Vec::new());
    while results.len() < first && !runs.is_empty() {
        let (i, outcome) = first_of(&mut runs).await;
        open.retain(|&other| other != i);
        match outcome {
            Ok(response) => results.push(*response),
            Err(error) => failures.push((i, error)),
        }
    }
    drop(runs);
    if results.is_empty() {
        return Err(all_failed(calls, failures));
    }
    let mut failures: Vec<Error> = failures.into_iter().map(|(_, error)| error).collect();
    failures.extend(open.into_iter().map(|i| lost(&calls[i])));
    Ok(Many { results, failures })
}

/// Waits for the stream that shows its first content first; which one that is comes with it.
pub(crate) async fn first_stream(calls: &[Call], first: usize) -> Result<(usize, Served), Error> {
    if first != 1 {
        let message = "options.fanout.first: of streams only the fastest one can be had";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with(|e| e.param = Some("options.fanout.first".to_owned())));
    }
    let mut runs: Runs<'_, (usize, Result<Served, Error>)> = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        runs.push(Box::pin(async move { (i, pipeline::first(call).await) }));
    }
    let mut failures = Vec::new();
    while !runs.is_empty() {
        match first_of(&mut runs).await {
            (i, Ok(served)) => return Ok((i, served)),
            (i, Err(error)) => failures.push((i, error)),
        }
    }
    Err(all_failed(calls, failures))
}

/// The call that goes on, and tells what became of the others.
pub(crate) fn winner(mut calls: Vec<Call>, winner: usize) -> Box<Call> {
    let mut call = Box::new(calls.remove(winner));
    call.others = attempts(&calls);
    call
}

/// An error of the fan-out as a whole.
pub(crate) fn failed(calls: &[Call], error: Error) -> Error {
    let Some(first) = calls.first() else { return error };
    first.failed(error).with(|e| e.attempts = attempts(calls))
}

/// The first target's failure, with the attempts of all.
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
