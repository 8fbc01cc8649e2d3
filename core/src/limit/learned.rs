//! Learned quotas are the provider's own quotas, as the headers of its answers report them.
//!
//! A quota is kept as a ceiling: the total that may have passed the gate when the provider has none
//! left. So nothing has to be counted down, and an answer is one assignment.

use std::sync::LazyLock;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName};
use memchr::memmem::Finder;
use tokio::time::Instant;

use super::limits::{MAX_WAIT, Totals};
use crate::wire::{headers, retry_after};

const MINUTE: Duration = Duration::from_secs(60);

static REMAINING: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("remaining"));

/// What a quota counts: requests or tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Requests,
    Tokens,
}

/// One quota, as one answer reports it.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) unit: Unit,
    pub(super) remaining: u64,
    pub(super) limit: Option<u64>,
    /// The time from the answer to the reset.
    pub(super) reset: Duration,
    /// The time in which the whole limit may be used.
    pub(super) period: Duration,
}

/// The quotas of an answer. Quotas without a reset, or with one in the past, are left out.
pub(super) fn read(headers: &HeaderMap) -> Vec<Reading> {
    let mut readings = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        if !headers::is_rate_limit(name) {
            continue;
        }
        let reading = match REMAINING.find(name.as_bytes()) {
            Some(at) => value.to_str().ok().and_then(|value| pair(headers, name, at, value)),
            None if name == "ratelimit" => value.to_str().ok().and_then(draft),
            // A limit or a reset. Both are read together with the remaining amount.
            None => None,
        };
        readings.extend(reading);
    }
    readings
}

/// `x-ratelimit-remaining-tokens` with `x-ratelimit-reset-tokens`,
/// `anthropic-ratelimit-requests-remaining` with `…-reset`, and similar pairs. `at` is the position
/// of "remaining" in the name.
fn pair(headers: &HeaderMap, name: &str, at: usize, value: &str) -> Option<Reading> {
    let unit = unit(name)?;
    let (before, after) = (&name[..at], &name[at + "remaining".len()..]);
    let beside = |word: &str| {
        // The headers are few, and comparing one costs less than a lookup.
        let length = before.len() + word.len() + after.len();
        let same = |(name, _): &(&HeaderName, _)| {
            let name = name.as_str();
            let rest = name.strip_prefix(before).filter(|_| name.len() == length);
            rest.and_then(|rest| rest.strip_prefix(word)) == Some(after)
        };
        let (_, value) = headers.iter().find(same)?;
        value.to_str().ok().filter(|value| !value.is_empty()).map(str::trim_ascii)
    };
    let named = period(name);
    let date = || httpdate::parse_http_date(headers::text(headers, "date")?).ok();
    let reset = match beside("reset") {
        Some(reset) => retry_after::time_until(reset, date)?,
        None => named?,
    };
    let remaining = number(value)?;
    let limit = beside("limit").and_then(number);
    // A name without a period may mean any period [rec: Together counts seconds].
    let bare = name.ends_with("ratelimit-remaining");
    let period = named.unwrap_or(if bare { reset } else { MINUTE });
    (!reset.is_zero()).then_some(Reading { unit, remaining, limit, reset, period })
}

/// The header of the IETF's draft: `"api";r=499;t=70` [rec: Hugging Face].
fn draft(value: &str) -> Option<Reading> {
    let member = |key| value.split(';').find_map(|part| part.trim().strip_prefix(key));
    let remaining = number(member("r=")?)?;
    let reset = Duration::from_secs(member("t=")?.parse().ok()?);
    let (unit, limit, period) = (Unit::Requests, None, reset);
    (!reset.is_zero()).then_some(Reading { unit, remaining, limit, reset, period })
}

/// A count. One that is too large to fit means no limit (2^63 and more [rec: Hugging Face]).
fn number(text: &str) -> Option<u64> {
    let text = text.trim_ascii();
    // Up to this length an integer equals the float, and is quicker to parse.
    if let (..=15, Ok(number)) = (text.len(), text.parse()) {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(number.max(0.0) as u64)
}

/// What a `…remaining…` header counts, if a call uses it up. Images and pages are not counted here.
fn unit(name: &str) -> Option<Unit> {
    let mut unit = None;
    let mut other = false;
    let mut remaining = false;
    for word in name.as_bytes().split(|byte| *byte == b'-') {
        match word {
            b"remaining" => remaining = true,
            b"tokens" | b"ratelimitbysize" => unit = Some(Unit::Tokens),
            b"requests" | b"req" => unit = unit.or(Some(Unit::Requests)),
            b"x" | b"ratelimit" | b"anthropic" | b"10" | b"second" | b"minute" => {}
            _ => other = true,
        }
    }
    remaining.then_some(unit.or((!other).then_some(Unit::Requests)))?
}

/// The length of the quota's window, if its name says it. Mistral sends no reset beside it [rec].
fn period(name: &str) -> Option<Duration> {
    if name.ends_with("-10-second") {
        return Some(Duration::from_secs(10));
    }
    name.ends_with("-minute").then_some(MINUTE)
}

/// The length of so many periods, at most ten times [`MAX_WAIT`], because no call waits longer.
pub(super) fn periods(period: Duration, times: u64) -> Duration {
    period.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX)).min(MAX_WAIT * 10)
}

/// The quotas of one gate.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    known: Vec<Quota>,
    /// The number of the latest call whose answer was read.
    newest: Option<u64>,
}

#[derive(Debug)]
struct Quota {
    unit: Unit,
    /// The ceiling for all that has passed the gate.
    ceiling: u64,
    limit: Option<u64>,
    reset: Instant,
    period: Duration,
}

/// The reset of a quota. Before the next answer, nobody knows how much the quota then allows.
pub(super) struct QuotaReset {
    pub(super) at: Instant,
    /// How many calls it would still have allowed. `None` if more calls are in flight than it
    /// reported.
    pub(super) left: Option<u64>,
    /// How many calls it allows, and in what time.
    pub(super) limit: Option<(u64, Duration)>,
}

impl Quotas {
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Learns from an answer. `call` is the number of its call, and `tokens` the call's own.
    /// `counted` is what had passed the gate before the call and has surely reached the provider.
    /// Returns whether the answer is news.
    pub(super) fn learn(
        &mut self,
        readings: &[Reading],
        call: u64,
        counted: Totals,
        tokens: u64,
        now: Instant,
    ) -> bool {
        if readings.is_empty() || self.newest.is_some_and(|newest| call < newest) {
            return false;
        }
        self.newest = Some(call);
        self.known.clear();
        self.known.extend(readings.iter().filter_map(|reading| {
            let own = match reading.unit {
                Unit::Requests => counted.requests + 1,
                Unit::Tokens => counted.tokens.saturating_add(tokens),
            };
            Some(Quota {
                unit: reading.unit,
                ceiling: own.saturating_add(reading.remaining),
                limit: reading.limit,
                reset: now.checked_add(reading.reset)?,
                period: reading.period,
            })
        }));
        true
    }

    /// Gives back what this call did not use. A later answer already counts it, so nothing changes
    /// then.
    pub(super) fn unused(&mut self, call: u64, unused: Totals) {
        if self.newest.is_some_and(|newest| newest < call) {
            for quota in &mut self.known {
                let more = match quota.unit {
                    Unit::Requests => unused.requests,
                    Unit::Tokens => unused.tokens,
                };
                quota.ceiling = quota.ceiling.saturating_add(more);
            }
        }
    }

    /// Forgets the quotas whose reset has come. Returns the one that had least left.
    pub(super) fn advance(&mut self, now: Instant, passed: Totals) -> Option<QuotaReset> {
        let mut least: Option<QuotaReset> = None;
        self.known.retain(|quota| {
            if quota.reset > now {
                return true;
            }
            let left = quota.left(passed);
            if least.as_ref().is_none_or(|least| left < least.left) {
                let limit = quota.limit.filter(|_| quota.unit == Unit::Requests);
                let limit = limit.map(|limit| (limit, quota.period));
                least = Some(QuotaReset { at: quota.reset, left, limit });
            }
            false
        });
        least
    }

    /// The latest reset of the quotas that have no room for a call of so many tokens, after all
    /// that has passed and is ahead. A quota with a reset after more than [`MAX_WAIT`] is ignored,
    /// and the provider judges.
    pub(super) fn earliest(
        &self,
        now: Instant,
        passed: Totals,
        ahead: Totals,
        tokens: u64,
    ) -> Option<(Instant, &'static str)> {
        let blocking = self.known.iter().filter(|quota| {
            quota.reset.saturating_duration_since(now) <= MAX_WAIT
                && !quota.fits(passed, ahead, tokens)
        });
        let last = blocking.max_by_key(|quota| quota.opens(passed, ahead))?;
        let what = match last.unit {
            Unit::Requests => "the provider's quota of requests",
            Unit::Tokens => "the provider's quota of tokens",
        };
        Some((last.opens(passed, ahead), what))
    }
}

impl Quota {
    /// The earliest time with room behind the calls ahead. After a reset there is room for its
    /// limit only.
    fn opens(&self, passed: Totals, ahead: Totals) -> Instant {
        let Some(limit) = self.limit.filter(|_| self.unit == Unit::Requests) else {
            return self.reset;
        };
        let left = self.ceiling.saturating_sub(passed.requests);
        let over = ahead.requests.saturating_sub(left);
        self.reset + periods(self.period, over / limit.max(1))
    }

    /// How many more calls it allows. A quota of tokens is divided by the average of all calls.
    fn left(&self, passed: Totals) -> Option<u64> {
        match self.unit {
            Unit::Requests => self.ceiling.checked_sub(passed.requests),
            Unit::Tokens => {
                let average = passed.tokens / passed.requests.max(1);
                Some(self.ceiling.checked_sub(passed.tokens)? / average.max(1))
            }
        }
    }

    /// Whether a call fits. An estimate counts all that an answer may use, most of which is seldom
    /// used. So no call is held back because it wants more than half of a quota, or because the
    /// quota is unknown.
    fn fits(&self, passed: Totals, ahead: Totals, tokens: u64) -> bool {
        let (passed, wanted) = match self.unit {
            Unit::Requests => (passed.requests + ahead.requests, 1),
            Unit::Tokens => (
                passed.tokens.saturating_add(ahead.tokens),
                tokens.min(self.limit.unwrap_or(2) / 2).max(1),
            ),
        };
        passed.saturating_add(wanted) <= self.ceiling
    }
}
