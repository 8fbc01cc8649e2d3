//! The state that every connection needs, for either HTTP version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::free::Turns;
use crate::registry::Registry;
use crate::script::split_mix;
use crate::stats::Counters;

/// What all connections share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) registry: Registry,
    pub(crate) turns: Turns,
    ids: AtomicU64,
}

impl Shared {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, ..Self::default() }
    }

    /// A number that no other answer has and that looks random.
    pub(crate) fn next_id(&self) -> u64 {
        split_mix(&mut self.ids.fetch_add(1, Ordering::Relaxed))
    }
}

/// The body of the simulator's own errors, in the shape of the providers'.
pub(crate) fn error_body(kind: &str, message: &str) -> String {
    serde_json::json!({"error": {"type": kind, "message": message}}).to_string()
}
