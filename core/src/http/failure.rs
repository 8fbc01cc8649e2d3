//! What went wrong on the wire, in our kinds and in words that help.
//!
//! What is told is the innermost cause ("Connection refused", "certificate not valid for name …"),
//! which holds no request data.

use std::error::Error as StdError;

use crate::error::{Error, ErrorKind};

/// No connection could be made.
pub(super) fn connecting(error: &(dyn StdError + 'static), origin: &str) -> Error {
    let cause = cause(error);
    let hint = if cause.contains("certificate") {
        "; if the server's certificate is signed by a company's own authority, name its PEM file in \
         ca_file"
    } else {
        ""
    };
    Error::new(ErrorKind::Connection, format!("cannot connect to {origin}: {cause}{hint}"))
}

/// The exchange failed before the response's headers.
pub(super) fn before_headers(error: &hyper::Error, origin: &str) -> Error {
    if error.is_parse() {
        return Error::new(
            ErrorKind::BadResponse,
            format!("{origin} did not answer in proper HTTP: {error}"),
        );
    }
    Error::new(
        ErrorKind::Connection,
        format!("the connection to {origin} was lost before an answer came: {}", cause(error)),
    )
}

/// Whether the server said that it has not taken the request up, and so that it may be sent again.
pub(super) fn is_refusal(error: &hyper::Error) -> bool {
    let Some(error) = error.source().and_then(|error| error.downcast_ref::<h2::Error>()) else {
        return false;
    };
    // A stream that ends with a GOAWAY is one that came after the last that the server took.
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    error.is_remote() && (refused || error.is_go_away())
}

/// The exchange failed in the middle of the body.
pub(super) fn in_body(error: &hyper::Error, origin: &str, stream: bool) -> Error {
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

/// The innermost cause.
fn cause(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
