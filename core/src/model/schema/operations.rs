//! The requests of the operations besides chat: `model::{ModelsRequest, ModerateRequest}`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::OptionsDocument;
use super::members::Object;

/// A request for the models that a provider has. A member that is not listed is reported in
/// `warnings`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "ModelsRequest")]
pub struct ModelsRequestDocument {
    /// The operation.
    pub op: ModelsOp,
    /// The one model that is asked about: its id, or `provider/model`. Absent: all models of
    /// `options.provider`, or of the default provider.
    pub model: Option<String>,
    /// How the request is sent. Options beside the request override these.
    pub options: Option<OptionsDocument>,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelsOp {
    /// A list of models.
    Models,
}

/// A question whether texts or images break a provider's rules. A member that is not listed is left
/// out of the provider's body and reported in `warnings`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "ModerateRequest")]
pub struct ModerateRequestDocument {
    /// The operation.
    pub op: ModerateOp,
    /// A text; a list of texts, each with a verdict of its own; or a list of parts in OpenAI's form
    /// (`text`, `image_url`), which are looked at together.
    pub input: ModerateInput,
    /// The provider's moderation model; the provider's default where absent and where it has one.
    pub model: Option<String>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Option<BTreeMap<String, Option<Object>>>,
    /// How the request is sent. Options beside the request override these.
    pub options: Option<OptionsDocument>,
}

/// What is looked at.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ModerateInput {
    /// One text.
    Text(String),
    /// Texts, each with a verdict of its own.
    Texts(Vec<String>),
    /// Parts in OpenAI's form, which are looked at together.
    Parts(Vec<Object>),
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModerateOp {
    /// Moderation.
    Moderate,
}
