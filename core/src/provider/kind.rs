//! The kind of a provider's error by its code, its type, its words, or its status.
//!
//! Each table is a list of facts. `provider_error` says in which order they count.

use super::details::Window;
use crate::error::ErrorKind;
use crate::wire::retry_after;

/// Codes and types with one meaning, whatever the status. Sources: `providers.md` §7 and the
/// provider sheets; OpenAI's error guide [doc]; recordings [rec].
pub(super) fn of_word(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "insufficient_quota"
        | "credit_balance_exhausted"
        | "organization_spend_limit_exceeded"
        | "project_spend_limit_exceeded"
        | "organization_usage_limit_exceeded"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "billing_error" => ErrorKind::Quota,
        "context_length_exceeded"
        | "too_many_prompt_tokens"
        | "exceed_context_size_error"
        | "request_too_large"
        | "TOO_MANY_TOKENS" => ErrorKind::ContextLength,
        "content_filter"
        | "content_policy_violation"
        | "ResponsibleAIPolicyViolation"
        | "moderation_blocked" => ErrorKind::ContentFilter,
        "model_not_found" | "unknown_model" | "invalid_model" | "DeploymentNotFound"
        | "not_found_error" => ErrorKind::NotFound,
        "invalid_api_key" | "invalid_authentication" | "authentication_error" => {
            ErrorKind::Authentication
        }
        "unsupported_country_region_territory" | "permission_error" => ErrorKind::Permission,
        "unsupported_parameter" | "unsupported_value" => ErrorKind::Unsupported,
        "server_is_overloaded" | "slow_down" | "overloaded_error" => ErrorKind::Unavailable,
        "timeout_error" => ErrorKind::Timeout,
        "rate_limit_error" | "too_many_requests_error" => ErrorKind::RateLimit,
        _ => return None,
    })
}

/// Types that are too general to count before the status. Ollama says `api_error` for a wrong key,
/// and OpenAI `invalid_request_error` [rec].
pub(super) fn of_class(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "invalid_request_error" => ErrorKind::InvalidRequest,
        "rate_limit_exceeded" | "rate_limited" => ErrorKind::RateLimit,
        "api_error" | "server_error" | "internal_server_error" => ErrorKind::Unavailable,
        _ => return None,
    })
}

/// The kind that a text gives, if neither code nor type does.
pub(super) fn of_text(text: &str, status: Option<u16>) -> Option<ErrorKind> {
    const CONTEXT: [&str; 13] = [
        "maximum context length",
        "maximum prompt length",
        "max context length",
        "context length exceeded",
        "exceeds the context",
        "exceed the context",
        "context window",
        "prompt is too long",
        "prompt too long",
        "messages is too long",
        "too large for model with",
        // llama.cpp's sentence and LiteLLM's word, as gateways pass them on [rec].
        "exceeds the available context size",
        "contextwindowexceeded",
    ];
    const KEY: [&str; 4] =
        ["incorrect api key", "invalid api key", "api key not valid", "invalid x-api-key"];
    const MODEL: [&str; 2] = ["is not a valid model id", "the supported api model names are"];
    const CREDIT: [&str; 4] = [
        "credit balance is too low",
        "insufficient balance",
        "exceeded your current quota",
        "insufficient credits",
    ];
    if status == Some(429)
        && let Some(kind) = of_limit(text)
    {
        return Some(kind);
    }
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match status {
        // A single request with more tokens than a minute's limit never fits (OpenAI) [rec].
        Some(429) if text.starts_with("request too large") => Some(ErrorKind::ContextLength),
        Some(429) if says(&CREDIT) => Some(ErrorKind::Quota),
        Some(400 | 403 | 422) | None if says(&CREDIT) => Some(ErrorKind::Quota),
        // xAI and Gemini answer a wrong key with 400 [rec].
        Some(400) if says(&KEY) => Some(ErrorKind::Authentication),
        // OpenRouter and DeepSeek answer an unknown model with 400 [rec].
        Some(400) if says(&MODEL) => Some(ErrorKind::NotFound),
        Some(400 | 413 | 422 | 500) | None if says(&CONTEXT) => Some(ErrorKind::ContextLength),
        Some(400 | 422) if text.contains("extra inputs are not permitted") => {
            Some(ErrorKind::Unsupported)
        }
        // llama.cpp without a projector says so under 500 [rec].
        Some(400 | 422 | 500) if text.contains("image input is not supported") => {
            Some(ErrorKind::Unsupported)
        }
        // A model of Ollama's that lacks what was asked for [doc].
        Some(400) if LACKS.iter().any(|what| text.ends_with(what)) => Some(ErrorKind::Unsupported),
        _ => None,
    }
}

/// The end of what Ollama says of a model: `"gemma3:1b" does not support thinking`.
const LACKS: [&str; 5] = [
    "does not support chat",
    "does not support embeddings",
    "does not support generate",
    "does not support thinking",
    "does not support tools",
];

/// The kind of an error of which only the status is known.
#[must_use]
pub(super) fn of_status(status: u16) -> ErrorKind {
    match status {
        400 | 409 | 411 | 414 | 415 | 422 | 431 => ErrorKind::InvalidRequest,
        401 | 407 | 498 => ErrorKind::Authentication,
        402 => ErrorKind::Quota,
        403 | 451 => ErrorKind::Permission,
        404 | 410 => ErrorKind::NotFound,
        405 | 501 => ErrorKind::Unsupported,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::ContextLength,
        429 => ErrorKind::RateLimit,
        500.. => ErrorKind::Unavailable,
        401..500 => ErrorKind::InvalidRequest,
        _ => ErrorKind::BadResponse,
    }
}

/// The kind that the words of a 429 give, if they name the limit's window or a time to wait. A
/// limit with a time to wait is waited for, also one of a day, because some days slide. One of a
/// day without a time is not.
fn of_limit(text: &str) -> Option<ErrorKind> {
    if text.starts_with("Request too large") {
        return None;
    }
    match (retry_after::in_words(text), Window::of(text)) {
        (Some(_), _) | (None, Some(Window::Short)) => Some(ErrorKind::RateLimit),
        (None, Some(Window::Long)) => Some(ErrorKind::Quota),
        (None, None) => None,
    }
}
