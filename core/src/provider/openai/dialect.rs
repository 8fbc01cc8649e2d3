//! What differs between the servers that speak OpenAI's chat completions: one const each.
//!
//! Every field states a fact about a server, with its source: `[rec]` recorded traffic, `[sdk]` the
//! provider's own SDK, `[unverified]` neither:
//! general knowledge, to be checked at the first chance. What a server merely ignores counts as not taken:
//! the caller is told, and nothing that has no effect is sent.

use crate::provider::rules::{self, Rules};

/// What a server takes, and how it differs from OpenAI.
#[derive(Debug)]
pub struct Dialect {
    /// What it is known to refuse.
    pub rules: &'static Rules,
    /// The member for the most tokens of the answer.
    pub max_tokens: &'static str,
    /// Takes messages of the role `developer`; elsewhere they are sent as `system`.
    pub developer_role: bool,
    /// Takes an assistant's `refusal`; elsewhere it is sent as the message's text.
    pub refusals: bool,
    /// Takes a message's `name`.
    pub names: bool,
    /// The member for the seed; "" where there is none.
    pub seed: &'static str,
    /// Takes more than one choice.
    pub many_choices: bool,
    /// Takes `presence_penalty` and `frequency_penalty`.
    pub penalties: bool,
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
    /// Which parts a message may have beside text.
    pub parts: Parts,
    /// Whether it moderates.
    pub moderation: Moderates,
    /// How reasoning is asked for.
    pub reasoning: Reasoning,
    /// How an assistant's reasoning goes back.
    pub reasoning_back: ReasoningBack,
    /// Has custom tools, whose calls are text.
    pub custom_tools: bool,
    /// Takes an earlier answer in sound back, by its id.
    pub audio_back: bool,
    /// Takes back what it added to an answer and to its calls (`extra_content` of Google's
    /// endpoints). A server that has no such thing is never sent another's.
    pub extensions_back: bool,
    /// Takes Anthropic's `cache_control` marks.
    pub cache_control: bool,
    /// Tool calls have ids of exactly nine letters and digits.
    pub short_call_ids: bool,
    /// Takes `stream_options`; elsewhere usage comes unasked.
    pub stream_options: bool,
    /// A stream may end without `[DONE]`, once each choice has said why it ended.
    pub open_end: bool,
}

/// Which parts a message may have beside text.
#[derive(Debug)]
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

/// Whether a server has `POST /moderations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moderates {
    /// It has not.
    Nothing,
    /// It has.
    Yes,
    /// It has, and wants a model to be named.
    WithModel,
}

/// How reasoning is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Reasoning {
    /// `reasoning_effort`; there is no budget.
    Effort,
    /// `reasoning: {effort | max_tokens}`.
    Object,
    /// `thinking: {type}` beside `reasoning_effort`; there is no budget.
    Thinking,
}

/// How an assistant's reasoning goes back.
#[derive(Debug, PartialEq, Eq)]
pub enum ReasoningBack {
    /// Not at all.
    No,
    /// `reasoning_content`.
    Content,
    /// `reasoning`.
    Plain,
    /// `reasoning`, by the models whose names contain one of these.
    PlainFor(&'static [&'static str]),
    /// `reasoning_details` as it came, else `reasoning`.
    Details,
}

const ALL_PARTS: Parts = Parts { image_url: true, image_data: true, audio: true, file: true };
const IMAGES: Parts = Parts { image_url: true, image_data: true, audio: false, file: false };

/// OpenAI. `max_tokens` is refused by reasoning models [rec]; usage, `n`, `metadata` [sdk 3.54].
pub const OPENAI: Dialect = Dialect {
    rules: &rules::OPENAI,
    max_tokens: "max_completion_tokens",
    developer_role: true,
    refusals: true,
    names: true,
    seed: "seed",
    many_choices: true,
    penalties: true,
    metadata: true,
    user: true,
    tool_choice: true,
    any_tool: "required",
    parallel_tool_calls: true,
    json_schema: true,
    parts: ALL_PARTS,
    moderation: Moderates::Yes,
    reasoning: Reasoning::Effort,
    reasoning_back: ReasoningBack::No,
    custom_tools: true,
    audio_back: true,
    extensions_back: false,
    cache_control: false,
    short_call_ids: false,
    stream_options: true,
    open_end: false,
};

/// OpenAI's form under the names that the other servers have in common.
const OTHERS: Dialect = Dialect {
    rules: &rules::COMMON,
    max_tokens: "max_tokens",
    developer_role: false,
    refusals: false,
    moderation: Moderates::Nothing,
    custom_tools: false,
    audio_back: false,
    ..OPENAI
};

/// A server of which nothing is known: everything is passed on in OpenAI's form, under the names
/// that the most servers take. Perplexity, Writer and Hugging Face's router leave out `[DONE]`
/// [rec]. It may be Google's endpoint, which wants its `extra_content` back, or a proxy before
/// OpenAI. Under which name it takes reasoning back is not known.
pub const COMPATIBLE: Dialect = Dialect {
    rules: &rules::COMPATIBLE,
    open_end: true,
    moderation: Moderates::Yes,
    custom_tools: true,
    audio_back: true,
    extensions_back: true,
    ..OTHERS
};

/// Groq: `max_tokens` is deprecated, no `metadata`, no penalties, one choice, `reasoning` goes back
/// to the models that reason [sdk 1.7]; which these are, and that there are images but neither
/// audio nor files [unverified].
pub const GROQ: Dialect = Dialect {
    max_tokens: "max_completion_tokens",
    many_choices: false,
    penalties: false,
    metadata: false,
    parts: IMAGES,
    reasoning_back: ReasoningBack::PlainFor(&["gpt-oss", "qwen3", "deepseek-r1"]),
    ..OTHERS
};

/// Mistral: `random_seed`, `tool_choice: any`, ids of nine characters [rec]; no `stream_options`,
/// no `user` [sdk 3.7]. Thinking, which comes as parts of the content, is not sent back: models
/// without reasoning refuse it ("Reasoning input is not enabled for this model" [rec]). Files have
/// a part of their own, `document_url` [rec], which is not written.
pub const MISTRAL: Dialect = Dialect {
    names: false,
    seed: "random_seed",
    user: false,
    any_tool: "any",
    parts: Parts { image_url: true, image_data: true, audio: true, file: false },
    short_call_ids: true,
    stream_options: false,
    // `model` is required [sdk].
    moderation: Moderates::WithModel,
    ..OTHERS
};

/// `DeepSeek`: text only, and `reasoning_content` may come back [rec]; `thinking` switches reasoning
/// [rec]; `json_object` only, no `n`, `metadata`, `user` [unverified].
pub const DEEPSEEK: Dialect = Dialect {
    many_choices: false,
    metadata: false,
    user: false,
    json_schema: false,
    parts: Parts { image_url: false, image_data: false, audio: false, file: false },
    reasoning: Reasoning::Thinking,
    reasoning_back: ReasoningBack::Content,
    ..OTHERS
};

/// xAI: `max_tokens` and `reasoning_content` [rec]; no `metadata`, audio or files [unverified].
pub const XAI: Dialect =
    Dialect { metadata: false, parts: IMAGES, reasoning_back: ReasoningBack::Content, ..OTHERS };

/// `OpenRouter`: `reasoning {effort | max_tokens}`, `reasoning_details` back as they came,
/// `cache_control` marks [rec]; `n: 2` gives one choice [rec]; no `metadata`
/// [unverified].
pub const OPENROUTER: Dialect = Dialect {
    many_choices: false,
    metadata: false,
    reasoning: Reasoning::Object,
    reasoning_back: ReasoningBack::Details,
    cache_control: true,
    ..OTHERS
};

/// Together: no `metadata`, `user`, `parallel_tool_calls` or `stream_options` [sdk 3.1]; usage comes
/// unasked [rec]; images but neither audio nor files [unverified].
pub const TOGETHER: Dialect = Dialect {
    metadata: false,
    user: false,
    parallel_tool_calls: false,
    parts: IMAGES,
    stream_options: false,
    ..OTHERS
};

/// Fireworks: OpenAI's form, images but neither audio nor files [unverified]; no recordings.
pub const FIREWORKS: Dialect =
    Dialect { parts: IMAGES, reasoning_back: ReasoningBack::Content, ..OTHERS };

/// Ollama's `/v1`: no `tool_choice`, `n`, `user`, `metadata`, images only as `data:` URLs, and
/// `reasoning` back under the name that it has in answers [unverified].
pub const OLLAMA: Dialect = Dialect {
    names: false,
    many_choices: false,
    metadata: false,
    user: false,
    tool_choice: false,
    parallel_tool_calls: false,
    parts: Parts { image_url: false, image_data: true, audio: false, file: false },
    reasoning_back: ReasoningBack::Plain,
    ..OTHERS
};

/// vLLM: OpenAI's form; no files, no `metadata`, and `reasoning` goes to the model's chat template
/// [unverified].
pub const VLLM: Dialect = Dialect {
    metadata: false,
    parts: Parts { image_url: true, image_data: true, audio: true, file: false },
    reasoning_back: ReasoningBack::Plain,
    ..OTHERS
};
