//! Redis, with a real `redis-server`: the shared tier of the cache, the limits of a fleet, and each
//! fault of `docs/redis.md` while calls run.
//!
//! A machine without `redis-server` says so and passes; in CI it is required.
#![cfg(all(feature = "redis", unix))]
#![allow(clippy::unwrap_used)]

#[path = "redis/callers.rs"]
mod callers;
#[path = "redis/cluster.rs"]
mod cluster;
#[path = "redis/entries.rs"]
mod entries;
#[path = "redis/faults.rs"]
mod faults;
#[path = "redis/fleet.rs"]
mod fleet;
#[path = "redis/owed.rs"]
mod owed;
#[path = "redis/processes.rs"]
mod processes;
#[path = "redis/provider.rs"]
mod provider;
#[path = "redis/proxy.rs"]
mod proxy;
#[path = "redis/second.rs"]
mod second;
#[path = "redis/second_faults.rs"]
mod second_faults;
#[path = "redis/secure.rs"]
mod secure;
#[path = "redis/sentinel.rs"]
mod sentinel;
#[path = "redis/server.rs"]
mod server;
