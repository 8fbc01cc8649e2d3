//! Reads a provider's error, in any of the usual shapes, and finds its kind.
//!
//! Details count first (see `details`), then the provider's code, its type, its text, and then the
//! status (`providers.md` §7).

use std::time::Duration;

use super::details::Details;
use super::{Target, kind, page};
use crate::codec::{Object, parse_foreign, parse_foreign_text};
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::wire::{Reply, retry_after};

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
    /// What Google's details say.
    details: Details,
    /// The error of a provider behind this one.
    cause: Option<Box<ProviderError>>,
    /// The text was refused by a moderation step (`OpenRouter`'s `metadata.flagged_input`).
    flagged: bool,
    /// The body is not JSON, so that a server on the way may have written it.
    foreign: bool,
}

impl ProviderError {
    /// Reads the body of an answer with an error status: JSON of any shape, a page of HTML, or
    /// text.
    #[must_use]
    pub fn read(reply: &Reply<'_>) -> Self {
        if let Ok(value) = parse_foreign(reply.body) {
            return ProviderError::of(&value, 0);
        }
        let message = if page::is_page(reply.body) {
            Some(page::under_error(reply.status, reply.headers, reply.body))
        } else {
            non_empty(&String::from_utf8_lossy(reply.body))
        };
        ProviderError { message, foreign: true, ..ProviderError::default() }
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
            details: object.get("details").map(Details::read).unwrap_or_default(),
            cause: cause.map(Box::new),
            flagged: metadata.is_some_and(|metadata| metadata.get("flagged_input").is_some()),
            foreign: false,
        }
    }

    pub(super) fn into_error(self, status: Option<u16>, target: &Target) -> Error {
        let kind = self.kind(status);
        let wait = self.wait();
        let message = self.text().unwrap_or_else(|| "the answer gives no reason".to_owned());
        Error::new(kind, message).with(|e| {
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

    /// How long the error, or the one behind it, asks to wait: by its details, or by its words.
    pub(super) fn wait(&self) -> Option<Duration> {
        let said = self.message.as_deref();
        self.details
            .wait
            .or_else(|| {
                said.filter(|_| self.details.kind.is_none()).and_then(retry_after::in_words)
            })
            .or_else(|| self.cause.as_ref()?.wait())
    }

    /// The kind: by details, code, type, text, status.
    #[must_use]
    pub fn kind(&self, status: Option<u16>) -> ErrorKind {
        let status = status.or(self.status);
        let words = [self.code.as_deref(), self.class.as_deref()];
        if self.flagged {
            return ErrorKind::ContentFilter;
        }
        // The upstream's reason is more exact than the router's.
        let limited = status.filter(|status| *status == 429);
        let cause = self.cause.as_ref().and_then(|cause| cause.telling(cause.status.or(limited)));
        self.of_details(status)
            .or(cause)
            .or_else(|| self.telling(status))
            // A proxy refuses a large body without knowing any context.
            .or((self.foreign && status == Some(413)).then_some(ErrorKind::InvalidRequest))
            .or_else(|| status.map(kind::of_status))
            .or_else(|| words.iter().flatten().find_map(|word| kind::of_class(word)))
            // An error in the middle of a stream without a kind of its own is the provider's fault.
            .unwrap_or(ErrorKind::Unavailable)
    }

    /// The kind, if the details, the code, the type or the text give one.
    fn telling(&self, status: Option<u16>) -> Option<ErrorKind> {
        let words = [self.code.as_deref(), self.class.as_deref()];
        let message = self.message.as_deref().unwrap_or_default();
        let word = || words.iter().flatten().find_map(|word| kind::of_word(word));
        self.of_details(status).or_else(word).or_else(|| kind::of_text(message, status))
    }

    /// The kind that the details give. A delay under a 429 says that waiting helps.
    fn of_details(&self, status: Option<u16>) -> Option<ErrorKind> {
        let waits = self.details.wait.is_some() && status == Some(429);
        self.details.kind.or(waits.then_some(ErrorKind::RateLimit))
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
