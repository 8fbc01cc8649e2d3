//! What a call asks, as the cache sees it.

use std::time::Duration;

use super::key::{Content, Epoch, Key, Tag};
use crate::model::CacheMode;

/// What a call asks.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    pub(super) mode: CacheMode,
    /// Where its answer is in memory.
    pub(super) key: Key,
    /// What it asks, for the second tier.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is no second tier"))]
    pub(super) content: Content,
    pub(super) tag: Tag,
    pub(super) epoch: Epoch,
    pub(super) ttl: Duration,
    pub(super) max_age: Option<Duration>,
}

impl Question {
    /// Whose question it is.
    pub(crate) fn tag(&self) -> Tag {
        self.tag
    }
}
