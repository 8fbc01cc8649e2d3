//! The head of an answer gives the provider's request id, the date and rate limits.
//!
//! Any provider may use these headers (`providers.md`). None of them belongs to one provider.

use std::sync::LazyLock;
use std::time::SystemTime;

use ::http::header::{AsHeaderName, HeaderMap, HeaderName};
use memchr::memmem::Finder;

use crate::error::Error;
use crate::json::{Key, Object, Value};

/// The provider's request id, under any of the names in use.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    static NAMES: [HeaderName; 10] = [
        HeaderName::from_static("x-request-id"),
        HeaderName::from_static("request-id"),
        HeaderName::from_static("x-debug-trace-id"),
        HeaderName::from_static("apim-request-id"),
        HeaderName::from_static("mistral-correlation-id"),
        HeaderName::from_static("x-ds-trace-id"),
        HeaderName::from_static("x-generation-id"),
        HeaderName::from_static("x-groq-request-id"),
        HeaderName::from_static("x-amzn-requestid"),
        HeaderName::from_static("cf-ray"),
    ];
    NAMES.iter().find_map(|name| text(headers, name)).map(str::to_owned)
}

/// Whether a header is about a rate limit.
#[must_use]
pub fn is_rate_limit(name: &str) -> bool {
    static WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ratelimit"));
    // The first letter of "x-", "anthropic-" or the word itself rules most headers out without a
    // search. The text after "x-" decides most of the others.
    matches!(name.as_bytes().first(), Some(b'x' | b'a' | b'r'))
        && (name.get(2..).is_some_and(|rest| rest.starts_with("ratelimit"))
            || WORD.find(name.as_bytes()).is_some())
}

/// The rate limit headers, unchanged.
#[must_use]
pub fn rate_limits(headers: &HeaderMap) -> Object {
    let mut found = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        let wanted = is_rate_limit(name) || name == "retry-after" || name == "retry-after-ms";
        if wanted && let Ok(value) = value.to_str() {
            if found.is_empty() {
                // Usually three headers for requests and three for tokens.
                found.reserve(6);
            }
            found.push((Key::of(name), Value::from(value)));
        }
    }
    found.into_iter().collect()
}

/// The `Date` header, in seconds since 1970.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<i64> {
    let at = httpdate::parse_http_date(text(headers, "date")?).ok()?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// A header's text, if it is not empty.
#[must_use]
pub fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

/// Adds the status and request id of an answer's head to a later error. The provider's support
/// needs the id of a broken stream as much as that of a refused request.
#[must_use]
pub fn located(mut error: Error, status: u16, headers: &HeaderMap) -> Error {
    error.status.get_or_insert(status);
    error.request_id = error.request_id.take().or_else(|| request_id(headers));
    if error.ratelimit.is_empty() {
        error.ratelimit = rate_limits(headers);
    }
    error
}
