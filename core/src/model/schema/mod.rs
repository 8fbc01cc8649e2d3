//! The documents as types, for their JSON Schemas.
//!
//! Requests, options and configurations are read by hand (`request`, `options`, `config`), so that
//! messages can name paths. These types list once more what the readers take. A test in
//! `core/tests/schemas.rs` compares the two. Responses, chunks and errors are serialised from their
//! own types and need no copy, except two that are written by hand.

mod answers;
mod budgets;
mod cache;
mod config;
mod identity;
mod options;
mod prices;
mod route;

pub use answers::*;
pub use budgets::*;
pub use cache::*;
pub use config::*;
pub use identity::*;
pub use options::*;
pub use prices::*;
pub use route::*;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Number, Value};

use members::Object;

mod counted;
mod http;
mod members;
mod operations;
mod redis;
mod tools;

pub use counted::CountTokensRequestDocument;
pub use http::{
    HttpData, HttpEventDocument, HttpHead, HttpOp, HttpRequestDocument, HttpResponseDocument,
};

pub use operations::{
    CachePurgeDocument, CachePurgeOp, EmbedOp, EmbedRequestDocument, ModelsOp,
    ModelsRequestDocument, ModerateOp, ModerateRequestDocument, RerankOp, RerankRequestDocument,
};

pub use redis::{FleetDocument, RedisDocument, RedisMode};
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
    /// The provider's model id. Default: the configuration's model.
    pub model: Option<String>,
    /// The largest number of tokens of the answer.
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u64>,
    /// OpenAI's newer name of `max_tokens`, which it overrides.
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
    /// The number of choices.
    #[schemars(range(min = 1))]
    pub n: Option<u64>,
    /// OpenAI's presence penalty.
    pub presence_penalty: Option<Number>,
    /// OpenAI's frequency penalty.
    pub frequency_penalty: Option<Number>,
    /// Tools that the model may call.
    pub tools: Option<Vec<ToolDocument>>,
    /// The tool that the model must call.
    pub tool_choice: Option<ToolChoiceDocument>,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: Option<ResponseFormatDocument>,
    /// How much the model thinks before it answers.
    pub reasoning: Option<ReasoningDocument>,
    /// OpenAI's name of `reasoning.effort`.
    pub reasoning_effort: Option<String>,
    /// Whether the answer is wanted as a stream of chunks.
    pub stream: Option<bool>,
    /// OpenAI's member. It changes nothing, because the engine does the same without it.
    pub stream_options: Option<Value>,
    /// Labels that the provider stores with the request.
    pub metadata: Option<Object>,
    /// An id of the end user, for the provider's abuse checks.
    pub user: Option<String>,
    /// Whether the log probabilities of the answer's tokens are wanted.
    pub logprobs: Option<bool>,
    /// The number of the likeliest tokens whose probabilities are wanted at each place.
    pub top_logprobs: Option<u64>,
    /// Sampling among this many of the likeliest tokens.
    #[schemars(range(min = 1))]
    pub top_k: Option<u64>,
    /// What the answer is expected to be, in OpenAI's form: `{"type": "content", "content": ...}`.
    pub prediction: Option<Object>,
    /// The provider's word for how fast and how dear the answer is.
    pub service_tier: Option<String>,
    /// How long the answer is: `low`, `medium` or `high`.
    pub verbosity: Option<Verbosity>,
    /// A key for requests with the same beginning, for the provider's cache of prompts.
    pub prompt_cache_key: Option<String>,
    /// A stable id of the end user, hashed, for the provider's abuse checks.
    pub safety_identifier: Option<String>,
    /// What the answer is made of: `text`, `image`, `audio`.
    pub modalities: Option<Vec<String>>,
    /// The voice and the format of an answer that is spoken, in OpenAI's form.
    pub audio: Option<Object>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Option<BTreeMap<String, Option<Object>>>,
    /// How and where the request is sent. Options beside the request override these.
    pub options: Option<OptionsDocument>,
}

/// How long an answer is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verbosity {
    /// Short.
    Low,
    /// The provider's default.
    Medium,
    /// Long.
    High,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// A chat completion.
    Chat,
}

/// One message of the conversation. A response's message can be passed back unchanged.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Message")]
pub struct MessageDocument {
    /// The role of the speaker.
    pub role: RoleDocument,
    /// The content. Only an assistant's message may have none.
    pub content: Option<ContentDocument>,
    /// A name of the speaker.
    pub name: Option<String>,
    /// The tools that the assistant called.
    pub tool_calls: Option<Vec<ToolCallInDocument>>,
    /// The id of the call that a tool's result answers.
    pub tool_call_id: Option<String>,
    /// The assistant's refusal.
    pub refusal: Option<String>,
    /// The assistant's reasoning text.
    pub reasoning: Option<String>,
    /// Another name of `reasoning`, used by providers similar to OpenAI.
    pub reasoning_content: Option<String>,
    /// Whether a tool's result reports a failure.
    pub is_error: Option<bool>,
    /// The annotations of an earlier answer.
    pub annotations: Option<Vec<AnnotationDocument>>,
    /// The images of an earlier answer.
    pub images: Option<Vec<AnswerImageDocument>>,
    /// The speech of an earlier answer.
    pub audio: Option<AnswerAudioDocument>,
    /// The provider's members without a unified place, as in the response.
    pub provider_fields: Option<Object>,
}

/// The role of the speaker.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleDocument {
    /// The instructions before the conversation.
    System,
    /// OpenAI's newer name of `system`.
    Developer,
    /// The user who asks.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// The content of a message.
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
        /// Anthropic's cache mark, which ends a prefix to cache.
        cache_control: Option<Value>,
    },
    /// An image.
    #[schemars(title = "ImagePart")]
    ImageUrl {
        /// The place of the image.
        image_url: ImageDocument,
        /// Anthropic's cache mark, which ends a prefix to cache.
        cache_control: Option<Value>,
    },
    /// Audio.
    #[schemars(title = "AudioPart")]
    InputAudio {
        /// The audio.
        input_audio: AudioDocument,
        /// Ignored, because no provider caches audio.
        cache_control: Option<Value>,
    },
    /// A file.
    #[schemars(title = "FilePart")]
    File {
        /// OpenAI's object: `file_data`, `file_id`, `filename`.
        file: Object,
        /// Anthropic's cache mark, which ends a prefix to cache.
        cache_control: Option<Value>,
    },
    /// An assistant's refusal, passed back as part of the history.
    #[schemars(title = "RefusalPart")]
    Refusal {
        /// The text.
        refusal: Option<String>,
    },
}

/// The place of an image.
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

/// Sound data.
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
}

/// A function that was called.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CalledFunctionDocument {
    /// The function's name.
    pub name: String,
    /// The function's arguments.
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
    /// One text.
    One(String),
    /// Several texts.
    Many(Vec<String>),
}

/// How much the model thinks before it answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReasoningDocument {
    /// `none`, `minimal`, `low`, `medium`, `high`, … The provider checks the word.
    pub effort: Option<String>,
    /// The largest number of tokens of reasoning.
    pub budget_tokens: Option<u64>,
}

/// A failed request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "ErrorDocument")]
pub struct ErrorDocument {
    /// The error.
    pub error: crate::error::ErrorBody,
}
