//! Where a call may go: a request's targets in order, what is known of each, and the rules by which
//! one is passed over.
//!
//! A target is a model at a provider. Most calls have one; a named route, `options.fallback` and
//! `options.fanout` give more. `policy` orders them, `breaker` and `latency` hold what was learned,
//! `table` keeps that for each target, `health` asks after those that fail. `pursue` tries them until one answers, `race` runs a second
//! attempt beside a slow first one.

pub(crate) mod breaker;
mod candidates;
pub(crate) mod fanout;
pub(crate) mod health;
pub(crate) mod latency;
mod policy;
pub(crate) mod pursue;
mod race;
pub(crate) mod table;

pub(crate) use policy::Policy;

pub(crate) use candidates::{Candidate, Choice, resolve};
pub(crate) use race::race;
