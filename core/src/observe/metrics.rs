//! Metrics are a client's counters and the state of its targets, as documents.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use super::{AttemptEnd, AttemptFacts, CacheResult, CacheSize, CallFacts, CallOutcome, Observer};
use crate::error::ErrorKind;
use crate::json::{Object, Value, json, to_vec};
use crate::target::breaker::State;
use crate::target::{Table, TargetState};
use crate::wire::retry_after;

/// Counts calls by provider, and attempts by target.
pub(crate) struct Metrics {
    /// The counters by provider, in the order of the providers' names.
    providers: Vec<Counters>,
    /// What the cache had for calls, by the result.
    cached: [AtomicU64; CacheResult::ALL.len()],
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
    }

    fn attempt_ended(&self, _: &CallFacts, attempt: &AttemptFacts<'_>, end: &AttemptEnd) {
        if end.failed.is_some_and(|kind| kind != ErrorKind::Cancelled) {
            attempt.tally.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn cached(&self, _: &CallFacts, result: CacheResult) {
        self.cached[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn call_ended(&self, _: &CallFacts, outcomes: &[CallOutcome<'_>]) {
        for outcome in outcomes {
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
    /// Makes counters for these providers, whose names are sorted.
    pub(crate) fn new(names: impl Iterator<Item = Arc<str>>) -> Self {
        let counters =
            |provider| Counters { provider, calls: AtomicU64::new(0), errors: Default::default() };
        Metrics { providers: names.map(counters).collect(), cached: Default::default() }
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
        let mut text = String::from(
            "# HELP liter_llm_in_flight Calls in flight.\n# TYPE liter_llm_in_flight gauge\n",
        );
        // Writing into a String cannot fail.
        let _ = writeln!(text, "liter_llm_in_flight {in_flight}");
        text.push_str(
            "# HELP liter_llm_calls_total Ended calls.\n# TYPE liter_llm_calls_total counter\n",
        );
        for counters in &self.providers {
            let calls = counters.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            let name = label(&counters.provider);
            let failed: u64 = counters.errors().map(|(_, count)| count).sum();
            let ok = calls.saturating_sub(failed);
            let _ =
                writeln!(text, "liter_llm_calls_total{{provider=\"{name}\",outcome=\"ok\"}} {ok}");
            for (kind, count) in counters.errors().filter(|(_, count)| *count > 0) {
                let _ = writeln!(
                    text,
                    "liter_llm_calls_total{{provider=\"{name}\",outcome=\"{kind}\"}} {count}"
                );
            }
        }
        write_targets(&mut text, table);
        if let Some(size) = beside.cache {
            self.write_cache(&mut text, size, beside.redis.is_some());
        }
        if let Some(up) = beside.redis {
            let _ = write!(
                text,
                "# HELP liter_llm_redis_up Whether Redis answers.\n# TYPE liter_llm_redis_up gauge\n\
                 liter_llm_redis_up {}\n",
                u8::from(up)
            );
        }
        text.into_bytes()
    }
}

impl Metrics {
    fn cached(&self) -> impl Iterator<Item = (CacheResult, u64)> {
        let counts = self.cached.iter().map(|count| count.load(Ordering::Relaxed));
        CacheResult::ALL.into_iter().zip(counts)
    }

    fn write_cache(&self, text: &mut String, size: CacheSize, redis: bool) {
        let name = "liter_llm_cache_total";
        let _ = writeln!(text, "# HELP {name} What the cache had for calls.");
        let _ = writeln!(text, "# TYPE {name} counter");
        for (result, count) in self.cached().filter(|(result, _)| redis || !result.is_of_redis()) {
            let (tier, result) = (result.tier(), result.name());
            let _ = writeln!(text, "{name}{{tier=\"{tier}\",result=\"{result}\"}} {count}");
        }
        for (name, help, value) in [
            ("liter_llm_cache_bytes", "Bytes of stored answers.", size.bytes),
            ("liter_llm_cache_entries", "Stored answers.", size.entries),
        ] {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
            let _ = writeln!(text, "{name}{{tier=\"memory\"}} {value}");
        }
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
fn write_targets(text: &mut String, table: &Table) {
    let now = Instant::now();
    let targets = table.targets();
    for Series { name, kind, help, of } in SERIES {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for state in &targets {
            let target = format!("target=\"{}\"", label(&state.name_with_region()));
            let _ = writeln!(text, "{name}{{{target}}} {}", of(state));
        }
    }
    let name = "liter_llm_target_breaker";
    let _ = writeln!(text, "# HELP {name} 1 for the state that it is in.\n# TYPE {name} gauge");
    for state in &targets {
        let target = format!("target=\"{}\"", label(&state.name_with_region()));
        for each in [State::Closed, State::Open, State::HalfOpen] {
            let is = u8::from(state.breaker(now) == each);
            let _ = writeln!(text, "{name}{{{target},state=\"{}\"}} {is}", each.name());
        }
    }
}

/// A number that every target has.
struct Series {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    of: fn(&TargetState) -> u64,
}

const SERIES: [Series; 5] = [
    Series {
        name: "liter_llm_target_in_flight",
        kind: "gauge",
        help: "Attempts in flight.",
        of: |state| state.in_flight().into(),
    },
    Series {
        name: "liter_llm_target_attempts_total",
        kind: "counter",
        help: "Attempts.",
        of: |state| state.tally.attempts.load(Ordering::Relaxed),
    },
    Series {
        name: "liter_llm_target_failures_total",
        kind: "counter",
        help: "Attempts that failed.",
        of: |state| state.tally.failures.load(Ordering::Relaxed),
    },
    Series {
        name: "liter_llm_target_probes_total",
        kind: "counter",
        help: "Health probes.",
        of: |state| state.probes.asked.load(Ordering::Relaxed),
    },
    Series {
        name: "liter_llm_target_probes_well_total",
        kind: "counter",
        help: "Health probes that were answered well.",
        of: |state| state.probes.well.load(Ordering::Relaxed),
    },
];

/// A Prometheus label's value.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
