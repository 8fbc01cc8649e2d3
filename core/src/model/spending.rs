//! `op: "budget"` reads what was spent of a budget.

use serde::Serialize;

use super::cost::Usd;
use crate::codec::{Fields, finish};
use crate::error::Error;

/// A request to read a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetAsk {
    /// The budget's name in the configuration.
    pub name: String,
    /// The value of what the budget is split by.
    pub value: String,
}

impl BudgetAsk {
    /// Reads the members of a request of this operation.
    pub(crate) fn read(mut fields: Fields) -> Result<Self, Error> {
        let Some(name) = fields.name("name")? else {
            return Err(fields.missing("name", "the budget's name in the configuration"));
        };
        let value = fields.string("value")?.unwrap_or_default();
        finish(fields, "op \"budget\"")?;
        Ok(BudgetAsk { name, value })
    }
}

/// What was spent of a budget in the window of now.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetState {
    /// `budget`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "budget")))]
    pub object: &'static str,
    /// Its name.
    pub name: String,
    /// The value of what it is split by; "" if it is not split, and for calls without a value.
    pub value: String,
    /// The money of the window.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub limit_usd: Usd,
    /// What was spent.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub spent_usd: Usd,
    /// What calls have reserved that are on their way.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub held_usd: Usd,
    /// What is left for further calls; `"0"` if nothing is.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub left_usd: Usd,
    /// When the window began, in seconds since 1970.
    pub since: u64,
    /// When it ends. Absent if it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}
