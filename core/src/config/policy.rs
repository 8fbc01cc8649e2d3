//! How calls are made to succeed: retries, hedges, breakers and limits, as configured and as asked
//! for by one call. What each does is in `docs/resilience.md`.

use std::time::Duration;

use super::finish;
use crate::codec::{Fields, wrong};
use crate::error::Error;
use crate::json::Value;
use crate::limit::Limits;
use crate::retry::RetryPolicy;

/// Retries, where something is said of them; the rest comes from the next wider scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryOverlay {
    /// Most attempts at one target; each further target adds one.
    pub max_attempts: Option<u32>,
    /// The first backoff's upper bound.
    pub base: Option<Duration>,
    /// The upper bound that later ones grow to.
    pub cap: Option<Duration>,
    /// The longest wait that a provider may ask for.
    pub max_wait: Option<Duration>,
}

impl RetryOverlay {
    /// Reads `retry`: an object, or `false` for a single attempt.
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<RetryOverlay>, Error> {
        let Some(retry) = object_or_false(fields, "retry")? else { return Ok(None) };
        let Some(mut retry) = retry else {
            return Ok(Some(RetryOverlay { max_attempts: Some(1), ..RetryOverlay::default() }));
        };
        let overlay = RetryOverlay {
            max_attempts: retry.whole("max_attempts", 1)?.map(saturated),
            base: millis(&mut retry, "base_ms", 0)?,
            cap: millis(&mut retry, "cap_ms", 0)?,
            max_wait: millis(&mut retry, "max_wait_ms", 0)?,
        };
        finish(retry, "retry")?;
        Ok(Some(overlay))
    }

    /// These, and `other`'s where these say nothing.
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
            base: self.base.unwrap_or(default.base),
            cap: self.cap.unwrap_or(default.cap),
            max_wait: self.max_wait.unwrap_or(default.max_wait),
        }
    }
}

/// When a second attempt is started beside a slow first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeDelay {
    /// After this time.
    Fixed(Duration),
    /// After the target's own 95th percentile of the last calls; not before twenty of them.
    P95,
}

/// Further attempts beside a slow first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// When the next one is started.
    pub after: HedgeDelay,
    /// Most of them; 0: none.
    pub max: u32,
}

impl Hedge {
    /// Reads `hedge`: an object, or `false`.
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<Hedge>, Error> {
        let Some(hedge) = object_or_false(fields, "hedge")? else { return Ok(None) };
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

/// How many further attempts a client may make, so that a failing provider is not flooded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetConfig {
    /// Retries and fallbacks as a share of the calls; `None`: without a limit.
    pub ratio: Option<f64>,
    /// And so many a second beside.
    pub per_second: u32,
}

impl BudgetConfig {
    /// Reads `retry_budget`: an object, or `false` for no limit.
    pub(super) fn read(fields: &mut Fields) -> Result<BudgetConfig, Error> {
        let default = BudgetConfig { ratio: Some(0.2), per_second: 10 };
        let Some(budget) = object_or_false(fields, "retry_budget")? else { return Ok(default) };
        let Some(mut budget) = budget else { return Ok(BudgetConfig { ratio: None, ..default }) };
        let percent = budget.whole("percent", 0)?.map_or(20, saturated);
        let per_second = budget.whole("per_second", 0)?.map_or(10, saturated);
        finish(budget, "retry_budget")?;
        let ratio = Some(f64::from(percent) / 100.0);
        Ok(BudgetConfig { ratio, per_second })
    }
}

/// Whether calls wait for a limit (the default) or fail at once.
pub(crate) fn read_wait(fields: &mut Fields) -> Result<Option<bool>, Error> {
    let Some(limit) = fields.object("limit")? else { return Ok(None) };
    let mut limit = Fields::new(limit, fields.at("limit"));
    let wait = limit.bool("wait")?;
    finish(limit, "limit")?;
    Ok(wait)
}

/// Reads `limits`.
pub(super) fn read_limits(fields: &mut Fields) -> Result<Limits, Error> {
    let Some(limits) = fields.object("limits")? else { return Ok(Limits::default()) };
    let mut limits = Fields::new(limits, fields.at("limits"));
    let read = Limits {
        requests_per_minute: limits.whole("requests_per_minute", 1)?.map(saturated),
        tokens_per_minute: limits.whole("tokens_per_minute", 1)?.map(saturated),
        max_in_flight: limits.whole("max_in_flight", 1)?.map(saturated),
    };
    finish(limits, "limits")?;
    Ok(read)
}

/// An object's members; `Some(None)`: the member is `false`.
fn object_or_false(fields: &mut Fields, name: &str) -> Result<Option<Option<Fields>>, Error> {
    let path = fields.at(name);
    match fields.value(name) {
        None => Ok(None),
        Some(Value::Bool(false)) => Ok(Some(None)),
        Some(Value::Object(object)) => Ok(Some(Some(Fields::new(object, path)))),
        Some(other) => Err(wrong(&path, "an object or false", &other)),
    }
}

pub(super) fn millis(
    fields: &mut Fields,
    name: &str,
    least: u64,
) -> Result<Option<Duration>, Error> {
    Ok(fields.whole(name, least)?.map(Duration::from_millis))
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
