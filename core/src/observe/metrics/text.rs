//! Prometheus' text format, 0.0.4.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use crate::model::Usd;
use crate::target::{BOUNDS, Histogram, Series, read};

/// A text that is being written. Writing into a String cannot fail.
#[derive(Default)]
pub(super) struct Text(pub(super) String);

impl Text {
    /// Begins a family of series.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family { text: &mut self.0, name }
    }
}

/// The series of one name.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Family<'_> {
    /// Writes one series.
    pub(super) fn put(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.line("", labels, value);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (at, (name, value)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{name}=\"{}\"", label(value));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }

    fn histogram(&mut self, labels: [(&str, &str); 2], histogram: &Histogram) {
        let (counts, micros) = histogram.totals();
        let [first, second] = labels;
        for (bound, count) in BOUNDS.iter().chain(&["+Inf"]).zip(counts) {
            self.line("_bucket", &[first, second, ("le", bound)], count);
        }
        let seconds = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        self.line("_sum", &labels, seconds);
        self.line("_count", &labels, counts[BOUNDS.len()]);
    }
}

/// Writes what the calls to each model came to.
pub(super) fn models(text: &mut Text, all: &[Arc<Series>]) {
    let mut requests = text.family("liter_llm_requests_total", "counter", "Ended calls.");
    for series in all {
        let [provider, model] = labels(series);
        for (operation, calls) in series.calls.all() {
            let ended = read(&calls.ended);
            requests.put(&[provider, model, ("operation", operation)], ended);
        }
    }
    let mut errors = text.family("liter_llm_errors_total", "counter", "Ended calls that failed.");
    for series in all {
        let [provider, model] = labels(series);
        for (operation, calls) in series.calls.all() {
            for (kind, count) in calls.errors() {
                let kind = ("kind", kind.name());
                errors.put(&[provider, model, ("operation", operation), kind], count);
            }
        }
    }
    for (name, help, of) in HISTOGRAMS {
        let mut family = text.family(name, "histogram", help);
        all.iter().for_each(|series| family.histogram(labels(series), of(series)));
    }
    let mut tokens = text.family("liter_llm_tokens_total", "counter", "Tokens of answers.");
    for series in all {
        let [provider, model] = labels(series);
        for (kind, count) in series.tokens() {
            tokens.put(&[provider, model, ("type", kind)], count);
        }
    }
    let mut cost = text.family("liter_llm_cost_usd_total", "counter", "What answers cost, in USD.");
    for series in all {
        cost.put(&labels(series), Usd(read(&series.cost).into()));
    }
    for (name, help, of) in COSTS {
        let mut family = text.family(name, "counter", help);
        all.iter().for_each(|series| family.put(&labels(series), of(series)));
    }
}

fn labels(series: &Series) -> [(&'static str, &str); 2] {
    [("provider", &series.provider), ("model", &series.model)]
}

type OfHistogram = (&'static str, &'static str, fn(&Series) -> &Histogram);

const HISTOGRAMS: [OfHistogram; 3] = [
    ("liter_llm_latency_seconds", "How long calls took that asked a provider.", |series| {
        &series.latency
    }),
    (
        "liter_llm_time_to_first_token_seconds",
        "How long streams took to their first content.",
        |series| &series.first_content,
    ),
    ("liter_llm_queue_seconds", "How long calls waited before their first request.", |series| {
        &series.queue
    }),
];

type OfCount = (&'static str, &'static str, fn(&Series) -> u64);

const COSTS: [OfCount; 2] = [
    ("liter_llm_unpriced_total", "Answers whose cost is not known.", |series| {
        read(&series.unpriced)
    }),
    (
        "liter_llm_cost_mismatch_total",
        "Answers whose provider charges over 1 % more or less than the price table says.",
        |series| read(&series.mismatch),
    ),
];

/// A label's value.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
