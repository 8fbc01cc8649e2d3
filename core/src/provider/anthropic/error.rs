//! Anthropic's errors: `{"type":"error","error":{"type","message","details"},"request_id"}`.
//!
//! The shared classification knows the types. This module reads the newer `details.error_code`,
//! which tells a spending limit from a rate limit. Without it the message has to tell them apart.

use crate::json::Value;

use crate::codec::{Object, parse_foreign};
use crate::error::{Error, ErrorKind};
use crate::provider::{Target, classify};
use crate::wire::Reply;

/// Whether an object is an error, whatever its status.
pub(super) fn is_error(object: &Object) -> bool {
    object.get("type").and_then(Value::as_str) == Some("error")
        || object.get("error").is_some_and(|error| !error.is_null())
}

/// The error of an answer with an error status.
pub(super) fn of_status(reply: &Reply<'_>, target: &Target) -> Error {
    let error = classify::failed(reply, target);
    match parse_foreign(reply.body) {
        Ok(value) => refine(error, &value),
        // The body is a proxy's text or page.
        Err(_) => error,
    }
}

/// The error in a 2xx body, or that of an `error` event.
pub(super) fn in_body(value: &Value, target: &Target) -> Error {
    refine(classify::in_body(value, target), value)
}

/// Adds the facts that only Anthropic gives.
fn refine(mut error: Error, body: &Value) -> Error {
    let inner = body.get("error").unwrap_or(&Value::Null);
    let code =
        inner.get("details").and_then(|details| details.get("error_code")).and_then(Value::as_str);
    if let Some(kind) = kind(&error, code.unwrap_or_default()) {
        error.kind = kind;
        error.retryable = kind.retryable();
    }
    if let Some(code) = code {
        error.code = Some(code.to_owned());
    }
    error
}

fn kind(error: &Error, code: &str) -> Option<ErrorKind> {
    // These are `contract_`, `enforced_` and `linked_organization_spend_limit_reached`, failed
    // billing, and full storage [sdk].
    const SPENT: [&str; 4] =
        ["spend_limit_reached", "billing_unavailable", "not_billable", "storage_quota_exceeded"];
    if SPENT.iter().any(|end| code.ends_with(end)) {
        return Some(ErrorKind::Quota);
    }
    let message = error.message.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    match error.kind {
        // A cap that the customer set comes as a bad request, or as a rate limit that gives no time
        // to wait [doc].
        ErrorKind::InvalidRequest | ErrorKind::RateLimit
            if error.retry_after_ms.is_none()
                && says(&["credit balance", "spend limit", "spending limit", "usage limits"]) =>
        {
            Some(ErrorKind::Quota)
        }
        ErrorKind::InvalidRequest if says(&["blocked by content filtering"]) => {
            Some(ErrorKind::ContentFilter)
        }
        ErrorKind::InvalidRequest if says(&["exceed context limit"]) => {
            Some(ErrorKind::ContextLength)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn of(status: u16, text: &str, headers: &[(&'static str, &str)]) -> Error {
        let config = Config::parse(b"{}").unwrap();
        let provider = &config.providers[config.index("anthropic").unwrap()];
        let target = provider.target("m");
        let mut map = ::http::HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        of_status(&Reply { status, headers: &map, body: text.as_bytes() }, &target)
    }

    #[test]
    fn kinds() {
        use ErrorKind as Kind;
        const BAD: &str = "invalid_request_error";
        const RATE: &str = "rate_limit_error";
        for (status, word, message, kind, retryable) in [
            (400, BAD, "max_tokens: Field required", Kind::InvalidRequest, false),
            (400, BAD, "prompt is too long: 9 tokens > 8", Kind::ContextLength, false),
            (400, BAD, "Your credit balance is too low", Kind::Quota, false),
            (400, BAD, "You have reached your specified API usage limits.", Kind::Quota, false),
            (400, BAD, "top_k: Extra inputs are not permitted", Kind::Unsupported, false),
            (400, BAD, "Output blocked by content filtering policy", Kind::ContentFilter, false),
            (401, "authentication_error", "invalid x-api-key", Kind::Authentication, false),
            (402, "billing_error", "pay", Kind::Quota, false),
            (403, "permission_error", "no", Kind::Permission, false),
            (404, "not_found_error", "model: x", Kind::NotFound, false),
            (409, "conflict_error", "busy", Kind::InvalidRequest, true),
            (413, "request_too_large", "large", Kind::ContextLength, false),
            (429, RATE, "You have reached your spend limit", Kind::Quota, false),
            (429, RATE, "too many", Kind::RateLimit, true),
            (500, "api_error", "oops", Kind::Unavailable, true),
            (503, "some_new_error", "new", Kind::Unavailable, true),
            (504, "timeout_error", "late", Kind::Timeout, true),
            (529, "overloaded_error", "Overloaded", Kind::Unavailable, true),
        ] {
            let inner = format!(r#"{{"type":"{word}","message":"{message}"}}"#);
            let body = format!(r#"{{"type":"error","error":{inner},"request_id":"req_1"}}"#);
            let error = of(status, &body, &[]);
            assert_eq!((error.kind, error.retryable), (kind, retryable), "{message}");
            assert_eq!(error.message, message);
            assert_eq!(error.code.as_deref(), Some(word));
            assert_eq!(error.request_id.as_deref(), Some("req_1"));
            assert_eq!((error.status, error.model.as_deref()), (Some(status), Some("m")));
        }
    }

    #[test]
    fn a_code_or_a_time_to_wait_tells_a_rate_limit_from_a_spending_limit() {
        let body = |code: &str| {
            let details = format!(r#"{{"error_code":"{code}"}}"#);
            let inner = r#""type":"rate_limit_error","message":"spend limit""#;
            format!(r#"{{"type":"error","error":{{{inner},"details":{details}}}}}"#)
        };
        let wait = ("retry-after", "7");
        let error = of(429, &body("enforced_spend_limit_reached"), &[wait]);
        assert_eq!((error.kind, error.retryable), (ErrorKind::Quota, false));
        assert_eq!(error.code.as_deref(), Some("enforced_spend_limit_reached"));
        let error = of(429, &body("ramp_limit_exceeded"), &[wait]);
        assert_eq!((error.kind, error.retryable), (ErrorKind::RateLimit, true));
        assert_eq!(error.retry_after_ms, Some(7000));
    }

    #[test]
    fn headers_say_whether_and_when() {
        let body = r#"{"type":"error","error":{"type":"api_error","message":"m"}}"#;
        assert!(!of(500, body, &[("x-should-retry", "false")]).retryable);
        let reset = "1970-01-01T00:00:00Z";
        let headers = [
            ("date", "Thu, 13 Aug 2026 11:16:15 GMT"),
            ("anthropic-ratelimit-tokens-remaining", "0"),
            ("anthropic-ratelimit-tokens-reset", reset),
        ];
        assert_eq!(of(429, body, &headers).retry_after_ms, None);
        let text = of(503, "upstream connect error", &[]);
        assert_eq!((text.kind, text.retryable), (ErrorKind::Unavailable, true));
        assert!(text.message.contains("upstream connect error"));
    }
}
