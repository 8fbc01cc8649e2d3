//! The envelope is what every answer has besides the provider's own answer.

use crate::model::{Liter, Warning};

/// The members that every answer has besides the provider's own answer.
pub(crate) struct Envelope {
    /// The answer's `Date`, in seconds since 1970.
    pub(crate) date: Option<i64>,
    pub(crate) provider: String,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) liter: Liter,
}
