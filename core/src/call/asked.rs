//! Adds to an error the URL that was asked, where a wrong base URL may explain the error.
//!
//! A base URL holds neither credentials nor a query (`config` refuses them), and the query of the
//! request is left out.

use std::borrow::Cow;

use ::http::Uri;

use crate::error::Error;
use crate::provider::Row;
use crate::provider::registry::Format;

/// The error, with the URL if the path was not found or if the message is about `base_url`.
/// `path` makes the path that follows the base URL.
pub(super) fn with_url(
    error: Error,
    row: &Row,
    base: &Uri,
    path: impl FnOnce() -> Cow<'static, str>,
) -> Error {
    let unknown_path = matches!(error.status, Some(404 | 405));
    if !unknown_path && !error.message.contains("base_url") {
        return error;
    }
    let host = base.authority().map_or("", |authority| authority.as_str());
    let scheme = base.scheme_str().unwrap_or_default();
    // The model is what was not found, so the path was right.
    let model = error.code.as_deref().is_some_and(|code| code.contains("model"));
    let hint = if model { "" } else { hint(row, base) };
    let (front, path) = (base.path().trim_end_matches('/'), path());
    let message = format!("{} (asked: {scheme}://{host}{front}{path}{hint})", error.message);
    error.with(|e| e.message = message)
}

/// What may be wrong with a base URL.
fn hint(row: &Row, base: &Uri) -> &'static str {
    let path = base.path().trim_end_matches('/');
    let versioned = path.rsplit('/').any(|part| {
        part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let own = *base == *row.base_url || format!("{}/", row.base_url) == base.to_string();
    match row.format {
        Format::OpenAi(_) if !versioned && !own => "; a base URL usually ends in /v1",
        Format::Anthropic if path.ends_with("/v1") => "; a base URL of this kind has no /v1",
        Format::Cohere if versioned => "; a base URL of this kind has no version",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::provider::registry::row;

    /// The message of a 404 with this code.
    fn found(kind: &str, base: &str, path: &'static str, code: Option<&str>) -> String {
        let error = Error::new(ErrorKind::NotFound, "Not Found").with(|e| {
            e.status = Some(404);
            e.code = code.map(str::to_owned);
        });
        with_url(error, row(kind).unwrap(), &base.parse().unwrap(), || path.into()).message.clone()
    }

    #[test]
    fn a_404_names_the_url_and_what_may_be_wrong() {
        let chat = "/chat/completions";
        for (kind, base, path, code, wanted) in [
            (
                "compatible",
                "http://h:8000",
                chat,
                None,
                "http://h:8000/chat/completions; a base URL usually ends in /v1",
            ),
            ("compatible", "http://h/v1/", chat, None, "http://h/v1/chat/completions"),
            (
                "compatible",
                "http://h/v1beta/openai",
                chat,
                None,
                "http://h/v1beta/openai/chat/completions",
            ),
            ("openai", "http://h", chat, Some("model_not_found"), "http://h/chat/completions"),
            (
                "deepseek",
                "https://api.deepseek.com",
                chat,
                None,
                "https://api.deepseek.com/chat/completions",
            ),
            (
                "anthropic",
                "http://h/v1",
                "/v1/messages",
                None,
                "http://h/v1/v1/messages; a base URL of this kind has no /v1",
            ),
            ("anthropic", "http://h", "/v1/messages", None, "http://h/v1/messages"),
            (
                "cohere",
                "http://h/v2",
                "/v2/chat",
                None,
                "http://h/v2/v2/chat; a base URL of this kind has no version",
            ),
        ] {
            assert_eq!(found(kind, base, path, code), format!("Not Found (asked: {wanted})"));
        }
    }

    #[test]
    fn other_errors_name_no_url() {
        let row = row("openai").unwrap();
        let base = "http://h/v1".parse().unwrap();
        let error = Error::new(ErrorKind::RateLimit, "Slow down").with(|e| e.status = Some(429));
        assert_eq!(with_url(error, row, &base, || "/x".into()).message, "Slow down");
        let page = Error::new(ErrorKind::Unavailable, "HTTP 502: check base_url");
        assert_eq!(
            with_url(page, row, &base, || "/x".into()).message,
            "HTTP 502: check base_url (asked: http://h/v1/x)"
        );
    }
}
