//! `op: "models"`: which models a provider has.

use serde::Serialize;

use super::options::Options;
use super::read::known_only;
use super::response::{Liter, Warning};
use crate::codec::{Fields, Object};
use crate::error::Error;

/// What is asked: the list of a provider's models, or one of them.
#[derive(Clone, Debug, Default)]
pub struct ModelsRequest {
    /// The one model that is asked about; absent: all of them.
    pub model: Option<String>,
    /// Paths of members that nobody knows: reported in `warnings`.
    pub unknown: Vec<String>,
}

/// What a provider answered.
#[derive(Clone, Debug, Default)]
pub struct ModelList {
    /// Its models, in its order.
    pub data: Vec<ModelInfo>,
    /// What the adapter has to say about the answer.
    pub warnings: Vec<Warning>,
}

/// One model, as its provider describes it.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelInfo {
    /// The id to give as `model` of a request.
    pub id: String,
    /// Who has it: the provider's name in the configuration.
    pub provider: String,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// Most tokens of prompt and answer together, or of the prompt, as the provider counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Most tokens of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// The provider's other members, as they came.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// The answer to `op: "models"`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelsResponse {
    /// `list`.
    pub object: &'static str,
    /// The models, in the provider's order; one where one was asked about.
    pub data: Vec<ModelInfo>,
    /// Who answered: the provider's name in the configuration.
    pub provider: String,
    /// What was left out or changed on the way.
    pub warnings: Vec<Warning>,
    /// Everything volatile or ours.
    pub liter: Liter,
}

impl ModelsRequest {
    /// Reads the members of a request of this operation.
    pub(crate) fn read(mut fields: Fields, options: &Options) -> Result<Self, Error> {
        let model = fields.string("model")?.filter(|model| !model.is_empty());
        Ok(ModelsRequest { model, unknown: known_only(fields, Vec::new(), options)? })
    }
}
