//! Budgets of the configuration, for its schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::options::OptionsDocument;

/// What calls may cost in a window.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SpendingDocument {
    /// Which calls count: all of these hold. The names are `tenant`, `key`, `tag:<name>`, `provider`,
    /// `model` and `route`. Default: each call counts.
    pub when: Option<BTreeMap<String, String>>,
    /// Each value of this has money of its own: `tenant`, `key` or `tag:<name>`.
    pub per: Option<String>,
    /// The money of a window in USD, as decimal text, such as `"50"`.
    pub usd: String,
    /// `hour`, `day`, `week`, `month` of UTC, `total`, or hours or days such as `12h` and `30d`.
    pub window: String,
    /// What happens at the limit. Default: `hard`.
    pub enforce: Option<EnforceDocument>,
}

/// What happens at the limit.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnforceDocument {
    /// The most that a call can cost is reserved, and the limit is never passed. A call of which that
    /// is not known is refused.
    Strict,
    /// What a call is likely to cost is reserved. The limit may be passed by what that was too low.
    Hard,
    /// Nothing is refused. The answer has a warning.
    Soft,
}

/// A request to read what was spent of a budget. A member that is not listed is an error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "BudgetRequest", deny_unknown_fields)]
pub struct BudgetAskDocument {
    /// The operation.
    pub op: BudgetAskOp,
    /// The budget's name in the configuration.
    pub name: String,
    /// The value of what the budget is split by. Default: "", that of calls without one.
    pub value: Option<String>,
    /// How the request is sent. It is not sent, so none of them changes anything.
    pub options: Option<OptionsDocument>,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetAskOp {
    /// Reads what was spent of a budget.
    Budget,
}
