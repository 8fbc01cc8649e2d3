//! Redis, asked by the cache and by the limits of a fleet.
//!
//! A [`Redis`] answers a question in time, or says why not; no call waits longer than its timer, and
//! none fails for it. The crate `redis` has the protocol and one multiplexed connection. What is
//! around that is here: when a [`node`](self) is asked at all ([`circuit`](self)), how its connection
//! is made again, which primary has a slot, and the scripts. See `docs/adr/0033-redis.md`.
//!
//! The room knows no socket, no secret and no log: [`Surroundings`] hands them in.

mod answer;
mod circuit;
mod cluster;
mod connect;
mod fault;
mod health;
mod node;
mod random;
mod script;
mod settings;
mod shared;

pub use fault::Fault;
pub use random::unique;
pub use script::Script;
pub use settings::{Address, Io, Later, Mode, Report, Settings, Surroundings};
pub use shared::Lookup;

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::runtime::Handle;
use tokio::time::Instant;

use cluster::Cluster;
use fault::Turned;
use health::Health;
use node::Node;
use settings::Place;

/// One Redis, of one server or several. Clones are the same. The second part is the time when nobody
/// waits for it any more.
#[derive(Clone)]
pub struct Redis(Arc<Shared>, Option<Instant>);

struct Shared {
    health: Arc<Health>,
    nodes: Nodes,
}

enum Nodes {
    One(Arc<Node>),
    Cluster(Arc<Cluster>),
}

impl Redis {
    /// Makes a client. It opens no connection yet.
    #[must_use]
    pub fn new(settings: Settings, around: Arc<dyn Surroundings>) -> Self {
        let health = Health::new(settings, around);
        let first = || health.settings.addresses.first().cloned();
        let nodes = match &health.settings.mode {
            Mode::Cluster => Nodes::Cluster(Cluster::new(&health)),
            Mode::Sentinel { master } => {
                Nodes::One(Node::new(Place::Master(master.clone()), &health))
            }
            Mode::Single => {
                let address = first().unwrap_or(Address { host: String::new(), port: 0 });
                Nodes::One(Node::new(Place::At(address), &health))
            }
        };
        Redis(Arc::new(Shared { health, nodes }), None)
    }

    /// The same Redis, for a call that ends at `deadline`: no question of it waits beyond that.
    #[must_use]
    pub fn before(&self, deadline: Instant) -> Self {
        Redis(Arc::clone(&self.0), Some(deadline))
    }

    /// Lets connections live on this runtime from now on. Without it they live on that of the first
    /// question.
    pub fn move_to(&self, runtime: &Handle) {
        self.0.health.move_to(runtime);
    }

    /// The runtime where connections live.
    #[must_use]
    pub fn home(&self) -> Option<Handle> {
        self.0.health.home()
    }

    /// Whether there is a connection that is used now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        match &self.0.nodes {
            Nodes::One(node) => node.is_up(),
            Nodes::Cluster(cluster) => cluster.is_up(),
        }
    }

    /// The number of connections so far. After a new one, a server may have lost what it had.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.health.connections()
    }

    /// The namespace of all keys.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.0.health.settings.namespace
    }

    /// The longest that a call waits for one answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        let left = self.1.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(self.longest(), |left| left.min(self.longest()))
    }

    /// The longest that any call waits for one answer.
    fn longest(&self) -> Duration {
        self.0.health.settings.timeout
    }

    /// Reports that keys hold what is not ours, once a minute at most.
    pub fn foreign(&self, keys: impl FnOnce() -> String) {
        self.0.health.foreign(keys);
    }

    /// Reports that it cannot be used, for a reason that is not its own, once a minute at most.
    pub fn unusable(&self, why: &str) {
        self.0.health.away("it is not used", why);
    }

    /// Asks the node that has this key, and waits until `end` at most.
    async fn ask(&self, key: &[u8], command: &Cmd, end: Instant) -> Result<Value, Turned> {
        match &self.0.nodes {
            Nodes::One(node) => match node.ask(command, false, end).await {
                Err(Turned::Moved(..) | Turned::Ask(_)) => {
                    let hint = "it is a cluster, so redis.mode has to be \"cluster\"";
                    self.0.health.away(&node.place.name(), hint);
                    Err(Fault::Refused("MOVED".to_owned()).into())
                }
                answer => answer,
            },
            Nodes::Cluster(cluster) => cluster.ask(key, command, end).await,
        }
    }

    /// Asks a command that is no script.
    async fn plain(&self, key: &[u8], command: &Cmd, end: Instant) -> Result<Value, Fault> {
        match self.ask(key, command, end).await {
            Ok(value) => Ok(value),
            Err(Turned::Down(fault)) => Err(fault),
            Err(_) => Err(Fault::Foreign),
        }
    }
}
