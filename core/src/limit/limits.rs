//! The limits of one scope, and what a gate says of them.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::wire::retry_after;

/// Nobody waits longer than this for a turn.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(60);

/// The limits of one scope, as configured. None is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Most requests sent in any minute.
    pub requests_per_minute: Option<u32>,
    /// Most tokens, asked and answered, in any minute.
    pub tokens_per_minute: Option<u32>,
    /// Most requests that are not answered yet; a stream counts until its end.
    pub max_in_flight: Option<u32>,
}

/// A call that may not pass in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    /// When it may pass at the earliest, from now; `None` where nobody can know, as with
    /// `max_in_flight`.
    pub retry_after: Option<Duration>,
    /// What is in the way: the configured limit's name, or whose quota it is.
    pub what: &'static str,
}

impl Limited {
    /// What the caller is told.
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

/// Where one who has to wait stands in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Last,
    First,
}

/// How much has passed a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) requests: u64,
    pub(super) tokens: u64,
}
