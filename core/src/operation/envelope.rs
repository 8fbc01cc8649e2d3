//! What every answer has beside what the provider said.

use crate::model::{Liter, Warning};

/// The members that every answer has beside what the provider said.
pub(crate) struct Envelope {
    /// Seconds since 1970, of the answer's `Date`.
    pub(crate) date: Option<i64>,
    pub(crate) provider: String,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) liter: Liter,
}
