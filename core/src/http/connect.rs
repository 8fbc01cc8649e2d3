//! Opens one connection: name look-up, TCP (both address families at once), a proxy if the
//! environment named one, and TLS.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tower_service::Service as _;

use super::lookup::{Lookups, Resolver};
use super::proxy::Proxy;
use super::settings::{HttpVersion, Settings, port};
use super::socket::{Look, Quiet};
use super::trust::Trust;
use super::{failure, tls};
use crate::error::{Error, ErrorKind};

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
    pub(super) look: Look,
}

/// Opens connections to one origin.
pub(super) struct Dialler {
    base: Uri,
    origin: String,
    /// The origin, and the proxy on the way to it, for messages.
    way: String,
    timeout: Duration,
    version: HttpVersion,
    /// Whether TLS says which version of HTTP is wanted.
    alpn: bool,
    /// `None` means plain TCP.
    tls: Option<OnceLock<TlsConnector>>,
    ca_file: Option<std::path::PathBuf>,
    trust: Arc<Trust>,
    /// Whose threads read files. `None` means the runtime of the call.
    blocking: Option<Handle>,
    proxy: Option<Proxy>,
    lookups: Lookups,
    connector: HttpConnector<Resolver>,
    /// Replaces `connector` and `proxy`.
    network: Option<Arc<dyn Network>>,
}

impl Dialler {
    /// `blocking` is where name look-ups run. Without it they run on the runtime of the call.
    pub(super) fn new(
        settings: &Settings,
        blocking: Option<Handle>,
        lookups: &Lookups,
        network: Option<Arc<dyn Network>>,
    ) -> Self {
        let resolver = Resolver { lookups: lookups.clone(), blocking: blocking.clone() };
        let mut connector = HttpConnector::new_with_resolver(resolver);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(60)));
        connector.enforce_http(false);
        let base = settings.base_url.clone();
        let proxy = match network {
            Some(_) => None,
            None => settings.proxy.as_ref(),
        };
        let proxy = proxy.map(Proxy::new);
        let origin = settings.origin();
        Dialler {
            way: match &proxy {
                Some(proxy) => format!("{origin} (through {})", proxy.name()),
                None => origin.clone(),
            },
            origin,
            timeout: settings.timeouts.connect,
            version: settings.version,
            alpn: true,
            tls: settings.is_https().then(OnceLock::new),
            ca_file: settings.ca_file.clone(),
            trust: Arc::clone(&settings.trust),
            blocking,
            proxy,
            lookups: lookups.clone(),
            connector,
            network,
            base,
        }
    }

    /// The same for another protocol than HTTP. `way` is the server's name for messages.
    #[cfg(feature = "redis")]
    pub(super) fn bare(self, way: String) -> Self {
        Dialler { alpn: false, origin: way.clone(), way, ..self }
    }

    /// The proxy that gets whole requests, if one does. Their targets then have another form. An
    /// encrypted origin is reached through a tunnel instead.
    pub(super) fn forward_proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|_| self.tls.is_none())
    }

    /// The origin, and the proxy on the way to it, for messages.
    pub(super) fn way(&self) -> &str {
        &self.way
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

    /// Opens a connection. If no descriptor is left, `make_room` says whether it has closed others.
    pub(super) async fn dial(&self, make_room: fn() -> bool) -> Result<Dialled, Error> {
        let dialled = tokio::time::timeout(self.timeout, self.dial_now(make_room)).await;
        let dialled = dialled.unwrap_or_else(|_| Err(self.late()));
        if dialled.is_err() {
            self.lookups.doubt(self.host());
        }
        dialled
    }

    /// The host whose name is looked up.
    fn host(&self) -> &str {
        self.proxy.as_ref().map_or_else(|| self.base.host().unwrap_or_default(), Proxy::host)
    }

    fn late(&self) -> Error {
        let (way, ms) = (&self.way, self.timeout.as_millis());
        let why = match self.lookups.is_running(self.host()) {
            true => format!(": the look-up of the name {} is not done", self.host()),
            false => String::new(),
        };
        let message = format!("no connection to {way} within {ms} ms (timeouts.connect_ms){why}");
        Error::new(ErrorKind::Timeout, message)
    }

    async fn dial_now(&self, make_room: fn() -> bool) -> Result<Dialled, Error> {
        if let Some(tls) = self.tls.as_ref().filter(|tls| tls.get().is_none()) {
            // Boxed: once for each provider, and without the box every dial would have room for it.
            let connector = Box::pin(self.read_roots()).await?;
            tls.get_or_init(|| connector);
        }
        if let Some(network) = &self.network {
            let host = self.base.host().unwrap_or_default();
            let io = network.connect(host, port(&self.base)).await;
            let io = io.map_err(|error| failure::connecting(&error, &self.way))?;
            return self.secure(io, Look::default()).await;
        }
        let io = match &self.proxy {
            None => self.tcp(&self.base, &self.way, make_room).await?,
            Some(proxy) => {
                let origin = &self.origin;
                proxy.check(origin)?;
                let whom = format!("{}, on the way to {origin}", proxy.name());
                let io = self.tcp(&proxy.uri, &whom, make_room).await?;
                match self.tls {
                    None => io,
                    Some(_) => proxy.tunnel(io, &self.base, origin).await?,
                }
            }
        };
        let look = io.look();
        self.secure(io, look).await
    }

    /// Reads the certificates to trust, on a thread that may wait for files.
    async fn read_roots(&self) -> Result<TlsConnector, Error> {
        let (ca_file, trust) = (self.ca_file.clone(), Arc::clone(&self.trust));
        let version = self.alpn.then_some(self.version);
        let handle = self.blocking.clone().unwrap_or_else(Handle::current);
        let read = handle.spawn_blocking(move || tls::config(&trust, ca_file.as_deref(), version));
        let config =
            read.await.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        Ok(TlsConnector::from(Arc::new(config?)))
    }

    /// Puts TLS on a connection, if needed.
    async fn secure(&self, io: impl Stream + 'static, look: Look) -> Result<Dialled, Error> {
        let Some(connector) = self.tls.as_ref().and_then(OnceLock::get) else {
            let http2 = self.version == HttpVersion::Http2;
            return Ok(Dialled { io: Box::new(io), http2, look });
        };
        let host = self.base.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| {
            Error::invalid("base_url", format!("{} has no name that TLS can check", self.origin))
        })?;
        let stream = connector
            .connect(name, io)
            .await
            .map_err(|error| failure::connecting(&error, &self.way))?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Dialled { io: Box::new(stream), http2, look })
    }

    /// A TCP connection to a URI's host, which messages call `whom`.
    async fn tcp(&self, to: &Uri, whom: &str, make_room: fn() -> bool) -> Result<Quiet, Error> {
        let mut connector = self.connector.clone();
        let mut io = connector.call(to.clone()).await;
        if let Err(error) = &io
            && failure::is_out_of_descriptors(error)
            && make_room()
        {
            io = connector.call(to.clone()).await;
        }
        let io = io.map_err(|error| failure::connecting(&error, whom))?;
        Ok(Quiet::new(io.into_inner()))
    }
}
