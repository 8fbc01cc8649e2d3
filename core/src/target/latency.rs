//! How long a target takes to its first token, or to its whole answer where that is what is waited
//! for. Only successes are told: a quick failure is no speed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// After so long, a sample counts about a third (1/e) of what it did.
const MEMORY: Duration = Duration::from_secs(10);
/// After so long unused, an average counts about a third. Without that, one slow answer would keep
/// a target from ever being asked again; were it as short as `MEMORY`, a slow target would be asked
/// by every few calls of a quiet client.
const FORGIVENESS: Duration = Duration::from_secs(60);
/// How many samples are kept.
const KEPT: usize = 128;
/// How many samples say something about one in twenty.
const ENOUGH: usize = 20;

/// One target's latencies.
#[derive(Debug, Default)]
pub(crate) struct Latency(Mutex<Samples>);

#[derive(Debug, Default)]
struct Samples {
    average: Option<Average>,
    /// Microseconds. A ring once it is full.
    kept: Vec<u32>,
    /// Where the ring's oldest sample is.
    oldest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Average {
    ms: f64,
    at: Instant,
}

impl Latency {
    /// A success took `sample`.
    pub(crate) fn observe(&self, sample: Duration, now: Instant) {
        let ms = sample.as_secs_f64() * 1_000.0;
        let mut samples = self.lock();
        let average = match samples.average {
            // Trouble counts at once, relief by and by.
            Some(average) if ms < average.ms => {
                let old = decay(average.at, now, MEMORY);
                average.ms * old + ms * (1.0 - old)
            }
            _ => ms,
        };
        samples.average = Some(Average { ms: average, at: now });
        let micros = u32::try_from(sample.as_micros()).unwrap_or(u32::MAX);
        if samples.kept.len() < KEPT {
            samples.kept.push(micros);
        } else {
            let oldest = samples.oldest;
            samples.kept[oldest] = micros;
            samples.oldest = (oldest + 1) % KEPT;
        }
    }

    /// The average, in milliseconds, which rises at once and falls with time; `None` before the
    /// first sample.
    pub(crate) fn ewma_ms(&self, now: Instant) -> Option<f64> {
        let average = self.lock().average?;
        Some(average.ms * decay(average.at, now, FORGIVENESS))
    }

    /// What 95 of 100 of the last samples stayed within; `None` while there are too few.
    pub(crate) fn p95(&self) -> Option<Duration> {
        self.percentile(95)
    }

    /// When an answer is so late that another attempt is worth its price: the 95th percentile, but
    /// within one and a half and three times the median. Where all are alike, one that is hardly
    /// later than the others comes anyway; and where one in twenty is a straggler, they are the 95th
    /// percentile themselves.
    pub(crate) fn slow_after(&self) -> Option<Duration> {
        let median = self.percentile(50)?;
        Some(self.p95()?.clamp(median * 3 / 2, median * 3))
    }

    fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut kept = self.lock().kept.clone();
        if kept.len() < ENOUGH {
            return None;
        }
        let rank = (kept.len() * percent).div_ceil(100) - 1;
        let (_, micros, _) = kept.select_nth_unstable(rank);
        Some(Duration::from_micros(u64::from(*micros)))
    }

    fn lock(&self) -> MutexGuard<'_, Samples> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is left of a weight of 1.
fn decay(since: Instant, now: Instant, memory: Duration) -> f64 {
    let age = now.saturating_duration_since(since);
    (-age.as_secs_f64() / memory.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn rises_at_once_and_falls_with_time() {
        let (latency, start) = (Latency::default(), Instant::now());
        assert_eq!(latency.ewma_ms(start), None);
        latency.observe(ms(100), start);
        latency.observe(ms(900), start + ms(1));
        assert_eq!(latency.ewma_ms(start + ms(1)), Some(900.0));
        // A quick one right after says little; one that comes a memory later says two thirds.
        latency.observe(ms(100), start + ms(2));
        assert!(latency.ewma_ms(start + ms(2)).unwrap() > 899.0);
        let later = start + ms(2) + MEMORY;
        latency.observe(ms(100), later);
        let average = latency.ewma_ms(later).unwrap();
        assert!((390.0..400.0).contains(&average), "{average}");
    }

    #[test]
    fn what_was_slow_long_ago_is_tried_again() {
        let (latency, start) = (Latency::default(), Instant::now());
        latency.observe(ms(2_000), start);
        let average = latency.ewma_ms(start + FORGIVENESS * 5).unwrap();
        assert!((10.0..20.0).contains(&average), "{average}");
        // A clock that another thread read earlier is not a negative age.
        latency.observe(ms(2_000), start + ms(5));
        assert_eq!(latency.ewma_ms(start), Some(2_000.0));
    }

    #[test]
    fn p95_is_of_the_last_samples() {
        let (latency, now) = (Latency::default(), Instant::now());
        for sample in 1..20 {
            latency.observe(ms(sample), now);
        }
        assert_eq!(latency.p95(), None);
        latency.observe(ms(20), now);
        assert_eq!(latency.p95(), Some(ms(19)));
        // 128 later ones push these out.
        for sample in (1_000..1_128).rev() {
            latency.observe(ms(sample), now);
        }
        assert_eq!(latency.p95(), Some(ms(1_121)));
        latency.observe(Duration::MAX, now);
        assert_eq!(latency.p95(), Some(ms(1_121)));
        // Alike as they are, none is slow before half as much again.
        assert_eq!(latency.slow_after(), Some(ms(1_063) * 3 / 2));
    }

    #[test]
    fn stragglers_do_not_say_what_is_slow() {
        let (latency, now) = (Latency::default(), Instant::now());
        for sample in 0..100 {
            latency.observe(ms(if sample % 10 == 0 { 5_000 } else { 100 }), now);
        }
        assert_eq!((latency.p95(), latency.slow_after()), (Some(ms(5_000)), Some(ms(300))));
        for _ in 0..128 {
            latency.observe(ms(100), now);
        }
        for sample in 0..10 {
            latency.observe(ms(200 + sample), now);
        }
        assert_eq!((latency.p95(), latency.slow_after()), (Some(ms(203)), Some(ms(203))));
        assert_eq!(latency.lock().kept.len(), KEPT);
    }
}
