//! Metrics are a client's counters and the state of its targets, as documents.

mod models;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use super::{
    AttemptEnd, AttemptFacts, CacheResult, CacheSize, CallFacts, CallOutcome, Met, Notice,
    Observer, millis,
};
use crate::config::Config;
use crate::error::ErrorKind;
use crate::json::{Object, Value, json, to_vec};
use crate::model::Usd;
use crate::target::breaker::State;
use crate::target::{ByName, Series, Table, TargetState, add, pico, read};
use crate::wire::retry_after;
use models::Models;
use text::Text;

/// Counts calls by provider and by model, and attempts by target.
pub(crate) struct Metrics {
    /// The counters by provider, in the order of the providers' names.
    providers: Vec<Counters>,
    /// What the cache had for calls, by the result.
    cached: [AtomicU64; CacheResult::ALL.len()],
    /// What answers without a request saved, by the tier, in pico-dollars.
    saved: ByName<AtomicU64>,
    models: Models,
    /// How many calls wait under a limit.
    waiting: AtomicU64,
}

/// What metrics say of what is beside the calls. `None` means that there is none.
#[derive(Clone, Copy)]
pub(crate) struct Beside {
    pub(crate) cache: Option<CacheSize>,
    /// Whether Redis is up.
    pub(crate) redis: Option<bool>,
}

/// The counters of one provider.
struct Counters {
    provider: Arc<str>,
    calls: AtomicU64,
    errors: [AtomicU64; ErrorKind::ALL.len()],
}

impl Observer for Metrics {
    fn attempt_began(&self, _: &CallFacts, attempt: &AttemptFacts<'_>) {
        attempt.tally.attempts.fetch_add(1, Ordering::Relaxed);
        if attempt.hedge {
            attempt.tally.hedges.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn attempt_ended(&self, _: &CallFacts, attempt: &AttemptFacts<'_>, end: &AttemptEnd) {
        if end.failed.is_some_and(|kind| kind != ErrorKind::Cancelled) {
            attempt.tally.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn noticed(&self, _: &CallFacts, notice: &Notice<'_>) {
        let Some(tally) = notice.tally else { return };
        match notice.met {
            Met::Retry => add(&tally.retries, 1),
            Met::Fallback(_) => add(&tally.fallbacks, 1),
            Met::Limit(_) | Met::BreakerOpened { .. } | Met::BreakerClosed { .. } => {}
        }
    }

    fn cached(&self, _: &CallFacts, result: CacheResult) {
        self.cached[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn call_ended(&self, call: &CallFacts, outcomes: &[CallOutcome<'_>]) {
        for outcome in outcomes {
            self.models.of(call, outcome, |series| count(series, call, outcome));
            self.count_saved(outcome);
            let Some(name) = outcome.provider else { continue };
            let by_name = |own: &Counters| (*own.provider).cmp(name);
            if let Ok(found) = self.providers.binary_search_by(by_name) {
                self.providers[found].count(outcome.failed.map(|failed| failed.kind));
            }
        }
    }
}

impl Counters {
    /// Counts a call that has ended.
    fn count(&self, failed: Option<ErrorKind>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(kind) = failed {
            self.errors[kind as usize - 1].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn errors(&self) -> impl Iterator<Item = (ErrorKind, u64)> {
        let counts = self.errors.iter().map(|count| count.load(Ordering::Relaxed));
        ErrorKind::ALL.iter().copied().zip(counts)
    }
}

impl Metrics {
    /// Makes counters for the providers of a configuration.
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let names = config.providers.iter().map(|provider| Arc::clone(&provider.name));
        let counters =
            |provider| Counters { provider, calls: AtomicU64::new(0), errors: Default::default() };
        Metrics {
            providers: names.map(counters).collect(),
            cached: Default::default(),
            saved: ByName::default(),
            models: Models::new(config),
            waiting: AtomicU64::new(0),
        }
    }

    /// The counters so far, as a JSON document.
    pub(crate) fn json(&self, in_flight: usize, table: &Table, beside: Beside) -> Vec<u8> {
        let mut providers = Object::new();
        for counters in &self.providers {
            let calls = counters.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            let errors = counters.errors().filter(|(_, count)| *count > 0);
            let errors: Object =
                errors.map(|(kind, count)| (kind.name(), Value::from(count))).collect();
            let counts = json!({"calls": calls, "errors": errors});
            providers.insert(counters.provider.to_string(), counts);
        }
        let targets: Vec<Value> = targets(table).map(Value::from).collect();
        let mut document = Object::new();
        document.insert("in_flight", in_flight as u64);
        document.insert("providers", providers);
        document.insert("targets", targets);
        if let Some(CacheSize { bytes, entries }) = beside.cache {
            let mut counts = json!({"bytes": bytes, "entries": entries});
            let of = |redis: bool| {
                let own = self.cached().filter(move |(result, _)| result.is_of_redis() == redis);
                own.map(|(result, n)| (result.name(), Value::from(n)))
            };
            if let Some(counts) = counts.as_object_mut() {
                counts.extend(of(false));
                if beside.redis.is_some() {
                    counts.insert("redis", of(true).collect::<Object>());
                }
            }
            document.insert("cache", counts);
        }
        if let Some(up) = beside.redis {
            document.insert("redis", json!({"up": up}));
        }
        to_vec(&document, 256)
    }

    /// The counters so far, in Prometheus' text format.
    pub(crate) fn prometheus(&self, in_flight: usize, table: &Table, beside: Beside) -> Vec<u8> {
        let mut text = Text::default();
        text.family("liter_llm_in_flight", "gauge", "Calls in flight.").put(&[], in_flight);
        let mut depth = text.family("liter_llm_queue_depth", "gauge", "Calls that wait.");
        depth.put(&[("reason", "rate_limit")], self.waiting.load(Ordering::Relaxed));
        // What a server queues before it begins a call. A library refuses there.
        depth.put(&[("reason", "concurrency")], 0);
        self.write_calls(&mut text);
        text::models(&mut text, &self.models.all());
        write_targets(&mut text, table);
        if let Some(size) = beside.cache {
            self.write_cache(&mut text, size, beside.redis.is_some());
        }
        if let Some(up) = beside.redis {
            let mut family = text.family("liter_llm_redis_up", "gauge", "Whether Redis answers.");
            family.put(&[], u8::from(up));
        }
        text.0.into_bytes()
    }

    /// A call waits for room under a limit, until the guard is dropped.
    pub(crate) fn waits(self: &Arc<Self>) -> Waiting {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }
}

/// A call that waits.
pub(crate) struct Waiting(Arc<Metrics>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    fn count_saved(&self, outcome: &CallOutcome<'_>) {
        let saved = outcome.cost.and_then(|cost| cost.saved_usd);
        let tier = outcome.cache.and_then(|tier| self.saved.of(tier.name()));
        if let (Some(tier), Some(Usd(saved))) = (tier, saved) {
            add(tier, pico(saved));
        }
    }

    fn cached(&self) -> impl Iterator<Item = (CacheResult, u64)> {
        let counts = self.cached.iter().map(|count| count.load(Ordering::Relaxed));
        CacheResult::ALL.into_iter().zip(counts)
    }

    /// Ended calls by outcome. `liter_llm_requests_total` and `liter_llm_errors_total` say more.
    fn write_calls(&self, text: &mut Text) {
        let mut family = text.family("liter_llm_calls_total", "counter", "Ended calls.");
        for counters in &self.providers {
            let calls = counters.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            let provider = ("provider", &*counters.provider);
            let failed: u64 = counters.errors().map(|(_, count)| count).sum();
            family.put(&[provider, ("outcome", "ok")], calls.saturating_sub(failed));
            for (kind, count) in counters.errors().filter(|(_, count)| *count > 0) {
                family.put(&[provider, ("outcome", kind.name())], count);
            }
        }
    }

    fn write_cache(&self, text: &mut Text, size: CacheSize, redis: bool) {
        let help = "What the cache had for calls.";
        let mut family = text.family("liter_llm_cache_total", "counter", help);
        for (result, count) in self.cached().filter(|(result, _)| redis || !result.is_of_redis()) {
            family.put(&[("tier", result.tier()), ("result", result.name())], count);
        }
        for (name, help, value) in [
            ("liter_llm_cache_bytes", "Bytes of stored answers.", size.bytes),
            ("liter_llm_cache_entries", "Stored answers.", size.entries),
        ] {
            text.family(name, "gauge", help).put(&[("tier", "memory")], value);
        }
        let help = "What stored and shared answers had cost, in USD.";
        let mut family = text.family("liter_llm_cache_saved_usd_total", "counter", help);
        for (tier, saved) in self.saved.all() {
            family.put(&[("tier", tier)], Usd(read(saved).into()));
        }
    }
}

/// Counts an ended call. What came from the cache has asked no provider: it has no latency, and
/// used nothing.
fn count(series: &Series, call: &CallFacts, outcome: &CallOutcome<'_>) {
    if let Some(calls) = series.calls.of(call.operation) {
        calls.count(outcome.failed.map(|failed| failed.kind));
    }
    if outcome.cache.is_some() {
        return;
    }
    series.latency.observe(outcome.total_ms.unwrap_or_else(|| millis(call.began.elapsed())));
    if let Some(ms) = outcome.ttft_ms {
        series.first_content.observe(ms);
    }
    if let Some(ms) = outcome.queue_ms {
        series.queue.observe(ms);
    }
    if let Some(usage) = outcome.usage {
        series.used(usage);
    }
    if let Some(cost) = outcome.cost {
        series.paid(cost);
    }
}

/// Every target that was asked, and its state.
fn targets(table: &Table) -> impl Iterator<Item = Object> {
    let now = Instant::now();
    let targets = table.targets().into_iter();
    targets.map(move |state| {
        let mut target = Object::new();
        target.insert("target", state.name_with_region());
        target.insert("breaker", state.breaker(now).name());
        target.insert("in_flight", u64::from(state.in_flight()));
        target.insert("attempts", state.tally.attempts.load(Ordering::Relaxed));
        target.insert("failures", state.tally.failures.load(Ordering::Relaxed));
        let asked = state.probes.asked.load(Ordering::Relaxed);
        if asked > 0 {
            let well = state.probes.well.load(Ordering::Relaxed);
            target.insert("probes", json!({"asked": asked, "well": well}));
        }
        if let Some(left) = state.cooling(now) {
            target.insert("cooling_ms", retry_after::millis(left));
        }
        for (member, stream) in [("p95_ttft_ms", true), ("p95_ms", false)] {
            if let Some(p95) = state.p95(stream) {
                target.insert(member, retry_after::millis(p95));
            }
        }
        target
    })
}

/// Writes the same about each target as the JSON document, without the times.
fn write_targets(text: &mut Text, table: &Table) {
    let now = Instant::now();
    let targets = table.targets();
    for OfTarget { name, kind, help, of } in OF_TARGET {
        let mut family = text.family(name, kind, help);
        for state in &targets {
            family.put(&[("target", &state.name_with_region())], of(state));
        }
    }
    let help = "1 for the state that it is in.";
    let mut family = text.family("liter_llm_target_breaker", "gauge", help);
    for state in &targets {
        for each in [State::Closed, State::Open, State::HalfOpen] {
            let is = u8::from(state.breaker(now) == each);
            family.put(&[("target", &state.name_with_region()), ("state", each.name())], is);
        }
    }
}

/// A number that every target has.
struct OfTarget {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    of: fn(&TargetState) -> u64,
}

const OF_TARGET: [OfTarget; 8] = [
    OfTarget {
        name: "liter_llm_target_in_flight",
        kind: "gauge",
        help: "Attempts in flight.",
        of: |state| state.in_flight().into(),
    },
    OfTarget {
        name: "liter_llm_target_attempts_total",
        kind: "counter",
        help: "Attempts.",
        of: |state| state.tally.attempts.load(Ordering::Relaxed),
    },
    OfTarget {
        name: "liter_llm_target_failures_total",
        kind: "counter",
        help: "Attempts that failed.",
        of: |state| state.tally.failures.load(Ordering::Relaxed),
    },
    OfTarget {
        name: "liter_llm_target_probes_total",
        kind: "counter",
        help: "Health probes.",
        of: |state| state.probes.asked.load(Ordering::Relaxed),
    },
    OfTarget {
        name: "liter_llm_target_probes_well_total",
        kind: "counter",
        help: "Health probes that were answered well.",
        of: |state| state.probes.well.load(Ordering::Relaxed),
    },
    OfTarget {
        name: "liter_llm_retries_total",
        kind: "counter",
        help: "Requests that were sent to a target again after a failure.",
        of: |state| state.tally.retries.load(Ordering::Relaxed),
    },
    OfTarget {
        name: "liter_llm_hedges_total",
        kind: "counter",
        help: "Attempts beside a slow one.",
        of: |state| state.tally.hedges.load(Ordering::Relaxed),
    },
    OfTarget {
        name: "liter_llm_fallbacks_total",
        kind: "counter",
        help: "Calls that went from a target to another one.",
        of: |state| state.tally.fallbacks.load(Ordering::Relaxed),
    },
];
