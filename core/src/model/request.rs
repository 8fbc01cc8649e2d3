//! What is asked. Feeds the cache key and the audit hash; how and where it is done is in `options`.
//!
//! The document is OpenAI's chat request with a few members of our own; `read` and `read_message`
//! read it.

use std::sync::Arc;

use super::response::ToolCall;
use crate::codec::Object;
use crate::json::{Number, Value};

/// A chat request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The conversation; `prompt` in the document is one user message.
    pub messages: Arc<Vec<Message>>,
    /// The provider's model id; the configuration's default where absent.
    pub model: Option<String>,
    /// Most tokens of the answer.
    pub max_tokens: Option<u64>,
    /// It was asked for as `max_completion_tokens`.
    pub counts_completion: bool,
    /// Sampling temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Seed for sampling.
    pub seed: Option<Number>,
    /// How many choices.
    pub n: Option<u64>,
    /// OpenAI's presence penalty.
    pub presence_penalty: Option<Number>,
    /// OpenAI's frequency penalty.
    pub frequency_penalty: Option<Number>,
    /// Tools that the model may call.
    pub tools: Arc<Vec<Tool>>,
    /// Which tool the model must call.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer. Boxed: it is large, and seldom asked for.
    pub response_format: Option<Box<ResponseFormat>>,
    /// How much the model thinks before it answers.
    pub reasoning: Option<Reasoning>,
    /// Whether chunks are wanted.
    pub stream: bool,
    /// Labels that the provider stores with the request.
    pub metadata: Option<Object>,
    /// An id of the end user, for the provider's abuse checks.
    pub user: Option<String>,
    /// Members that only some providers know, by their names.
    pub further: Vec<(&'static str, Value)>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Object,
    /// Paths of members that nobody knows: reported in `warnings`.
    pub unknown: Vec<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions, under OpenAI's newer name.
    Developer,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool's result.
    Tool,
}

impl Role {
    pub(super) const WORDS: [&'static str; 5] =
        ["system", "developer", "user", "assistant", "tool"];

    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// One message of the conversation.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; `None` for an assistant's message that only calls tools.
    pub content: Option<Content>,
    /// A name of the speaker, for the providers that take one.
    pub name: Option<String>,
    /// The tools that the assistant called.
    pub tool_calls: Vec<ToolCall>,
    /// For a tool's result: the call it answers.
    pub tool_call_id: Option<String>,
    /// The assistant's refusal.
    pub refusal: Option<String>,
    /// The assistant's reasoning text. Sent back only where the provider wants it.
    pub reasoning: Option<String>,
    /// A tool's result that reports a failure (Anthropic's `is_error`).
    pub is_error: Option<bool>,
    /// What a provider said that has no unified place, as our response gave it. Read by the
    /// adapter that wrote it, so that signed reasoning goes back unchanged.
    pub provider_fields: Object,
    /// Members of an assistant's message that another library wrote (`annotations`, `audio`, …),
    /// with what its tool calls carry beside name and arguments.
    pub others: Object,
    /// The document has neither `content`, `tool_calls` nor `reasoning`: an assistant's
    /// `provider_fields` then speak alone.
    pub native_only: bool,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Parts in order.
    Parts(Vec<Part>),
}

/// One part of a message.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text. `cache_control` marks the end of a prefix to cache (Anthropic).
    Text {
        /// The text.
        text: String,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
    /// An image by URL or as a `data:` URL.
    Image {
        /// `https://…` or `data:image/png;base64,…`.
        url: String,
        /// OpenAI's `low`, `high`, `auto`.
        detail: Option<String>,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
    /// Audio in base64.
    Audio {
        /// Base64.
        data: String,
        /// `wav` or `mp3`.
        format: String,
    },
    /// A file: OpenAI's `file` object (`file_data`, `file_id`, `filename`).
    File {
        /// The object as it came.
        file: Object,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
}

/// A tool that is offered to the model.
#[derive(Clone, Debug)]
pub enum Tool {
    /// A function of the caller's.
    Function {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// JSON Schema of its arguments.
        parameters: Option<Value>,
        /// Whether arguments must match the schema exactly.
        strict: Option<bool>,
        /// Anthropic's cache mark.
        cache_control: Option<Value>,
    },
    /// A tool of the provider's own (`{"type": "web_search_20250305", …}`), sent as it is.
    Native(Object),
}

/// Which tool the model must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// None.
    None,
    /// Any, but at least one.
    Required,
    /// This one.
    Function(String),
}

/// The form of the answer.
#[derive(Clone, Debug)]
pub enum ResponseFormat {
    /// Plain text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema {
        /// The schema's name.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// JSON Schema.
        schema: Value,
        /// Whether the answer must match exactly.
        strict: Option<bool>,
    },
}

/// How much the model thinks before it answers.
#[derive(Clone, Debug, Default)]
pub struct Reasoning {
    /// `none`, `minimal`, `low`, `medium`, `high`, …: the provider checks the word.
    pub effort: Option<String>,
    /// Most tokens of reasoning.
    pub budget_tokens: Option<u64>,
}

impl Message {
    /// A user's message of plain text.
    pub fn user(text: impl Into<String>) -> Self {
        Message {
            role: Role::User,
            content: Some(Content::Text(text.into())),
            name: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            refusal: None,
            reasoning: None,
            is_error: None,
            provider_fields: Object::new(),
            others: Object::new(),
            native_only: false,
        }
    }

    /// A member that has no unified place, of our answer or of another library's. One that is
    /// empty says nothing.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        let found = [&self.provider_fields, &self.others].into_iter();
        found.filter_map(|members| members.get(name)).find(|value| !says_nothing(value))
    }

    /// The message's text: all text parts, in order.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Text { text, .. } => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
        }
    }
}

/// Whether a member is as good as absent: `annotations: []`, `refusal: null` and the like.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
