//! What the calls to one model of a provider came to. Only the metrics count here. A target's state
//! keeps its series, so that a call's end touches atomics only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::ErrorKind;
use crate::model::{Cost, Usage};

/// What the calls to one model of a provider came to.
#[derive(Default)]
pub(crate) struct Series {
    pub(crate) provider: Arc<str>,
    /// The model, as a label.
    pub(crate) model: Arc<str>,
    pub(crate) calls: ByName<Calls>,
    pub(crate) latency: Histogram,
    pub(crate) first_content: Histogram,
    pub(crate) queue: Histogram,
    tokens: [AtomicU64; TOKENS.len()],
    /// In pico-dollars.
    pub(crate) cost: AtomicU64,
    pub(crate) unpriced: AtomicU64,
    pub(crate) mismatch: AtomicU64,
}

/// The types of tokens.
const TOKENS: [&str; 5] = ["input", "output", "cache_read", "cache_write", "reasoning"];

/// The ended calls of one operation.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) ended: AtomicU64,
    errors: [AtomicU64; ErrorKind::ALL.len()],
}

impl Calls {
    /// Counts a call that has ended.
    pub(crate) fn count(&self, failed: Option<ErrorKind>) {
        add(&self.ended, 1);
        if let Some(kind) = failed {
            add(&self.errors[kind as usize - 1], 1);
        }
    }

    /// The kinds of errors that there were, and how often.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (ErrorKind, u64)> {
        let kinds = ErrorKind::ALL.iter().copied().zip(self.errors.iter().map(read));
        kinds.filter(|(_, count)| *count > 0)
    }
}

impl Series {
    pub(crate) fn new(provider: Arc<str>, model: Arc<str>) -> Self {
        Series { provider, model, ..Series::default() }
    }

    /// Counts what an answer used.
    pub(crate) fn used(&self, usage: &Usage) {
        let prompt = usage.prompt_tokens_details.as_ref();
        let answer = usage.completion_tokens_details.as_ref();
        let counts = [
            usage.prompt_tokens,
            usage.completion_tokens,
            prompt.and_then(|details| details.cached_tokens),
            prompt.and_then(|details| details.cache_write_tokens),
            answer.and_then(|details| details.reasoning_tokens),
        ];
        for (total, count) in self.tokens.iter().zip(counts) {
            if let Some(count) = count.filter(|count| *count > 0) {
                add(total, count);
            }
        }
    }

    /// The types of tokens, and how many there were.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TOKENS.into_iter().zip(self.tokens.iter().map(read))
    }

    /// Counts what an answer cost.
    pub(crate) fn paid(&self, cost: &Cost) {
        match cost.usd {
            Some(usd) => add(&self.cost, pico(usd.0)),
            None => add(&self.unpriced, 1),
        }
        if let (Some(said), Some(table)) = (cost.usd, cost.table_usd)
            && said.0.abs_diff(table.0) > table.0 / 100
        {
            add(&self.mismatch, 1);
        }
    }
}

/// An amount as a counter has it. The largest is beyond what any process spends.
pub(crate) fn pico(amount: u128) -> u64 {
    u64::try_from(amount).unwrap_or(u64::MAX)
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

pub(crate) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The upper bounds of a histogram's buckets, in seconds: each is twice the one before.
pub(crate) const BOUNDS: [&str; 15] = [
    "0.005", "0.01", "0.02", "0.04", "0.08", "0.16", "0.32", "0.64", "1.28", "2.56", "5.12",
    "10.24", "20.48", "40.96", "81.92",
];

/// The first of these bounds.
const FIRST_MICROS: u64 = 5_000;

/// How long something took, in buckets.
#[derive(Default)]
pub(crate) struct Histogram {
    /// The last one is beyond every bound.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// Counts a duration. A duration that is not a number counts as 0.
    pub(crate) fn observe(&self, ms: f64) {
        // A cast of a float ends at the type's bounds.
        let micros = (ms * 1e3) as u64;
        let times = micros.div_ceil(FIRST_MICROS).max(1);
        let bucket = times.checked_next_power_of_two().map_or(64, u64::trailing_zeros) as usize;
        add(&self.buckets[bucket.min(BOUNDS.len())], 1);
        add(&self.micros, micros);
    }

    /// The number of durations up to each bound, that of all, and their sum in microseconds.
    pub(crate) fn totals(&self) -> ([u64; BOUNDS.len() + 1], u64) {
        let mut sum = 0;
        let counts = self.buckets.each_ref().map(|bucket| {
            sum += read(bucket);
            sum
        });
        (counts, read(&self.micros))
    }
}

/// A few values by name, each made when it is first wanted. Nothing waits for a lock.
pub(crate) struct ByName<T>([OnceLock<Box<(&'static str, T)>>; MOST_NAMES]);

/// More names than there are operations.
const MOST_NAMES: usize = 16;

impl<T> Default for ByName<T> {
    fn default() -> Self {
        ByName([const { OnceLock::new() }; MOST_NAMES])
    }
}

impl<T: Default> ByName<T> {
    /// The value of a name. None if there are too many names.
    pub(crate) fn of(&self, name: &'static str) -> Option<&T> {
        let mut all = self.0.iter().map(|slot| slot.get_or_init(|| Box::new((name, T::default()))));
        all.find(|own| own.0 == name).map(|own| &own.1)
    }

    /// The names that were wanted, and their values.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &T)> {
        self.0.iter().filter_map(OnceLock::get).map(|own| (own.0, &own.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Usd;

    #[test]
    fn a_duration_is_in_the_first_bucket_that_is_not_shorter() {
        for (ms, bucket) in [
            (0.0, 0),
            (f64::NAN, 0),
            (-1.0, 0),
            (5.0, 0),
            (5.001, 1),
            (10.0, 1),
            (10.1, 2),
            (81_920.0, 14),
            (81_920.1, 15),
            (f64::INFINITY, 15),
        ] {
            let histogram = Histogram::default();
            histogram.observe(ms);
            let (counts, _) = histogram.totals();
            assert_eq!(counts.iter().position(|count| *count == 1), Some(bucket), "{ms}");
        }
        for (bound, n) in BOUNDS.iter().zip(0..) {
            let micros = FIRST_MICROS << n;
            assert_eq!(bound.parse::<f64>().unwrap(), micros as f64 / 1e6);
        }
    }

    #[test]
    fn names_are_kept_until_there_are_too_many() {
        let names = ByName::<AtomicU64>::default();
        add(names.of("a").unwrap(), 1);
        add(names.of("b").unwrap(), 2);
        add(names.of("a").unwrap(), 3);
        let all: Vec<_> = names.all().map(|(name, count)| (name, read(count))).collect();
        assert_eq!(all, [("a", 4), ("b", 2)]);
        let many = ["c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];
        assert!(many.iter().all(|name| names.of(name).is_some()));
        assert!(names.of("q").is_none());
    }

    #[test]
    fn a_price_that_is_not_the_tables_is_counted() {
        let series = Series::default();
        for (usd, table) in [(100, 100), (101, 100), (102, 100), (98, 100)] {
            let (usd, table_usd) = (Some(Usd(usd)), Some(Usd(table)));
            series.paid(&Cost { usd, table_usd, ..Cost::default() });
        }
        series.paid(&Cost::default());
        let all = [&series.cost, &series.mismatch, &series.unpriced].map(read);
        assert_eq!(all, [401, 2, 1]);
    }
}
