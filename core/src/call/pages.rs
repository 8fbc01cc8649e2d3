//! A list that its provider gives in pages is asked for page by page, and answered as one.
//!
//! Each page is a call of its own, with attempts, retries and limits, to the target that gave the
//! first one: the name of a page means nothing to another. They have the deadline of the call.

use std::collections::HashSet;
use std::pin::Pin;

use tokio::time::Instant;

use super::Call;
use super::hedge::hedged;
use super::respond::respond;
use super::served::Served;
use crate::error::{Error, ErrorKind};
use crate::model::Warning;
use crate::observe::millis;
use crate::operation::Answer;
use crate::services::Services;

/// The most pages of a list, so that a server that always names another one has an end.
const MOST_PAGES: usize = 100;

/// The number of entries from which on no further page is asked for.
const MOST_ENTRIES: usize = 10_000;

/// The document of an attempt that was answered, or the wait for the pages behind it. Boxed: without
/// the box every call's future would have room for this one.
pub(crate) enum Followed<'a> {
    Whole(Answer),
    Pages(Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>>),
}

/// The document of an attempt that was answered. If that was a page, the others follow.
pub(crate) fn answered<'a>(services: &'a Services, call: &'a Call, served: Served) -> Followed<'a> {
    let (target, next) = (served.target, served.next_page());
    let first = respond(services, call, served);
    match next {
        None => Followed::Whole(first),
        Some(next) => Followed::Pages(Box::pin(followed(services, call, target, first, next))),
    }
}

/// Asks for the pages behind the first one, and adds them to it.
async fn followed(
    services: &Services,
    call: &Call,
    target: usize,
    mut list: Answer,
    first: String,
) -> Result<Answer, Error> {
    let (mut known, mut next) = (HashSet::new(), Some(first));
    let mut end = None;
    while let Some(name) = next.take() {
        if !known.insert(name.clone()) {
            end = Some("it names the same page twice".to_owned());
            break;
        }
        if known.len() == MOST_PAGES {
            end = Some(format!("more than {MOST_PAGES} pages are not asked for"));
            break;
        }
        let page = call.part(known.len(), None, call.operation.page(name), &[target]);
        let served = match hedged(services, &page.call).await {
            Ok(served) => served,
            // What the key may read is not lost for what it may not.
            Err(error) if error.kind() == ErrorKind::Permission => {
                end = Some(error.message.clone());
                break;
            }
            Err(error) => return Err(call.failed(error)),
        };
        next = served.next_page();
        let entries = list.add_page(respond(services, &page.call, served));
        if next.is_some() && entries >= MOST_ENTRIES {
            end = Some(format!("more than {MOST_ENTRIES} are not asked for"));
            break;
        }
    }
    let (attempts, trace) = (call.attempts(), call.trace(services, target));
    let (warnings, liter) = list.additions();
    if let Some(reason) = end {
        let provider = &call.targets[target].target().provider;
        let message = format!("{provider} has more models than are here: {reason}");
        warnings.push(Warning { code: "truncated", message, param: None });
    }
    liter.attempts = attempts;
    liter.timing.total_ms = millis(Instant::now().duration_since(call.facts().began));
    liter.trace = trace;
    Ok(list)
}
