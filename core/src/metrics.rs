//! A client's counters and the state of its targets, as documents.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use crate::client::Client;
use crate::json::{Object, Value, json, to_vec};
use crate::retry::hint;
use crate::route::breaker::State;
use crate::route::table::TargetState;

impl Client {
    /// Counters so far, as a JSON document.
    #[must_use]
    pub fn metrics_json(&self) -> Vec<u8> {
        let mut providers = Object::new();
        for (settings, counters) in self.inner.config.providers.iter().zip(&self.inner.counters) {
            let calls = counters.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            let errors = counters.errors().filter(|(_, count)| *count > 0);
            let errors: Object =
                errors.map(|(kind, count)| (kind.name(), Value::from(count))).collect();
            let counts = json!({"calls": calls, "errors": errors});
            providers.insert(settings.name.clone(), counts);
        }
        let targets: Vec<Value> = self.targets().map(Value::from).collect();
        let document =
            json!({"in_flight": self.in_flight(), "providers": providers, "targets": targets});
        to_vec(&document, 256)
    }

    /// Every target that was asked, and how it does.
    fn targets(&self) -> impl Iterator<Item = Object> {
        let now = Instant::now();
        let targets = self.inner.table.targets().into_iter();
        targets.map(move |(provider, model, state)| {
            let name = &self.inner.config.providers[provider].name;
            let mut target = Object::new();
            target.insert("target", format!("{name}/{model}"));
            target.insert("breaker", state.breaker(now).name());
            target.insert("in_flight", u64::from(state.in_flight()));
            target.insert("attempts", state.attempts.load(Ordering::Relaxed));
            target.insert("failures", state.failures.load(Ordering::Relaxed));
            let asked = state.probes.asked.load(Ordering::Relaxed);
            if asked > 0 {
                let well = state.probes.well.load(Ordering::Relaxed);
                target.insert("probes", json!({"asked": asked, "well": well}));
            }
            if let Some(left) = state.cooling(now) {
                target.insert("cooling_ms", hint::millis(left));
            }
            for (member, stream) in [("p95_ttft_ms", true), ("p95_ms", false)] {
                if let Some(p95) = state.p95(stream) {
                    target.insert(member, hint::millis(p95));
                }
            }
            target
        })
    }

    /// Counters so far, in Prometheus' text format.
    #[must_use]
    pub fn metrics_prometheus(&self) -> Vec<u8> {
        let mut text = String::from(
            "# HELP liter_llm_in_flight Calls in flight.\n# TYPE liter_llm_in_flight gauge\n",
        );
        // Writing into a String cannot fail.
        let _ = writeln!(text, "liter_llm_in_flight {}", self.in_flight());
        text.push_str(
            "# HELP liter_llm_calls_total Ended calls.\n# TYPE liter_llm_calls_total counter\n",
        );
        for (settings, counters) in self.inner.config.providers.iter().zip(&self.inner.counters) {
            let calls = counters.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            let name = label(&settings.name);
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
        self.write_targets(&mut text);
        text.into_bytes()
    }

    /// The same of each target as in JSON, but its times.
    fn write_targets(&self, text: &mut String) {
        let now = Instant::now();
        let targets = self.inner.table.targets();
        for Series { name, kind, help, of } in SERIES {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (provider, model, state) in &targets {
                let provider = label(&self.inner.config.providers[*provider].name);
                let target = format!("target=\"{provider}/{}\"", label(model));
                let _ = writeln!(text, "{name}{{{target}}} {}", of(state));
            }
        }
        let name = "liter_llm_target_breaker";
        let _ = writeln!(text, "# HELP {name} 1 for the state that it is in.\n# TYPE {name} gauge");
        for (provider, model, state) in &targets {
            let provider = label(&self.inner.config.providers[*provider].name);
            let target = format!("target=\"{provider}/{}\"", label(model));
            for each in [State::Closed, State::Open, State::HalfOpen] {
                let is = u8::from(state.breaker(now) == each);
                let _ = writeln!(text, "{name}{{{target},state=\"{}\"}} {is}", each.name());
            }
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
        of: |state| state.attempts.load(Ordering::Relaxed),
    },
    Series {
        name: "liter_llm_target_failures_total",
        kind: "counter",
        help: "Attempts that failed.",
        of: |state| state.failures.load(Ordering::Relaxed),
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
