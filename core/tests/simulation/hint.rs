//! The ways in which a provider says how long to wait, each with what it means.

use std::time::{Duration, SystemTime};

use fastrand::Rng;

/// Header lines of a refusal, and the wait that they ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hint {
    pub(crate) headers: String,
    pub(crate) wait: Option<Duration>,
    /// `x-should-retry`.
    pub(crate) again: Option<bool>,
}

/// A day in which every date below is a Sunday, so that weekdays need no calendar.
const SUNDAY: u64 = 1_795_305_600;

impl Hint {
    /// A random one.
    pub(crate) fn draw(rng: &mut Rng) -> Hint {
        let now = SUNDAY + rng.u64(0..80_000);
        let seconds = rng.u64(1..=8);
        let date = |at: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let http = |at: u64| httpdate::fmt_http_date(date(at));
        let dated = |value: &str| format!("date: {}\r\nretry-after: {value}\r\n", http(now));
        let secs = Duration::from_secs;
        let (headers, wait) = match rng.u8(0..15) {
            0 => (format!("retry-after: {seconds}\r\n"), Some(secs(seconds))),
            1 => ("Retry-After: 1.5\r\n".to_owned(), Some(Duration::from_millis(1500))),
            2 => ("retry-after-ms: 700\r\n".to_owned(), Some(Duration::from_millis(700))),
            3 => ("x-ms-retry-after-ms: 900\r\n".to_owned(), Some(Duration::from_millis(900))),
            4 => {
                let both = format!("retry-after-ms: 0\r\nretry-after: {seconds}\r\n");
                (both, Some(secs(seconds)))
            }
            5 => (dated(&http(now + seconds)), Some(secs(seconds))),
            6 => (dated(&rfc850(&http(now + seconds))), Some(secs(seconds))),
            7 => (dated(&asctime(&http(now + seconds))), Some(secs(seconds))),
            8 => (dated(&http(now - 3600)), Some(Duration::ZERO)),
            9 => ("retry-after: -5\r\n".to_owned(), Some(Duration::ZERO)),
            10 => ("retry-after: soon\r\n".to_owned(), None),
            11 => {
                let reset = format!(
                    "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: {seconds}s\r\n\
                     x-ratelimit-remaining-tokens: 9000\r\nx-ratelimit-reset-tokens: 6m0s\r\n"
                );
                (reset, Some(secs(seconds)))
            }
            12 => {
                let day = rfc3339(now + seconds);
                let reset = format!(
                    "date: {}\r\nanthropic-ratelimit-tokens-remaining: 0\r\n\
                     anthropic-ratelimit-tokens-reset: {day}\r\n",
                    http(now)
                );
                (reset, Some(secs(seconds)))
            }
            13 => ("retry-after: 7200\r\n".to_owned(), Some(secs(7200))),
            _ => (String::new(), None),
        };
        let again = [None, None, None, None, Some(true), Some(false)][rng.usize(0..6)];
        let said = again.map_or_else(String::new, |again| format!("x-should-retry: {again}\r\n"));
        Hint { headers: headers + &said, wait, again }
    }
}

/// `Sun, 22 Nov 2026 08:49:37 GMT` in the form of RFC 850.
fn rfc850(imf: &str) -> String {
    let [day, month, year, time] = parts(imf);
    format!("Sunday, {day}-{month}-{} {time} GMT", &year[2..])
}

/// The same in the form of C's `asctime`.
fn asctime(imf: &str) -> String {
    let [day, month, year, time] = parts(imf);
    format!("Sun {month} {day:>2} {time} {year}")
}

fn parts(imf: &str) -> [&str; 4] {
    [&imf[5..7], &imf[8..11], &imf[12..16], &imf[17..25]]
}

/// RFC 3339, on [`SUNDAY`].
fn rfc3339(at: u64) -> String {
    let imf = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(at));
    let [day, _, year, time] = parts(&imf);
    format!("{year}-11-{day}T{time}Z")
}
