//! Classifies a provider's error, in any of the usual shapes, as one of our kinds.
//!
//! Details count first (Google's, see `details`), then the provider's code, its type, its text, and
//! then the status (`providers.md` §7). A 429 is not a rate limit if the credit is used up, and a
//! 400 is not the caller's mistake if the key is wrong. Every adapter reports its failures through
//! [`failed`], so status, provider, model and request id are never missing.

use super::provider_error::ProviderError;
use super::{Target, foreign, page};
use crate::codec::{Object, parse_foreign};
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::Warning;
use crate::wire::{Reply, headers, retry_after};

/// The error of an answer whose status means failure.
#[must_use]
pub fn failed(reply: &Reply<'_>, target: &Target) -> Error {
    let said = ProviderError::read(reply);
    let wait = said.wait();
    let mut error = said.into_error(Some(reply.status), target);
    error.provider_error = own_words(reply.body);
    let wait = retry_after::wait(reply.status, reply.headers, wait, reply.received);
    error.retry_after_ms = wait.map(retry_after::millis);
    // The provider's header counts, except for failures that no retry can fix.
    if !matches!(error.kind, ErrorKind::Quota | ErrorKind::ContextLength) {
        let said = headers::text(reply.headers, "x-should-retry").map(str::trim);
        let says = |word| said.is_some_and(|said| said.eq_ignore_ascii_case(word));
        error.retryable = says("true") || (error.retryable && !says("false"));
    }
    locate(error, reply, target)
}

/// The error in a 2xx body or in an event of a stream.
#[must_use]
pub fn in_body(value: &Value, target: &Target) -> Error {
    let error = ProviderError::of(value, 0).into_error(None, target);
    error.with(|e| e.provider_error = Some(value.clone()))
}

/// The longest JSON of a provider's error that is read.
const MOST_READ: usize = 64 << 10;

/// The provider's own error: JSON, or text. A page of HTML is none. The call shortens the text once
/// it has removed the key, because half a key is not recognized as one.
fn own_words(body: &[u8]) -> Option<Value> {
    let body = body.trim_ascii();
    if body.is_empty() || body.starts_with(b"<") {
        return None;
    }
    if body.len() <= MOST_READ
        && let Ok(value) = parse_foreign(body)
    {
        return Some(value);
    }
    Some(Value::from(String::from_utf8_lossy(body).into_owned()))
}

/// A 2xx answer that is not what the provider specifies.
#[must_use]
pub fn bad_response(what: impl Into<String>, reply: &Reply<'_>, target: &Target) -> Error {
    locate(Error::new(ErrorKind::BadResponse, what), reply, target)
}

/// The JSON object of a 2xx answer, with warnings about repairs. A page of HTML or an empty body
/// comes from a proxy or gateway, not from the provider.
pub(super) fn answer_object(
    reply: &Reply<'_>,
    target: &Target,
) -> Result<(Object, Vec<Warning>), Error> {
    let what = match reply.body.trim_ascii_start().first() {
        None => "the answer has an empty body under a status that means success".to_owned(),
        Some(b'<') => page::under_success(reply.headers, reply.body),
        Some(_) => match foreign::read_whole(reply.body) {
            Ok((Value::Object(object), warnings)) => return Ok((object, warnings)),
            Ok(_) => "the answer is not a JSON object: check base_url".to_owned(),
            Err(error) => format!("the answer {error}: check base_url and any proxy"),
        },
    };
    Err(bad_response(what, reply, target))
}

/// The object of a 2xx answer, unless it says that there was an error. What else it has is then no
/// answer.
pub(super) fn without_error(
    object: Object,
    reply: &Reply<'_>,
    target: &Target,
) -> Result<Object, Error> {
    let says_error = object.get("error").is_some_and(|error| !error.is_null());
    let text = |name: &str| object.get(name).is_some_and(Value::is_string);
    if says_error || text("message") || text("detail") {
        let error = in_body(&Value::Object(object), target);
        return Err(locate(error, reply, target));
    }
    Ok(object)
}

/// Adds where an error comes from, if it does not say so itself.
#[must_use]
pub fn locate(error: Error, reply: &Reply<'_>, target: &Target) -> Error {
    error.with(|e| {
        e.status.get_or_insert(reply.status);
        e.provider.get_or_insert_with(|| target.provider.to_string());
        e.model.get_or_insert_with(|| target.model.to_string());
        e.request_id = headers::request_id(reply.headers).or(e.request_id.take());
        e.ratelimit = headers::rate_limits(reply.headers);
    })
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
