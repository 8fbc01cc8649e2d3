//! What is kept of an answer: the document without what is volatile, and when it was made.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::key::Tag;
#[cfg(feature = "redis")]
use super::value::Value;
use crate::model::{CacheTier, Cached, Liter, Warning};
use crate::operation::Answer;

/// What an entry costs besides its document: the parsed answer's own parts, the key, the place in
/// the table.
const OVERHEAD: u64 = 512;

/// What a parsed value costs besides its text, with its name if it has one. A list of small values
/// is many times as large as its text.
const VALUE: u64 = 64;

/// A stored answer.
pub(crate) struct Entry {
    /// Without request id, attempts, times, rate limits, and without warnings about the request.
    pub(super) answer: Answer,
    /// When it came here.
    came: Instant,
    /// How old it was then.
    before: Duration,
    /// How long it took to make.
    pub(super) took: Duration,
    /// How long it is fresh.
    pub(super) ttl: Duration,
    /// The length of its document.
    pub(super) bytes: usize,
    /// What it holds of the memory, in bytes. It is rather too much than too little.
    pub(super) weight: u64,
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
        let document = answer.to_json();
        #[cfg(feature = "redis")]
        debug_assert!(answer.is_read_again(&document), "an answer is read as it was written");
        let (bytes, weight) = (document.len(), weight(&answer, &document));
        let before = Duration::ZERO;
        Arc::new(Entry { answer, came: now, before, took, ttl, bytes, weight, tag })
    }

    /// An answer that was stored elsewhere, where it stands for `left` from now on. The server's clock
    /// alone says how old it is. `None`: it is no answer that this version reads.
    #[cfg(feature = "redis")]
    pub(super) fn stored(value: Value, left: Duration, tag: Tag) -> Option<Arc<Entry>> {
        let answer = Answer::read_stored(value.kind, &value.document)?;
        let (bytes, weight) = (value.document.len(), weight(&answer, &value.document));
        let (came, before) = (Instant::now(), value.life.saturating_sub(left));
        let Value { ttl, took, .. } = value;
        Some(Arc::new(Entry { answer, came, before, took, ttl, bytes, weight, tag }))
    }

    /// How old it is.
    pub(super) fn age(&self, now: Instant) -> Duration {
        self.before + now.saturating_duration_since(self.came)
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

/// What a parsed answer holds of the memory.
fn weight(answer: &Answer, document: &[u8]) -> u64 {
    let values = match answer {
        // Vectors stay numbers side by side, which are shorter than their text.
        Answer::Embed(_) => 0,
        _ => values(document),
    };
    document.len() as u64 + OVERHEAD + values * VALUE
}

/// The number of values of a document: each follows the beginning of a list or an object, or a comma.
fn values(document: &[u8]) -> u64 {
    let (mut values, mut inside, mut escaped) = (1, false, false);
    for byte in document {
        match (inside, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => inside = !inside,
            (false, b',' | b'[' | b'{') => values += 1,
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_texts_are_not_read() {
        for (document, count) in [
            ("1", 1),
            ("[1,2,3]", 4),
            (r#"{"a":[1,2],"b":{}}"#, 6),
            (r#"["a,b,[{","\",","\\",7]"#, 5),
        ] {
            assert_eq!(values(document.as_bytes()), count, "{document}");
        }
    }
}
