//! Services that have one address for all their customers.

use std::borrow::Cow;

use super::super::dialect::{
    COMPATIBLE, Dialect, EVERY_SAMPLING, IMAGES, ONE_CHOICE, OTHERS, Parts, Reasoning,
    ReasoningBack, Sampling, TEXT,
};
use crate::provider::embeddings;
use crate::provider::further;

/// No penalties, and one choice.
const PLAIN_SAMPLING: Sampling =
    Sampling { presence_penalty: false, frequency_penalty: false, ..ONE_CHOICE };

/// A service of open models: no `metadata`; images, but neither audio nor files [unverified].
const OPEN_MODELS: Dialect = Dialect { metadata: false, parts: IMAGES, ..OTHERS };

/// Cerebras: `max_tokens` is deprecated; the role `developer`; an assistant's `reasoning`; images,
/// but neither audio nor files; no `metadata` [sdk 1.91]. Answers have `reasoning` [rec].
pub const CEREBRAS: Dialect = Dialect {
    max_tokens: "max_completion_tokens",
    developer_role: true,
    reasoning_back: ReasoningBack::Plain,
    ..OPEN_MODELS
};

/// `SambaNova`: no `name`, `user` or `metadata`; an assistant's `reasoning`; images [sdk 1.13]. Its
/// audio has a part of its own, which is not written.
pub const SAMBANOVA: Dialect =
    Dialect { names: false, user: false, reasoning_back: ReasoningBack::Plain, ..OPEN_MODELS };

/// NVIDIA's NIM: no `n`, `user` or `metadata` [litellm].
pub const NVIDIA: Dialect = Dialect { sampling: ONE_CHOICE, user: false, ..OPEN_MODELS };

/// Hugging Face's router: no `user`, `metadata` or `parallel_tool_calls` [sdk 2.4]; streams may
/// leave out `[DONE]` [rec].
pub const HUGGINGFACE: Dialect =
    Dialect { user: false, parallel_tool_calls: false, open_end: true, ..OPEN_MODELS };

/// GitHub Models: the role `developer`; no `n`, `user`, `metadata` or `parallel_tool_calls`; images
/// and audio, but no files [sdk azure-ai-inference 1.0]. `seed` and `stream_options` [rec].
pub const GITHUB: Dialect = Dialect {
    developer_role: true,
    sampling: ONE_CHOICE,
    user: false,
    parallel_tool_calls: false,
    parts: Parts { image_url: true, image_data: true, audio: true, file: false },
    ..OPEN_MODELS
};

/// `DeepInfra`: no `user`, `metadata` or `parallel_tool_calls` [litellm].
pub const DEEPINFRA: Dialect = Dialect { user: false, parallel_tool_calls: false, ..OPEN_MODELS };

/// Novita: an open-model service; nothing else is known [unverified].
pub const NOVITA: Dialect = OPEN_MODELS;

/// Moonshot (Kimi): `max_completion_tokens`, and `reasoning_content` comes back [doc]; answers have
/// it [rec]; no `user` [unverified].
pub const MOONSHOT: Dialect = Dialect {
    max_tokens: "max_completion_tokens",
    user: false,
    reasoning_back: ReasoningBack::Content,
    ..OPEN_MODELS
};

/// Alibaba's `DashScope` (Qwen): answers have `reasoning_content` [rec]. That it goes back, and that
/// there is no `user`, is [unverified].
pub const DASHSCOPE: Dialect =
    Dialect { user: false, reasoning_back: ReasoningBack::Content, ..OPEN_MODELS };

/// Z.ai, and the same service in China (Zhipu): `thinking` beside `reasoning_effort`; no `n`,
/// penalties, `user` or `parallel_tool_calls` [sdk 0.2]; `reasoning_content`, and a chosen tool is
/// called [rec]. `json_object` only, and `reasoning_content` goes back [unverified].
pub const ZHIPU: Dialect = Dialect {
    sampling: PLAIN_SAMPLING,
    user: false,
    parallel_tool_calls: false,
    json_schema: false,
    reasoning: Reasoning::Thinking,
    reasoning_back: ReasoningBack::Content,
    ..OPEN_MODELS
};

/// `MiniMax`: `max_tokens` is deprecated; one choice; `reasoning_details` go back whole [doc].
/// Penalties are ignored, and there is no `user` [unverified].
pub const MINIMAX: Dialect = Dialect {
    max_tokens: "max_completion_tokens",
    sampling: PLAIN_SAMPLING,
    user: false,
    reasoning_back: ReasoningBack::Details,
    ..OPEN_MODELS
};

/// Volcengine's Ark (Doubao): `thinking`; no `user` or `parallel_tool_calls` [litellm].
/// `reasoning_content` goes back [unverified].
pub const VOLCENGINE: Dialect = Dialect {
    user: false,
    parallel_tool_calls: false,
    reasoning: Reasoning::Thinking,
    reasoning_back: ReasoningBack::Content,
    ..OPEN_MODELS
};

/// AI21: text only; no `seed`, penalties, `tool_choice`, `user` or `parallel_tool_calls`;
/// `json_object` only [sdk 4.3]. A stream's usage comes unasked [rec]. No `name` [unverified].
pub const AI21: Dialect = Dialect {
    names: false,
    sampling: Sampling {
        seed: false,
        presence_penalty: false,
        frequency_penalty: false,
        ..EVERY_SAMPLING
    },
    user: false,
    tool_choice: false,
    parallel_tool_calls: false,
    json_schema: false,
    parts: TEXT,
    stream_options: false,
    ..OPEN_MODELS
};

/// Writer: the path `/chat`; `refusal`; no `seed`, penalties, `user` or `parallel_tool_calls`
/// [sdk 3.0]; streams leave out `[DONE]` [rec].
pub const WRITER: Dialect = Dialect {
    path: Cow::Borrowed("/chat"),
    refusals: true,
    sampling: Sampling {
        seed: false,
        presence_penalty: false,
        frequency_penalty: false,
        ..EVERY_SAMPLING
    },
    user: false,
    parallel_tool_calls: false,
    open_end: true,
    ..OPEN_MODELS
};

/// Inception: text only, one choice [unverified].
pub const INCEPTION: Dialect = Dialect { sampling: ONE_CHOICE, parts: TEXT, ..OPEN_MODELS };

/// Baseten: no `n` or `parallel_tool_calls` [litellm].
pub const BASETEN: Dialect =
    Dialect { sampling: ONE_CHOICE, parallel_tool_calls: false, ..OPEN_MODELS };

/// Nebius: "an OpenAI-compatible API" [doc].
pub const NEBIUS: Dialect = OPEN_MODELS;

/// Hyperbolic: an open-model service; nothing else is known [unverified].
pub const HYPERBOLIC: Dialect = OPEN_MODELS;

/// Featherless: no `seed`, `user` or `parallel_tool_calls` [litellm]; text only [unverified].
pub const FEATHERLESS: Dialect = Dialect {
    sampling: Sampling { seed: false, ..EVERY_SAMPLING },
    user: false,
    parallel_tool_calls: false,
    parts: TEXT,
    ..OPEN_MODELS
};

/// Venice: answers have `reasoning_content`; embeddings [rec]. That reasoning goes back is
/// [unverified].
pub const VENICE: Dialect = Dialect {
    reasoning_back: ReasoningBack::Content,
    embeddings: Some(&embeddings::OTHERS),
    ..OPEN_MODELS
};

/// Vercel's gateway: `reasoning`, and both names of the limit [rec]; `reasoning_details` go back;
/// files, but no audio [unverified].
pub const VERCEL: Dialect = Dialect {
    parts: Parts { image_url: true, image_data: true, audio: false, file: true },
    reasoning: Reasoning::Object,
    reasoning_back: ReasoningBack::Details,
    ..OPEN_MODELS
};

/// Doubleword: answers have `reasoning` and `reasoning_details`; embeddings [rec]. That reasoning
/// goes back is [unverified].
pub const DOUBLEWORD: Dialect = Dialect {
    reasoning_back: ReasoningBack::Details,
    embeddings: Some(&embeddings::OTHERS),
    ..OPEN_MODELS
};

/// Portkey: its key has a header of its own [sdk 2.3]. A gateway, so everything is passed on.
pub const PORTKEY: Dialect = Dialect { key_header: "x-portkey-api-key", ..COMPATIBLE };

/// Together: no `metadata`, `user`, `parallel_tool_calls` or `stream_options` [sdk 3.1]; usage
/// comes unasked [rec]; images, but neither audio nor files [unverified].
pub const TOGETHER: Dialect = Dialect {
    metadata: false,
    user: false,
    parallel_tool_calls: false,
    parts: IMAGES,
    stream_options: false,
    // Its `logprobs` is a number [sdk 3.1].
    further: &[("top_k", "top_k")],
    embeddings: Some(&embeddings::TOGETHER),
    ..OTHERS
};

/// Fireworks: OpenAI's form; images, but neither audio nor files [unverified]; no recordings.
pub const FIREWORKS: Dialect = Dialect {
    parts: IMAGES,
    reasoning_back: ReasoningBack::Content,
    further: further::LOGPROBS_AND_TOP_K,
    embeddings: Some(&embeddings::FIREWORKS),
    ..OTHERS
};
