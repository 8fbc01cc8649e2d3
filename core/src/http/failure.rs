//! Describes failures of the connection, in our kinds and in helpful words.
//!
//! The message has the innermost cause ("Connection refused", "certificate not valid for name …"),
//! which holds no request data.

use std::error::Error as StdError;
use std::io;

use crate::error::{Error, ErrorKind};

/// No connection could be made.
pub(super) fn connecting(error: &(dyn StdError + 'static), origin: &str) -> Error {
    if is_out_of_descriptors(error) {
        let message = format!(
            "cannot connect to {origin}: no file descriptor is left. Raise the limit of open files \
             (ulimit -n), or close clients and streams that are idle"
        );
        return Error::new(ErrorKind::Connection, message);
    }
    let cause = cause(error);
    let hint = if cause.contains("certificate") {
        "; if the server's certificate is signed by a company's own authority, name its PEM file in \
         ca_file"
    } else if cause.contains("InvalidContentType") {
        "; if the server speaks no TLS, base_url has to begin with http://"
    } else {
        ""
    };
    let message = format!("cannot connect to {origin}: {cause}{hint}");
    Error::new(ErrorKind::Connection, message).with(|e| e.unreached = is_unreached(error))
}

/// Whether no server was there. A name that is not known, a certificate or a missing descriptor
/// stays wrong for longer.
fn is_unreached(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind as Kind;
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.filter_map(|error| error.downcast_ref::<io::Error>()).any(|error| {
        matches!(
            error.kind(),
            Kind::ConnectionRefused
                | Kind::ConnectionReset
                | Kind::HostUnreachable
                | Kind::NetworkUnreachable
                | Kind::TimedOut
        )
    })
}

/// The exchange failed before the response's headers.
pub(super) fn before_headers(error: &hyper::Error, origin: &str) -> Error {
    if error.is_parse() {
        let hint = if origin.starts_with("http://") {
            "; if the server speaks TLS, base_url has to begin with https://"
        } else {
            ""
        };
        return Error::new(
            ErrorKind::BadResponse,
            format!("{origin} did not answer in proper HTTP: {error}{hint}"),
        );
    }
    Error::new(
        ErrorKind::Connection,
        format!("the connection to {origin} was lost before an answer came: {}", cause(error)),
    )
}

/// Whether the server said that it has not taken the request, so that it may be sent again.
pub(super) fn is_refusal(error: &hyper::Error) -> bool {
    let Some(error) = error.source().and_then(|error| error.downcast_ref::<h2::Error>()) else {
        return false;
    };
    // A stream that ends with a GOAWAY came after the last one that the server took.
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
    let cause = cause(error);
    // For an invalid chunk size, hyper says that the input or data is invalid.
    let garbled = std::iter::successors(error.source(), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .any(|error| {
            matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
        });
    if garbled {
        let kind = if stream { kind } else { ErrorKind::BadResponse };
        return Error::new(kind, format!("{origin} sent the {what} in improper HTTP: {cause}"));
    }
    Error::new(
        kind,
        format!("the connection to {origin} was lost in the middle of the {what}: {cause}"),
    )
}

/// Whether the process or the system has no file descriptor left.
pub(super) fn is_out_of_descriptors(error: &(dyn StdError + 'static)) -> bool {
    // ENFILE and EMFILE, on every system that has them.
    let is_out = |code| cfg!(unix) && matches!(code, 23 | 24);
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.raw_os_error().is_some_and(is_out))
}

/// The innermost cause.
fn cause(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
