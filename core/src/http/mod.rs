//! HTTP: pools of connections and the timers of one exchange.
//!
//! `exchange` sends a request, and `body` reads its answer; `pool` keeps connections, which `connect`
//! opens.

mod body;
mod connect;
mod deadline;
mod exchange;
mod failure;
mod pool;
mod settings;
mod tls;
mod trust;

pub use body::Body;
pub use connect::{Connecting, Network, Stream};
pub use deadline::Deadline;
pub(crate) use deadline::until;
pub use exchange::Received;
pub use pool::Pool;
pub use settings::{HttpVersion, Settings, Timeouts};
pub use trust::Trust;
