//! The document that answers a fan-out.

use serde::Serialize;

use super::Answer;
use crate::error::Error;
use crate::json::to_vec;

/// The answers and failures of a fan-out.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Many {
    /// The fastest answers, in the order in which they came.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::model::Response>"))]
    pub results: Vec<Answer>,
    /// The errors of the targets that failed, and of those cancelled because enough others had
    /// answered.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::model::schema::ErrorDocument>"))]
    pub failures: Vec<Error>,
}

impl Many {
    /// The document, compact.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_vec(self, self.size())
    }

    /// A guess at the bytes of the document.
    pub(crate) fn size(&self) -> usize {
        2_048 * (self.results.len() + self.failures.len())
    }
}
