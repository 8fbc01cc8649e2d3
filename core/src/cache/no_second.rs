//! The second tier of a library that was built without Redis: there is none.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::entry::Entry;
use super::question::Question;

/// Answers in Redis.
pub(crate) enum Second {}

/// What Redis has for a question.
#[expect(dead_code, reason = "nobody makes one")]
pub(crate) enum Beyond {
    Stored(Arc<Entry>),
    Corrupt,
    Nothing(Option<Lease>),
}

/// The right to make the answer to a question.
pub(crate) enum Lease {}

impl Second {
    pub(super) async fn epoch(&self, _: &str, _: Instant) -> Option<u64> {
        match *self {}
    }

    pub(super) async fn look(&self, _: &str, _: &Question, _: Duration, _: Instant) -> Beyond {
        match *self {}
    }

    pub(super) async fn peek(&self, _: &str, _: &Question, _: Instant) -> Beyond {
        match *self {}
    }

    pub(super) async fn anew(
        &self,
        _: &str,
        _: &Question,
        _: Instant,
    ) -> Result<Option<Lease>, ()> {
        match *self {}
    }

    pub(super) async fn store(
        &self,
        _: &str,
        _: &Question,
        _: &Entry,
        _: Option<Lease>,
    ) -> Option<u64> {
        match *self {}
    }

    pub(super) async fn purge(&self, _: &str) -> Result<(u64, u64), String> {
        match *self {}
    }
}

impl Lease {
    pub(crate) async fn held<T>(lease: Option<&Lease>, work: impl Future<Output = T>) -> T {
        match lease {
            None => work.await,
            Some(lease) => match *lease {},
        }
    }
}
