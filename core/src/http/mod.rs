//! HTTP: pools of connections and the timers of one exchange.
//!
//! `exchange` sends a request, and `body` reads its answer. `pool` keeps connections, which `connect`
//! opens: `lookup` finds the addresses, and `proxy` speaks with a proxy on the way.

#[cfg(feature = "redis")]
mod bare;
mod body;
mod connect;
mod deadline;
mod exchange;
mod failure;
mod lookup;
mod pool;
mod proxy;
mod settings;
mod socket;
mod tls;
mod trust;

#[cfg(feature = "redis")]
pub(crate) use bare::{Server, connect};
pub use body::Body;
pub use connect::{Connecting, Network, Stream};
pub use deadline::Deadline;
pub(crate) use deadline::until;
pub use exchange::{Again, Passing, Received};
pub use lookup::Lookups;
pub use pool::Pool;
pub(crate) use pool::give_way;
pub use settings::{HttpVersion, Settings, Timeouts};
pub use trust::Trust;
