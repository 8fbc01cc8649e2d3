//! Which target a call goes to.

pub(crate) mod breaker;
pub(crate) mod latency;
pub(crate) mod policy;
