//! What the adapters share: reading foreign JSON leniently, and the parts of an answer that lie in
//! its headers.
//!
//! The headers are those of `providers.md`; nothing here belongs to one provider.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;

use crate::codec::Object;
use crate::error::ErrorKind;
use crate::json::Value;
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

/// The rate limit headers, as they came.
#[must_use]
pub fn rate_limits(headers: &HeaderMap) -> Object {
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            name.contains("ratelimit") || name == "retry-after" || name == "retry-after-ms"
        })
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), Value::String(value.to_str().ok()?.to_owned())))
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

/// How long a failed answer asks to wait: `retry-after-ms`, then `retry-after` in seconds or as a
/// date, which is measured against the answer's own `Date`, so that clock skew cannot hurt.
/// A date in the past is 0; `retry-after-ms: 0` beside a real `retry-after` says nothing.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let millis = ["retry-after-ms", "x-ms-retry-after-ms"]
        .iter()
        .find_map(|name| text(headers, name)?.trim().parse::<f64>().ok())
        .and_then(|ms| Duration::try_from_secs_f64(ms.max(0.0) / 1000.0).ok());
    if let Some(wait) = millis.filter(|wait| !wait.is_zero()) {
        return Some(wait);
    }
    let Some(value) = text(headers, "retry-after").map(str::trim) else { return millis };
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now =
        text(headers, "date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(now).unwrap_or_default())
}

/// How long a failed answer asks to wait, in milliseconds: its `retry-after` headers, else the
/// latest reset of a limit that is used up. A date without a `Date` header beside it says nothing:
/// this module has no clock.
#[must_use]
pub fn wait_ms(status: u16, headers: &HeaderMap) -> Option<u64> {
    let now = text(headers, "date").and_then(|date| httpdate::parse_http_date(date).ok());
    let dated = text(headers, "retry-after").is_some_and(|value| httpdate_like(value.trim()));
    let hint = match now {
        None if dated => None,
        now => retry_after(headers, now.unwrap_or(SystemTime::UNIX_EPOCH)),
    };
    let waits_for_reset = matches!(status, 408 | 429 | 503 | 529);
    let hint = hint.or_else(|| if waits_for_reset { reset_after(headers, now) } else { None });
    hint.and_then(|wait| u64::try_from(wait.as_millis()).ok())
}

fn httpdate_like(value: &str) -> bool {
    value.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// The time until the limits that are used up start anew: `x-ratelimit-remaining-tokens: 0` with
/// `x-ratelimit-reset-tokens`, `anthropic-ratelimit-tokens-remaining: 0` with `…-reset`. Resets in
/// the past (Anthropic sends 1970 [rec]) say nothing.
fn reset_after(headers: &HeaderMap, now: Option<SystemTime>) -> Option<Duration> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str();
            let left: f64 = value.to_str().ok()?.trim().parse().ok()?;
            if !(name.contains("ratelimit") && name.contains("remaining") && left <= 0.0) {
                return None;
            }
            let reset = text(headers, &name.replace("remaining", "reset"))?.trim();
            go_duration(reset).or_else(|| since(reset, now?)).filter(|wait| !wait.is_zero())
        })
        .max()
}

/// A Go duration: `6m0s`, `17.399999999s`, `12ms`; a bare number counts seconds, but a large one
/// is a point in time.
pub(crate) fn go_duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds < 1e9).then(|| Duration::try_from_secs_f64(seconds).ok())?;
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, unit) = rest.split_at(digits);
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let scale = match &unit[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * scale;
        rest = &unit[end..];
    }
    Duration::try_from_secs_f64(total).ok()
}

/// The time from `now` until a point given in seconds or milliseconds since 1970, or in RFC 3339
/// (UTC, as Anthropic writes it).
pub(crate) fn since(text: &str, now: SystemTime) -> Option<Duration> {
    let at = match text.parse::<f64>() {
        Ok(millis) if millis >= 1e12 => millis / 1000.0,
        Ok(seconds) => seconds,
        Err(_) => rfc3339(text)? as f64,
    };
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(at).ok()?)?;
    at.duration_since(now).ok()
}

/// Seconds since 1970 of `2026-08-01T12:00:00Z`; fractions are cut off.
fn rfc3339(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !text.ends_with('Z') || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    // Days of the civil calendar, the year beginning in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
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
