//! Sends one request and receives its answer.
//!
//! A request goes only to the origin of its pool: redirects are not followed.

use std::borrow::Cow;
use std::pin::{Pin, pin};

use ::http::header::{
    ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
    USER_AGENT,
};
use ::http::response::Parts;
use ::http::{Request, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;

use super::body::{Body, Coding};
use super::pool::{Lease, Sent};
use super::{Deadline, Pool};
use crate::error::{Error, ErrorKind};
use crate::wire;

/// How often a request is sent again if a connection or its server did not take it.
const RESENDS: usize = 3;
/// How many of those may share a connection with other calls. If a server leaves after a few
/// requests, many calls at once would turn one another away for ever. So the later ones open their
/// own, on which they come first.
const SHARED_RESENDS: usize = 1;

/// What happens to a request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// It goes out on a connection.
    Out,
    /// That connection did not take it.
    Back,
    /// That connection, a reused one, ended before one byte of an answer. The request goes out once
    /// more, and its work may be done twice.
    Lost,
}

/// The same request once more, made again if it is needed. Nearly no request needs a copy, and each
/// would pay for it.
pub type Again<'a> = Pin<Box<dyn Future<Output = Result<Request<Full<Bytes>>, Error>> + Send + 'a>>;

/// An answer whose body has not been read.
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl Pool {
    /// Sends a request that [`Pool::prepare`] made, and waits for the headers. `again` makes
    /// the request once more, if a reused connection took it with it. `sent` is told what happens to
    /// the request.
    pub async fn send<'a>(
        &self,
        request: Request<Full<Bytes>>,
        again: impl FnOnce() -> Again<'a>,
        deadline: &Deadline,
        sent: impl Fn(Passing),
    ) -> Result<Received, Error> {
        let (head, incoming, lease) = self.exchange(request, again, deadline, sent).await?;
        let status = head.status.as_u16();
        if let Some(proxy) = self.dialler.forward_proxy()
            && head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            return Err(proxy.refused(head.status, &self.settings.origin()));
        }
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
        let coding = Coding::of(&head.headers);
        if matches!(coding, Coding::Unknown) && head.status.is_success() {
            let message = "the answer is compressed in a way that was not asked for: only gzip is";
            return Err(
                Error::new(ErrorKind::BadResponse, message).with(|e| e.status = Some(status))
            );
        }
        let origin = self.origin.clone();
        let body = Body::new(incoming, lease, coding, origin);
        Ok(Received { status, headers: head.headers, body })
    }

    /// Sends the caller's own request, and waits for the headers. Only headers that the connection
    /// needs are added, and no key. A redirect is a normal answer, and a compressed body stays
    /// compressed.
    pub async fn forward<'a>(
        &self,
        request: Request<Full<Bytes>>,
        again: impl FnOnce() -> Again<'a>,
        deadline: &Deadline,
        sent: impl Fn(Passing),
    ) -> Result<Received, Error> {
        let (head, incoming, lease) = self.exchange(request, again, deadline, sent).await?;
        let body = Body::new(incoming, lease, Coding::None, self.origin.clone());
        Ok(Received { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Names the proxy that gets whole requests in an error that comes with a page of HTML: it may be
    /// the proxy's own.
    pub fn name_proxy(&self, error: Error, headers: &HeaderMap) -> Error {
        let page = headers.get(CONTENT_TYPE).is_some_and(|kind| {
            let kind = kind.as_bytes();
            kind.len() >= 9 && kind[..9].eq_ignore_ascii_case(b"text/html")
        });
        match self.dialler.forward_proxy().filter(|_| page) {
            Some(proxy) => error.with(|e| {
                e.message = format!("{} or a server behind it: {}", proxy.name(), e.message);
            }),
            None => error,
        }
    }

    async fn exchange<'a>(
        &self,
        mut request: Request<Full<Bytes>>,
        again: impl FnOnce() -> Again<'a>,
        deadline: &Deadline,
        sent: impl Fn(Passing),
    ) -> Result<(Parts, Incoming, Lease), Error> {
        let exchange = async {
            let (mut resends, mut again) = (0, Some(again));
            loop {
                let lease = match again {
                    Some(_) if resends <= SHARED_RESENDS => self.lease().await?,
                    _ => self.lease_fresh().await?,
                };
                self.address(&mut request, lease.is_http2())?;
                sent(Passing::Out);
                request = match lease.send(request, &self.origin).await? {
                    Sent::Answer(response, lease) => return Ok((response, lease)),
                    Sent::Lost(error) => {
                        let again = again.take().ok_or(error)?;
                        sent(Passing::Lost);
                        again().await?
                    }
                    Sent::Unsent(request, _) if resends < RESENDS => {
                        resends += 1;
                        sent(Passing::Back);
                        request
                    }
                    Sent::Unsent(_, error) => {
                        sent(Passing::Back);
                        return Err(error);
                    }
                };
            }
        };
        let (response, lease) = deadline.headers(pin!(exchange)).await??;
        let (head, incoming) = response.into_parts();
        Ok((head, incoming, lease))
    }

    /// The request with every header. `own` are those of its call. `idempotency` is the header and
    /// the key that make a repeated request count once.
    pub fn prepare(
        &self,
        request: wire::Request,
        own: &[(HeaderName, HeaderValue)],
        idempotency: Option<(&HeaderName, &str)>,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let has_body = !request.body.is_empty();
        let uri = self.target(request.path, &request.query)?;
        let mut out = Request::new(Full::new(Bytes::from(request.body)));
        *out.method_mut() = request.method;
        *out.uri_mut() = uri;
        let headers = out.headers_mut();
        headers.reserve(8 + request.headers.len() + self.settings.headers.len());
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let agent = concat!("liter-llm/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        for (name, value) in request.headers {
            headers.insert(name, value);
        }
        for (name, value) in self.settings.headers.iter().chain(own) {
            headers.insert(name, value.clone());
        }
        if let Some((name, key)) = idempotency {
            let value = HeaderValue::try_from(key).map_err(|_| {
                let param = "options.idempotency_key";
                Error::invalid(param, format!("{param} has characters that no header can hold"))
            })?;
            headers.insert(name, value);
        }
        Ok(out)
    }

    /// The target of a request for `path`. Nearly all requests to a provider have the same one,
    /// which is kept.
    fn target(&self, path: Cow<'static, str>, query: &str) -> Result<Uri, Error> {
        if let Some((known, target)) = self.target.get()
            && *known == path
            && query.is_empty()
        {
            return Ok(target.clone());
        }
        let base = self.settings.base_url.path().trim_end_matches('/');
        let queries = [query, &self.settings.query];
        let queries: Vec<_> = queries.into_iter().filter(|query| !query.is_empty()).collect();
        let mark = if queries.is_empty() { "" } else { "?" };
        // The base path and the configured query were checked with the configuration, and the
        // adapter wrote its own path.
        let target = Uri::try_from(format!("{base}{path}{mark}{}", queries.join("&")))
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        if query.is_empty() {
            let _ = self.target.set((path, target.clone()));
        }
        Ok(target)
    }

    /// Gives a request the form of target that its connection needs.
    fn address(&self, request: &mut Request<Full<Bytes>>, http2: bool) -> Result<(), Error> {
        let proxy = self.dialler.forward_proxy();
        let whole = http2 || proxy.is_some();
        // A request that is sent again has the form for the previous connection.
        if whole || request.uri().authority().is_some() {
            let mut parts = match whole {
                true => self.settings.base_url.clone().into_parts(),
                false => ::http::uri::Parts::default(),
            };
            parts.path_and_query = request.uri().path_and_query().cloned();
            *request.uri_mut() = Uri::from_parts(parts)
                .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        }
        if http2 {
            request.headers_mut().remove(HOST);
        } else {
            // A passed-through request may have its own.
            request.headers_mut().entry(HOST).or_insert_with(|| self.host.clone());
        }
        if let Some(auth) = proxy.and_then(|proxy| proxy.auth.as_ref()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, auth.clone());
        }
        Ok(())
    }
}
