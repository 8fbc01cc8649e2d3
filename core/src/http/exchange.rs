//! One request and its answer.
//!
//! This is the one place where a key's text is taken out; it goes into a header of a request to the
//! origin that the key is configured for, and redirects are not followed.

use std::future::poll_fn;
use std::io::Write;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use ::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName,
    HeaderValue, PROXY_AUTHORIZATION, USER_AGENT,
};
use ::http::{Method, Request, Uri};
use bytes::{Bytes, BytesMut};
use flate2::write::GzDecoder;
use http_body_util::Full;
use hyper::body::Incoming;
use secrecy::ExposeSecret;

use super::pool::{Lease, Sent};
use super::{Deadline, Pool, failure};
use crate::codec::MAX_DOCUMENT;
use crate::config::ProviderConfig;
use crate::error::{Error, ErrorKind};
use crate::provider::{Auth, HttpRequest};

/// An answer whose body has not been read.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// A body that is read in parts. Dropping it before its end closes the socket (HTTP/1.1) or the
/// stream (HTTP/2).
pub struct Body {
    incoming: Incoming,
    lease: Lease,
    gzip: Option<GzDecoder<Vec<u8>>>,
    origin: String,
}

impl Pool {
    /// Sends `request` and waits for the headers.
    pub async fn send(
        &self,
        provider: &ProviderConfig,
        auth: Auth,
        request: HttpRequest,
        deadline: &Deadline,
    ) -> Result<Reply, Error> {
        let mut request = self.build(provider, auth, request)?;
        let exchange = async {
            loop {
                let lease = self.lease().await?;
                self.address(provider, &mut request, lease.is_http2())?;
                match lease.send(request, &self.origin).await? {
                    Sent::Answer(response, lease) => return Ok((response, lease)),
                    Sent::Unsent(again) => request = again,
                }
            }
        };
        let (response, lease) = deadline.headers(pin!(exchange)).await??;
        let (head, incoming) = response.into_parts();
        let status = head.status.as_u16();
        if head.status.is_redirection() {
            let message = format!(
                "{} answered with a redirect, which is not followed, so that the key stays with its \
                 origin: set base_url to where the provider really is",
                self.origin
            );
            return Err(
                Error::new(ErrorKind::BadResponse, message).with(|e| e.status = Some(status))
            );
        }
        let gzip = match head.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity" | b"") => None,
            Some(b"gzip" | b"x-gzip") => Some(GzDecoder::new(Vec::new())),
            Some(_) => {
                let message =
                    "the answer is compressed in a way that was not asked for: only gzip is";
                return Err(
                    Error::new(ErrorKind::BadResponse, message).with(|e| e.status = Some(status))
                );
            }
        };
        let origin = self.origin.clone();
        let body = Body { incoming, lease, gzip, origin };
        Ok(Reply { status, headers: head.headers, body })
    }

    fn build(
        &self,
        provider: &ProviderConfig,
        auth: Auth,
        request: HttpRequest,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let mut out = Request::new(Full::new(Bytes::from(request.body)));
        *out.method_mut() = Method::POST;
        let base = provider.base_url.path().trim_end_matches('/');
        // A base path was checked when the configuration was read, an adapter's path is its own.
        *out.uri_mut() = Uri::try_from(format!("{base}{}", request.path))
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        let headers = out.headers_mut();
        headers.reserve(8 + request.headers.len() + provider.headers.len());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let agent = concat!("liter-llm/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        for (name, value) in request.headers {
            let value = HeaderValue::try_from(value).map_err(|_| {
                Error::invalid(name, format!("the value of the header {name} is not valid in HTTP"))
            })?;
            headers.insert(HeaderName::from_static(name), value);
        }
        if let Some(key) = provider.key.resolve(&provider.name)? {
            let (name, text) = match auth {
                Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose_secret())),
                Auth::Header(name) => {
                    (HeaderName::from_static(name), key.expose_secret().to_owned())
                }
            };
            let text = zeroize::Zeroizing::new(text);
            let mut value = HeaderValue::try_from(text.as_str()).map_err(|_| {
                Error::new(
                    ErrorKind::Authentication,
                    format!("the key of {} has characters that no header can hold", provider.name),
                )
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        for (name, value) in &provider.headers {
            headers.insert(name, value.clone());
        }
        Ok(out)
    }

    /// Gives a request the form of target that its connection wants.
    fn address(
        &self,
        provider: &ProviderConfig,
        request: &mut Request<Full<Bytes>>,
        http2: bool,
    ) -> Result<(), Error> {
        let proxy = self.dialler.forward_proxy();
        if http2 || proxy.is_some() {
            let mut parts = provider.base_url.clone().into_parts();
            parts.path_and_query = request.uri().path_and_query().cloned();
            *request.uri_mut() = Uri::from_parts(parts)
                .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        }
        if !http2 {
            let authority =
                provider.base_url.authority().map_or("", |authority| authority.as_str());
            let host = HeaderValue::try_from(authority)
                .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
            request.headers_mut().insert(HOST, host);
        }
        if let Some(Some(auth)) = proxy {
            request.headers_mut().insert(PROXY_AUTHORIZATION, auth.clone());
        }
        Ok(())
    }
}

impl Body {
    /// The next part of a stream; `None` at the body's proper end. `content`: the first content has
    /// arrived.
    pub async fn next(
        &mut self,
        deadline: &Deadline,
        content: bool,
    ) -> Result<Option<Bytes>, Error> {
        self.part(deadline, content, true).await
    }

    /// The whole body.
    pub async fn collect(mut self, deadline: &Deadline) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        let Some(first) = self.part(deadline, true, false).await? else { return Ok(Bytes::new()) };
        loop {
            let part = self.part(deadline, true, false).await?;
            let Some(part) = part else {
                return Ok(if whole.is_empty() { first } else { whole.freeze() });
            };
            if whole.is_empty() {
                whole.reserve((first.len() + part.len()) * 2);
                whole.extend_from_slice(&first);
            }
            if whole.len() + part.len() > MAX_DOCUMENT {
                let message = "the answer is larger than 32 MiB (after decompression)";
                return Err(Error::new(ErrorKind::BadResponse, message));
            }
            whole.extend_from_slice(&part);
        }
    }

    async fn part(
        &mut self,
        deadline: &Deadline,
        content: bool,
        stream: bool,
    ) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = poll_fn(|cx| self.lease.poll_frame(&mut self.incoming, cx));
            let data = match deadline.part(content, frame).await? {
                None => {
                    self.lease.release();
                    return self.inflated_end();
                }
                Some(Err(error)) => return Err(failure::in_body(&error, &self.origin, stream)),
                // Trailers hold nothing that anybody asks for.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_) => continue,
                },
            };
            let Some(gzip) = &mut self.gzip else {
                if data.is_empty() {
                    continue;
                }
                return Ok(Some(data));
            };
            gzip.write_all(&data).map_err(|error| broken_gzip(&error))?;
            let inflated = std::mem::take(gzip.get_mut());
            if !inflated.is_empty() {
                return Ok(Some(Bytes::from(inflated)));
            }
        }
    }

    /// What a decompressor holds back until the end, and whether it was the end of its data too.
    fn inflated_end(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(mut gzip) = self.gzip.take() else { return Ok(None) };
        gzip.try_finish().map_err(|error| broken_gzip(&error))?;
        let rest = std::mem::take(gzip.get_mut());
        Ok((!rest.is_empty()).then(|| Bytes::from(rest)))
    }

    /// Reads what is left after a stream's terminal event, so that the connection can be used
    /// again. That is nearly always the end of the body, and nearly always there already.
    pub fn finish(mut self) {
        let mut at_once = Context::from_waker(Waker::noop());
        loop {
            match self.lease.poll_frame(&mut self.incoming, &mut at_once) {
                std::task::Poll::Ready(Some(Ok(_))) => {}
                std::task::Poll::Ready(None) => return self.lease.release(),
                std::task::Poll::Ready(Some(Err(_))) => return,
                std::task::Poll::Pending => break,
            }
        }
        // A server that goes on is cut off: its connection is worth less than the wait.
        let drain = async move {
            for _ in 0..16 {
                match poll_fn(|cx| self.lease.poll_frame(&mut self.incoming, cx)).await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) => return,
                    None => return self.lease.release(),
                }
            }
        };
        tokio::spawn(async { tokio::time::timeout(Duration::from_secs(1), drain).await });
    }
}

fn broken_gzip(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the answer's gzip data is broken: {error}"))
}
