//! What the adapters share: reading foreign JSON leniently, and the parts of an answer that lie in
//! its headers.
//!
//! The headers are those of `providers.md`; nothing here belongs to one provider.

use std::sync::LazyLock;
use std::time::SystemTime;

use ::http::HeaderMap;
use memchr::memmem::Finder;

use crate::codec::Object;
use crate::error::ErrorKind;
use crate::json::{Key, Value};
use crate::model::Warning;

/// The provider's id of the request, under any of the names in use.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    const NAMES: [&str; 9] = [
        "x-request-id",
        "request-id",
        "x-debug-trace-id",
        "apim-request-id",
        "mistral-correlation-id",
        "x-ds-trace-id",
        "x-generation-id",
        "x-groq-request-id",
        "cf-ray",
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
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            is_rate_limit(name) || name == "retry-after" || name == "retry-after-ms"
        })
        .filter_map(|(name, value)| {
            Some((Key::of(name.as_str()), Value::String(value.to_str().ok()?.to_owned())))
        })
        .collect()
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
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
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
