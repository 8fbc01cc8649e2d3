//! `op: "models"` lists the models that a provider has.

use serde::Serialize;

use super::options::Options;
use super::read::known_only;
use super::response::{Liter, Warning, last};
use crate::codec::{Fields, Object};
use crate::error::Error;

/// A request for the list of a provider's models, or for one of them.
#[derive(Clone, Debug, Default)]
pub struct ModelsRequest {
    /// The one model that is asked about. Absent: all of them.
    pub model: Option<String>,
    /// The page of the list, in words of the adapter. `None`: the first one.
    pub page: Option<String>,
    /// The paths of unknown members, reported in `warnings`.
    pub unknown: Vec<String>,
}

/// A provider's answer.
#[derive(Clone, Debug, Default)]
pub struct ModelList {
    /// The models, in the provider's order.
    pub data: Vec<ModelInfo>,
    /// The page that follows, for [`ModelsRequest::page`].
    pub next: Option<String>,
    /// The adapter's warnings about the answer.
    pub warnings: Vec<Warning>,
}

/// One model, as its provider describes it.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelInfo {
    /// The id to give as `model` of a request.
    pub id: String,
    /// The name in the configuration of the provider that has the model.
    pub provider: String,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// The largest number of tokens of prompt and answer together, or of the prompt, as the
    /// provider counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// The largest number of tokens of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// What the model can do, in the provider's own words: `vision`, `tools`, `generateContent`, …
    /// Where they stand in the provider's form, they are in `provider_fields` too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// The provider's other members, unchanged.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// The answer to `op: "models"`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelsResponse {
    /// `list`.
    pub object: &'static str,
    /// The models, in the provider's order. One model if the request asks about one.
    pub data: Vec<ModelInfo>,
    /// The name in the configuration of the provider that answered.
    pub provider: String,
    /// Warnings about members that were left out or changed.
    pub warnings: Vec<Warning>,
    /// The members that are volatile or added by the engine.
    #[serde(serialize_with = "last")]
    pub liter: Liter,
}

impl ModelsRequest {
    /// Reads the members of a request of this operation.
    pub(crate) fn read(mut fields: Fields, options: &Options) -> Result<Self, Error> {
        let model = fields.name("model")?;
        Ok(ModelsRequest { model, page: None, unknown: known_only(fields, Vec::new(), options)? })
    }
}
