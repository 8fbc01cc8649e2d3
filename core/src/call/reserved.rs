//! What an attempt has reserved of its budgets, until it is known what it did cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limit::budget::{Hold, Spent};
use crate::model::{Chunk, Usd};
use crate::price::{Guess, Moment, Priced, likely};

/// The tokens of a broken answer that may have been made and had not come.
const NOT_COME: u64 = 256;

/// The reservation of one attempt.
pub(super) struct Reserved {
    pub(super) hold: Hold,
    /// What is reserved for a request that went out a second time.
    pub(super) again: Option<Hold>,
    pub(super) quote: Quote,
    pub(super) came: Arc<Came>,
}

/// What the request alone says of its cost.
#[derive(Clone)]
pub(super) struct Quote {
    pub(super) priced: Option<Priced>,
    pub(super) guess: Guess,
    pub(super) at: Moment,
}

/// The bytes of an answer's content that have come.
#[derive(Debug, Default)]
pub(super) struct Came(AtomicU64);

impl Came {
    /// Adds the content of these chunks.
    pub(super) fn add(&self, chunks: &[Chunk]) {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let deltas = chunks.iter().flat_map(|chunk| &chunk.choices).map(|choice| &choice.delta);
        let bytes = deltas.map(|delta| {
            let calls = delta.tool_calls.iter().map(|call| &call.function);
            let calls = calls.map(|called| text(&called.name) + text(&called.arguments));
            let said = text(&delta.content) + text(&delta.reasoning) + text(&delta.refusal);
            said + calls.sum::<usize>()
        });
        self.0.fetch_add(bytes.sum::<usize>() as u64, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Reserved {
    /// The attempt was answered. `usd` is what the answer cost, if that is known.
    pub(super) fn answered(self, usd: Option<Usd>) {
        self.hold.settle(usd.map_or(Spent::Unknown, |usd| Spent::Known(usd.nano())));
        Self::keep_again(self.again);
    }

    /// Of a request that went out twice, one was not answered. It may be billed all the same.
    fn keep_again(again: Option<Hold>) {
        if let Some(again) = again {
            again.settle(Spent::Unknown);
        }
    }

    /// The attempt was not answered, or not to the end.
    pub(super) fn failed(self, may_be_billed: bool) {
        if !may_be_billed {
            return drop(self.hold);
        }
        let bytes = self.came.bytes();
        // A token has a byte at least.
        let guess = Guess { output: bytes + NOT_COME, ..self.quote.guess };
        let usd = || likely(self.quote.priced.as_ref(), &guess, self.quote.at);
        self.hold.settle(match (bytes > 0).then(usd).flatten() {
            Some(usd) => Spent::Likely(usd.nano()),
            None => Spent::Unknown,
        });
        Self::keep_again(self.again);
    }
}
