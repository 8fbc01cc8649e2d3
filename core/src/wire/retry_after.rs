//! The wait that an answer asks for is in its headers, or in the body of Google's errors.
//!
//! Points in time are compared with the answer's own `Date`, so that a wrong clock on either side
//! does no harm. Without a `Date` they say nothing, because there is no clock here. A point in the
//! past is a wait of zero. A wait too long for a number is [`LONGEST`], never none: none would mean
//! that a retry may go at once.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;

use super::headers::text;
use crate::json::Value;

/// The longest wait. Longer ones are cut to it.
pub(crate) const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// The wait that a failed answer asks for. In this order: `retry-after-ms` and
/// `x-ms-retry-after-ms`, `retry-after`, the body (see [`retry_info`]), and the latest reset of a
/// used-up limit.
///
/// The first three are explicit requests, so they count under any failure status, as in the
/// official SDKs. Resets come with every answer, so they count only under 408, 429, 503 and 529. On
/// a 2xx nothing counts, although Anthropic and Together send `retry-after` there too [rec].
pub(crate) fn wait(status: u16, headers: &HeaderMap, body: Option<Duration>) -> Option<Duration> {
    if status < 400 {
        return None;
    }
    let at = answered_at(headers);
    let said = retry_after(headers, at).or(body);
    let resets = matches!(status, 408 | 429 | 503 | 529);
    said.or_else(|| if resets { latest_reset(headers, at) } else { None })
}

/// The wait in milliseconds, rounded up, because it is a lower bound.
pub(crate) fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// When the answer was made, according to its `Date`.
pub(crate) fn answered_at(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, "date")?.trim()).ok()
}

/// The limits with a remaining amount in the headers, as name and amount:
/// `x-ratelimit-remaining-tokens`, `anthropic-ratelimit-requests-remaining` and similar ones.
pub(crate) fn remaining(headers: &HeaderMap) -> impl Iterator<Item = (&str, f64)> {
    headers.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let counts = name.contains("ratelimit") && name.contains("remaining");
        Some((name, number(value.to_str().ok()?)?)).filter(|_| counts)
    })
}

/// The time until the reset of the limit whose remaining amount is in header `name`.
pub(crate) fn reset_of(
    headers: &HeaderMap,
    name: &str,
    at: Option<SystemTime>,
) -> Option<Duration> {
    time_until(text(headers, name.replace("remaining", "reset"))?, || at)
}

/// Google's `RetryInfo` among an error's `details`: `{"@type": "type.googleapis.com/
/// google.rpc.RetryInfo", "retryDelay": "34.4s"}`. Beside a day's quota it belongs to a minute's
/// quota, so it says nothing.
pub(crate) fn retry_info(details: &Value) -> Option<Duration> {
    if day_is_spent(details) {
        return None;
    }
    details.as_array()?.iter().find_map(|detail| {
        detail.get("@type")?.as_str().filter(|kind| kind.ends_with("google.rpc.RetryInfo"))?;
        time_until(detail.get("retryDelay")?.as_str()?, || None)
    })
}

/// Whether a Google error's `details` name a quota of a day, which is too long to wait for:
/// `{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId":
/// "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}` [doc].
pub(crate) fn day_is_spent(details: &Value) -> bool {
    let violations = |detail: &Value| {
        let violations = detail.get("violations").and_then(Value::as_array);
        violations.is_some_and(|all| all.iter().any(of_a_day))
    };
    details.as_array().is_some_and(|details| details.iter().any(violations))
}

fn of_a_day(violation: &Value) -> bool {
    violation.get("quotaId").and_then(Value::as_str).is_some_and(|id| id.contains("PerDay"))
}

fn retry_after(headers: &HeaderMap, at: Option<SystemTime>) -> Option<Duration> {
    let millis = |name| Some(seconds(number(text(headers, name)?)? / 1_000.0));
    let millis = [millis("retry-after-ms"), millis("x-ms-retry-after-ms")];
    if let Some(wait) = millis.iter().flatten().find(|wait| !wait.is_zero()) {
        return Some(*wait);
    }
    // Azure sends `retry-after-ms: 0` beside `retry-after: 1`. A 0 alone counts [rec].
    let said = text(headers, "retry-after").and_then(|value| match number(value) {
        Some(number) => Some(seconds(number)),
        None => Some(between(at?, httpdate::parse_http_date(value.trim()).ok()?)),
    });
    said.or_else(|| millis.into_iter().flatten().next())
}

/// The time until the last reset of the used-up limits. The resets of other limits are no reason to
/// wait.
fn latest_reset(headers: &HeaderMap, at: Option<SystemTime>) -> Option<Duration> {
    remaining(headers)
        .filter(|(_, left)| *left <= 0.0)
        .filter_map(|(name, _)| reset_of(headers, name, at))
        .chain(text(headers, "ratelimit").into_iter().flat_map(used_up_policies))
        .max()
}

/// The resets of the used-up policies in the header of the IETF draft, which Hugging Face sends:
/// `"api";r=0;t=70` [rec].
fn used_up_policies(value: &str) -> impl Iterator<Item = Duration> {
    value.split(',').filter_map(|policy| {
        let member = |name: &str| {
            policy.split(';').find_map(|member| number(member.trim().strip_prefix(name)?))
        };
        let reset = seconds(member("t=")?);
        (member("r=")? <= 0.0).then_some(reset)
    })
}

/// The time until a reset. It may be a number of seconds (Azure), a Go duration (OpenAI, Groq), or
/// a point in time. A point is in seconds or milliseconds since 1970 (Cohere, OpenRouter) or in RFC
/// 3339 (Anthropic). Points in 1970, which Anthropic sends for unknown, say nothing [rec].
pub(crate) fn time_until(text: &str, at: impl FnOnce() -> Option<SystemTime>) -> Option<Duration> {
    // Numbers below this are seconds of a duration. Larger ones are seconds since 1970, from 2001
    // on.
    const POINTS: f64 = 1e9;
    const POINTS_MS: f64 = 1e12;
    let text = text.trim();
    let since_1970 = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok();
    match number(text) {
        Some(number) if number < POINTS => Some(seconds(number)),
        Some(number) if number < POINTS_MS => {
            Some(seconds(number - since_1970(at()?)?.as_secs_f64()))
        }
        Some(number) => Some(seconds((number - since_1970(at()?)?.as_millis() as f64) / 1_000.0)),
        None => go_duration(text).or_else(|| Some(between(at()?, rfc3339(text)?))),
    }
}

/// A Go duration: `6m0s`, `17.399999999s`, `12ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut total = 0.0;
    let mut parts = 0;
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
        parts += 1;
        rest = &unit[end..];
    }
    (parts > 0).then(|| seconds(sign * total))
}

/// Seconds since 1970 of a point in RFC 3339, such as `2026-08-01T12:00:00Z` or
/// `2026-08-01T14:00:00.25+02:00`. A point in 1970 gives `None`.
pub(crate) fn unix_time(text: &str) -> Option<i64> {
    let since = rfc3339(text)?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

fn rfc3339(text: &str) -> Option<SystemTime> {
    let mark = |at: usize, marks: &[u8]| marks.contains(text.as_bytes().get(at)?).then_some(());
    let number = |from: usize, to: usize| digits(text.get(from..to)?);
    mark(4, b"-").and(mark(7, b"-")).and(mark(10, b"Tt "))?;
    mark(13, b":").and(mark(16, b":"))?;
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // The 60th second is a leap second.
    let in_range = (1971..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (hour < 24 && minute < 60 && second <= 60);
    if !in_range {
        return None;
    }
    let (nanos, zone) = fraction(text.get(19..)?)?;
    // Days of the civil calendar, with the year beginning in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = (365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day) - 719_469;
    let local = days * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = local.checked_add_signed(-offset(zone)?)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

/// The nanoseconds of a fraction such as `.25`, if there is one, and the text after it.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let nanos = format!("{:0<9.9}", &rest[..end]).parse().ok()?;
    Some((nanos, &rest[end..]))
}

/// The seconds by which a zone, `Z` or `+02:00`, is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.get(..1)? {
        "Z" | "z" if zone.len() == 1 => return Some(0),
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60) as i64)
}

/// A number of one to four digits, and nothing else.
fn digits(text: &str) -> Option<u64> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// A number of any size. `inf` and `nan`, which Rust would also parse, are not numbers here.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E');
    text.bytes().all(plain).then(|| text.parse().ok())?
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST).min(LONGEST)
}

fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default().min(LONGEST)
}

#[cfg(test)]
#[path = "retry_after_tests.rs"]
mod tests;
