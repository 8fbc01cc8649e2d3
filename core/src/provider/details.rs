//! The details of Google's errors, which say more than code and text do.
//!
//! `details` is a list of `google.rpc` messages. `QuotaFailure` names the quota that is used up,
//! `RetryInfo` the time to wait, and `ErrorInfo` the reason as a word. Google words a limit of a
//! minute like an empty account ("You exceeded your current quota, please check your plan and
//! billing details"), so its details count before its text [rec].

use std::time::Duration;

use ::http::HeaderMap;

use crate::error::ErrorKind;
use crate::json::Value;
use crate::wire::retry_after::{self, Clocks};

/// What the details of an error say.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// The kind, if they give one.
    pub(super) kind: Option<ErrorKind>,
    /// How long to wait.
    pub(super) wait: Option<Duration>,
}

impl Details {
    pub(super) fn read(details: &Value) -> Details {
        let all = || details.as_array().into_iter().flatten();
        let of = |kind: &'static str| {
            all().filter(move |detail| {
                let name = detail.get("@type").and_then(Value::as_str);
                name.is_some_and(|name| name.ends_with(kind))
            })
        };
        let windows = of("google.rpc.QuotaFailure")
            .filter_map(|detail| detail.get("violations")?.as_array())
            .flatten()
            .filter_map(|violation| violation_window(violation, "quotaId", "quotaMetric"))
            .chain(of("google.rpc.ErrorInfo").filter_map(|detail| {
                violation_window(detail.get("metadata")?, "quota_limit", "quota_metric")
            }));
        let reason = of("google.rpc.ErrorInfo")
            .find_map(|detail| kind_of_reason(detail.get("reason")?.as_str()?));
        // The longest window counts: beside a day's quota, a minute's is no reason to wait.
        let window = windows.max();
        let kind = window.map(Window::kind).or(reason);
        let wait = of("google.rpc.RetryInfo").find_map(|detail| {
            let delay = detail.get("retryDelay")?.as_str()?;
            retry_after::time_until(delay, || Clocks::of(&HeaderMap::new(), None))
        });
        // The delay beside a day's quota is that of a minute's [rec].
        Details { kind, wait: wait.filter(|_| window != Some(Window::Long)) }
    }
}

/// The time in which a quota may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Window {
    /// An hour at most, which may be waited for.
    Short,
    /// A day or longer.
    Long,
}

impl Window {
    /// The window that the name of a quota, or a text, tells: `…PerDayPerProject…`,
    /// `…_per_minute_…`, `free-models-per-day`, `tokens per min (TPM)`.
    pub(super) fn of(text: &str) -> Option<Window> {
        const LONG: [&str; 3] = ["PerDay", "PerWeek", "PerMonth"];
        const SHORT: [&str; 3] = ["PerSecond", "PerMin", "PerHour"];
        let spaced = text.to_ascii_lowercase().replace(['_', '-'], " ");
        let says = |words: [&str; 3]| {
            let apart = |word: &str| format!(" per {}", word[3..].to_ascii_lowercase());
            words.iter().any(|word| text.contains(word) || spaced.contains(&apart(word)))
        };
        if says(LONG) {
            return Some(Window::Long);
        }
        says(SHORT).then_some(Window::Short)
    }

    fn kind(self) -> ErrorKind {
        match self {
            Window::Short => ErrorKind::RateLimit,
            Window::Long => ErrorKind::Quota,
        }
    }
}

/// The window of one used-up quota: by its id, `GenerateRequestsPerDayPerProjectPerModel-FreeTier`,
/// or by its metric [doc].
fn violation_window(quota: &Value, id: &str, metric: &str) -> Option<Window> {
    let word = |name| quota.get(name).and_then(Value::as_str).and_then(Window::of);
    word(id).or_else(|| word(metric))
}

/// Google's reasons that have one meaning (`google/api/error_reason.proto`) [doc].
fn kind_of_reason(reason: &str) -> Option<ErrorKind> {
    Some(match reason {
        "RATE_LIMIT_EXCEEDED" | "RESOURCE_QUOTA_EXCEEDED" => ErrorKind::RateLimit,
        "BILLING_DISABLED" => ErrorKind::Quota,
        "API_KEY_INVALID" | "ACCESS_TOKEN_EXPIRED" | "CREDENTIALS_MISSING" => {
            ErrorKind::Authentication
        }
        "SERVICE_DISABLED" | "API_KEY_SERVICE_BLOCKED" | "CONSUMER_INVALID" => {
            ErrorKind::Permission
        }
        _ => return None,
    })
}
