//! The listeners, and the handle of a running simulator.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::case::Case;
use crate::connection::serve;
use crate::h2_server;
use crate::registry::{Registry, Report, case_path};
use crate::shared::Shared;
use crate::stats::Stats;
use crate::tls::{Identity, acceptor};

/// How a simulator is started.
#[derive(Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where plain HTTP is served; port 0 takes a free one. Default 127.0.0.1:0.
    pub addr: SocketAddr,
    /// Where TLS is served with a good certificate (`localhost`, 127.0.0.1; trust [`crate::CA_PEM`]).
    pub tls_addr: Option<SocketAddr>,
    /// Where TLS is served with a certificate for `wrong.example`.
    pub tls_wrong_addr: Option<SocketAddr>,
    /// Offer HTTP/2 to clients that negotiate over TLS. Default true.
    pub h2: bool,
    /// The cases to play.
    pub cases: Vec<Case>,
}

impl Default for Options {
    fn default() -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { addr, tls_addr: None, tls_wrong_addr: None, h2: true, cases: Vec::new() }
    }
}

/// A running simulator. Dropping it closes its listeners and all its connections.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    addr: SocketAddr,
    tls_addr: Option<SocketAddr>,
    tls_wrong_addr: Option<SocketAddr>,
    /// The listeners' tasks, aborted on drop. Each owns the tasks of its connections.
    listeners: Vec<JoinHandle<()>>,
}

impl Simulator {
    /// Listens and serves on the current tokio runtime.
    ///
    /// # Errors
    /// An address that cannot be listened on, or two cases with one id.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O enabled.
    pub fn start(options: Options) -> io::Result<Self> {
        let registry = Registry::new(options.cases).map_err(io::Error::other)?;
        let shared = Arc::new(Shared::new(registry));
        let mut listeners = Vec::new();
        let mut listen = |addr: SocketAddr, tls: Option<TlsAcceptor>| -> io::Result<SocketAddr> {
            let listener = bind(addr)
                .map_err(|error| io::Error::new(error.kind(), format!("{addr}: {error}")))?;
            let addr = listener.local_addr()?;
            listeners.push(tokio::spawn(accept(listener, tls, Arc::clone(&shared))));
            Ok(addr)
        };
        let tls = |identity| acceptor(identity, options.h2).map_err(io::Error::other);

        let addr = listen(options.addr, None)?;
        let tls_addr = match options.tls_addr {
            Some(addr) => Some(listen(addr, Some(tls(Identity::Localhost)?))?),
            None => None,
        };
        let tls_wrong_addr = match options.tls_wrong_addr {
            Some(addr) => Some(listen(addr, Some(tls(Identity::Wrong)?))?),
            None => None,
        };
        Ok(Self { shared, addr, tls_addr, tls_wrong_addr, listeners })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// `https://localhost:PORT`, if TLS is served.
    #[must_use]
    pub fn tls_url(&self) -> Option<String> {
        self.tls_addr.map(|addr| format!("https://localhost:{}", addr.port()))
    }

    /// `https://localhost:PORT` of the listener with the wrong certificate, if there is one.
    #[must_use]
    pub fn tls_wrong_url(&self) -> Option<String> {
        self.tls_wrong_addr.map(|addr| format!("https://localhost:{}", addr.port()))
    }

    /// The base URL of a case, which `$SIM` stands for.
    #[must_use]
    pub fn case_url(&self, run: &str, id: &str) -> String {
        format!("{}{}", self.url(), case_path(run, id))
    }

    /// What went wrong so far, and which exchanges were left over.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.registry.report()
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

/// Listens with a longer queue than std's. With a short one, a load test that opens thousands of
/// connections at once would wait for SYN retries.
fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(4096)
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    connections.spawn(connection(socket, tls.clone(), Arc::clone(&shared)));
                }
                // The process is probably out of file descriptors. To accept again at once would
                // spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(socket: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let _open = shared.counters.connection();
    // Without this the kernel would join small writes, which are the point of many cases.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let Some(tls) = tls else {
        return serve(socket, shared).await;
    };
    // A failed handshake is not reported, because the client's test may want to see it.
    let Ok(socket) = tls.accept(socket).await else {
        return;
    };
    if socket.get_ref().1.alpn_protocol() == Some(b"h2") {
        h2_server::serve(socket, shared).await;
    } else {
        serve(socket, shared).await;
    }
}
