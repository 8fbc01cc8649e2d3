//! Bedrock's errors: `{"message": …}`, with the class in a header
//! (`x-amzn-errortype: ThrottlingException:http://…`), or in a frame of a stream.

use crate::codec::{parse_foreign, parse_foreign_text};
use crate::error::{Error, ErrorKind};
use crate::json::{Value, json};
use crate::provider::{Target, classify};
use crate::wire::{Event, Reply, headers};

/// The error of an answer with an error status.
pub(super) fn of_status(reply: &Reply<'_>, target: &Target) -> Error {
    let error = classify::failed(reply, target);
    let body = parse_foreign(reply.body).unwrap_or_default();
    let class = headers::text(reply.headers, "x-amzn-errortype")
        .or_else(|| body.get("__type").and_then(Value::as_str))
        .unwrap_or_default();
    refine(error, class, &body)
}

/// The error of a stream's frame. Its name is the class, with a small first letter.
pub(super) fn of_frame(event: Event<'_>, target: &Target) -> Error {
    let body = match parse_foreign_text(event.data) {
        Ok(body @ Value::Object(_)) => body,
        _ => json!({ "message": event.data }),
    };
    let mut letters = event.name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let class: String = first.into_iter().chain(letters).collect();
    refine(classify::in_body(&body, target), &class, &body)
}

/// Adds what the class says.
fn refine(mut error: Error, class: &str, body: &Value) -> Error {
    // "ThrottlingException:http://…" in a header, "com.amazon.coral.service#Throttling…" in a body.
    let class = class.split(':').next().unwrap_or_default();
    let class = class.rsplit('#').next().unwrap_or_default().trim();
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    // The front of the service, which checks keys, writes it with a capital.
    if let (None, Some(said)) = (text("message"), text("Message")) {
        error.message = said.to_owned();
    }
    // What the model's own server said.
    if let Some(said) = text("originalMessage").filter(|said| !error.message.contains(said)) {
        error.message = format!("{}: {said}", error.message);
    }
    if !class.is_empty() {
        error.code = Some(class.to_owned());
    }
    if let Some(kind) = kind(&error, class) {
        error.kind = kind;
        error.retryable = kind.retryable();
    }
    if class == "ConflictException" {
        error.retryable = true;
    }
    error
}

/// The kind by class and words, where the shared table does not know it [spec, rec].
fn kind(error: &Error, class: &str) -> Option<ErrorKind> {
    let message = error.message.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    Some(match class {
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException"
        | "ExpiredToken"
        // A wrong clock, in the words of AWS's other services [sdk].
        | "RequestTimeTooSkewed"
        | "RequestExpired"
        | "RequestInTheFuture"
        | "InvalidClientTokenId" => ErrorKind::Authentication,
        // A wrong or expired key has the class of a missing permission.
        "AccessDeniedException" if says(&["authentication failed", "api key", "bearer token"]) => {
            ErrorKind::Authentication
        }
        "AccessDeniedException" => ErrorKind::Permission,
        "ResourceNotFoundException" => ErrorKind::NotFound,
        "ServiceQuotaExceededException" => ErrorKind::Quota,
        // A limit of a day is a quota already, by its words.
        "ThrottlingException" if error.kind != ErrorKind::Quota => ErrorKind::RateLimit,
        "ModelTimeoutException" => ErrorKind::Timeout,
        "ModelNotReadyException"
        | "ModelErrorException"
        | "ModelStreamErrorException"
        | "InternalServerException"
        | "ServiceUnavailableException" => ErrorKind::Unavailable,
        // Recordings without headers have the words alone.
        "" if error.status == Some(403) && says(&["security token included in the request"]) => {
            ErrorKind::Authentication
        }
        "ValidationException" | "" => match error.kind {
            _ if says(&["model identifier is invalid"]) => ErrorKind::NotFound,
            // "Input is too long for requested model." [doc], and of another model's server [rec].
            _ if says(&["input is too long", "too many total text bytes"]) => {
                ErrorKind::ContextLength
            }
            // A frame has no status that would say so.
            ErrorKind::Unavailable if !class.is_empty() => ErrorKind::InvalidRequest,
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn target() -> Target {
        let config = Config::parse(br#"{"providers":{"bedrock":{"region":"us-east-1"}}}"#).unwrap();
        config.providers[config.index("bedrock").unwrap()].target("m")
    }

    fn of(status: u16, class: &str, body: &str) -> Error {
        let mut map = ::http::HeaderMap::new();
        map.insert("x-amzn-requestid", "r-1".parse().unwrap());
        if !class.is_empty() {
            let value = format!("{class}:http://internal.amazon.com/coral/com.amazon.bedrock/");
            map.insert("x-amzn-errortype", value.parse().unwrap());
        }
        let body = body.as_bytes();
        of_status(&Reply { status, headers: &map, body, received: None }, &target())
    }

    #[test]
    fn kinds() {
        use ErrorKind as Kind;
        for (status, class, message, kind, retryable) in [
            (400, "ValidationException", "messages.0 is blank", Kind::InvalidRequest, false),
            (
                400,
                "ValidationException",
                "The provided model identifier is invalid.",
                Kind::NotFound,
                false,
            ),
            (
                400,
                "ValidationException",
                "Input is too long for requested model.",
                Kind::ContextLength,
                false,
            ),
            (400, "", "too many total text bytes: 10000002 > 9000000", Kind::ContextLength, false),
            (400, "ServiceQuotaExceededException", "m", Kind::Quota, false),
            (400, "ConflictException", "m", Kind::InvalidRequest, true),
            (
                403,
                "AccessDeniedException",
                "You don't have access to the model",
                Kind::Permission,
                false,
            ),
            (
                403,
                "AccessDeniedException",
                "Authentication failed: Please make sure your API Key is valid.",
                Kind::Authentication,
                false,
            ),
            (403, "UnrecognizedClientException", "m", Kind::Authentication, false),
            (403, "ExpiredTokenException", "m", Kind::Authentication, false),
            (403, "RequestTimeTooSkewed", "m", Kind::Authentication, false),
            (400, "RequestExpired", "m", Kind::Authentication, false),
            (400, "RequestInTheFuture", "m", Kind::Authentication, false),
            (
                403,
                "",
                "The security token included in the request is invalid.",
                Kind::Authentication,
                false,
            ),
            (404, "ResourceNotFoundException", "m", Kind::NotFound, false),
            (408, "ModelTimeoutException", "m", Kind::Timeout, true),
            (424, "ModelErrorException", "m", Kind::Unavailable, true),
            (
                429,
                "ThrottlingException",
                "Too many requests, please wait before trying again.",
                Kind::RateLimit,
                true,
            ),
            (
                429,
                "ThrottlingException",
                "Too many tokens per day, please wait before trying again.",
                Kind::Quota,
                false,
            ),
            (429, "ModelNotReadyException", "m", Kind::Unavailable, true),
            (500, "InternalServerException", "m", Kind::Unavailable, true),
            (503, "ServiceUnavailableException", "m", Kind::Unavailable, true),
        ] {
            let error = of(status, class, &format!(r#"{{"message":"{message}"}}"#));
            assert_eq!((error.kind, error.retryable), (kind, retryable), "{class}: {message}");
            assert_eq!(error.message, message);
            let code = (!class.is_empty()).then_some(class);
            assert_eq!(error.code.as_deref(), code);
            assert_eq!(error.request_id.as_deref(), Some("r-1"));
        }
    }

    #[test]
    fn the_class_may_stand_in_the_body_and_the_message_under_a_capital() {
        let body = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}"#;
        let error = of(403, "", body);
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Permission, "no"));
        assert_eq!(error.code.as_deref(), Some("AccessDeniedException"));
    }

    #[test]
    fn frames() {
        let frame = |name, data| of_frame(Event { name, data, failed: true }, &target());
        let error = frame("throttlingException", r#"{"message":"slow down"}"#);
        assert_eq!((error.kind, error.retryable), (ErrorKind::RateLimit, true));
        assert_eq!(error.code.as_deref(), Some("ThrottlingException"));
        let error = frame("validationException", r#"{"message":"bad"}"#);
        assert_eq!((error.kind, error.retryable), (ErrorKind::InvalidRequest, false));
        let body = r#"{"message":"failed","originalStatusCode":500,"originalMessage":"CUDA"}"#;
        let error = frame("modelStreamErrorException", body);
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Unavailable, "failed: CUDA"));
        let error = frame("InternalFailure", "oops");
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Unavailable, "oops"));
    }
}
