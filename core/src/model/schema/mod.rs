//! The documents as types, for their JSON Schemas.
//!
//! Requests, options and configurations are read by hand (`request`, `options`, `config`), so that
//! messages can name paths; what those readers take is written down here once more. A test in
//! `core/tests/schemas.rs` holds the two together. Responses, chunks and errors are serialised from
//! their own types and need no copy, but for the two that are written by hand.

mod config;
mod options;

pub use config::*;
pub use options::*;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Number, Value};

use members::Object;

mod http;
mod members;
mod operations;
mod tools;

pub use http::{
    HttpData, HttpEventDocument, HttpHead, HttpOp, HttpRequestDocument, HttpResponseDocument,
};

pub use operations::{ModelsOp, ModelsRequestDocument, ModerateOp, ModerateRequestDocument};

pub use tools::{
    FunctionDocument, JsonSchemaDocument, NamedDocument, ResponseFormatDocument,
    ToolChoiceDocument, ToolChoiceWord, ToolDocument,
};

/// What is asked: OpenAI's chat request with a few members of our own. Give `prompt` or `messages`.
/// A member that is not listed is left out of the provider's body and reported in `warnings`.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "Request")]
pub struct RequestDocument {
    /// The operation.
    pub op: Option<Op>,
    /// The short form: one user message.
    pub prompt: Option<String>,
    /// The conversation.
    pub messages: Option<Vec<MessageDocument>>,
    /// The provider's model id; the configuration's default where absent.
    pub model: Option<String>,
    /// Most tokens of the answer.
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u64>,
    /// OpenAI's newer name of `max_tokens`; wins over it.
    #[schemars(range(min = 1))]
    pub max_completion_tokens: Option<u64>,
    /// Sampling temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Texts that end the answer.
    pub stop: Option<StopDocument>,
    /// Seed for sampling.
    pub seed: Option<Number>,
    /// How many choices.
    #[schemars(range(min = 1))]
    pub n: Option<u64>,
    /// OpenAI's presence penalty.
    pub presence_penalty: Option<Number>,
    /// OpenAI's frequency penalty.
    pub frequency_penalty: Option<Number>,
    /// Tools that the model may call.
    pub tools: Option<Vec<ToolDocument>>,
    /// Which tool the model must call.
    pub tool_choice: Option<ToolChoiceDocument>,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: Option<ResponseFormatDocument>,
    /// How much the model thinks before it answers.
    pub reasoning: Option<ReasoningDocument>,
    /// OpenAI's name of `reasoning.effort`.
    pub reasoning_effort: Option<String>,
    /// Whether chunks are wanted.
    pub stream: Option<bool>,
    /// OpenAI's member; says nothing that is not done anyway.
    pub stream_options: Option<Value>,
    /// Labels that the provider stores with the request.
    pub metadata: Option<Object>,
    /// An id of the end user, for the provider's abuse checks.
    pub user: Option<String>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Option<BTreeMap<String, Option<Object>>>,
    /// How and where it is done; options given beside the request win.
    pub options: Option<OptionsDocument>,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// A chat completion.
    Chat,
}

/// One message of the conversation. A response's message can be handed back as it came.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Message")]
pub struct MessageDocument {
    /// Who speaks.
    pub role: RoleDocument,
    /// What is said. Only an assistant's message may have none.
    pub content: Option<ContentDocument>,
    /// A name of the speaker.
    pub name: Option<String>,
    /// The tools that the assistant called.
    pub tool_calls: Option<Vec<ToolCallInDocument>>,
    /// For a tool's result: the call that it answers.
    pub tool_call_id: Option<String>,
    /// The assistant's refusal.
    pub refusal: Option<String>,
    /// The assistant's reasoning text.
    pub reasoning: Option<String>,
    /// Another name of `reasoning`, in use among OpenAI's relatives.
    pub reasoning_content: Option<String>,
    /// A tool's result that reports a failure.
    pub is_error: Option<bool>,
    /// What a provider said that has no unified place, as the response gave it.
    pub provider_fields: Option<Object>,
}

/// Who speaks.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleDocument {
    /// The instructions that stand above the conversation.
    System,
    /// OpenAI's newer name of `system`.
    Developer,
    /// Who asks.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// What a message says.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ContentDocument {
    /// Plain text.
    Text(String),
    /// Parts in order.
    Parts(Vec<PartDocument>),
}

/// One part of a message. `cache_control` marks the end of a prefix to cache (Anthropic).
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PartDocument {
    /// Text.
    #[schemars(title = "TextPart")]
    Text {
        /// The text.
        text: String,
        /// Anthropic's cache mark: it ends a prefix to cache.
        cache_control: Option<Value>,
    },
    /// An image.
    #[schemars(title = "ImagePart")]
    ImageUrl {
        /// Where it is.
        image_url: ImageDocument,
        /// Anthropic's cache mark: it ends a prefix to cache.
        cache_control: Option<Value>,
    },
    /// Audio.
    #[schemars(title = "AudioPart")]
    InputAudio {
        /// The audio.
        input_audio: AudioDocument,
        /// Ignored: no provider caches audio.
        cache_control: Option<Value>,
    },
    /// A file.
    #[schemars(title = "FilePart")]
    File {
        /// OpenAI's object: `file_data`, `file_id`, `filename`.
        file: Object,
        /// Anthropic's cache mark: it ends a prefix to cache.
        cache_control: Option<Value>,
    },
    /// What an assistant refused to say, handed back as part of the history.
    #[schemars(title = "RefusalPart")]
    Refusal {
        /// The text.
        refusal: Option<String>,
    },
}

/// Where an image is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ImageDocument {
    /// A URL, or a `data:` URL with base64.
    Url(String),
    /// An image by its URL, with its detail.
    #[schemars(title = "ImageURL")]
    Image {
        /// A URL, or a `data:` URL with base64.
        url: String,
        /// OpenAI's `low`, `high`, `auto`.
        detail: Option<String>,
    },
}

/// Sound.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AudioDocument {
    /// Base64.
    pub data: String,
    /// `wav` or `mp3`.
    pub format: String,
}

/// A call of one of the caller's tools, in the history.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToolCallInDocument {
    /// The provider's id of the call.
    pub id: Option<String>,
    /// `function`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What was called.
    pub function: CalledFunctionDocument,
    /// The call of a custom tool, in place of `function`: `name` and `input`, as it came.
    pub custom: Option<Object>,
    /// Its number, which streams give; it is not sent.
    pub index: Option<u64>,
}

/// A function that was called.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CalledFunctionDocument {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Option<ArgumentsDocument>,
}

/// The arguments of a call.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ArgumentsDocument {
    /// JSON text.
    Text(String),
    /// The object itself.
    Object(Object),
}

/// Texts that end the answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StopDocument {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// How much the model thinks before it answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReasoningDocument {
    /// `none`, `minimal`, `low`, `medium`, `high`, …: the provider checks the word.
    pub effort: Option<String>,
    /// Most tokens of reasoning.
    pub budget_tokens: Option<u64>,
}

/// What the model says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "AssistantMessage")]
pub struct AssistantMessageDocument {
    /// `assistant`.
    #[schemars(extend("const" = "assistant"))]
    pub role: String,
    /// The text; `null` where the provider gave none.
    pub content: Option<String>,
    /// The caller's tools that the model calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallDocument>,
    /// The model's refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The reasoning text, where the provider shows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Members of the provider's message that have no place here.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// A call of one of the caller's tools.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "ToolCall")]
pub struct ToolCallDocument {
    /// The provider's id of the call; empty where it gave none.
    pub id: String,
    /// `function`.
    #[serde(rename = "type")]
    #[schemars(extend("const" = "function"))]
    pub kind: String,
    /// What is called.
    pub function: CalledDocument,
}

/// A called function.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CalledDocument {
    /// Its name.
    pub name: String,
    /// Its arguments: JSON text, as the provider wrote it.
    pub arguments: String,
}

/// A failed request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "ErrorDocument")]
pub struct ErrorDocument {
    /// What failed.
    pub error: crate::error::ErrorBody,
}
