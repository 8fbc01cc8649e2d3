//! A target's latency is the time to its first token, or to a whole answer if that is what the call
//! waits for. Only successes count, because a quick failure is not speed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The age at which a sample counts a third (1/e) of its first weight.
const MEMORY: Duration = Duration::from_secs(10);
/// The idle time after which an average counts about a third. Without it, one slow answer would
/// keep a target from ever being asked again. If it were as short as `MEMORY`, every few calls of a
/// quiet client would go to a slow target.
const FORGIVENESS: Duration = Duration::from_secs(60);
/// The number of samples that are kept.
const KEPT: usize = 128;
/// The number of samples needed to judge the slowest twentieth.
const ENOUGH: usize = 20;

/// One target's latencies.
#[derive(Debug, Default)]
pub(crate) struct Latency(Mutex<Samples>);

#[derive(Debug, Default)]
struct Samples {
    average: Option<Average>,
    /// The samples in microseconds. Once full, it is a ring.
    kept: Vec<u32>,
    /// The index of the ring's oldest sample.
    oldest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Average {
    ms: f64,
    at: Instant,
}

impl Latency {
    /// Records the latency of a success.
    pub(crate) fn observe(&self, sample: Duration, now: Instant) {
        let ms = sample.as_secs_f64() * 1_000.0;
        let mut samples = self.lock();
        let average = match samples.average {
            // A slower answer counts at once, a faster one gradually.
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

    /// The average in milliseconds, which rises at once and falls with time. `None` before the
    /// first sample.
    pub(crate) fn ewma_ms(&self, now: Instant) -> Option<f64> {
        let average = self.lock().average?;
        Some(average.ms * decay(average.at, now, FORGIVENESS))
    }

    /// The 95th percentile of the last samples. `None` while there are too few.
    pub(crate) fn p95(&self) -> Option<Duration> {
        self.percentile(95)
    }

    /// The time after which a hedge is worth its price: the 95th percentile, kept between one and a
    /// half and three times the median. The lower bound helps if all are alike: an answer hardly
    /// later than the others comes anyway. The upper bound helps if one in twenty is a straggler:
    /// stragglers are then the 95th percentile themselves.
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

/// The weight that is left of 1.
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
        // A quick sample right after changes little. One that comes a `MEMORY` later changes two
        // thirds.
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
        // A `now` that another thread read earlier gives no negative age.
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
        // 128 later samples push these out.
        for sample in (1_000..1_128).rev() {
            latency.observe(ms(sample), now);
        }
        assert_eq!(latency.p95(), Some(ms(1_121)));
        latency.observe(Duration::MAX, now);
        assert_eq!(latency.p95(), Some(ms(1_121)));
        // The samples are alike, so none is slow before one and a half times the median.
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
