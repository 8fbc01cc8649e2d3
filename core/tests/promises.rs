//! The promises of `docs/resilience.md`, one test for each at least, in virtual time: an hour takes no
//! time, and a figure is the same on every machine. `--nocapture` prints the figures.
//!
//! What is drawn at random is in `simulation.rs`; here each provider does what its test says.
#![allow(clippy::unwrap_used)]

#[path = "promises/breaker.rs"]
mod breaker;
#[path = "promises/budget.rs"]
mod budget;
#[path = "promises/cancel.rs"]
mod cancel;
#[path = "promises/hedging.rs"]
mod hedging;
#[path = "promises/keys.rs"]
mod keys;
#[path = "promises/limits.rs"]
mod limits;
#[path = "promises/logs.rs"]
mod logs;
#[path = "promises/metrics.rs"]
mod metrics;
#[path = "promises/observers.rs"]
mod observers;
#[path = "promises/passthrough.rs"]
mod passthrough;
#[path = "promises/probe.rs"]
mod probe;
#[path = "promises/refused.rs"]
mod refused;
#[path = "promises/retries.rs"]
mod retries;
#[path = "promises/routes.rs"]
mod routes;
#[path = "promises/say.rs"]
mod say;
#[path = "promises/secrets.rs"]
mod secrets;
#[path = "promises/streams.rs"]
mod streams;
#[path = "promises/trace.rs"]
mod trace;
#[path = "promises/world.rs"]
mod world;
