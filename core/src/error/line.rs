//! The text of an error in one line: who failed, how, how often, and why.
//!
//! `openai/gpt-4.1-mini: 429 rate limited, retry after 2 s (3 attempts; request req_1): Slow down`.
//! Targets that failed besides follow, each with its last failure. This is the only place where the
//! line is made, so that every language shows the same.

use std::fmt::{self, Display, Formatter, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Attempt, Error, ErrorBody, ErrorKind};

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = self.0.clone();
        if let Some(line) = of(&body) {
            body.reason = Some(std::mem::replace(&mut body.message, line));
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("error", &*body)?;
        map.end()
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match of(&self.0) {
            Some(line) => f.write_str(&line),
            None => f.write_str(&self.0.message),
        }
    }
}

/// The line, if a target is to blame. Other errors are about the request or the configuration, and
/// their message says all.
fn of(error: &ErrorBody) -> Option<String> {
    let provider = error.provider.as_deref()?;
    let target = match error.model.as_deref() {
        None | Some("") => provider.to_owned(),
        Some(model) => format!("{provider}/{model}"),
    };
    let own = error.attempts.iter().filter(|attempt| attempt.target == target).count();
    let mut line = format!("{target}: {}", Failure(error.status, error.kind));
    if let Some(ms) = error.retry_after_ms.filter(|_| error.retryable) {
        let _ = write!(line, ", retry after {}", Wait(ms));
    }
    let times = (own > 1).then(|| format!("{own} attempts"));
    let request = error.request_id.as_ref().map(|id| format!("request {id}"));
    match (times, request) {
        (None, None) => {}
        (Some(one), None) | (None, Some(one)) => {
            let _ = write!(line, " ({one})");
        }
        (Some(times), Some(request)) => {
            let _ = write!(line, " ({times}; {request})");
        }
    }
    let _ = write!(line, ": {}", error.message);
    for (i, attempt) in error.attempts.iter().enumerate() {
        let begins = error.attempts[..i].iter().all(|earlier| earlier.target != attempt.target);
        if attempt.target != target && begins {
            other(&mut line, &error.attempts[i..]);
        }
    }
    Some(line)
}

/// Adds another target, which is that of the first of these attempts. One that was only cancelled
/// is no failure.
fn other(line: &mut String, attempts: &[Attempt]) {
    let target = &attempts[0].target;
    let own = || attempts.iter().filter(|attempt| attempt.target == *target);
    let failed = |attempt: &&Attempt| attempt.kind.is_some_and(|kind| kind != ErrorKind::Cancelled);
    let Some((last, kind)) = own().rfind(failed).and_then(|last| Some((last, last.kind?))) else {
        return;
    };
    line.truncate(line.trim_end_matches('.').len());
    let _ = write!(line, "; and {target}: {}", Failure(last.status, kind));
    if own().count() > 1 {
        let _ = write!(line, " ({} attempts)", own().count());
    }
    if let Some(message) = &last.message {
        let _ = write!(line, ": {message}");
    }
}

/// `429 rate limited`. A status that means success says nothing about a failure.
struct Failure(Option<u16>, ErrorKind);

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.0.filter(|status| *status >= 300) {
            write!(f, "{status} ")?;
        }
        f.write_str(match self.1 {
            ErrorKind::InvalidRequest => "invalid request",
            ErrorKind::ContextLength => "context length exceeded",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Authentication => "authentication failed",
            ErrorKind::Permission => "permission denied",
            ErrorKind::NotFound => "not found",
            ErrorKind::RateLimit => "rate limited",
            ErrorKind::Quota => "quota used up",
            ErrorKind::ContentFilter => "refused by a content filter",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::BadResponse => "bad response",
            ErrorKind::StreamBroken => "stream broken",
            ErrorKind::Connection => "connection failed",
            ErrorKind::Timeout => "timed out",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Internal => "internal error",
        })
    }
}

/// Milliseconds for a reader, rounded up: `250 ms`, `2 s`, `34.4 s`, `14 min`, `21 h`.
struct Wait(u64);

impl Display for Wait {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const SECOND: u64 = 1_000;
        const MINUTE: u64 = 60 * SECOND;
        match self.0 {
            ms if ms < SECOND => write!(f, "{ms} ms"),
            ms if ms < 10 * MINUTE => {
                let tenths = ms.div_ceil(100);
                match (tenths / 10, tenths % 10) {
                    (whole, 0) => write!(f, "{whole} s"),
                    (whole, tenth) => write!(f, "{whole}.{tenth} s"),
                }
            }
            ms if ms < 600 * MINUTE => write!(f, "{} min", ms.div_ceil(MINUTE)),
            ms => write!(f, "{} h", ms.div_ceil(60 * MINUTE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(target: &str, status: Option<u16>, kind: ErrorKind, message: &str) -> Attempt {
        Attempt {
            target: target.to_owned(),
            status,
            kind: Some(kind),
            message: Some(message.to_owned()),
            ms: 1,
            hedge: false,
            may_be_billed: false,
        }
    }

    fn limited() -> Error {
        Error::new(ErrorKind::RateLimit, "Slow down").with(|e| {
            e.provider = Some("openai".to_owned());
            e.model = Some("gpt-4.1-mini".to_owned());
            e.status = Some(429);
            e.retry_after_ms = Some(2_000);
            e.request_id = Some("req_1".to_owned());
        })
    }

    #[test]
    fn who_what_and_how_often() {
        let own = || attempt("openai/gpt-4.1-mini", Some(429), ErrorKind::RateLimit, "Slow down");
        let error = limited().with(|e| e.attempts = vec![own(), own(), own()]);
        let line = "openai/gpt-4.1-mini: 429 rate limited, retry after 2 s (3 attempts; request \
                    req_1): Slow down";
        assert_eq!(error.to_string(), line);
        let document = String::from_utf8(error.to_json()).unwrap();
        let members =
            format!(r#"{{"error":{{"kind":"rate_limit","message":"{line}","reason":"Slow down","#);
        assert!(document.starts_with(&members), "{document}");
        let once = limited().with(|e| {
            e.attempts = vec![own()];
            e.request_id = None;
        });
        assert_eq!(
            once.to_string(),
            "openai/gpt-4.1-mini: 429 rate limited, retry after 2 s: Slow down"
        );
    }

    #[test]
    fn a_chain_names_each_target_with_its_last_failure() {
        let error = limited().with(|e| {
            e.retry_after_ms = None;
            e.attempts = vec![
                attempt("openai/gpt-4.1-mini", Some(429), ErrorKind::RateLimit, "Slow down"),
                attempt("mistral/small", None, ErrorKind::Connection, "refused"),
                attempt("groq/llama", Some(200), ErrorKind::Cancelled, "late"),
                attempt("mistral/small", Some(401), ErrorKind::Authentication, "bad key"),
                attempt("xai/grok", Some(200), ErrorKind::StreamBroken, "cut"),
            ];
        });
        assert_eq!(
            error.to_string(),
            "openai/gpt-4.1-mini: 429 rate limited (request req_1): Slow down; and mistral/small: \
             401 authentication failed (2 attempts): bad key; and xai/grok: stream broken: cut"
        );
    }

    #[test]
    fn an_error_of_the_request_is_its_message() {
        let error = Error::invalid("prompt", "prompt must be a string, not a number");
        assert_eq!(error.to_string(), "prompt must be a string, not a number");
        let document = String::from_utf8(error.to_json()).unwrap();
        assert!(!document.contains("reason"), "{document}");
    }

    #[test]
    fn waits_are_readable() {
        for (ms, text) in [
            (0, "0 ms"),
            (250, "250 ms"),
            (2_000, "2 s"),
            (34_401, "34.5 s"),
            (599_000, "599 s"),
            (787_104, "14 min"),
            (73_189_000, "21 h"),
        ] {
            assert_eq!(Wait(ms).to_string(), text);
        }
    }
}
