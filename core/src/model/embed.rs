//! `op: "embed"` turns texts into vectors. `vector` has the vectors themselves.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::options::Options;
use super::read::{known_only, read_extra};
use super::request::Part;
use super::response::{Liter, Warning, last};
use super::usage::Usage;
use super::vector::{Encoding, Vector};
use crate::codec::{Fields, Object, wrong};
use crate::error::Error;
use crate::json::Value;

/// A request for embeddings.
#[derive(Clone, Debug, Default)]
pub struct EmbedRequest {
    /// The inputs of the whole request. Each gets a vector.
    pub inputs: Arc<Vec<EmbedInput>>,
    /// The inputs that this request asks about. A list that is too long for one request is asked
    /// about in parts.
    pub part: Range<usize>,
    /// The provider's model.
    pub model: Option<String>,
    /// The number of numbers of each vector, where the model can give fewer.
    pub dimensions: Option<u64>,
    /// What the vectors are for.
    pub input_type: Option<InputType>,
    /// What happens to an input that is too long for the model.
    pub truncate: Option<Truncate>,
    /// How vectors are written.
    pub encoding: Encoding,
    /// Members for one provider's body only, by the provider's name. All parts share them.
    pub extra: Arc<Object>,
    /// The paths of unknown members, reported in `warnings`.
    pub unknown: Vec<String>,
}

/// What one vector is made of.
#[derive(Clone, Debug)]
pub enum EmbedInput {
    /// A text.
    Text(String),
    /// The tokens of a text, as the model numbers them.
    Tokens(Vec<Value>),
    /// Texts and images that are looked at together.
    Parts(Vec<Part>),
}

/// What vectors are for. Some models make other vectors for a query than for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputType {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncate {
    /// The request fails.
    None,
    /// Its start is cut off.
    Start,
    /// Its end is cut off.
    End,
}

/// A provider's answer.
#[derive(Clone, Debug, Default)]
pub struct Embeddings {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model, as the provider names it.
    pub model: Option<String>,
    /// A vector for each input of the request, in their order.
    pub vectors: Vec<Vector>,
    /// How the vectors are written. Not as asked if the provider cannot do that.
    pub encoding: Encoding,
    /// The usage that the provider reports.
    pub usage: Option<Usage>,
    /// The provider's own usage object.
    pub usage_raw: Option<Value>,
    /// Top-level members that have no place in an answer.
    pub fields: Object,
    /// What the adapter has to say about the answer.
    pub warnings: Vec<Warning>,
}

/// The vector of one input.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Embedding {
    /// The input's place in the list of the request, from 0.
    pub index: usize,
    /// The vector: base64 of its numbers, as `encoding` of the answer says, or with the encoding
    /// `float` a list of numbers. The packages' method `vectors` reads either.
    #[cfg_attr(feature = "schema", schemars(with = "super::vector::VectorDocument"))]
    pub embedding: Vector,
}

/// The answer to `op: "embed"`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EmbedResponse {
    /// The provider's id of the answer; of the first one if the inputs went out in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `list`.
    pub object: &'static str,
    /// A vector for each input, in the order of the inputs. All have the same length.
    pub data: Vec<Embedding>,
    /// How the vectors are written. Not as asked if the provider cannot do that; a warning says so.
    pub encoding: Encoding,
    /// The model, as the provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The usage that the provider reports; the sum if the inputs went out in parts.
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

const INPUT: &str = "a string, or a list of strings, lists of tokens or lists of parts";

impl EmbedRequest {
    /// Reads the members of a request of this operation.
    pub(crate) fn read(mut fields: Fields, options: &Options) -> Result<Self, Error> {
        let mut unknown = Vec::new();
        let inputs = match fields.value("input") {
            None => return Err(fields.missing("input", INPUT)),
            Some(Value::String(text)) => vec![EmbedInput::Text(text)],
            Some(Value::Array(items)) if items.is_empty() => {
                return Err(Error::invalid("input", "input is empty: give at least one text"));
            }
            // One text as its tokens, as OpenAI allows it.
            Some(Value::Array(items)) if items[0].as_number().is_some() => {
                vec![EmbedInput::read(Value::Array(items), "input", &mut unknown)?]
            }
            Some(Value::Array(items)) => {
                let read = |(i, item)| EmbedInput::read(item, &format!("input[{i}]"), &mut unknown);
                items.into_iter().enumerate().map(read).collect::<Result<_, _>>()?
            }
            Some(other) => return Err(wrong("input", INPUT, &other)),
        };
        let input_type = fields.word("input_type", &InputType::NAMES)?.and_then(InputType::of);
        let truncate = fields.word("truncate", &["none", "start", "end"])?;
        Ok(EmbedRequest {
            part: 0..inputs.len(),
            inputs: Arc::new(inputs),
            model: fields.name("model")?,
            dimensions: fields.whole("dimensions", 1)?,
            input_type,
            truncate: truncate.map(|word| match word {
                "none" => Truncate::None,
                "start" => Truncate::Start,
                _ => Truncate::End,
            }),
            encoding: fields
                .word("encoding", &Encoding::NAMES)?
                .map(Encoding::of)
                .unwrap_or_default(),
            extra: Arc::new(read_extra(&mut fields)?),
            unknown: known_only(fields, unknown, options)?,
        })
    }

    /// The inputs that this request asks about.
    #[must_use]
    pub fn asked(&self) -> &[EmbedInput] {
        &self.inputs[self.part.clone()]
    }

    /// The same request about other inputs of the list. What was unknown of it is said once.
    #[must_use]
    pub fn about(&self, part: Range<usize>) -> Self {
        EmbedRequest {
            part,
            inputs: Arc::clone(&self.inputs),
            model: self.model.clone(),
            extra: Arc::clone(&self.extra),
            unknown: Vec::new(),
            ..*self
        }
    }
}

impl EmbedInput {
    fn read(item: Value, path: &str, unknown: &mut Vec<String>) -> Result<Self, Error> {
        let wanted = "a string, a list of tokens or a list of parts";
        let items = match item {
            Value::String(text) => return Ok(EmbedInput::Text(text)),
            Value::Object(_) => vec![item],
            Value::Array(items) if !items.is_empty() => items,
            other => return Err(wrong(path, wanted, &other)),
        };
        if items[0].as_number().is_some() {
            let odd = items.iter().position(|item| item.as_u64().is_none());
            return match odd {
                None => Ok(EmbedInput::Tokens(items)),
                Some(i) => {
                    let path = format!("{path}[{i}]");
                    let message = format!("{path} must be a token: a whole number of at least 0");
                    Err(Error::invalid(path, message))
                }
            };
        }
        let read = |(i, item): (usize, Value)| {
            let path = format!("{path}[{i}]");
            if !item.is_object() {
                return Err(wrong(&path, "a part", &item));
            }
            match Part::read(item, path.clone(), unknown)? {
                part @ (Part::Text { .. } | Part::Image { .. }) => Ok(part),
                Part::Audio { .. } | Part::File { .. } => {
                    let message = format!("{path} must be a text or an image_url here");
                    Err(Error::invalid(path, message))
                }
            }
        };
        items.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(EmbedInput::Parts)
    }

    /// The length of its JSON, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            EmbedInput::Text(text) => text.len(),
            EmbedInput::Tokens(tokens) => 7 * tokens.len(),
            EmbedInput::Parts(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Text { text, .. } => text.len(),
                    Part::Image { url, .. } => url.len(),
                    Part::Audio { .. } | Part::File { .. } => 0,
                })
                .sum(),
        }
    }

    /// The largest number of tokens that its texts can have. A token has at least one byte.
    #[must_use]
    pub fn most_tokens(&self) -> usize {
        match self {
            EmbedInput::Text(text) => text.len(),
            EmbedInput::Tokens(tokens) => tokens.len(),
            EmbedInput::Parts(parts) => parts
                .iter()
                .map(|part| if let Part::Text { text, .. } = part { text.len() } else { 0 })
                .sum(),
        }
    }
}

impl InputType {
    const ALL: [InputType; 4] =
        [InputType::Query, InputType::Document, InputType::Classification, InputType::Clustering];

    /// Their names in documents.
    pub const NAMES: [&'static str; 4] = ["query", "document", "classification", "clustering"];

    fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|i| Self::ALL[i])
    }

    /// Its name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}
