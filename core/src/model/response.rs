//! What is answered: an OpenAI `chat.completion` object with a few members of our own.
//!
//! The order of the members is the order of the canonical document. What the provider did not say
//! is absent, never zero and never made up.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::caching::Cached;
use super::cost::{Cost, Usd};
use super::usage::Usage;
use crate::codec::Object;
use crate::error::{Attempt, Trace};
use crate::json::{MARK, Value, to_vec};

/// A chat completion in OpenAI's shape. What the provider did not say is absent, never 0.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Response {
    /// The provider's id of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `chat.completion`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "chat.completion")))]
    pub object: &'static str,
    /// Seconds since 1970, from the provider; else from the answer's `Date` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// The model, as the provider names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The answers.
    pub choices: Vec<Choice>,
    /// What the provider says was used. If the provider says nothing, as some compatible servers
    /// do, it is absent: look for it before you read a count. In Python it is then empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Who served it: the provider's name in the configuration.
    pub provider: String,
    /// What was left out or changed on the way.
    pub warnings: Vec<Warning>,
    /// Everything volatile or of the engine's own: request ids, attempts, timing. It is the last
    /// member of every answer.
    #[serde(serialize_with = "last")]
    pub liter: Liter,
}

/// Writes the member `liter` of an answer, which is the last. The writer notes its place.
pub(super) fn last<S: Serializer>(liter: &Liter, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(MARK, liter)
}

/// The same for a serializer by hand.
pub(super) struct Last<'a>(pub(super) &'a Liter);

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        last(self.0, serializer)
    }
}

/// One answer.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Choice {
    /// Its number.
    pub index: u64,
    /// What the model says.
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::AssistantMessageDocument"))]
    pub message: AssistantMessage,
    /// Why it ended.
    pub finish_reason: Option<FinishReason>,
    /// Log probabilities in OpenAI's form: `content` has one entry for each token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Value>,
    /// Members of the provider's choice that have no place here.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// What the model says.
#[derive(Clone, Debug, Default)]
pub struct AssistantMessage {
    /// The text; `None` where the provider gave none.
    pub content: Option<String>,
    /// The caller's tools that the model calls. Tools that the provider runs itself are not here
    /// but in `provider_fields`.
    pub tool_calls: Vec<ToolCall>,
    /// The model's refusal.
    pub refusal: Option<String>,
    /// The reasoning text, where the provider shows one.
    pub reasoning: Option<String>,
    /// What the text cites, in OpenAI's form (`url_citation`, `file_citation`).
    pub annotations: Vec<Value>,
    /// Images that the model made, each as the part of a request is: `image_url` with a URL.
    pub images: Vec<Value>,
    /// Speech that the model made: OpenAI's object (`id`, `data`, `transcript`, `expires_at`).
    pub audio: Option<Object>,
    /// Members of the provider's message that have no place here.
    pub provider_fields: Object,
}

impl Serialize for AssistantMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("AssistantMessage", 9)?;
        out.serialize_field("role", "assistant")?;
        out.serialize_field("content", &self.content)?;
        if !self.tool_calls.is_empty() {
            out.serialize_field("tool_calls", &self.tool_calls)?;
        }
        if let Some(refusal) = &self.refusal {
            out.serialize_field("refusal", refusal)?;
        }
        if let Some(reasoning) = &self.reasoning {
            out.serialize_field("reasoning", reasoning)?;
        }
        if !self.annotations.is_empty() {
            out.serialize_field("annotations", &self.annotations)?;
        }
        if !self.images.is_empty() {
            out.serialize_field("images", &self.images)?;
        }
        if let Some(audio) = &self.audio {
            out.serialize_field("audio", audio)?;
        }
        if !self.provider_fields.is_empty() {
            out.serialize_field("provider_fields", &self.provider_fields)?;
        }
        out.end()
    }
}

/// A call of one of the caller's tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id of the call; empty where it gave none.
    pub id: String,
    /// The function's name.
    pub name: String,
    /// Its arguments: JSON text, as the provider wrote it.
    pub arguments: String,
}

impl ToolCall {
    /// A call of `name`.
    #[must_use]
    pub fn new(id: String, name: String, arguments: String) -> Self {
        ToolCall { id, name, arguments }
    }
}

impl Serialize for ToolCall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'a> {
            name: &'a str,
            arguments: &'a str,
        }
        let mut out = serializer.serialize_struct("ToolCall", 3)?;
        out.serialize_field("id", &self.id)?;
        out.serialize_field("type", "function")?;
        let function = Function { name: &self.name, arguments: &self.arguments };
        out.serialize_field("function", &function)?;
        out.end()
    }
}

/// Why an answer ended. The provider's own word is in `liter.finish_reason_raw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model was done, or a stop text came.
    Stop,
    /// The token limit or the context was reached.
    Length,
    /// The model calls tools.
    ToolCalls,
    /// A filter or the model refused.
    ContentFilter,
}

/// Something that was left out or changed on the way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Warning {
    /// A word for programs: `unsupported_parameter`, `unknown_parameter`, …
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The member of the request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
}

/// Everything volatile or of the engine's own.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Liter {
    /// The version of this object: 1.
    pub v: u8,
    /// The engine's id of the call.
    pub request_id: String,
    /// The provider's id of the request, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
    /// The first choice's finish reason in the provider's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason_raw: Option<String>,
    /// The provider's usage object, as it came. It is absent if the provider gave none, and if
    /// `usage` says all that it says: each member by the same name, with the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_raw: Option<Value>,
    /// One entry for each attempt that was made.
    pub attempts: Vec<Attempt>,
    /// How long it took.
    pub timing: Timing,
    /// Why this target was asked, where a route chose it by its cost or by its quality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Box<Routed>>,
    /// What it cost, where the operation is one that costs something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Box<Cost>>,
    /// The provider's rate limit headers, as they came.
    #[serde(skip_serializing_if = "Object::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, String>"))]
    pub ratelimit: Object,
    /// Members of the provider's answer that have no place here.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
    /// Where the answer came from, if no provider was asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cached>,
    /// How the call went, where `options.telemetry` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<Trace>>,
}

/// Why a target of a route was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Routed {
    /// The policy of the route.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub policy: &'static str,
    /// The place of the rule that held, from 0. Absent if none did, and if the call named a quality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<u64>,
    /// The least quality of a target that was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_quality: Option<u8>,
    /// What the call was likely to cost at the target that answered. Absent if no price is known, and
    /// under other policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub expected_usd: Option<Usd>,
}

/// How long it took, in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timing {
    /// Until the request was sent.
    pub queue_ms: f64,
    /// Until the first content of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Until the end.
    pub total_ms: f64,
}

impl Response {
    /// The first choice's text; empty where it has none.
    #[must_use]
    pub fn text(&self) -> &str {
        let first = self.choices.first();
        first.and_then(|choice| choice.message.content.as_deref()).unwrap_or_default()
    }

    /// The response document, compact, in canonical member order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_vec(self, self.size())
    }

    /// A guess at the bytes of the document. Escapes make the text longer.
    pub(crate) fn size(&self) -> usize {
        2048 + self.text().len() * 9 / 8
    }
}
