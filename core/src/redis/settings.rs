//! What the room knows of the configuration, and what it is handed from outside.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};

/// Which Redis, and how it is asked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many servers there are, and which of them is asked.
    pub mode: Mode,
    /// The server; the seeds of a cluster; the sentinels. There is one at least.
    pub addresses: Vec<Address>,
    /// Whether connections are encrypted.
    pub tls: bool,
    /// The ACL user. `None` means Redis' default user.
    pub username: Option<String>,
    /// The database, which a cluster has not.
    pub database: u32,
    /// The longest that a call waits for one answer.
    pub timeout: Duration,
    /// What the names of all keys begin with, after `ll:`.
    pub namespace: String,
}

/// How many servers there are, and which of them is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One server.
    Single,
    /// The primaries of a cluster, each for its slots.
    Cluster,
    /// The primary that the sentinels name.
    Sentinel {
        /// The primary's name there.
        master: String,
    },
}

/// Host and port of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// A name or an IP address, an IPv6 one without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Where a node is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    At(Address),
    /// Where the sentinels say that the primary of this name is.
    Master(String),
}

impl Place {
    /// For messages.
    pub(super) fn name(&self) -> String {
        match self {
            Place::At(address) => address.to_string(),
            Place::Master(name) => format!("the primary {name}"),
        }
    }
}

/// A connection's bytes.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A future behind a pointer.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the room is handed, because it knows neither sockets nor secrets nor logs.
pub trait Surroundings: Send + Sync {
    /// Opens a connection, encrypted if the settings say so. An error is its reason.
    fn connect<'a>(&'a self, to: &'a Address) -> Later<'a, Result<Box<dyn Io>, String>>;

    /// The password as it is now, or `None` if there is none. It is asked at each connect. `refused`
    /// means that the last one was refused, so that no copy is worth anything.
    fn password(&self, refused: bool) -> Later<'_, Result<Option<SecretString>, String>>;

    /// Hears that Redis is away or back. It comes once a minute at most.
    fn report(&self, report: &Report);
}

/// What happened to Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It does not answer, for this reason.
    Away(String),
    /// It answers again.
    Back,
    /// These keys hold what is not ours.
    Foreign(String),
}
