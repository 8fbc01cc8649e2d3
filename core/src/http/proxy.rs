//! A proxy, and what it says instead of the origin.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use ::http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use ::http::{Method, Request, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;

use super::failure;
use super::settings::port;
use super::socket::Quiet;
use crate::codec::url;
use crate::error::{Error, ErrorKind};

/// A proxy on the way to an origin.
pub(super) struct Proxy {
    pub(super) uri: Uri,
    pub(super) auth: Option<HeaderValue>,
}

impl Proxy {
    pub(super) fn new(found: &Intercept) -> Self {
        Proxy { uri: found.uri().clone(), auth: found.basic_auth().cloned() }
    }

    /// Its name in messages: scheme, host and port, without credentials.
    pub(super) fn name(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("http");
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        format!("the proxy {scheme}://{place}")
    }

    /// The host whose name is looked up.
    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// Whether it speaks plain HTTP. An encrypted proxy would get its password in the clear, and a
    /// proxy of another protocol would get HTTP.
    pub(super) fn check(&self, origin: &str) -> Result<(), Error> {
        if !self.uri.authority().is_some_and(url::has_good_port) {
            let message = format!(
                "{}, on the way to {origin}, has no port from 1 to 65535: mend it in the environment",
                self.name()
            );
            return Err(Error::new(ErrorKind::Connection, message));
        }
        if self.uri.scheme_str() == Some("http") {
            return Ok(());
        }
        let message = format!(
            "the environment names a proxy of scheme {} for {origin}: only http:// is known; name \
             another, or list the host in NO_PROXY",
            self.uri.scheme_str().unwrap_or("?"),
        );
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    /// Asks it for a tunnel to `base`, which is what `origin` names.
    pub(super) async fn tunnel(&self, io: Quiet, base: &Uri, origin: &str) -> Result<Quiet, Error> {
        let request = self.connect(base)?;
        let lost = |error: hyper::Error| failure::before_headers(&error, &self.name());
        let (mut sender, mut connection) =
            http1::handshake::<_, Empty<Bytes>>(TokioIo::new(io)).await.map_err(lost)?;
        let mut sending = pin!(sender.send_request(request));
        let mut over = None;
        let answer = poll_fn(|cx| {
            if over.is_none()
                && let Poll::Ready(end) = Pin::new(&mut connection).poll(cx)
            {
                over = Some(end);
            }
            sending.as_mut().poll(cx)
        });
        let answer = answer.await.map_err(lost)?;
        if !answer.status().is_success() {
            return Err(self.refused(answer.status(), origin));
        }
        if over.is_none() {
            over = Some(poll_fn(|cx| Pin::new(&mut connection).poll(cx)).await);
        }
        over.unwrap_or(Ok(())).map_err(lost)?;
        Ok(connection.into_parts().io.into_inner())
    }

    fn connect(&self, base: &Uri) -> Result<Request<Empty<Bytes>>, Error> {
        let place = format!("{}:{}", base.host().unwrap_or_default(), port(base));
        let wrong = |error: ::http::Error| Error::new(ErrorKind::Internal, error.to_string());
        let mut request =
            Request::builder().method(Method::CONNECT).uri(&place).header(HOST, &place);
        if let Some(auth) = &self.auth {
            request = request.header(PROXY_AUTHORIZATION, auth.clone());
        }
        request.body(Empty::new()).map_err(wrong)
    }

    /// The error for a proxy's own error status.
    pub(super) fn refused(&self, status: StatusCode, origin: &str) -> Error {
        let (kind, hint) = match status {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED => (
                ErrorKind::Authentication,
                ": set its user and password in the proxy's URL \
                 (http://user:password@host:port)",
            ),
            StatusCode::FORBIDDEN => (ErrorKind::Permission, ": its rules forbid this origin"),
            _ => (ErrorKind::Connection, ""),
        };
        let message = format!("{} refused the way to {origin} with {status}{hint}", self.name());
        Error::new(kind, message).with(|e| e.status = Some(status.as_u16()))
    }
}
