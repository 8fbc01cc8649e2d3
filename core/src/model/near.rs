//! Advice about a member that nobody knows: the member that was meant.

use crate::codec::did_you_mean;

/// The options of a call. `core/tests/schemas.rs` holds the list to the schema.
pub const OPTION_NAMES: [&str; 25] = [
    "adapt",
    "cache",
    "drop_refused",
    "fallback",
    "fanout",
    "headers",
    "hedge",
    "idempotency_key",
    "idle_ms",
    "limit",
    "merge_deltas",
    "min_quality",
    "on_break",
    "provider",
    "region",
    "retry",
    "sticky_key",
    "strict",
    "tags",
    "telemetry",
    "tenant",
    "timeout_ms",
    "traceparent",
    "tracestate",
    "unsupported",
];

/// The members of a chat request, likewise.
pub const CHAT_NAMES: [&str; 35] = [
    "audio",
    "extra",
    "frequency_penalty",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "op",
    "options",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt",
    "prompt_cache_key",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_k",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
];

/// Names of other clients for our options, which are too far from them for a comparison.
const OTHERS: [(&str, &str); 9] = [
    ("timeout", "timeout_ms, in milliseconds"),
    ("request_timeout", "timeout_ms, in milliseconds"),
    ("num_retries", "retry, as in {\"max_attempts\": 3}"),
    ("max_retries", "retry, as in {\"max_attempts\": 3}"),
    ("retries", "retry, as in {\"max_attempts\": 3}"),
    ("fallbacks", "fallback"),
    ("fallback_models", "fallback"),
    ("extra_headers", "headers"),
    ("default_headers", "headers"),
];

/// The system prompt by the names that others have for it.
const SYSTEM: [&str; 4] = ["system", "system_prompt", "system_message", "system_instruction"];

/// `; did you mean 'timeout_ms'?`, for the name of an option.
pub(crate) fn option(name: &str) -> Option<String> {
    let other = OTHERS.iter().find(|(other, _)| *other == name);
    other
        .map(|(_, ours)| format!("; did you mean {ours}?"))
        .or_else(|| did_you_mean(name, OPTION_NAMES))
}

/// The same for a member of a chat request.
pub(crate) fn chat_member(name: &str) -> Option<String> {
    if OPTION_NAMES.contains(&name) {
        return Some(format!("; it is an option: options.{name}"));
    }
    if SYSTEM.contains(&name) {
        return Some("; a system prompt is a message whose role is system".to_owned());
    }
    if OTHERS.iter().any(|(other, _)| *other == name) {
        return option(name).map(|advice| advice.replace("mean ", "mean options."));
    }
    did_you_mean(name, CHAT_NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_said() {
        for (name, advice) in [
            ("timeout", "; did you mean timeout_ms, in milliseconds?"),
            ("max_retries", "; did you mean retry, as in {\"max_attempts\": 3}?"),
            ("falback", "; did you mean 'fallback'?"),
        ] {
            assert_eq!(option(name).as_deref(), Some(advice));
        }
        for (name, advice) in [
            ("timeout", "; did you mean options.timeout_ms, in milliseconds?"),
            ("timeout_ms", "; it is an option: options.timeout_ms"),
            ("system", "; a system prompt is a message whose role is system"),
            ("max_token", "; did you mean 'max_tokens'?"),
        ] {
            assert_eq!(chat_member(name).as_deref(), Some(advice));
        }
        assert_eq!(option("colour"), None);
        assert_eq!(chat_member("colour"), None);
    }
}
