//! Opens one connection: name look-up, TCP (both address families at once), a proxy if the
//! environment names one, and TLS.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::Uri;
use ::http::header::HeaderValue;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::settings::{HttpVersion, Settings};
use super::{failure, tls};
use crate::error::{Error, ErrorKind};

/// A TCP connection that is never written to with `writev`. That raises SIGPIPE if the peer is
/// gone, but tokio's plain write asks the system not to. Calls may run on threads of the host.
struct Quiet(TcpStream);

impl AsyncRead for Quiet {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Quiet {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A connection's bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens connections instead of TCP, so that tests can run in virtual time.
pub trait Network: Send + Sync {
    /// Opens a connection that carries TLS and HTTP like a socket. It may fail, take time, or never
    /// open.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> Connecting<'a>;
}

/// A connection that is being opened.
pub type Connecting<'a> =
    Pin<Box<dyn Future<Output = std::io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// An open connection.
pub(super) struct Dialled {
    pub(super) io: Box<dyn Stream>,
    /// HTTP/2 was negotiated.
    pub(super) http2: bool,
}

/// Opens connections to one origin.
pub(super) struct Dialler {
    base: Uri,
    origin: String,
    timeout: Duration,
    version: HttpVersion,
    /// `None` means plain TCP.
    tls: Option<OnceLock<TlsConnector>>,
    ca_file: Option<std::path::PathBuf>,
    /// Whose threads read files. `None` means the runtime of the call.
    blocking: Option<Handle>,
    proxy: Option<Proxy>,
    connector: HttpConnector<Resolver>,
    /// Replaces `connector` and `proxy`.
    network: Option<Arc<dyn Network>>,
}

/// A proxy on the way.
struct Proxy {
    uri: Uri,
    auth: Option<HeaderValue>,
}

impl Dialler {
    /// `blocking` is where name look-ups run. Without it they run on the runtime of the call.
    pub(super) fn new(
        settings: &Settings,
        blocking: Option<Handle>,
        network: Option<Arc<dyn Network>>,
    ) -> Self {
        let mut connector =
            HttpConnector::new_with_resolver(Resolver { blocking: blocking.clone() });
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(60)));
        connector.enforce_http(false);
        let base = settings.base_url.clone();
        let proxy = match network {
            Some(_) => None,
            None => Matcher::from_env().intercept(&base),
        };
        let proxy = proxy
            .map(|proxy| Proxy { uri: proxy.uri().clone(), auth: proxy.basic_auth().cloned() });
        Dialler {
            origin: settings.origin(),
            timeout: settings.timeouts.connect,
            version: settings.version,
            tls: settings.is_https().then(OnceLock::new),
            ca_file: settings.ca_file.clone(),
            blocking,
            proxy,
            connector,
            network,
            base,
        }
    }

    /// The header that a plain-HTTP proxy needs, if requests go through one. Their targets then
    /// have another form.
    pub(super) fn forward_proxy(&self) -> Option<Option<&HeaderValue>> {
        match (&self.tls, &self.proxy) {
            (None, Some(proxy)) => Some(proxy.auth.as_ref()),
            _ => None,
        }
    }

    /// How long a connection may take to open.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether it is certain that only one call at a time will use this connection.
    pub(super) fn only_http1(&self) -> bool {
        match self.version {
            HttpVersion::Http1 => true,
            HttpVersion::Http2 => false,
            HttpVersion::Auto => self.tls.is_none(),
        }
    }

    /// Opens a connection.
    pub(super) async fn dial(&self) -> Result<Dialled, Error> {
        match tokio::time::timeout(self.timeout, self.dial_now()).await {
            Ok(dialled) => dialled,
            Err(_) => Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "no connection to {} within {} ms (timeouts.connect_ms)",
                    self.origin,
                    self.timeout.as_millis()
                ),
            )),
        }
    }

    async fn dial_now(&self) -> Result<Dialled, Error> {
        if let Some(tls) = self.tls.as_ref().filter(|tls| tls.get().is_none()) {
            // Boxed: once for each provider, and without the box every dial would have room for it.
            let connector = Box::pin(self.read_roots()).await?;
            tls.get_or_init(|| connector);
        }
        if let Some(network) = &self.network {
            let port = self.base.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
            let io = network.connect(self.base.host().unwrap_or_default(), port).await;
            let io = io.map_err(|error| failure::connecting(&error, &self.origin))?;
            return self.secure(io).await;
        }
        self.secure(Quiet(self.tcp().await?)).await
    }

    /// Reads the certificates to trust, on a thread that may wait for files.
    async fn read_roots(&self) -> Result<TlsConnector, Error> {
        let (ca_file, version) = (self.ca_file.clone(), self.version);
        let handle = self.blocking.clone().unwrap_or_else(Handle::current);
        let read = handle.spawn_blocking(move || tls::config(ca_file.as_deref(), version));
        let config =
            read.await.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        Ok(TlsConnector::from(Arc::new(config?)))
    }

    /// Puts TLS on a connection, if needed.
    async fn secure(&self, io: impl Stream + 'static) -> Result<Dialled, Error> {
        let Some(connector) = self.tls.as_ref().and_then(OnceLock::get) else {
            return Ok(Dialled { io: Box::new(io), http2: self.version == HttpVersion::Http2 });
        };
        let host = self.base.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| {
            Error::invalid("base_url", format!("{} has no name that TLS can check", self.origin))
        })?;
        let stream = connector
            .connect(name, io)
            .await
            .map_err(|error| failure::connecting(&error, &self.origin))?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Dialled { io: Box::new(stream), http2 })
    }

    async fn tcp(&self) -> Result<TcpStream, Error> {
        let mut connector = self.connector.clone();
        let failed =
            |error: &(dyn std::error::Error + 'static)| failure::connecting(error, &self.origin);
        let io = match &self.proxy {
            // An encrypted proxy would get its password in the clear, and a proxy of another
            // protocol would get HTTP.
            Some(proxy) if proxy.uri.scheme_str() != Some("http") => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "the environment names a proxy of scheme {} for {}: only http:// is known; \
                         name another, or list the host in NO_PROXY",
                        proxy.uri.scheme_str().unwrap_or("?"),
                        self.origin
                    ),
                ));
            }
            None => connector.call(self.base.clone()).await.map_err(|error| failed(&error))?,
            Some(proxy) if self.tls.is_none() => {
                connector.call(proxy.uri.clone()).await.map_err(|error| failed(&error))?
            }
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri.clone(), connector);
                if let Some(auth) = &proxy.auth {
                    tunnel = tunnel.with_auth(auth.clone());
                }
                poll_fn(|cx| tunnel.poll_ready(cx)).await.map_err(|error| failed(&error))?;
                tunnel.call(self.base.clone()).await.map_err(|error| failed(&error))?
            }
        };
        Ok(io.into_inner())
    }
}

/// Resolves names through the system's resolver, on a thread that may block.
#[derive(Clone)]
struct Resolver {
    blocking: Option<Handle>,
}

type Addresses = std::vec::IntoIter<std::net::SocketAddr>;

impl Service<Name> for Resolver {
    type Response = Addresses;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Addresses>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let handle = self.blocking.clone().unwrap_or_else(Handle::current);
        let work = handle
            .spawn_blocking(move || std::net::ToSocketAddrs::to_socket_addrs(&(name.as_str(), 0)));
        Box::pin(async move { work.await.map_err(std::io::Error::other)? })
    }
}
