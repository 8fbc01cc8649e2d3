//! Policies for retries, hedges and waiting, from the configuration or from one call.
//! `docs/resilience.md` says what each does.

use std::time::Duration;

use crate::codec::{Fields, finish, saturated, wrong};
use crate::error::Error;
use crate::json::Value;
use crate::retry::RetryPolicy;

/// A retry policy that may leave members out. These come from the next wider scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryOverlay {
    /// The largest number of attempts at one target. Each further target adds one.
    pub max_attempts: Option<u32>,
    /// The upper bound of the first backoff.
    pub base: Option<Duration>,
    /// The upper bound of all backoffs.
    pub cap: Option<Duration>,
    /// The longest wait that a provider may ask for.
    pub max_wait: Option<Duration>,
}

impl RetryOverlay {
    /// Reads `retry`: an object, or `false` for a single attempt.
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<RetryOverlay>, Error> {
        let Some(retry) = fields.object_or_false("retry")? else { return Ok(None) };
        let Some(mut retry) = retry else {
            return Ok(Some(RetryOverlay { max_attempts: Some(1), ..RetryOverlay::default() }));
        };
        let overlay = RetryOverlay {
            max_attempts: retry.whole("max_attempts", 1)?.map(saturated),
            base: retry.millis("base_ms", 0)?,
            cap: retry.millis("cap_ms", 0)?,
            max_wait: retry.millis("max_wait_ms", 0)?,
        };
        finish(retry, "retry")?;
        Ok(Some(overlay))
    }

    /// Fills members that this policy leaves out from `other`.
    pub(crate) fn or(self, other: RetryOverlay) -> RetryOverlay {
        RetryOverlay {
            max_attempts: self.max_attempts.or(other.max_attempts),
            base: self.base.or(other.base),
            cap: self.cap.or(other.cap),
            max_wait: self.max_wait.or(other.max_wait),
        }
    }

    pub(crate) fn policy(self) -> RetryPolicy {
        let default = RetryPolicy::default();
        RetryPolicy {
            max_attempts: self.max_attempts.unwrap_or(default.max_attempts),
            outlasts: self.max_attempts.is_none(),
            base: self.base.unwrap_or(default.base),
            cap: self.cap.unwrap_or(default.cap),
            max_wait: self.max_wait.unwrap_or(default.max_wait),
        }
    }
}

/// The delay before a hedge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeDelay {
    /// A fixed time.
    Fixed(Duration),
    /// The target's own 95th percentile of the last calls, once there are twenty of them.
    P95,
}

/// The hedges of a call: further attempts beside a slow first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// The delay before the next hedge.
    pub after: HedgeDelay,
    /// The largest number of hedges. 0 means none.
    pub max: u32,
}

impl Hedge {
    /// Reads `hedge`: an object, or `false`.
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<Hedge>, Error> {
        let Some(hedge) = fields.object_or_false("hedge")? else { return Ok(None) };
        let Some(mut hedge) = hedge else {
            return Ok(Some(Hedge { after: HedgeDelay::P95, max: 0 }));
        };
        let path = hedge.at("after_ms");
        let after = match hedge.value("after_ms") {
            None => return Err(hedge.missing("after_ms", "milliseconds, or \"p95\"")),
            Some(Value::String(word)) if word == "p95" => HedgeDelay::P95,
            Some(Value::Number(number)) if number.as_u64().is_some() => {
                HedgeDelay::Fixed(Duration::from_millis(number.as_u64().unwrap_or_default()))
            }
            Some(other) => return Err(wrong(&path, "milliseconds, or \"p95\"", &other)),
        };
        let max = hedge.whole("max", 1)?.map_or(1, saturated);
        finish(hedge, "hedge")?;
        Ok(Some(Hedge { after, max }))
    }
}

/// Reads whether calls wait for a limit (the default) or fail at once.
pub(crate) fn read_wait(fields: &mut Fields) -> Result<Option<bool>, Error> {
    let Some(limit) = fields.object("limit")? else { return Ok(None) };
    let mut limit = Fields::new(limit, fields.at("limit"));
    let wait = limit.bool("wait")?;
    finish(limit, "limit")?;
    Ok(wait)
}
