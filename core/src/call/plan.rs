//! A plan is made from the documents before the call waits for anything. It has a call with its
//! targets.

use std::sync::Arc;

use super::wanted::Wanted;
use super::{Call, content};
use crate::admission::Admission;
use crate::error::Error;
use crate::model::{BudgetAsk, CachePurge, HttpCall, Options};
use crate::operation::{self, Asked};
use crate::services::Services;

/// A request that knows its targets.
pub(crate) enum Plan {
    One(Arc<Call>),
    /// A fan-out: a call for each target, and the number of answers wanted.
    Many(Vec<Call>, usize),
    Http(Box<HttpCall>, Arc<Options>),
    /// What is kept for a tenant is forgotten.
    Purge(CachePurge),
    /// What was spent of a budget is read.
    Budget(Box<BudgetAsk>),
}

/// Reads a request document and finds its targets. `wanted` is what the caller can take.
pub(crate) fn plan(
    services: &Services,
    admission: &Admission,
    request: &[u8],
    options: Arc<Options>,
    wanted: Wanted,
) -> Result<Plan, Error> {
    let (asked, options) =
        operation::parse(request, options).map_err(|error| admission.failed(error))?;
    let operation = match asked {
        Asked::Operation(operation) => operation,
        Asked::Purge(purge) => return Ok(Plan::Purge(purge)),
        Asked::Budget(ask) => return Ok(Plan::Budget(ask)),
        Asked::Http(mut call) => {
            call.stream = wanted.stream.unwrap_or(call.stream);
            return Ok(Plan::Http(Box::new(call), options));
        }
    };
    let stream = wanted.stream.unwrap_or_else(|| operation.streams());
    let operation = Arc::new(operation.streamed(stream));
    wanted.check(operation.streams(), &options).map_err(|error| admission.failed(error))?;
    let plan = |to: Option<&str>| {
        let (operation, options) = (Arc::clone(&operation), Arc::clone(&options));
        let call = Call::new(services, operation, options, to, request.len());
        let call = call.map_err(|error| admission.failed(error))?;
        admission.began(call.facts());
        content::request(services, &call, request);
        Ok(call)
    };
    let Some(fanout) = &options.fanout else { return Ok(Plan::One(Arc::new(plan(None)?))) };
    let calls = fanout.targets.iter().map(|to| plan(Some(to))).collect::<Result<_, _>>()?;
    Ok(Plan::Many(calls, fanout.first))
}
