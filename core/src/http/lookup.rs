//! Looks names up through the system's resolver: one look-up for each host at a time, whose result
//! all connections to that host share.
//!
//! The system's resolver blocks its thread, and nobody can end it. So a dead resolver holds one
//! thread for each host that it does not find, however many calls ask for that host. A connection
//! waits for a look-up no longer than it may take to open (`connect_ms`). The look-up goes on, and
//! its result serves later calls.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;
use tower_service::Service;

use super::failure;

/// How long addresses are used without another look-up. A steady load needs none, because it keeps
/// its connections. A burst needs one.
const FRESH: Duration = Duration::from_secs(5);
/// How long old addresses are used if a look-up fails or takes longer than [`PATIENCE`].
const STALE: Duration = Duration::from_secs(600);
/// How long a connection waits for a look-up before it takes old addresses.
const PATIENCE: Duration = Duration::from_secs(1);

/// Finds the addresses of a host. The port is not used. It may block its thread.
pub type Resolve = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// The look-ups of a client.
#[derive(Clone)]
pub struct Lookups(Arc<Shared>);

struct Shared {
    resolve: Box<Resolve>,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Default)]
struct Host {
    /// The last addresses that were found, and when.
    known: Option<(Instant, Arc<[SocketAddr]>)>,
    /// No connection to these addresses could be opened, so they are looked up again.
    doubted: bool,
    running: Option<watch::Receiver<Outcome>>,
}

/// `None` while the look-up runs.
type Outcome = Option<Result<Arc<[SocketAddr]>, Failed>>;

/// An [`io::Error`] that can be given to several.
#[derive(Clone)]
enum Failed {
    System(i32),
    Other(io::ErrorKind, String),
}

impl Default for Lookups {
    /// Look-ups through the system's resolver.
    fn default() -> Self {
        Self::new(|host| Ok((host, 0).to_socket_addrs()?.collect()))
    }
}

impl Lookups {
    /// Look-ups through `resolve`.
    pub fn new(
        resolve: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Lookups(Arc::new(Shared { resolve: Box::new(resolve), hosts: Mutex::default() }))
    }

    /// No connection to this host's addresses could be opened.
    pub(super) fn doubt(&self, host: &str) {
        if let Some(host) = self.0.hosts().get_mut(host) {
            host.doubted = true;
        }
    }

    /// Whether a look-up of this host is running.
    pub(super) fn is_running(&self, host: &str) -> bool {
        self.0.hosts().get(host).is_some_and(|host| host.running.is_some())
    }

    async fn addresses(&self, name: &str, blocking: &Handle) -> io::Result<Arc<[SocketAddr]>> {
        let (old, mut outcome, started) = match self.0.ask(name) {
            Asked::Known(addresses) => return Ok(addresses),
            Asked::Shares(old, outcome) => (old, outcome, None),
            Asked::Starts(old, outcome, sender) => (old, outcome, Some(sender)),
        };
        if started.is_some() {
            // Outside of the lock, which the end of the look-up takes.
            let (shared, name) = (Arc::clone(&self.0), name.to_owned());
            let running = Running { shared, name, outcome: started };
            blocking.spawn_blocking(move || running.run());
        }
        let ended = outcome.wait_for(Option::is_some);
        let ended = match &old {
            None => ended.await.ok(),
            Some(_) => tokio::time::timeout(PATIENCE, ended).await.ok().and_then(Result::ok),
        };
        match (ended.as_deref(), old) {
            (Some(Some(Ok(found))), _) => Ok(Arc::clone(found)),
            (_, Some(old)) => Ok(old),
            (Some(Some(Err(failed))), None) => Err(failed.into()),
            (_, None) => Err(io::Error::other("the look-up of the name was given up")),
        }
    }
}

/// What a connection gets that asks for a host.
enum Asked {
    Known(Arc<[SocketAddr]>),
    /// The old addresses, if there are any, and the look-up that is running.
    Shares(Option<Arc<[SocketAddr]>>, watch::Receiver<Outcome>),
    /// The same, and the connection starts the look-up.
    Starts(Option<Arc<[SocketAddr]>>, watch::Receiver<Outcome>, watch::Sender<Outcome>),
}

impl Shared {
    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, name: &str) -> Asked {
        let mut hosts = self.hosts();
        let host = hosts.entry(name.to_owned()).or_default();
        let mut old = None;
        if let Some((when, addresses)) = &host.known {
            let age = when.elapsed();
            if age < FRESH && !host.doubted {
                return Asked::Known(Arc::clone(addresses));
            }
            old = (age < STALE).then(|| Arc::clone(addresses));
        }
        if let Some(running) = &host.running {
            return Asked::Shares(old, running.clone());
        }
        let (sender, running) = watch::channel(None);
        host.running = Some(running.clone());
        Asked::Starts(old, running, sender)
    }
}

/// A look-up in progress. It is over when this is dropped, also if a runtime never ran it.
struct Running {
    shared: Arc<Shared>,
    name: String,
    /// `None` once it is over.
    outcome: Option<watch::Sender<Outcome>>,
}

impl Running {
    fn run(mut self) {
        let outcome = match (self.shared.resolve)(&self.name) {
            Ok(found) if found.is_empty() => {
                Err(Failed::Other(io::ErrorKind::NotFound, "the name has no address".to_owned()))
            }
            Ok(found) => Ok(Arc::from(found)),
            Err(error) => Err(Failed::from(&told(error))),
        };
        if let Ok(found) = &outcome
            && let Some(host) = self.shared.hosts().get_mut(&self.name)
        {
            host.known = Some((Instant::now(), Arc::clone(found)));
            host.doubted = false;
        }
        self.end(Some(outcome));
    }

    /// Whoever asks from now on starts another look-up.
    fn end(&mut self, outcome: Outcome) {
        let Some(sender) = self.outcome.take() else { return };
        if let Some(host) = self.shared.hosts().get_mut(&self.name) {
            host.running = None;
        }
        sender.send_replace(outcome);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// The C library does not say that a look-up failed because no descriptor was left.
fn told(error: io::Error) -> io::Error {
    match File::open("/dev/null") {
        Err(cause) if failure::is_out_of_descriptors(&cause) => cause,
        _ => error,
    }
}

impl From<&io::Error> for Failed {
    fn from(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Failed::System(code),
            None => Failed::Other(error.kind(), error.to_string()),
        }
    }
}

impl From<&Failed> for io::Error {
    fn from(failed: &Failed) -> Self {
        match failed {
            Failed::System(code) => io::Error::from_raw_os_error(*code),
            Failed::Other(kind, text) => io::Error::new(*kind, text.clone()),
        }
    }
}

/// The resolver of one pool.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) lookups: Lookups,
    /// The runtime whose threads may block. `None` means that of the call.
    pub(super) blocking: Option<Handle>,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Resolver { lookups, blocking } = self.clone();
        Box::pin(async move {
            let blocking = blocking.unwrap_or_else(Handle::current);
            let found = lookups.addresses(name.as_str(), &blocking).await?;
            Ok(Vec::from(&*found).into_iter())
        })
    }
}
