//! `op: "moderate"`: whether texts or images break a provider's rules.

use serde::Serialize;

use super::options::Options;
use super::read::{known_only, read_extra};
use super::response::{Liter, Usage, Warning};
use crate::codec::{Fields, Object, wrong};
use crate::error::Error;
use crate::json::Value;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct ModerateRequest {
    /// A string, a list of strings, or a list of parts as in a message: `text`, `image_url`.
    pub input: Value,
    /// The provider's moderation model.
    pub model: Option<String>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Object,
    /// Paths of members that nobody knows: reported in `warnings`.
    pub unknown: Vec<String>,
}

/// What a provider answered.
#[derive(Clone, Debug, Default)]
pub struct Moderations {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model, as the provider names it.
    pub model: Option<String>,
    /// A verdict for each input.
    pub results: Vec<Moderation>,
    /// What the provider says was used.
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
    /// Whether any rule is broken. Where the provider gives no such word (Mistral): whether any of
    /// its categories is true.
    pub flagged: bool,
    /// By the provider's name of a category: whether it applies.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, bool>"))]
    pub categories: Object,
    /// By the provider's name of a category: how sure it is, from 0 to 1.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, f64>"))]
    pub category_scores: Object,
    /// The provider's other members, as they came.
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
    /// A verdict for each input, in their order.
    pub results: Vec<Moderation>,
    /// What the provider says was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Who answered: the provider's name in the configuration.
    pub provider: String,
    /// What was left out or changed on the way.
    pub warnings: Vec<Warning>,
    /// Everything volatile or ours.
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
            model: fields.string("model")?.filter(|model| !model.is_empty()),
            extra: read_extra(&mut fields)?,
            unknown: known_only(fields, Vec::new(), options)?,
        })
    }
}
