//! `op: "moderate"` checks whether texts or images break a provider's rules.

use serde::Serialize;

use super::options::Options;
use super::read::{known_only, read_extra};
use super::response::{Liter, Warning, last};
use super::usage::Usage;
use crate::codec::{Fields, Object, wrong};
use crate::error::Error;
use crate::json::Value;

/// A request for moderation.
#[derive(Clone, Debug, Default)]
pub struct ModerateRequest {
    /// A string, a list of strings, or a list of parts as in a message: `text`, `image_url`.
    pub input: Value,
    /// The provider's moderation model.
    pub model: Option<String>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Object,
    /// The paths of unknown members, reported in `warnings`.
    pub unknown: Vec<String>,
}

/// A provider's answer.
#[derive(Clone, Debug, Default)]
pub struct Moderations {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model, as the provider names it.
    pub model: Option<String>,
    /// A verdict for each input.
    pub results: Vec<Moderation>,
    /// The usage that the provider reports.
    pub usage: Option<Usage>,
    /// The provider's own usage object.
    pub usage_raw: Option<Value>,
    /// Top-level members that have no place in an answer.
    pub fields: Object,
    /// What the adapter has to say about the answer.
    pub warnings: Vec<Warning>,
}

/// The verdict on one input.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Moderation {
    /// Whether any rule is broken. If the provider does not say so (Mistral): whether any category
    /// is true.
    pub flagged: bool,
    /// Whether each category applies, by the provider's name of the category.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, bool>"))]
    pub categories: Object,
    /// The provider's certainty of each category, from 0 to 1, by the provider's name of the
    /// category.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, f64>"))]
    pub category_scores: Object,
    /// The provider's other members, unchanged.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// The answer to `op: "moderate"`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModerateResponse {
    /// The provider's id of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model, as the provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A verdict for each input, in the order of the inputs.
    pub results: Vec<Moderation>,
    /// The usage that the provider reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The name in the configuration of the provider that answered.
    pub provider: String,
    /// Warnings about members that were left out or changed.
    pub warnings: Vec<Warning>,
    /// The members that are volatile or added by the engine.
    #[serde(serialize_with = "last")]
    pub liter: Liter,
}

impl ModerateRequest {
    /// Reads the members of a request of this operation.
    pub(crate) fn read(mut fields: Fields, options: &Options) -> Result<Self, Error> {
        let input = match fields.value("input") {
            None => return Err(fields.missing("input", "a string, or a list of strings or parts")),
            Some(Value::Array(items)) if items.is_empty() => {
                return Err(Error::invalid("input", "input is empty: give at least one text"));
            }
            Some(input @ (Value::String(_) | Value::Array(_))) => input,
            Some(other) => {
                return Err(wrong("input", "a string, or a list of strings or parts", &other));
            }
        };
        for (i, item) in input.as_array().into_iter().flatten().enumerate() {
            if !matches!(item, Value::String(_) | Value::Object(_)) {
                return Err(wrong(&format!("input[{i}]"), "a string or a part", item));
            }
        }
        Ok(ModerateRequest {
            input,
            model: fields.name("model")?,
            extra: read_extra(&mut fields)?,
            unknown: known_only(fields, Vec::new(), options)?,
        })
    }
}
