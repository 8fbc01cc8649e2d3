//! What the HTTP layer knows of the configuration: the provider's place, and how to connect to it.

use std::path::PathBuf;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Uri};

/// How one provider is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its scheme, host, port and base path.
    pub base_url: Uri,
    /// Headers added to each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The five timers.
    pub timeouts: Timeouts,
    /// Which HTTP versions are offered.
    pub version: HttpVersion,
    /// A PEM file with further trusted roots.
    pub ca_file: Option<PathBuf>,
}

impl Settings {
    /// Scheme, host and port, for messages.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = self.base_url.scheme_str().unwrap_or_default();
        let authority = self.base_url.authority().map_or("", |authority| authority.as_str());
        format!("{scheme}://{authority}")
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base_url.scheme_str() == Some("https")
    }
}

/// Which HTTP versions are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/2 if the server takes it (by ALPN), or else HTTP/1.1.
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 without negotiation, also on plain TCP.
    Http2,
}

/// The five timers. `None` means that only the total counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, TCP and TLS.
    pub connect: Duration,
    /// From sending the request to the response's headers.
    pub headers: Option<Duration>,
    /// From sending the request to a stream's first content.
    pub first_token: Option<Duration>,
    /// The longest silence inside a body. `None` means a minute, once the first content has come.
    pub idle: Option<Duration>,
    /// The whole call.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 5 s to connect and 10 minutes in all, as in the providers' own SDKs.
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            headers: None,
            first_token: None,
            idle: None,
            total: Duration::from_secs(600),
        }
    }
}

/// The port of an origin.
pub(super) fn port(origin: &Uri) -> u16 {
    let default = if origin.scheme_str() == Some("https") { 443 } else { 80 };
    origin.port_u16().unwrap_or(default)
}
