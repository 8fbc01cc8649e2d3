//! Servers of one's own: at a cloud, under an account, or on this machine.

use super::super::dialect::{
    COMPATIBLE, Dialect, EVERY_SAMPLING, IMAGES, Moderates, ONE_CHOICE, OPENAI, OTHERS, Parts,
    ReasoningBack, Sampling, VLLM,
};
use crate::provider::{embeddings, reranking};

/// Azure: OpenAI's form, with the key in `api-key`, and with a deployment's path if a version of the
/// API is configured [rec]. Whether it counts tokens is [unverified].
pub const AZURE: Dialect = Dialect {
    counts: false,
    deployments: true,
    key_header: "api-key",
    embeddings: Some(&embeddings::AZURE),
    moderation: Moderates::Nothing,
    ..OPENAI
};

/// Databricks: no `seed`, penalties, `user`, `metadata` or `parallel_tool_calls` [litellm]; images,
/// and a stream's usage comes unasked [rec].
pub const DATABRICKS: Dialect = Dialect {
    sampling: Sampling {
        seed: false,
        presence_penalty: false,
        frequency_penalty: false,
        ..EVERY_SAMPLING
    },
    metadata: false,
    user: false,
    parallel_tool_calls: false,
    parts: IMAGES,
    stream_options: false,
    ..OTHERS
};

/// Snowflake: `tool_choice` and `stream_options` [rec]; `max_completion_tokens`, images, no
/// `metadata` [unverified].
pub const SNOWFLAKE: Dialect =
    Dialect { max_tokens: "max_completion_tokens", metadata: false, parts: IMAGES, ..OTHERS };

/// Cloudflare's Workers AI: one choice, no `user`, `metadata` or `parallel_tool_calls`; images
/// [unverified].
pub const CLOUDFLARE: Dialect = Dialect {
    sampling: ONE_CHOICE,
    metadata: false,
    user: false,
    parallel_tool_calls: false,
    parts: IMAGES,
    ..OTHERS
};

/// llama.cpp's server, also inside a llamafile: `reasoning_content` and embeddings [rec]; the
/// former goes back; images and audio, no files, no `user` or `metadata` [unverified].
pub const LLAMA_CPP: Dialect = Dialect {
    metadata: false,
    user: false,
    parts: Parts { image_url: true, image_data: true, audio: true, file: false },
    reasoning_back: ReasoningBack::Content,
    embeddings: Some(&embeddings::OTHERS),
    reranking: Some(&reranking::OTHERS),
    ..OTHERS
};

/// LM Studio: no `n`, `user`, `metadata` or `parallel_tool_calls`; images only as `data:` URLs
/// [unverified].
pub const LM_STUDIO: Dialect = Dialect {
    sampling: ONE_CHOICE,
    metadata: false,
    user: false,
    parallel_tool_calls: false,
    parts: Parts { image_url: false, image_data: true, audio: false, file: false },
    embeddings: Some(&embeddings::OTHERS),
    ..OTHERS
};

/// Hugging Face's text-generation-inference: no `user`, `metadata` or `parallel_tool_calls`
/// [sdk huggingface-hub 2.4]; images [unverified].
pub const TGI: Dialect =
    Dialect { metadata: false, user: false, parallel_tool_calls: false, parts: IMAGES, ..OTHERS };

/// `SGLang`: as vLLM, but reasoning is `reasoning_content` [unverified].
pub const SGLANG: Dialect = Dialect { reasoning_back: ReasoningBack::Content, ..VLLM };

/// `LiteLLM`'s proxy: a gateway, so everything is passed on, also `cache_control` marks and
/// `reasoning_content` [sdk 1.110].
pub const LITELLM: Dialect =
    Dialect { cache_control: true, reasoning_back: ReasoningBack::Content, ..COMPATIBLE };

/// mistral.rs: `reasoning_content` in answers, `stream_options` [rec]; that reasoning goes back, and
/// no `user` or `metadata`, is [unverified].
pub const MISTRAL_RS: Dialect = Dialect {
    metadata: false,
    user: false,
    parts: IMAGES,
    reasoning_back: ReasoningBack::Content,
    ..OTHERS
};

/// Vertex AI's endpoint for models that are neither Google's nor Anthropic's: chat completions, with
/// `publisher/name` as the model [doc]; images [doc]; `max_tokens`, and Google's additions go back
/// [doc]. No `metadata`, `user` or `parallel_tool_calls`, and no audio or files, is [unverified].
#[cfg(feature = "gemini")]
pub static VERTEX_OPEN: Dialect = Dialect {
    path: std::borrow::Cow::Borrowed("/endpoints/openapi/chat/completions"),
    metadata: false,
    user: false,
    parallel_tool_calls: false,
    parts: IMAGES,
    extensions_back: true,
    ..OTHERS
};
