//! The envelope is what every answer has besides the provider's own answer.

use crate::json::Value;
use crate::model::{Liter, Usage, Warning};

/// The members that every answer has besides the provider's own answer.
pub(crate) struct Envelope {
    /// The answer's `Date`, in seconds since 1970.
    pub(crate) date: Option<i64>,
    pub(crate) provider: String,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) liter: Liter,
}

/// The provider's own usage object, if it says more than `usage` does.
pub(super) fn further(own: Option<Value>, usage: Option<&Usage>) -> Option<Value> {
    own.filter(|own| !usage.is_some_and(|usage| usage.says(own)))
}
