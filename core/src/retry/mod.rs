//! A retry decision follows a failed attempt. It is pure: time, the failure and randomness are
//! passed in.
//!
//! `budget` bounds the retries of all calls together, and [`decide`] decides about one failure.

pub(crate) mod budget;

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// The shortest time for an attempt. With less time left, no attempt begins.
pub(crate) const MIN_ATTEMPT: Duration = Duration::from_millis(20);

/// How often and how patiently one target is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// The largest number of attempts at one target in one call, the first included.
    pub max_attempts: u32,
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
    if !again || failed.attempt >= policy.max_attempts {
        return elsewhere;
    }
    let Some(room) = remaining.checked_sub(MIN_ATTEMPT) else { return elsewhere };
    let after = match hint {
        Some(hint) if hint > policy.max_wait || hint > room => return elsewhere,
        Some(hint) => {
            let most = (hint / 10).min(Duration::from_secs(1)).min(room - hint);
            hint + most.mul_f64(rng.f64())
        }
        None => backoff(policy, failed.attempt).mul_f64(rng.f64()),
    };
    if after > room { elsewhere } else { Next::Retry { after } }
}

/// The bound of the backoff after this attempt.
fn backoff(policy: &RetryPolicy, attempt: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    policy.base.saturating_mul(doubled).min(policy.cap)
}

#[cfg(test)]
mod tests;
