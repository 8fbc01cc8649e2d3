//! A chunk is a part of a stream: OpenAI's `chat.completion.chunk` with typed deltas.

use std::sync::Arc;

use serde::Serialize;

use super::response::FinishReason;
use super::usage::Usage;
use crate::codec::Object;
use crate::error::ErrorKind;
use crate::json::{Value, write};

/// A part of a stream, in the shape of OpenAI's `chat.completion.chunk`.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Chunk {
    /// The provider's id of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
    /// `chat.completion.chunk`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "chat.completion.chunk")))]
    pub object: &'static str,
    /// Seconds since 1970, from the provider, otherwise from the answer's `Date` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// The model, as the provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Arc<str>>,
    /// The delta of each choice that has news. There is always one: if the chunk has only counts,
    /// its delta is empty.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub choices: Vec<ChunkChoice>,
    /// The usage, in the chunk in which the provider reports it. All other chunks have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl Chunk {
    /// Appends the chunk's document, compact, in canonical member order.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        write(out, self);
    }
}

/// A broken answer starts again (`options.on_break`), and the chunks so far are void.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reset {
    /// `chat.completion.reset`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "chat.completion.reset")))]
    pub object: &'static str,
    /// One, and its delta is empty, as in a chunk without news.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub choices: Vec<ChunkChoice>,
    /// The kind of error that broke the answer.
    pub reason: ErrorKind,
}

impl Reset {
    pub(crate) fn new(reason: ErrorKind) -> Self {
        let choices = vec![ChunkChoice::default()];
        Reset { object: "chat.completion.reset", choices, reason }
    }

    /// Appends the document, compact.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        write(out, self);
    }
}

/// The delta of one choice.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChunkChoice {
    /// The index of the choice.
    pub index: u64,
    /// The new parts.
    pub delta: Delta,
    /// Why the choice ended, in its last chunk; `null` before.
    pub finish_reason: Option<FinishReason>,
    /// Log probabilities of the chunk's tokens, in OpenAI's form. Append each list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Value>,
}

/// The new parts of a message. Append each text.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delta {
    /// `assistant`, in the first chunk of a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Reasoning text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Text of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Parts of tool calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallDelta>,
    /// Further annotations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<super::schema::AnnotationDocument>"))]
    pub annotations: Vec<Value>,
    /// Further images.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<super::schema::AnswerImageDocument>"))]
    pub images: Vec<Value>,
    /// A piece of speech. Append each transcript. The data of each piece is base64 of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::AnswerAudioDocument"))]
    pub audio: Option<Object>,
    /// Members of the provider's delta that have no place here.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// A part of a tool call. Id and name come once. Append the arguments.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ToolCallDelta {
    /// The index of the tool call in the message.
    pub index: u64,
    /// The provider's id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `function`, in the part that has the id.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// The called function.
    pub function: FunctionDelta,
}

/// A part of a called function.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FunctionDelta {
    /// The function's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A part of the arguments' text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}
