//! Targets are where a call may go, in order, with what is known of each. This room runs nothing.
//!
//! A target is a model at a provider. Most calls have one; a named route, `options.fallback` and
//! `options.fanout` give more. `choose` finds them and `policy` orders them. `table` keeps the
//! `state` of each for all calls: its `breaker` and `latency`. An attempt at a target holds a
//! `guard`. `fleet` has what several processes share.

pub(crate) mod breaker;
mod choose;
mod fleet;
mod guard;
mod latency;
mod order;
mod policy;
mod region;
mod series;
mod state;
mod table;
mod usual;

pub(crate) use breaker::Turned;
pub(crate) use choose::{Choice, choose};
pub(crate) use fleet::Membership;
pub(crate) use guard::{AttemptGuard, Turns};
pub(crate) use series::{BOUNDS, ByName, Histogram, Series, add, pico, read};
pub(crate) use state::{ChosenTarget, Tally, TargetState};
pub(crate) use table::{ProviderPlace, Table};
