//! Connections to one provider.
//!
//! With HTTP/1.1 one reqwest client holds all connections: as many idle ones as there may be calls
//! in flight, so that a steady load opens none. With HTTP/2 hyper opens one connection a host and
//! queues silently what passes the server's limit of streams (100 is usual); further clients, the
//! shards, come into use when those before them are nearly full.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use bytes::{Bytes, BytesMut};
use reqwest::{Client, Method, Url, Version};
use secrecy::ExposeSecret;

use super::{Deadline, failure, tls};
use crate::codec::MAX_DOCUMENT;
use crate::config::{HttpVersion, ProviderConfig};
use crate::error::{Error, ErrorKind};
use crate::provider::{Auth, HttpRequest};

const SHARDS: usize = 16;
/// Below the 100 streams that most servers allow on one HTTP/2 connection.
const STREAMS: usize = 90;

/// The connections to one provider.
pub struct Pool {
    shards: [OnceLock<Client>; SHARDS],
    in_flight: Arc<[AtomicUsize; SHARDS]>,
    http2: AtomicBool,
    idle: usize,
}

/// An answer whose body has not been read.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// A body that is read in parts. Dropping it closes the socket (HTTP/1.1) or the stream (HTTP/2).
pub struct Body {
    response: reqwest::Response,
    origin: String,
    _lease: Lease,
}

/// A place on a shard.
struct Lease {
    in_flight: Arc<[AtomicUsize; SHARDS]>,
    shard: usize,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.in_flight[self.shard].fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// A pool that keeps up to `idle` idle connections. Nothing is opened yet.
    #[must_use]
    pub fn new(idle: usize) -> Self {
        Pool {
            shards: [const { OnceLock::new() }; SHARDS],
            in_flight: Arc::new([const { AtomicUsize::new(0) }; SHARDS]),
            http2: AtomicBool::new(false),
            idle,
        }
    }

    /// Sends `request` and waits for the headers.
    pub async fn send(
        &self,
        provider: &ProviderConfig,
        auth: Auth,
        request: HttpRequest,
        deadline: &Deadline,
    ) -> Result<Reply, Error> {
        let lease = self.lease();
        let client = self.client(lease.shard, provider)?;
        let request = build(provider, auth, request)?;
        let origin = provider.base_url.origin().ascii_serialization();
        let response = deadline.headers(client.execute(request)).await?.map_err(|error| {
            failure::before_headers(&error, &origin, provider.timeouts.connect.as_millis())
        })?;
        if response.version() == Version::HTTP_2 {
            self.http2.store(true, Ordering::Relaxed);
        }
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(Error::new(
                ErrorKind::BadResponse,
                format!(
                    "{origin} answered with a redirect, which is not followed, so that the key stays \
                     with its origin: set base_url to where the provider really is"
                ),
            )
            .with(|e| e.status = Some(status)));
        }
        let headers = response.headers().clone();
        Ok(Reply { status, headers, body: Body { response, origin, _lease: lease } })
    }

    fn lease(&self) -> Lease {
        let counts = &self.in_flight;
        let mut shard = 0;
        if self.http2.load(Ordering::Relaxed) {
            let load = |i: usize| counts[i].load(Ordering::Relaxed);
            shard = (0..SHARDS)
                .find(|&i| load(i) < STREAMS)
                .or_else(|| (0..SHARDS).min_by_key(|&i| load(i)))
                .unwrap_or(0);
        }
        counts[shard].fetch_add(1, Ordering::Relaxed);
        Lease { in_flight: Arc::clone(counts), shard }
    }

    fn client(&self, shard: usize, provider: &ProviderConfig) -> Result<&Client, Error> {
        if let Some(client) = self.shards[shard].get() {
            return Ok(client);
        }
        // Two callers may both build one at the start; the second is dropped unused.
        let client = self.build_client(provider)?;
        Ok(self.shards[shard].get_or_init(|| client))
    }

    fn build_client(&self, provider: &ProviderConfig) -> Result<Client, Error> {
        let https = provider.base_url.scheme() == "https";
        let tls = tls::config(https, provider.ca_file.as_deref(), provider.http)?;
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("liter-llm/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(provider.timeouts.connect)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .pool_max_idle_per_host(self.idle)
            .pool_idle_timeout(Duration::from_secs(90));
        let builder = match provider.http {
            HttpVersion::Auto => builder,
            HttpVersion::Http1 => builder.http1_only(),
            HttpVersion::Http2 => builder.http2_prior_knowledge(),
        };
        builder.build().map_err(|error| {
            Error::new(ErrorKind::Internal, format!("cannot build an HTTP client: {error}"))
        })
    }
}

fn build(
    provider: &ProviderConfig,
    auth: Auth,
    request: HttpRequest,
) -> Result<reqwest::Request, Error> {
    let mut url: Url = provider.base_url.clone();
    url.set_path(&format!("{}{}", url.path().trim_end_matches('/'), request.path));
    let mut out = reqwest::Request::new(Method::POST, url);
    let headers = out.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in request.headers {
        let value = HeaderValue::try_from(value).map_err(|_| {
            Error::invalid(name, format!("the value of the header {name} is not valid in HTTP"))
        })?;
        headers.insert(HeaderName::from_static(name), value);
    }
    if let Some(key) = provider.key.resolve(&provider.name)? {
        let (name, text) = match auth {
            Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose_secret())),
            Auth::Header(name) => (HeaderName::from_static(name), key.expose_secret().to_owned()),
        };
        let text = zeroize::Zeroizing::new(text);
        let mut value = HeaderValue::try_from(text.as_str()).map_err(|_| {
            Error::new(
                ErrorKind::Authentication,
                format!("the key of {} has characters that no HTTP header can hold", provider.name),
            )
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    for (name, value) in &provider.headers {
        // Both were checked when the configuration was read.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    *out.body_mut() = Some(request.body.into());
    Ok(out)
}

impl Body {
    /// The next part; `None` at the body's proper end. `content`: the first content has arrived.
    pub async fn next(
        &mut self,
        deadline: &Deadline,
        content: bool,
    ) -> Result<Option<Bytes>, Error> {
        let part = deadline.part(content, self.response.chunk()).await?;
        part.map_err(|error| failure::in_body(&error, &self.origin, true))
    }

    /// The whole body.
    pub async fn collect(mut self, deadline: &Deadline) -> Result<Bytes, Error> {
        let mut whole: Option<BytesMut> = None;
        let mut first: Option<Bytes> = None;
        loop {
            let part = deadline.part(true, self.response.chunk()).await?;
            let Some(part) = part.map_err(|error| failure::in_body(&error, &self.origin, false))?
            else {
                break;
            };
            let so_far = whole.as_ref().map_or(first.as_ref().map_or(0, Bytes::len), BytesMut::len);
            if so_far + part.len() > MAX_DOCUMENT {
                return Err(Error::new(
                    ErrorKind::BadResponse,
                    "the answer is larger than 32 MiB (after decompression)",
                ));
            }
            match (&mut whole, first.take()) {
                (Some(whole), _) => whole.extend_from_slice(&part),
                (None, None) => first = Some(part),
                (None, Some(head)) => {
                    let mut joined = BytesMut::with_capacity((head.len() + part.len()) * 2);
                    joined.extend_from_slice(&head);
                    joined.extend_from_slice(&part);
                    whole = Some(joined);
                }
            }
        }
        Ok(whole.map(BytesMut::freeze).or(first).unwrap_or_default())
    }

    /// Reads what is left after a stream's terminal event, so that the connection can be used
    /// again. That is nearly always the end of the body, and nearly always there already.
    pub fn finish(mut self) {
        let mut at_once = std::task::Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(part) = std::pin::pin!(self.response.chunk()).poll(&mut at_once) {
            if !matches!(part, Ok(Some(_))) {
                return;
            }
        }
        // A server that goes on is cut off: its connection is worth less than the wait.
        let drain = async move {
            for _ in 0..16 {
                if !matches!(self.response.chunk().await, Ok(Some(_))) {
                    return;
                }
            }
        };
        tokio::spawn(async { tokio::time::timeout(Duration::from_secs(1), drain).await });
    }
}
