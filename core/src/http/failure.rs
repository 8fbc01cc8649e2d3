//! What went wrong on the wire, in our kinds and in words that help.
//!
//! reqwest's own messages hold the URL; they are not used. What is told is the innermost cause
//! ("Connection refused", "certificate not valid for name …"), which holds no request data.

use std::error::Error as StdError;

use crate::error::{Error, ErrorKind};

/// A failure before the response's headers.
pub(super) fn before_headers(error: &reqwest::Error, origin: &str, connect_ms: u128) -> Error {
    if error.is_connect() {
        if error.is_timeout() {
            let message = format!("no connection to {origin} within {connect_ms} ms (connect_ms)");
            return Error::new(ErrorKind::Timeout, message);
        }
        let cause = cause(error);
        let hint = if cause.contains("certificate") {
            "; if the server's certificate is signed by a company's own authority, name its PEM file \
             in ca_file"
        } else {
            ""
        };
        return Error::new(
            ErrorKind::Connection,
            format!("cannot connect to {origin}: {cause}{hint}"),
        );
    }
    if let Some(fault) = malformed(error) {
        return Error::new(
            ErrorKind::BadResponse,
            format!("{origin} did not answer in HTTP: {fault}"),
        );
    }
    Error::new(
        ErrorKind::Connection,
        format!("the connection to {origin} was lost before an answer came: {}", cause(error)),
    )
}

/// A failure in the middle of a body.
pub(super) fn in_body(error: &reqwest::Error, origin: &str, stream: bool) -> Error {
    if error.is_decode() {
        return Error::new(
            ErrorKind::BadResponse,
            format!("the answer's content-encoding is broken: {}", cause(error)),
        );
    }
    if let Some(fault) = malformed(error) {
        return Error::new(ErrorKind::BadResponse, format!("{origin} broke off HTTP: {fault}"));
    }
    let (kind, what) = if stream {
        (ErrorKind::StreamBroken, "stream")
    } else {
        (ErrorKind::Connection, "answer")
    };
    Error::new(
        kind,
        format!(
            "the connection to {origin} was lost in the middle of the {what}: {}",
            cause(error)
        ),
    )
}

/// What an HTTP parser complains about, if it was one.
fn malformed(error: &reqwest::Error) -> Option<String> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>()
            && hyper.is_parse()
        {
            return Some(hyper.to_string());
        }
        source = inner.source();
    }
    None
}

/// The innermost cause.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn StdError = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    if std::ptr::addr_eq(innermost, error) {
        "unknown cause".to_owned()
    } else {
        innermost.to_string()
    }
}
