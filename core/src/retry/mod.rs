//! A retry decision follows a failed attempt. It is pure: time, the failure and randomness are
//! passed in.
//!
//! `budget` bounds the retries of all calls together, and [`decide`] decides about one failure.

pub(crate) mod budget;

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// The shortest time for an attempt. With less time left, no attempt begins.
pub(crate) const MIN_ATTEMPT: Duration = Duration::from_millis(20);

/// The bound of a backoff while an outage is outlasted. A target that is back is soon asked.
const OUTAGE_CAP: Duration = Duration::from_secs(2);

/// How often and how patiently one target is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// The largest number of attempts at one target in one call, the first included.
    pub max_attempts: u32,
    /// Nobody named that number, so a call with one target only may outlast its outage.
    pub outlasts: bool,
    /// The bound of the first backoff, which doubles with each attempt.
    pub base: Duration,
    /// The bound of every backoff.
    pub cap: Duration,
    /// The longest wait that a provider may ask for. After a longer one the call goes to another
    /// target.
    pub max_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            max_attempts: 3,
            outlasts: true,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(8),
            max_wait: Duration::from_secs(60),
        }
    }
}

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct Failed<'a> {
    pub error: &'a Error,
    /// The number of this attempt at its target, from 1.
    pub attempt: u32,
    /// The failure is an outage of the call's only target, and the call goes on for this long to
    /// outlast it.
    pub patience: Option<Duration>,
}

/// Whether this failure says that the target is out of service, and has cost nothing. A status of
/// 500 does not: it may be the request that the server fails at.
pub(crate) fn is_outage(error: &Error) -> bool {
    match (error.kind(), error.status) {
        (ErrorKind::Unavailable, Some(status)) => status > 500 && error.retryable,
        (ErrorKind::Connection, None) => error.unreached,
        _ => false,
    }
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask the same target again after a sleep.
    Retry { after: Duration },
    /// Give this target up for this call. Another one may work.
    Elsewhere,
    /// Stop, because the failure is the caller's fault.
    Stop,
}

/// Decides what follows a failed attempt of a call that has `remaining` until its deadline.
///
/// A provider's hint is the shortest wait. Up to a tenth of it, at most a second, is added at
/// random, so that callers refused together do not come back together. Without a hint, the wait has
/// full jitter under a bound that doubles. A hint of zero only says that no wait is needed. The
/// backoff still applies, or a provider that always says zero would be asked without a pause.
pub(crate) fn decide(
    policy: &RetryPolicy,
    failed: &Failed<'_>,
    remaining: Duration,
    rng: &mut fastrand::Rng,
) -> Next {
    let error = failed.error;
    let hint = error.retry_after_ms.filter(|ms| *ms > 0).map(Duration::from_millis);
    let again = match error.kind {
        ErrorKind::Cancelled | ErrorKind::Internal => return Next::Stop,
        // A retry does not help here, whatever a header says. A request that is too long says
        // nothing about the target's next request.
        ErrorKind::ContextLength | ErrorKind::Quota => return Next::Elsewhere,
        // A conflict and `x-should-retry: true` make even these retryable.
        ErrorKind::InvalidRequest | ErrorKind::ContentFilter if !error.retryable => {
            return Next::Stop;
        }
        ErrorKind::Authentication
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::Unsupported
            if !error.retryable =>
        {
            return Next::Elsewhere;
        }
        // One garbled answer may be an accident, but a second one is not.
        ErrorKind::BadResponse => error.retryable || failed.attempt <= 1,
        _ => error.retryable,
    };
    let elsewhere = Next::Elsewhere;
    let outlasts = failed.attempt >= policy.max_attempts;
    if !again || outlasts && failed.patience.is_none() {
        return elsewhere;
    }
    let Some(room) = remaining.checked_sub(MIN_ATTEMPT) else { return elsewhere };
    let after = match hint {
        Some(hint) if hint > policy.max_wait || hint > room => return elsewhere,
        Some(hint) => {
            let most = (hint / 10).min(Duration::from_secs(1)).min(room - hint);
            hint + most.mul_f64(rng.f64())
        }
        None => match failed.patience.filter(|_| outlasts) {
            None => backoff(policy, failed.attempt).mul_f64(rng.f64()),
            Some(patience) => match outage_backoff(policy, failed.attempt, patience.min(room)) {
                Some(bound) => bound.mul_f64(rng.f64()),
                None => return elsewhere,
            },
        },
    };
    if after > room { elsewhere } else { Next::Retry { after } }
}

/// The bound of the backoff after this attempt.
fn backoff(policy: &RetryPolicy, attempt: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    policy.base.saturating_mul(doubled).min(policy.cap)
}

/// The bound of the backoff while an outage is outlasted. The last attempt has some of the `room`
/// left for itself. `None`: there is too little.
pub(crate) fn outage_backoff(
    policy: &RetryPolicy,
    attempt: u32,
    room: Duration,
) -> Option<Duration> {
    let bound = backoff(policy, attempt).min(OUTAGE_CAP);
    let room = room.checked_sub(policy.base.max(MIN_ATTEMPT)).filter(|room| !room.is_zero())?;
    Some(bound.min(room))
}

#[cfg(test)]
mod tests;
