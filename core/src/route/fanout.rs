//! One request to several targets at once, the fastest answers wanted.
//!
//! Each target has a call of its own, with its retries; when enough are answered the others are
//! dropped, which closes their sockets.

use serde::Serialize;

use super::race::{Runs, first_of};
use crate::error::{Error, ErrorKind};
use crate::json::to_vec;
use crate::model::Response;
use crate::pipeline::{self, Call};
use crate::stream::Open;

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
pub(crate) async fn fastest(calls: Vec<Call>, first: usize) -> Result<Many, Error> {
    let mut runs: Runs<'_, (usize, Result<Box<Response>, Error>)> = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        runs.push(Box::pin(async move { (i, pipeline::whole(call).await) }));
    }
    let mut open: Vec<usize> = (0..calls.len()).collect();
    let mut many = Many { results: Vec::new(), failures: Vec::new() };
    while many.results.len() < first && !runs.is_empty() {
        let (i, outcome) = first_of(&mut runs).await;
        open.retain(|&other| other != i);
        match outcome {
            Ok(response) => many.results.push(*response),
            Err(error) => many.failures.push(error),
        }
    }
    drop(runs);
    if many.results.is_empty() {
        return Err(all_failed(many.failures));
    }
    many.failures.extend(open.into_iter().map(|i| lost(&calls[i])));
    Ok(many)
}

/// Opens the stream that shows its first content first.
pub(crate) async fn first_stream(calls: Vec<Call>, first: usize) -> Result<Open, Error> {
    if first != 1 {
        let message = "options.fanout.first: of streams only the fastest one can be had";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with(|e| e.param = Some("options.fanout.first".to_owned())));
    }
    let mut runs: Runs<'_, Result<Open, Error>> = Vec::new();
    for call in calls {
        runs.push(Box::pin(pipeline::open(Box::new(call))));
    }
    let mut failures = Vec::new();
    while !runs.is_empty() {
        match first_of(&mut runs).await {
            Ok(open) => return Ok(open),
            Err(error) => failures.push(error),
        }
    }
    Err(all_failed(failures))
}

/// The first failure, with the attempts of all.
fn all_failed(failures: Vec<Error>) -> Error {
    let mut failures = failures.into_iter();
    let Some(mut error) = failures.next() else {
        return Error::new(ErrorKind::Internal, "a fan-out without targets");
    };
    failures.for_each(|mut other| error.attempts.append(&mut other.attempts));
    error
}

fn lost(call: &Call) -> Error {
    let message = "cancelled: enough other targets had answered";
    call.failed(Error::new(ErrorKind::Cancelled, message))
}
