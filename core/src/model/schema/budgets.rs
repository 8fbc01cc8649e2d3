//! Budgets of the configuration, for its schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

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
