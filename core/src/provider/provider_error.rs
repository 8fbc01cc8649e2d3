//! Reads a provider's error, in any of the usual shapes, and finds its kind.
//!
//! The provider's code counts first, then its type, then its text, then the status (`providers.md`
//! §7).

use std::time::Duration;

use super::Target;
use crate::codec::{Object, parse_foreign, parse_foreign_text};
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::wire::retry_after;

/// The largest number of characters of a provider's text in a message.
const MAX_TEXT: usize = 2_000;

/// The largest depth at which an error may hold another provider's error (`OpenRouter`'s
/// `metadata.raw`).
const MAX_NESTING: u8 = 2;

/// A provider's error.
#[derive(Debug, Default)]
pub struct ProviderError {
    /// Its text.
    pub message: Option<String>,
    /// Its code.
    pub code: Option<String>,
    /// The type or class of the error.
    pub class: Option<String>,
    /// The member of the request that is at fault.
    pub param: Option<String>,
    /// The provider's id of the request, if the body has it.
    pub request_id: Option<String>,
    /// The HTTP status that the error stands for, if it came under another.
    pub status: Option<u16>,
    /// How long the provider asks to wait (Google's `RetryInfo`).
    wait: Option<Duration>,
    /// A day's quota is used up (Google's `QuotaFailure`).
    spent: bool,
    /// The error of a provider behind this one.
    cause: Option<Box<ProviderError>>,
    /// The text was refused by a moderation step (`OpenRouter`'s `metadata.flagged_input`).
    flagged: bool,
}

impl ProviderError {
    /// Reads an error body: JSON of any shape, or text.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        if let Ok(value) = parse_foreign(body) {
            return ProviderError::of(&value, 0);
        }
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        if text.starts_with('<') {
            let text = "the answer is a page of HTML: check base_url and any proxy on the way";
            return ProviderError { message: Some(text.to_owned()), ..ProviderError::default() };
        }
        ProviderError { message: non_empty(text), ..ProviderError::default() }
    }

    pub(super) fn of(value: &Value, depth: u8) -> Self {
        let object = match value {
            Value::Object(object) => object,
            // Gemini wraps its error in a list.
            Value::Array(items) => {
                return items
                    .first()
                    .map(|item| ProviderError::of(item, depth))
                    .unwrap_or_default();
            }
            Value::String(text) => {
                return ProviderError { message: non_empty(text), ..ProviderError::default() };
            }
            _ => return ProviderError::default(),
        };
        let mut said = match object.get("error") {
            Some(Value::Object(inner)) => ProviderError::of_members(inner, depth),
            Some(Value::String(text)) => ProviderError {
                message: non_empty(text),
                ..ProviderError::of_members(object, depth)
            },
            _ => ProviderError::of_members(object, depth),
        };
        said.request_id = ["request_id", "id"]
            .iter()
            .find_map(|name| object.get(name)?.as_str().and_then(non_empty));
        said
    }

    fn of_members(object: &Object, depth: u8) -> Self {
        let word = |names: &[&str]| names.iter().find_map(|name| scalar(object.get(name)?));
        let number = |name: &str| object.get(name).and_then(status_number);
        let metadata = object.get("metadata");
        let details = object.get("details");
        let raw = metadata.and_then(|metadata| metadata.get("raw")).filter(|_| depth < MAX_NESTING);
        let cause = raw.map(|raw| match raw {
            Value::String(text) => match parse_foreign_text(text) {
                Ok(value) => ProviderError::of(&value, depth + 1),
                Err(_) => ProviderError { message: non_empty(text), ..ProviderError::default() },
            },
            other => ProviderError::of(other, depth + 1),
        });
        ProviderError {
            message: ["message", "detail", "msg", "error_message", "html-message"]
                .iter()
                .find_map(|name| text_of(object.get(name)?)),
            code: word(&["code", "error_code"]),
            class: word(&["type", "error_type", "status"]),
            param: word(&["param"]),
            request_id: None,
            status: number("status_code").or_else(|| number("status")).or_else(|| number("code")),
            wait: details.and_then(retry_after::retry_info),
            spent: details.is_some_and(retry_after::day_is_spent),
            cause: cause.map(Box::new),
            flagged: metadata.is_some_and(|metadata| metadata.get("flagged_input").is_some()),
        }
    }

    pub(super) fn into_error(self, status: Option<u16>, target: &Target) -> Error {
        let kind = self.kind(status);
        let wait = self.wait();
        let message = self.text().unwrap_or_else(|| match status {
            Some(status) => {
                format!("{} answered with status {status} and gave no reason", target.provider)
            }
            None => format!("{} reported an error and gave no reason", target.provider),
        });
        Error::new(kind, capped(&message)).with(|e| {
            // A code that only repeats the status says less than the type does.
            let code = self.code.as_ref().and_then(|code| code.parse::<u16>().ok());
            let repeats = code.is_some() && code == status;
            let (code, class) = (self.code, self.class);
            e.code = if repeats { class.or(code) } else { code.or(class) };
            e.param = self.param;
            e.provider = Some(target.provider.to_string());
            e.model = Some(target.model.to_string());
            e.request_id = self.request_id;
            e.retry_after_ms = wait.map(retry_after::millis);
            // The official SDKs retry a conflict, because another request held the resource.
            e.retryable = kind.retryable() || status == Some(409);
        })
    }

    fn text(&self) -> Option<String> {
        let cause = self.cause.as_ref().and_then(|cause| cause.text());
        match (&self.message, cause) {
            (Some(message), Some(cause)) => Some(format!("{message}: {cause}")),
            (message, cause) => message.clone().or(cause),
        }
    }

    /// How long the error, or the one behind it, asks to wait.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.wait.or_else(|| self.cause.as_ref()?.wait())
    }

    /// The kind: by code, type, text, status.
    #[must_use]
    pub fn kind(&self, status: Option<u16>) -> ErrorKind {
        let status = status.or(self.status);
        let words = [self.code.as_deref(), self.class.as_deref()];
        let message = self.message.as_deref().unwrap_or_default();
        if self.flagged {
            return ErrorKind::ContentFilter;
        }
        if self.spent {
            return ErrorKind::Quota;
        }
        // The upstream's reason is more exact than the router's.
        let cause = self.cause.as_ref().map(|cause| (cause.telling(), cause));
        if let Some((Some(kind), _)) = cause {
            return kind;
        }
        words
            .iter()
            .flatten()
            .find_map(|word| kind_of_word(word))
            .or_else(|| kind_of_text(message, status))
            .or_else(|| status.map(kind_of_status))
            .or_else(|| words.iter().flatten().find_map(|word| kind_of_class(word)))
            // An error in the middle of a stream without a kind of its own is the provider's fault.
            .unwrap_or(ErrorKind::Unavailable)
    }

    /// The kind, if the code, the type or the text gives one.
    fn telling(&self) -> Option<ErrorKind> {
        let words = [self.code.as_deref(), self.class.as_deref()];
        let message = self.message.as_deref().unwrap_or_default();
        let spent = self.spent.then_some(ErrorKind::Quota);
        let word = || words.iter().flatten().find_map(|word| kind_of_word(word));
        spent.or_else(word).or_else(|| kind_of_text(message, self.status))
    }
}

/// Codes and types with one meaning, whatever the status. Sources: `providers.md` §7 and the
/// provider sheets; OpenAI's error guide [doc]; recordings [rec].
fn kind_of_word(word: &str) -> Option<ErrorKind> {
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
fn kind_of_class(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "invalid_request_error" => ErrorKind::InvalidRequest,
        "rate_limit_exceeded" | "rate_limited" => ErrorKind::RateLimit,
        "api_error" | "server_error" | "internal_server_error" => ErrorKind::Unavailable,
        _ => return None,
    })
}

/// The kind that a text gives, if neither code nor type does.
fn kind_of_text(text: &str, status: Option<u16>) -> Option<ErrorKind> {
    const CONTEXT: [&str; 11] = [
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
        _ => None,
    }
}

/// The text of a message, whatever its type. Mistral's may be an object, and FastAPI's a list of
/// `{loc, msg}` [rec].
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => match parse_foreign_text(text) {
            // A gateway's `html-message` holds the upstream's error as text.
            Ok(inner @ Value::Object(_)) if inner.get("error").is_some() => {
                ProviderError::of(&inner, MAX_NESTING).message
            }
            _ => non_empty(text),
        },
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(validation_text).collect();
            non_empty(&texts.join("; "))
        }
        Value::Object(object) => ["message", "detail", "msg"]
            .iter()
            .find_map(|name| text_of(object.get(name)?))
            .or_else(|| non_empty(&value.to_string()).filter(|_| !object.is_empty())),
        _ => None,
    }
}

/// `body.messages.0.content: Input should be a valid string`. FastAPI also repeats the input, which
/// is left out because it may be a prompt.
fn validation_text(item: &Value) -> Option<String> {
    let text = item.get("msg").and_then(Value::as_str).or(item.as_str())?;
    let Some(place) = item.get("loc").and_then(Value::as_array) else {
        return Some(text.to_owned());
    };
    let place: Vec<String> = place.iter().filter_map(scalar).collect();
    Some(format!("{}: {text}", place.join(".")))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => non_empty(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn status_number(value: &Value) -> Option<u16> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}

fn non_empty(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn capped(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The kind of an error of which only the status is known.
#[must_use]
pub fn kind_of_status(status: u16) -> ErrorKind {
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
