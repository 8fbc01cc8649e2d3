//! What is kept of an answer: the document without what is volatile, and when it was made.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::key::Tag;
use crate::model::{CacheTier, Cached, Liter, Warning};
use crate::operation::Answer;

/// A stored answer.
pub(crate) struct Entry {
    /// Without request id, attempts, times, rate limits, and without warnings about the request.
    answer: Answer,
    /// When it was made.
    made: Instant,
    /// How long it took to make.
    pub(super) took: Duration,
    /// How long it is fresh.
    pub(super) ttl: Duration,
    /// The length of its document.
    pub(super) bytes: usize,
    /// Whose it is.
    pub(super) tag: Tag,
}

impl Entry {
    /// What is kept of an answer that was made now. Its first `own` warnings are about the request,
    /// which the next caller's is not.
    pub(super) fn new(
        answer: &Answer,
        own: usize,
        tag: Tag,
        ttl: Duration,
        took: Duration,
        now: Instant,
    ) -> Arc<Entry> {
        let mut answer = answer.clone();
        let (warnings, liter) = answer.additions();
        warnings.drain(..own.min(warnings.len()));
        *liter = Liter {
            v: liter.v,
            provider_request_id: liter.provider_request_id.take(),
            finish_reason_raw: liter.finish_reason_raw.take(),
            usage_raw: liter.usage_raw.take(),
            provider_fields: std::mem::take(&mut liter.provider_fields),
            cost: liter.cost.take().map(|cost| Box::new(cost.saved())),
            // The rest is of the call that asked.
            ..Liter::default()
        };
        let bytes = answer.to_json().len();
        Arc::new(Entry { answer, made: now, took, ttl, bytes, tag })
    }

    /// How old it is.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.made)
    }

    /// The answer for a caller, with the warnings about its own request.
    pub(crate) fn answer(&self, tier: CacheTier, own: Vec<Warning>, now: Instant) -> Answer {
        let mut answer = self.answer.clone();
        let (warnings, liter) = answer.additions();
        warnings.splice(0..0, own);
        let age_ms = u64::try_from(self.age(now).as_millis()).unwrap_or(u64::MAX);
        liter.cache = Some(Cached { tier, age_ms });
        answer
    }
}
