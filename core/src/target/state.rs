//! A target's state is what is known of it, for all calls.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, State};
use super::fleet::Part;
use super::latency::Latency;
use super::series::Series;
use super::usual::Usual;
use crate::limit::{Gate, Limits};
use crate::model::{Parameters, Usd};
use crate::price::Lookup;
use crate::provider::Target;

/// The time that a target counts as failing after a failure, unless it answers.
const FAILING: Duration = Duration::from_secs(10);

/// One target of a call.
#[derive(Clone)]
pub(crate) struct ChosenTarget {
    /// The provider's index in the configuration.
    pub(crate) provider: usize,
    /// The region that the call has chosen, where the provider's entry says none.
    pub(crate) moved: Option<&'static str>,
    /// The target's share under `weighted`.
    pub(super) weight: u32,
    /// The parameters that differ in requests to this target.
    pub(crate) parameters: Option<Arc<Parameters>>,
    /// What the call is likely to cost here, if it was asked.
    pub(crate) expected: Option<Usd>,
    pub(crate) state: Arc<TargetState>,
}

impl ChosenTarget {
    /// The part of the target that its adapter sees.
    pub(crate) fn target(&self) -> &Target {
        &self.state.target
    }

    /// `provider/model`.
    pub(crate) fn name(&self) -> String {
        self.state.name()
    }
}

/// How often a target was asked. Only the metrics count here.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) attempts: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) hedges: AtomicU64,
    pub(crate) retries: AtomicU64,
    /// How often a call went on to another target.
    pub(crate) fallbacks: AtomicU64,
}

/// The health probes of a target that failed.
#[derive(Default)]
pub(crate) struct Probes {
    pub(crate) asked: AtomicU64,
    /// The number of probes that were answered as by a server that works.
    pub(crate) well: AtomicU64,
    /// The opening of the breaker that is, or was, watched last.
    pub(crate) opening: AtomicU64,
}

/// What is known of one target.
pub(crate) struct TargetState {
    /// The provider and the model.
    pub(crate) target: Target,
    moved: Option<&'static str>,
    pub(crate) breaker: Breaker,
    pub(super) gate: Gate,
    /// Its part in the limits of a fleet.
    pub(super) part: Part,
    /// Latencies of streams to their first content, and of whole answers.
    streams: Latency,
    answers: Latency,
    pub(super) in_flight: AtomicU32,
    pub(crate) tally: Tally,
    /// The counters of calls that begin here. They outlast the state.
    pub(crate) series: OnceLock<Arc<Series>>,
    /// When it failed: milliseconds since `known`, plus one. 0 means that it has answered since.
    failed: AtomicU64,
    known: Instant,
    pub(crate) probes: Probes,
    /// The price of the model.
    pub(crate) price: Lookup,
    /// What its answers use.
    pub(crate) usual: Usual,
}

impl TargetState {
    /// The state of a target that was never asked. `limits` are those configured for its model.
    pub(super) fn new(
        target: Target,
        moved: Option<&'static str>,
        limits: Limits,
        part: Part,
    ) -> Self {
        TargetState {
            part,
            target,
            moved,
            breaker: Breaker::default(),
            gate: Gate::new(limits),
            streams: Latency::default(),
            answers: Latency::default(),
            in_flight: AtomicU32::new(0),
            tally: Tally::default(),
            series: OnceLock::new(),
            failed: AtomicU64::new(0),
            known: Instant::now(),
            probes: Probes::default(),
            price: Lookup::default(),
            usual: Usual::default(),
        }
    }

    /// `provider/model`, or the provider alone if no model was named.
    pub(crate) fn name(&self) -> String {
        if self.target.model.is_empty() {
            return self.target.provider.to_string();
        }
        [&*self.target.provider, &*self.target.model].join("/")
    }

    /// The same, with the region that calls have chosen behind an `@`: a target of its own.
    pub(crate) fn name_with_region(&self) -> String {
        match self.moved {
            Some(region) => format!("{}@{region}", self.name()),
            None => self.name(),
        }
    }

    /// The average time to a first token, in milliseconds. Without streams, it is the average of
    /// whole answers.
    pub(crate) fn ewma_ms(&self, now: Instant) -> Option<f64> {
        self.streams.ewma_ms(now).or_else(|| self.answers.ewma_ms(now))
    }

    pub(crate) fn p95(&self, stream: bool) -> Option<Duration> {
        self.latency(stream).p95()
    }

    /// When a first attempt counts as slow for this target. `None` while too little is known.
    pub(crate) fn slow_after(&self, stream: bool) -> Option<Duration> {
        self.latency(stream).slow_after()
    }

    pub(super) fn latency(&self, stream: bool) -> &Latency {
        if stream { &self.streams } else { &self.answers }
    }

    /// Whether the last request failed, and not by the caller's fault. Such a target may refuse so
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

/// Its name alone: the rest is of no use in a message.
impl fmt::Debug for TargetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name_with_region())
    }
}
