//! The differences between the servers that speak OpenAI's chat completions: one const for each
//! server.
//!
//! Every field states a fact about a server, with its source: `[rec]` recorded traffic, `[sdk]` the
//! provider's own SDK, `[doc]` public documents, `[unverified]` none of them: general knowledge, to
//! be checked at the first chance. A member that a server merely ignores counts as not taken. The
//! caller is told, and nothing without effect is sent.

use std::borrow::Cow;

use crate::provider::embeddings::{self, Form};
use crate::provider::further;
use crate::provider::reranking;
use crate::provider::rules::{self, Rules};

/// What a server takes, and how it differs from OpenAI. `switches` changes it for one entry of the
/// configuration.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// The format of chats.
    pub api: Api,
    /// What the server is known to refuse.
    pub rules: &'static Rules,
    /// The path of chats, after the base URL.
    pub path: Cow<'static, str>,
    /// With a version of the API, its paths name the deployment (Azure).
    pub deployments: bool,
    /// The header of the key; "" for `Authorization: Bearer`.
    pub key_header: &'static str,
    /// The member for the largest number of tokens of the answer.
    pub max_tokens: &'static str,
    /// When `max_completion_tokens` is sent in place of that member.
    pub completion: CompletionTokens,
    /// Takes messages of the role `developer`; otherwise they are sent as `system`.
    pub developer_role: bool,
    /// Takes an assistant's `refusal`; otherwise it is sent as the message's text.
    pub refusals: bool,
    /// Takes a message's `name`.
    pub names: bool,
    /// The sampling members that it takes.
    pub sampling: Sampling,
    /// The member for the seed.
    pub seed: &'static str,
    /// Takes `metadata`.
    pub metadata: bool,
    /// Takes `user`.
    pub user: bool,
    /// Takes `tool_choice`.
    pub tool_choice: bool,
    /// The word that asks for at least one tool call.
    pub any_tool: &'static str,
    /// Takes `parallel_tool_calls`.
    pub parallel_tool_calls: bool,
    /// Takes `response_format` of the type `json_schema`.
    pub json_schema: bool,
    /// The parts that a message may have beside text.
    pub parts: Parts,
    /// How audio and files are written.
    pub media: Media,
    /// Takes `prefix`: the answer begins with the text of the last message.
    pub prefix: bool,
    /// How the server takes requests for embeddings, if it has them.
    pub embeddings: Option<&'static Form>,
    /// How the server takes requests to rank documents, if it has that.
    pub reranking: Option<&'static reranking::Form>,
    /// Whether the server has moderation.
    pub moderation: Moderates,
    /// Counts the tokens of Responses' input.
    pub counts: bool,
    /// How a request asks for reasoning.
    pub reasoning: Reasoning,
    /// How an assistant's reasoning is sent back.
    pub reasoning_back: ReasoningBack,
    /// Has custom tools, whose calls are text.
    pub custom_tools: bool,
    /// Takes back an earlier audio answer, by its id.
    pub audio_back: bool,
    /// Takes back what it added to an answer and to its calls (`extra_content` of Google's
    /// endpoints, which `switches` knows by their host). One server's additions are never sent to
    /// another.
    pub extensions_back: bool,
    /// Takes Anthropic's `cache_control` marks.
    pub cache_control: bool,
    /// Has tool call ids of exactly nine letters and digits.
    pub short_call_ids: bool,
    /// Takes `stream_options`; otherwise usage comes unasked.
    pub stream_options: bool,
    /// The members that it takes beside those that every server knows.
    pub further: further::Takes,
    /// A stream may end without `[DONE]`, once each choice has its finish reason.
    pub open_end: bool,
}

/// A format of chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Chat completions.
    Chat,
    /// Responses.
    #[cfg(feature = "responses")]
    Responses,
}

/// When the limit of tokens is sent as `max_completion_tokens`, whatever the server's own member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionTokens {
    /// Never.
    Never,
    /// If the caller asks by that name.
    Asked,
    /// If the caller asks by that name, or the model is known to take only that.
    AskedOrModel,
}

/// The sampling members that a server takes.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// `temperature`.
    pub temperature: bool,
    /// `top_p`.
    pub top_p: bool,
    /// `stop`.
    pub stop: bool,
    /// `seed`.
    pub seed: bool,
    /// `n`: more than one choice.
    pub n: bool,
    /// `presence_penalty`.
    pub presence_penalty: bool,
    /// `frequency_penalty`.
    pub frequency_penalty: bool,
}

/// The parts that a message may have beside text.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Images by URL.
    pub image_url: bool,
    /// Images as `data:` URLs.
    pub image_data: bool,
    /// Audio.
    pub audio: bool,
    /// Files.
    pub file: bool,
}

/// How audio and files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// As objects.
    OpenAi,
    /// As texts: `document_url`, a file's id, and audio in base64 [rec, sdk 3.7].
    Mistral,
}

/// Whether a server has `POST /moderations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moderates {
    /// The server does not have it.
    Nothing,
    /// The server has it.
    Yes,
    /// The server has it, and requires a model.
    WithModel,
}

/// How a request asks for reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reasoning {
    /// `reasoning_effort`; there is no budget.
    Effort,
    /// `reasoning: {effort | max_tokens}`.
    Object,
    /// `thinking: {type}` beside `reasoning_effort`; there is no budget.
    Thinking,
}

/// How an assistant's reasoning is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasoningBack {
    /// Not at all.
    No,
    /// `reasoning_content`.
    Content,
    /// `reasoning`.
    Plain,
    /// `reasoning`, but only for models whose names contain one of these.
    PlainFor(&'static [&'static str]),
    /// `reasoning_details` unchanged, or else `reasoning`.
    Details,
}

pub(super) const EVERY_SAMPLING: Sampling = Sampling {
    temperature: true,
    top_p: true,
    stop: true,
    seed: true,
    n: true,
    presence_penalty: true,
    frequency_penalty: true,
};
pub(super) const ONE_CHOICE: Sampling = Sampling { n: false, ..EVERY_SAMPLING };

/// What Responses takes: "Unsupported parameter" for the others [sdk].
#[cfg(feature = "responses")]
const FEW_SAMPLING: Sampling = Sampling {
    temperature: true,
    top_p: true,
    stop: false,
    seed: false,
    n: false,
    presence_penalty: false,
    frequency_penalty: false,
};

const ALL_PARTS: Parts = Parts { image_url: true, image_data: true, audio: true, file: true };
pub(super) const IMAGES: Parts =
    Parts { image_url: true, image_data: true, audio: false, file: false };
pub(super) const TEXT: Parts =
    Parts { image_url: false, image_data: false, audio: false, file: false };

/// OpenAI. `max_tokens` is refused by reasoning models [rec]; usage, `n`, `metadata` [sdk 3.54].
pub const OPENAI: Dialect = Dialect {
    api: Api::Chat,
    rules: &rules::OPENAI,
    path: Cow::Borrowed("/chat/completions"),
    deployments: false,
    key_header: "",
    max_tokens: "max_completion_tokens",
    completion: CompletionTokens::AskedOrModel,
    developer_role: true,
    refusals: true,
    names: true,
    sampling: EVERY_SAMPLING,
    seed: "seed",
    metadata: true,
    user: true,
    tool_choice: true,
    any_tool: "required",
    parallel_tool_calls: true,
    json_schema: true,
    parts: ALL_PARTS,
    media: Media::OpenAi,
    prefix: false,
    embeddings: Some(&embeddings::OPENAI),
    reranking: None,
    moderation: Moderates::Yes,
    counts: true,
    reasoning: Reasoning::Effort,
    reasoning_back: ReasoningBack::No,
    custom_tools: true,
    audio_back: true,
    extensions_back: false,
    cache_control: false,
    short_call_ids: false,
    stream_options: true,
    further: further::OPENAI,
    open_end: false,
};

/// OpenAI's form with the names that the other servers have in common.
pub(super) const OTHERS: Dialect = Dialect {
    rules: &rules::COMMON,
    max_tokens: "max_tokens",
    completion: CompletionTokens::Never,
    developer_role: false,
    refusals: false,
    embeddings: None,
    moderation: Moderates::Nothing,
    counts: false,
    custom_tools: false,
    audio_back: false,
    further: further::LOGPROBS,
    ..OPENAI
};

/// A server of which nothing is known. Everything is passed on in OpenAI's form, under the names
/// that most servers take. Perplexity, Writer and Hugging Face's router leave out `[DONE]` [rec].
/// The server may be a proxy before OpenAI. The name under which it takes reasoning back is not
/// known.
pub const COMPATIBLE: Dialect = Dialect {
    rules: &rules::COMPATIBLE,
    completion: CompletionTokens::AskedOrModel,
    open_end: true,
    embeddings: Some(&embeddings::OTHERS),
    reranking: Some(&reranking::OTHERS),
    moderation: Moderates::Yes,
    custom_tools: true,
    audio_back: true,
    further: further::EVERY,
    ..OTHERS
};

/// Groq: `max_tokens` is deprecated, no `metadata`, no penalties, one choice, and `reasoning` is
/// sent back to reasoning models [sdk 1.7]. Which models reason, and that there are images but
/// neither audio nor files, is [unverified].
pub const GROQ: Dialect = Dialect {
    rules: &rules::GROQ,
    max_tokens: "max_completion_tokens",
    sampling: Sampling { presence_penalty: false, frequency_penalty: false, ..ONE_CHOICE },
    metadata: false,
    parts: IMAGES,
    reasoning_back: ReasoningBack::PlainFor(&["gpt-oss", "qwen3", "deepseek-r1"]),
    // Log probabilities are in its form, and "not yet supported by any of our models" [sdk 1.7].
    further: &[("service_tier", "service_tier")],
    ..OTHERS
};

/// Mistral: `random_seed`, `tool_choice: any`, ids of nine characters [rec]; no `stream_options`,
/// no `user` [sdk 3.7]. Thinking comes as parts of the content. It is not sent back, because models
/// without reasoning refuse it ("Reasoning input is not enabled for this model" [rec]). Files have
/// their own part, `document_url` [rec]; `prefix` [sdk 3.7].
pub const MISTRAL: Dialect = Dialect {
    names: false,
    seed: "random_seed",
    user: false,
    any_tool: "any",
    parts: ALL_PARTS,
    media: Media::Mistral,
    prefix: true,
    short_call_ids: true,
    stream_options: false,
    embeddings: Some(&embeddings::MISTRAL),
    // `model` is required [sdk].
    moderation: Moderates::WithModel,
    further: &[("prediction", "prediction")],
    ..OTHERS
};

/// `DeepSeek`: text only, and `reasoning_content` may come back [rec]; `thinking` switches reasoning
/// [rec]; `json_object` only, no `n`, `metadata`, `user` [unverified].
pub const DEEPSEEK: Dialect = Dialect {
    sampling: ONE_CHOICE,
    metadata: false,
    user: false,
    json_schema: false,
    parts: TEXT,
    reasoning: Reasoning::Thinking,
    reasoning_back: ReasoningBack::Content,
    ..OTHERS
};

/// xAI: `max_tokens` and `reasoning_content` [rec]; no `metadata`, audio or files [unverified].
pub const XAI: Dialect =
    Dialect { metadata: false, parts: IMAGES, reasoning_back: ReasoningBack::Content, ..OTHERS };

/// `OpenRouter`: `reasoning {effort | max_tokens}`, `reasoning_details` back unchanged,
/// `cache_control` marks, embeddings [rec]; `n: 2` gives one choice [rec]; no `metadata`
/// [unverified].
pub const OPENROUTER: Dialect = Dialect {
    sampling: ONE_CHOICE,
    metadata: false,
    reasoning: Reasoning::Object,
    reasoning_back: ReasoningBack::Details,
    cache_control: true,
    further: further::EVERY,
    embeddings: Some(&embeddings::OTHERS),
    reranking: Some(&reranking::OTHERS),
    ..OTHERS
};

/// Ollama's `/v1`: no `tool_choice`, `n`, `user`, `metadata`; images only as `data:` URLs;
/// `reasoning` is sent back under the name that it has in answers [unverified].
#[cfg(feature = "ollama")]
pub const OLLAMA: Dialect = Dialect {
    names: false,
    sampling: ONE_CHOICE,
    metadata: false,
    user: false,
    tool_choice: false,
    parallel_tool_calls: false,
    parts: Parts { image_url: false, image_data: true, audio: false, file: false },
    reasoning_back: ReasoningBack::Plain,
    embeddings: Some(&embeddings::OTHERS),
    ..OTHERS
};

/// vLLM: OpenAI's form; no files, no `metadata`; the model's chat template gets `reasoning`
/// [unverified].
pub const VLLM: Dialect = Dialect {
    metadata: false,
    parts: Parts { image_url: true, image_data: true, audio: true, file: false },
    reasoning_back: ReasoningBack::Plain,
    further: further::LOGPROBS_AND_TOP_K,
    embeddings: Some(&embeddings::OTHERS),
    reranking: Some(&reranking::OTHERS),
    ..OTHERS
};

#[cfg(feature = "responses")]
impl Dialect {
    /// This dialect with Responses as the format of chats.
    #[must_use]
    pub fn with_responses(&self) -> Dialect {
        let path = Cow::Borrowed("/responses");
        Dialect { api: Api::Responses, path, sampling: FEW_SAMPLING, ..self.clone() }
    }
}
