//! The members that only some providers know: who takes which.
//!
//! `openai::dialect` explains the marks of the sources.

/// The members that a provider takes: our name, and its name.
pub(super) type Takes = &'static [(&'static str, &'static str)];

/// What OpenAI takes of the members that only some servers know [sdk 3.54].
pub(super) const OPENAI: Takes = &[
    ("logprobs", "logprobs"),
    ("top_logprobs", "top_logprobs"),
    ("prediction", "prediction"),
    ("service_tier", "service_tier"),
    ("verbosity", "verbosity"),
    ("prompt_cache_key", "prompt_cache_key"),
    ("safety_identifier", "safety_identifier"),
    ("modalities", "modalities"),
    ("audio", "audio"),
];
/// All of them.
pub(super) const EVERY: Takes = &[
    ("logprobs", "logprobs"),
    ("top_logprobs", "top_logprobs"),
    ("top_k", "top_k"),
    ("prediction", "prediction"),
    ("service_tier", "service_tier"),
    ("verbosity", "verbosity"),
    ("prompt_cache_key", "prompt_cache_key"),
    ("safety_identifier", "safety_identifier"),
    ("modalities", "modalities"),
    ("audio", "audio"),
];
/// What most servers of OpenAI's form have [unverified].
pub(super) const LOGPROBS: Takes = &[("logprobs", "logprobs"), ("top_logprobs", "top_logprobs")];
/// What engines that run open models have beside that: sampling of their own.
pub(super) const LOGPROBS_AND_TOP_K: Takes =
    &[("logprobs", "logprobs"), ("top_logprobs", "top_logprobs"), ("top_k", "top_k")];
