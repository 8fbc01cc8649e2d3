//! Log records: one JSON object for each call that ended, for each attempt, and for what a call met
//! between them. `docs/logs.md` lists events and members.
//!
//! A record holds no prompt, no answer, no key and no text of a provider. The one exception are the
//! records of the event `content`, at `debug`, where `LITER_LLM_LOG_BODIES=1` asks for them.

mod level;
mod record;
#[cfg(test)]
mod tests;

pub use level::Level;

use record::{Record, code, reason};

use super::{
    AttemptEnd, AttemptFacts, CallFacts, CallOutcome, Met, Notice, Observer, ServiceNotice, millis,
};
use crate::error::{Attempt, ErrorKind};
use crate::model::CacheTier;
use crate::wire::retry_after;

/// Takes records. It is called on the threads of calls, so it must not wait.
pub trait Sink: Send + Sync {
    /// Whether anybody wants records of this level.
    fn wants(&self, level: Level) -> bool;

    /// Takes a record: one JSON object, without a line feed.
    fn take(&self, level: Level, record: Vec<u8>);
}

/// An observer that makes records and gives them to a sink.
pub struct Log<S>(pub S);

/// The record that stands for `count` records which were dropped, because nobody read them.
#[must_use]
pub fn dropped(count: u64) -> Vec<u8> {
    let message = format!("{count} log records were dropped, because they were not read in time");
    Record::new(Level::Warn, "dropped").with("records", count).with("message", message).finish()
}

impl<S: Sink> Log<S> {
    fn emit(&self, level: Level, record: impl FnOnce() -> Record) {
        if self.0.wants(level) {
            self.0.take(level, record().finish());
        }
    }
}

impl<S: Sink> Observer for Log<S> {
    fn attempt_ended(&self, call: &CallFacts, attempt: &AttemptFacts<'_>, end: &AttemptEnd) {
        self.emit(Level::Debug, || {
            Record::of(Level::Debug, "attempt", call)
                .target(&attempt.target.provider, &attempt.target.model)
                .maybe("route", call.route.as_deref())
                .with("outcome", end.failed.map_or("ok", ErrorKind::name))
                .maybe("status", end.status.map(u32::from))
                .with("latency_ms", millis(end.at.saturating_duration_since(attempt.began)))
                .with("attempts", attempt.number + 1)
                .with("stream", call.stream)
                .maybe("message", attempt.hedge.then_some("a hedge, beside another attempt"))
        });
    }

    fn noticed(&self, call: &CallFacts, notice: &Notice<'_>) {
        self.emit(Level::Warn, || noticed(call, notice));
    }

    fn service(&self, notice: &ServiceNotice<'_>) {
        let level = match notice.failed {
            None => Level::Info,
            Some(false) => Level::Warn,
            Some(true) => Level::Error,
        };
        self.emit(level, || Record::new(level, notice.service).with("message", notice.message));
    }

    fn content(&self, call: &CallFacts, what: &'static str, text: &str) {
        self.emit(Level::Debug, || {
            Record::of(Level::Debug, "content", call)
                .maybe("provider", call.provider.as_deref())
                .maybe("route", call.route.as_deref())
                .with(what, record::shortened(text).into_owned())
        });
    }

    fn call_ended(&self, call: &CallFacts, outcomes: &[CallOutcome<'_>]) {
        for outcome in outcomes {
            let level = match outcome.failed.map(|failed| failed.kind) {
                None | Some(ErrorKind::Cancelled) => Level::Info,
                Some(_) => Level::Error,
            };
            self.emit(level, || ended(level, call, outcome));
        }
    }
}

fn ended(level: Level, call: &CallFacts, outcome: &CallOutcome<'_>) -> Record {
    let attempts = outcome.attempts;
    let status = outcome.status.or_else(|| attempts.last().and_then(|last| last.status));
    let usage = outcome.usage;
    let cached = usage.and_then(|usage| usage.prompt_tokens_details.as_ref()?.cached_tokens);
    // The number of bytes is unknown where the request was not even read.
    let bytes = Some(call.request_bytes).filter(|bytes| *bytes > 0);
    let record = match outcome.request_id {
        Some(id) => Record::new(level, "call").with("request_id", id),
        None => Record::of(level, "call", call),
    };
    record
        .maybe("provider", outcome.provider.or(call.provider.as_deref()))
        .maybe("model", outcome.model.map(|model| record::name(model).into_owned()))
        .maybe("route", call.route.as_deref())
        .with("outcome", outcome.failed.map_or("ok", |failed| failed.kind.name()))
        .maybe("status", status.map(u32::from))
        .maybe("code", outcome.failed.and_then(|failed| code(failed.code?)))
        .with("latency_ms", outcome.total_ms.unwrap_or_else(|| millis(call.began.elapsed())))
        .maybe("ttft_ms", outcome.ttft_ms)
        .maybe("queue_ms", outcome.queue_ms)
        .with("attempts", attempts.len())
        .maybe("tokens_in", usage.and_then(|usage| usage.prompt_tokens))
        .maybe("tokens_out", usage.and_then(|usage| usage.completion_tokens))
        .maybe("tokens_cached", cached)
        .maybe("cost_usd", outcome.cost.and_then(|cost| Some(cost.usd?.to_string())))
        .maybe("cache", outcome.cache.map(CacheTier::name))
        .maybe("prompt_bytes", bytes)
        .with("stream", call.stream)
        .trace(call)
        .maybe("message", (level == Level::Error || attempts.len() > 1).then(|| tried(attempts)))
}

/// What was tried, in order: `openai/gpt-4.1-mini 503, anthropic/claude-haiku-4-5 200`.
fn tried(attempts: &[Attempt]) -> String {
    let one = |attempt: &Attempt| {
        let target = record::name(&attempt.target);
        match (attempt.status, attempt.kind) {
            (Some(status), _) => format!("{target} {status}"),
            (None, kind) => format!("{target} {}", kind.map_or("ok", ErrorKind::name)),
        }
    };
    match attempts {
        [] => "no request was sent".to_owned(),
        several => several.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn noticed(call: &CallFacts, notice: &Notice<'_>) -> Record {
    let Notice { target, met, reason: why, how_long, .. } = *notice;
    let ms = how_long.map(retry_after::millis);
    let (event, waits, message) = match met {
        Met::Retry => {
            let wait = ms.map_or("at once".to_owned(), |ms| format!("in {ms} ms"));
            ("retry", true, format!("asks the same target again {wait}{}", reason(why)))
        }
        Met::Fallback(to) => {
            let to = record::name(&format!("{}/{}", to.provider, to.model)).into_owned();
            ("fallback", false, format!("goes on to {to}{}", reason(why)))
        }
        Met::Limit(what) => {
            let wait = ms.map(|ms| format!(", for about {ms} ms")).unwrap_or_default();
            ("limit", true, format!("waits for room under a limit: {what}{wait}"))
        }
        Met::BreakerOpened { key } => {
            let whose = if key { "the provider's key" } else { "the target" };
            let time = ms.map(|ms| format!(" for {ms} ms")).unwrap_or_default();
            ("breaker", false, format!("{whose} is passed over{time}{}", reason(why)))
        }
        Met::BreakerClosed { key } => {
            let whose = if key { "the provider's key" } else { "the target" };
            ("breaker", false, format!("{whose} works again and is asked as before"))
        }
    };
    Record::of(Level::Warn, event, call)
        .target(&target.provider, &target.model)
        .maybe("route", call.route.as_deref())
        .maybe("outcome", why.map(|why| why.kind.name()))
        .maybe("status", why.and_then(|why| why.status.map(u32::from)))
        .maybe("code", why.and_then(|why| code(why.code.as_deref()?)))
        .maybe("queue_ms", ms.filter(|_| waits))
        .with("message", message)
}
