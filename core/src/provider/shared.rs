//! What the adapters share: reading foreign JSON leniently, and the parts of an answer that lie in
//! its headers.
//!
//! The headers are those of `providers.md`; nothing here belongs to one provider.

use std::sync::LazyLock;
use std::time::SystemTime;

use ::http::header::{AsHeaderName, HeaderMap, HeaderName};
use memchr::memmem::Finder;

use crate::codec::Object;
use crate::error::ErrorKind;
use crate::json::{Key, Value};
use crate::model::Warning;

/// The provider's id of the request, under any of the names in use.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    static NAMES: [HeaderName; 9] = [
        HeaderName::from_static("x-request-id"),
        HeaderName::from_static("request-id"),
        HeaderName::from_static("x-debug-trace-id"),
        HeaderName::from_static("apim-request-id"),
        HeaderName::from_static("mistral-correlation-id"),
        HeaderName::from_static("x-ds-trace-id"),
        HeaderName::from_static("x-generation-id"),
        HeaderName::from_static("x-groq-request-id"),
        HeaderName::from_static("cf-ray"),
    ];
    NAMES.iter().find_map(|name| text(headers, name)).map(str::to_owned)
}

/// Whether a header tells of a rate limit.
#[must_use]
pub fn is_rate_limit(name: &str) -> bool {
    static WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ratelimit"));
    // The first letters of "x-", "anthropic-" and the word itself spare most headers the search, and
    // the place after "x-" most of the others.
    matches!(name.as_bytes().first(), Some(b'x' | b'a' | b'r'))
        && (name.get(2..).is_some_and(|rest| rest.starts_with("ratelimit"))
            || WORD.find(name.as_bytes()).is_some())
}

/// The rate limit headers, as they came.
#[must_use]
pub fn rate_limits(headers: &HeaderMap) -> Object {
    let mut found = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        let wanted = is_rate_limit(name) || name == "retry-after" || name == "retry-after-ms";
        if wanted && let Ok(value) = value.to_str() {
            if found.is_empty() {
                // Three for requests and three for tokens.
                found.reserve(6);
            }
            found.push((Key::of(name), Value::from(value)));
        }
    }
    found.into_iter().collect()
}

/// Seconds since 1970 of the `Date` header.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<i64> {
    let at = httpdate::parse_http_date(text(headers, "date")?).ok()?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// A header's text.
#[must_use]
pub fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

/// The kind of an error of which nothing is known but its status.
#[must_use]
pub fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        400 | 409 | 411 | 414 | 415 | 422 | 431 => ErrorKind::InvalidRequest,
        401 | 407 | 498 => ErrorKind::Authentication,
        402 => ErrorKind::Quota,
        403 | 451 => ErrorKind::Permission,
        404 | 410 => ErrorKind::NotFound,
        405 | 501 => ErrorKind::Unsupported,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::ContextLength,
        429 => ErrorKind::RateLimit,
        500.. => ErrorKind::Unavailable,
        401..500 => ErrorKind::InvalidRequest,
        _ => ErrorKind::BadResponse,
    }
}

/// The remark about a finish reason that is in no table of ours.
#[must_use]
pub fn unknown_finish(word: &str) -> Warning {
    Warning {
        code: "unknown_finish_reason",
        message: format!("the provider's finish_reason {word:?} is not known; taken as a stop"),
        param: None,
    }
}

/// Takes a string member; any other type but `null` stays where it is.
pub fn take_string(object: &mut Object, name: &str) -> Option<String> {
    match object.take_if(name, |value| matches!(value, Value::String(_) | Value::Null)) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Takes an object member; any other type but `null` stays where it is.
pub fn take_object(object: &mut Object, name: &str) -> Option<Object> {
    match object.take_if(name, |value| matches!(value, Value::Object(_) | Value::Null)) {
        Some(Value::Object(inner)) => Some(inner),
        _ => None,
    }
}

/// Takes a list member; any other type but `null` stays where it is.
pub fn take_list(object: &mut Object, name: &str) -> Option<Vec<Value>> {
    match object.take_if(name, |value| matches!(value, Value::Array(_) | Value::Null)) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    }
}

/// A count, also where a provider writes it as `12.0`.
#[must_use]
pub fn count(value: Option<&Value>) -> Option<u64> {
    let number = value?.as_number()?;
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        (float >= 0.0 && float.fract() == 0.0 && float < 9e15).then_some(float as u64)
    })
}
