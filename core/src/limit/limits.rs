//! The limits of one scope, and the error of a gate that keeps them.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::wire::retry_after;

/// The longest time that a call waits for a turn.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(60);

/// The configured limits of one scope. None of them is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The largest number of requests sent in any minute.
    pub requests_per_minute: Option<u32>,
    /// The largest number of tokens, of requests and answers, in any minute.
    pub tokens_per_minute: Option<u32>,
    /// The largest number of requests in flight. A stream counts until its end.
    pub max_in_flight: Option<u32>,
}

#[cfg(feature = "redis")]
impl Limits {
    /// The part of one of `processes`. None is zero.
    pub(super) fn share(self, processes: u32) -> Self {
        let part = |quota: Option<u32>| quota.map(|quota| (quota / processes.max(1)).max(1));
        Limits {
            requests_per_minute: part(self.requests_per_minute),
            tokens_per_minute: part(self.tokens_per_minute),
            max_in_flight: part(self.max_in_flight),
        }
    }
}

/// The refusal of a call that may not pass in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    /// The time from now until the call may pass at the earliest. `None` if it is unknown, as with
    /// `max_in_flight`.
    pub retry_after: Option<Duration>,
    /// What blocks the call: the name of the configured limit, or the provider's quota.
    pub what: &'static str,
}

impl Limited {
    /// The error for the caller.
    pub(crate) fn error(self) -> Error {
        let ms = self.retry_after.map(retry_after::millis);
        let when = ms.map(|ms| format!(" for {ms} ms")).unwrap_or_default();
        let message = format!(
            "not sent: {} leaves no room{when}, and the call may not wait so long",
            self.what
        );
        Error::new(ErrorKind::RateLimit, message).with(|e| e.retry_after_ms = ms)
    }
}

/// The end of the line at which a waiter joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Last,
    First,
}

/// The totals that have passed a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) requests: u64,
    pub(super) tokens: u64,
}
