//! The wait that an answer asks for is in its headers, or in its body.
//!
//! Points in time are compared with the answer's own `Date`, so that a wrong clock on either side
//! does no harm. Where that is missing or absurd, the time counts at which the answer came (see
//! [`Clocks`]). A point in the past is a wait of zero. A wait too long for a number is [`LONGEST`],
//! never none: none would mean that a retry may go at once.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;

use super::headers::text;

/// The longest wait. Longer ones are cut to it.
pub(crate) const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// The wait that a failed answer asks for. In this order: `retry-after-ms` and
/// `x-ms-retry-after-ms`, `retry-after`, the body, and the latest reset of a used-up limit. A zero
/// counts only where no other of them asks for more: Azure sends `retry-after-ms: 0` beside
/// `retry-after: 1` [rec].
///
/// The first three are explicit requests, so they count under any failure status, as in the
/// official SDKs. Resets come with every answer, so they count only under 408, 429, 503 and 529. On
/// a 2xx nothing counts, although Anthropic and Together send `retry-after` there too [rec].
pub(crate) fn wait(
    status: u16,
    headers: &HeaderMap,
    body: Option<Duration>,
    received: Option<SystemTime>,
) -> Option<Duration> {
    if status < 400 {
        return None;
    }
    let clocks = Clocks::of(headers, received);
    let [ms, x_ms] = ["retry-after-ms", "x-ms-retry-after-ms"]
        .map(|name| longest(headers, name, |value| Some(seconds(number(value)? / 1_000.0))));
    let after = longest(headers, "retry-after", |value| match number(value) {
        Some(number) => Some(seconds(number)),
        None => clocks.until(httpdate::parse_http_date(value.trim()).ok()?),
    });
    let resets = matches!(status, 408 | 429 | 503 | 529);
    let reset = resets.then(|| latest_reset(headers, clocks)).flatten();
    let hints = [ms, x_ms, after, body, reset].into_iter().flatten();
    hints.clone().find(|wait| !wait.is_zero()).or_else(|| hints.clone().next())
}

/// The longest wait of a header that may have come more than once.
fn longest(
    headers: &HeaderMap,
    name: &str,
    read: impl Fn(&str) -> Option<Duration>,
) -> Option<Duration> {
    headers.get_all(name).iter().filter_map(|value| read(value.to_str().ok()?)).max()
}

/// The wait in milliseconds, rounded up, because it is a lower bound.
pub(crate) fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// What a point in time is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    /// When the answer was made, according to its `Date`.
    date: Option<SystemTime>,
    /// When the answer came, by the clock of this machine.
    received: Option<SystemTime>,
}

impl Clocks {
    /// The clocks of an answer with these headers.
    pub(crate) fn of(headers: &HeaderMap, received: Option<SystemTime>) -> Clocks {
        let date = text(headers, "date");
        let date = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        Clocks { date, received }
    }

    /// The clocks of an answer that came just now. The machine's clock is read only where the
    /// answer has no `Date`.
    pub(crate) fn now(headers: &HeaderMap) -> Clocks {
        let clocks = Clocks::of(headers, None);
        let received = clocks.date.is_none().then(SystemTime::now);
        Clocks { received, ..clocks }
    }

    /// The time until a point. A clock by which it is more than a day away is absurd where the
    /// other one puts it nearer.
    fn until(self, point: SystemTime) -> Option<Duration> {
        const DAY: Duration = Duration::from_secs(86_400);
        let clocks = || [self.date, self.received].into_iter().flatten();
        let apart = |clock: &SystemTime| match point.duration_since(*clock) {
            Ok(ahead) => ahead,
            Err(behind) => behind.duration(),
        };
        let clock = clocks().find(|clock| apart(clock) <= DAY).or_else(|| clocks().next())?;
        Some(point.duration_since(clock).unwrap_or_default().min(LONGEST))
    }
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
pub(crate) fn reset_of(headers: &HeaderMap, name: &str, clocks: Clocks) -> Option<Duration> {
    time_until(text(headers, name.replace("remaining", "reset"))?, || clocks)
}

/// The wait in the words of an error: `Please try again in 13m7.104s.` (OpenAI, Groq [rec]),
/// `Please retry in 34.07s` (Google), `Please retry after 20 seconds` (Azure [doc]).
pub(crate) fn in_words(said: &str) -> Option<Duration> {
    const BEFORE: [&str; 4] = ["try again in ", "retry in ", "retry after ", "try again after "];
    let said = said.to_ascii_lowercase();
    let from = BEFORE.iter().find_map(|words| Some(said.find(words)? + words.len()))?;
    let mut words = said[from..].split_ascii_whitespace();
    let amount = words.next()?.trim_end_matches(['.', ',', ';', ')']);
    let Some(number) = number(amount) else { return go_duration(amount) };
    let unit = words.next()?;
    let scales = [("ms", 1e-3), ("milli", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)];
    let (_, scale) = scales.into_iter().find(|(begin, _)| unit.starts_with(begin))?;
    Some(seconds(number * scale))
}

/// The time until the last reset of the used-up limits. The resets of other limits are no reason to
/// wait.
fn latest_reset(headers: &HeaderMap, clocks: Clocks) -> Option<Duration> {
    remaining(headers)
        .filter(|(_, left)| *left <= 0.0)
        .filter_map(|(name, _)| reset_of(headers, name, clocks))
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
/// a point in time. A point is in seconds or smaller units since 1970 (Cohere, `OpenRouter`) or in
/// RFC 3339 (Anthropic). Points in 1970, which Anthropic sends for unknown, say nothing [rec].
pub(crate) fn time_until(text: &str, clocks: impl FnOnce() -> Clocks) -> Option<Duration> {
    let text = text.trim();
    let Some(number) = number(text) else {
        return go_duration(text).or_else(|| clocks().until(rfc3339(text)?));
    };
    // Numbers below 10^9 are seconds of a duration. Larger ones are points from 2001 on.
    let micros = match number {
        ..1e9 => return Some(seconds(number)),
        1e9..1e12 => (number * 1e3).round() * 1e3,
        1e12..1e15 => number * 1e3,
        1e15..1e18 => number,
        _ => number / 1e3,
    };
    let since_1970 = Duration::from_micros(micros as u64);
    clocks().until(SystemTime::UNIX_EPOCH.checked_add(since_1970)?)
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

#[cfg(test)]
#[path = "retry_after_tests.rs"]
mod tests;
