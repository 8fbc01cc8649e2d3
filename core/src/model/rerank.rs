//! `op: "rerank"` orders documents by how well they answer a query.

use serde::Serialize;

use super::options::Options;
use super::read::{known_only, read_extra};
use super::response::{Liter, Warning, last};
use super::usage::Usage;
use crate::codec::{Fields, Object, wrong};
use crate::error::Error;
use crate::json::{Number, Value};

/// A request to rank documents.
#[derive(Clone, Debug, Default)]
pub struct RerankRequest {
    /// What the documents are to answer.
    pub query: String,
    /// The documents.
    pub documents: Vec<String>,
    /// The provider's model.
    pub model: Option<String>,
    /// The number of documents in the answer. `None`: all.
    pub top_n: Option<u64>,
    /// The most tokens of a document that the model looks at.
    pub max_tokens_per_doc: Option<u64>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Object,
    /// The paths of unknown members, reported in `warnings`.
    pub unknown: Vec<String>,
}

/// A provider's answer.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model, as the provider names it.
    pub model: Option<String>,
    /// The documents, the best one first.
    pub results: Vec<Ranked>,
    /// The usage that the provider reports.
    pub usage: Option<Usage>,
    /// The provider's own usage object.
    pub usage_raw: Option<Value>,
    /// Top-level members that have no place in an answer.
    pub fields: Object,
    /// What the adapter has to say about the answer.
    pub warnings: Vec<Warning>,
}

/// The place of one document.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ranked {
    /// The document's place in the list of the request, from 0.
    pub index: usize,
    /// How well it answers the query, by the provider's measure; more is better.
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub relevance_score: Number,
    /// The provider's other members, unchanged.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// The answer to `op: "rerank"`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RerankResponse {
    /// The provider's id of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model, as the provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The documents, the best one first.
    pub results: Vec<Ranked>,
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

impl RerankRequest {
    /// Reads the members of a request of this operation.
    pub(crate) fn read(mut fields: Fields, options: &Options) -> Result<Self, Error> {
        let Some(query) = fields.string("query")? else {
            return Err(fields.missing("query", "what the documents are to answer"));
        };
        let documents = match fields.list("documents")? {
            None => return Err(fields.missing("documents", "a list of texts")),
            Some(items) if items.is_empty() => {
                let message = "documents is empty: give at least one text";
                return Err(Error::invalid("documents", message));
            }
            Some(items) => items,
        };
        let text = |(i, item)| match item {
            Value::String(text) => Ok(text),
            other => Err(wrong(&format!("documents[{i}]"), "a string", &other)),
        };
        Ok(RerankRequest {
            query,
            documents: documents.into_iter().enumerate().map(text).collect::<Result<_, _>>()?,
            model: fields.name("model")?,
            top_n: fields.whole("top_n", 1)?,
            max_tokens_per_doc: fields.whole("max_tokens_per_doc", 1)?,
            extra: read_extra(&mut fields)?,
            unknown: known_only(fields, Vec::new(), options)?,
        })
    }
}
