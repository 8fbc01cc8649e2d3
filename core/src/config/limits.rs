//! The limits of a client's calls and retries. `docs/resilience.md` says what each limit does.

use crate::codec::{Fields, finish, saturated};
use crate::error::Error;
use crate::limit::Limits;

/// The budget of a client's retries, so that a failing provider is not flooded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetConfig {
    /// Retries and fallbacks as a share of the calls. `None` means no limit.
    pub ratio: Option<f64>,
    /// Further retries and fallbacks a second.
    pub per_second: u32,
}

impl BudgetConfig {
    /// Reads `retry_budget`: an object, or `false` for no limit.
    pub(super) fn read(fields: &mut Fields) -> Result<BudgetConfig, Error> {
        let default = BudgetConfig { ratio: Some(0.2), per_second: 10 };
        let Some(budget) = fields.object_or_false("retry_budget")? else { return Ok(default) };
        let Some(mut budget) = budget else { return Ok(BudgetConfig { ratio: None, ..default }) };
        let percent = budget.whole("percent", 0)?.map_or(20, saturated);
        let per_second = budget.whole("per_second", 0)?.map_or(10, saturated);
        finish(budget, "retry_budget")?;
        let ratio = Some(f64::from(percent) / 100.0);
        Ok(BudgetConfig { ratio, per_second })
    }
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
