//! The requests of the operations besides chat: `model::{EmbedRequest, ModelsRequest,
//! ModerateRequest, RerankRequest}`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::OptionsDocument;
use super::members::Object;

/// A request to forget what is kept for one tenant. A member that is not listed is an error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "CachePurgeRequest", deny_unknown_fields)]
pub struct CachePurgeDocument {
    /// The operation.
    pub op: CachePurgeOp,
    /// The tenant; "" for the calls that name none. At most 128 bytes.
    pub tenant: String,
    /// How the request is sent. It is not sent, so none of them changes anything.
    pub options: Option<OptionsDocument>,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CachePurgeOp {
    /// Forgets what is kept for one tenant.
    CachePurge,
}

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

/// Texts, or images, to turn into vectors. A member that is not listed is left out of the provider's
/// body and reported in `warnings`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "EmbedRequest")]
pub struct EmbedRequestDocument {
    /// The operation.
    pub op: EmbedOp,
    /// A text, or a list. Each item of a list gets a vector: a text, a list of tokens, or a list of
    /// parts (`text`, `image_url`) that are looked at together. A list that is longer than the
    /// provider takes goes out in several requests, and comes back as one answer.
    pub input: EmbedInput,
    /// The provider's model. It is required: vectors of different models cannot be compared.
    pub model: Option<String>,
    /// The length of the vectors, for models that can give shorter ones.
    pub dimensions: Option<u64>,
    /// What the vectors are for. Some models make other vectors for a query than for a document.
    pub input_type: Option<EmbedInputType>,
    /// What happens to an input that is too long for the model: the request fails (`none`), or the
    /// start or the end is cut off. Default: as the provider does.
    pub truncate: Option<EmbedTruncate>,
    /// How vectors are written in the answer. Default: `base64`, of 32-bit floats.
    pub encoding: Option<EmbedEncoding>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Option<BTreeMap<String, Option<Object>>>,
    /// How the request is sent. Options beside the request override these.
    pub options: Option<OptionsDocument>,
}

/// What is embedded.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum EmbedInput {
    /// One text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// Lists of tokens, or of parts.
    Others(Vec<Value>),
}

/// What vectors are for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmbedInputType {
    /// A query, which is compared with documents.
    Query,
    /// A document, which queries are to find.
    Document,
    /// A text to classify.
    Classification,
    /// Texts to group.
    Clustering,
}

/// What happens to an input that is too long for the model.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmbedTruncate {
    /// The request fails.
    None,
    /// Its start is cut off.
    Start,
    /// Its end is cut off.
    End,
}

/// How vectors are written, and what their numbers are.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmbedEncoding {
    /// Base64 of 32-bit floats, little-endian.
    Base64,
    /// A list of numbers, for readers that have nothing but JSON.
    Float,
    /// Base64 of signed bytes, one for each number.
    Int8,
    /// Base64 of bytes, one for each number.
    Uint8,
    /// Base64 of signed bytes, each with the signs of eight numbers.
    Binary,
    /// Base64 of bytes, each with the signs of eight numbers.
    Ubinary,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmbedOp {
    /// Embeddings.
    Embed,
}

/// Documents to order by how well they answer a query. A member that is not listed is left out of
/// the provider's body and reported in `warnings`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "RerankRequest")]
pub struct RerankRequestDocument {
    /// The operation.
    pub op: RerankOp,
    /// What the documents are to answer.
    pub query: String,
    /// The documents.
    pub documents: Vec<String>,
    /// The provider's model. It is required.
    pub model: Option<String>,
    /// The number of documents in the answer. Default: all.
    pub top_n: Option<u64>,
    /// The most tokens of a document that the model looks at (Cohere).
    pub max_tokens_per_doc: Option<u64>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Option<BTreeMap<String, Option<Object>>>,
    /// How the request is sent. Options beside the request override these.
    pub options: Option<OptionsDocument>,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RerankOp {
    /// Ranked documents.
    Rerank,
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
