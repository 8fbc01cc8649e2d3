//! What is known of one target, and one target of a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, State};
use super::latency::Latency;
use crate::limit::{Gate, Limits};
use crate::model::Parameters;
use crate::provider::Target;

/// For so long a target counts as failing after it has failed, unless it answers.
const FAILING: Duration = Duration::from_secs(10);

/// One target of a call.
pub(crate) struct ChosenTarget {
    /// The provider's place in the configuration.
    pub(crate) provider: usize,
    /// Its share under `weighted`.
    pub(super) weight: u32,
    /// What is different in requests to it.
    pub(crate) parameters: Option<Arc<Parameters>>,
    pub(crate) state: Arc<TargetState>,
}

impl ChosenTarget {
    /// What its adapter sees of it.
    pub(crate) fn target(&self) -> &Target {
        &self.state.target
    }

    /// `provider/model`.
    pub(crate) fn name(&self) -> String {
        self.state.name()
    }
}

/// How often a target was asked. Counted by the metrics alone.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) attempts: AtomicU64,
    pub(crate) failures: AtomicU64,
}

/// What was asked after a target that failed.
#[derive(Default)]
pub(crate) struct Probes {
    pub(crate) asked: AtomicU64,
    /// How many of these were answered as by a server that works.
    pub(crate) well: AtomicU64,
    /// The opening of its breaker that is, or was, watched last.
    pub(crate) opening: AtomicU64,
}

/// What is known of one target.
pub(crate) struct TargetState {
    /// The provider and the model.
    pub(crate) target: Target,
    pub(crate) breaker: Breaker,
    pub(super) gate: Gate,
    /// Of streams to their first content, and of whole answers.
    streams: Latency,
    answers: Latency,
    pub(super) in_flight: AtomicU32,
    pub(crate) tally: Tally,
    /// When it failed, in milliseconds since `known` and one more; 0: it answered since.
    failed: AtomicU64,
    known: Instant,
    pub(crate) probes: Probes,
}

impl TargetState {
    /// Nothing is known yet. `limits`: those that are configured for its model.
    pub(super) fn new(target: Target, limits: Limits) -> Self {
        TargetState {
            target,
            breaker: Breaker::default(),
            gate: Gate::new(limits),
            streams: Latency::default(),
            answers: Latency::default(),
            in_flight: AtomicU32::new(0),
            tally: Tally::default(),
            failed: AtomicU64::new(0),
            known: Instant::now(),
            probes: Probes::default(),
        }
    }

    /// `provider/model`; the provider alone where no model was named.
    pub(crate) fn name(&self) -> String {
        if self.target.model.is_empty() {
            return self.target.provider.to_string();
        }
        [&*self.target.provider, &*self.target.model].join("/")
    }

    /// The average time to a first token, in milliseconds; that of whole answers without streams.
    pub(crate) fn ewma_ms(&self, now: Instant) -> Option<f64> {
        self.streams.ewma_ms(now).or_else(|| self.answers.ewma_ms(now))
    }

    pub(crate) fn p95(&self, stream: bool) -> Option<Duration> {
        self.latency(stream).p95()
    }

    /// When a first attempt is slow for this target; `None` while too little is known.
    pub(crate) fn slow_after(&self, stream: bool) -> Option<Duration> {
        self.latency(stream).slow_after()
    }

    pub(super) fn latency(&self, stream: bool) -> &Latency {
        if stream { &self.streams } else { &self.answers }
    }

    /// Whether what it was asked last failed, and not through the caller's fault: it may refuse so
    /// quickly that it looks quick and idle.
    pub(super) fn is_failing(&self, now: Instant) -> bool {
        let failed = self.failed.load(Ordering::Relaxed);
        failed > 0 && self.known + Duration::from_millis(failed) + FAILING > now
    }

    pub(super) fn has_answered(&self) {
        if self.failed.load(Ordering::Relaxed) > 0 {
            self.failed.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn has_failed(&self, now: Instant) {
        let since = now.saturating_duration_since(self.known).as_millis();
        self.failed.store(u64::try_from(since).unwrap_or(0) + 1, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn breaker(&self, now: Instant) -> State {
        self.breaker.state(now)
    }

    pub(crate) fn cooling(&self, now: Instant) -> Option<Duration> {
        self.gate.cooling(now)
    }
}
