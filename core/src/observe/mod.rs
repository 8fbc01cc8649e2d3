//! An observer hears how calls go. It gets seven events, each with ids, targets, times, kinds and
//! counts. None of them has a text of the caller or of an answer. An eighth has such texts, and
//! comes only where `LITER_LLM_LOG_BODIES=1` asks for it.
//!
//! `admission` reports that a call began and ended, and the call's ledger reports its attempts and
//! what the call meets between them. `services` reports what Redis does, beside the calls. Nothing
//! else reports or counts anything. An observer runs on
//! the thread of the call, so it must be quick and must not wait.

mod cached;
mod id;
pub mod log;
pub(crate) mod metrics;
mod notice;

pub use cached::{CacheResult, CacheSize};
pub use id::CallId;
pub use notice::{Met, Notice, Reason, ServiceNotice};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Attempt, Error, ErrorKind};
use crate::model::{CacheTier, Cost, HttpAnswer, Liter, Response, Usage};
use crate::operation::Answer;
use crate::provider::Target;
use crate::target::{Tally, TargetState};

/// Hears of every call of a client. It implements only the events that it needs.
pub trait Observer: Send + Sync {
    /// A call has its place and its targets. Or it has failed before that, and ends next.
    fn call_began(&self, call: &CallFacts) {
        let _ = call;
    }

    /// A request goes to a target.
    fn attempt_began(&self, call: &CallFacts, attempt: &AttemptFacts<'_>) {
        let _ = (call, attempt);
    }

    /// An attempt is over.
    fn attempt_ended(&self, call: &CallFacts, attempt: &AttemptFacts<'_>, end: &AttemptEnd) {
        let _ = (call, attempt, end);
    }

    /// The first content of an attempt has come: the first delta of a stream, otherwise the whole
    /// answer.
    fn first_content(&self, call: &CallFacts, attempt: &AttemptFacts<'_>, at: Instant) {
        let _ = (call, attempt, at);
    }

    /// A call waits, goes to another target, or has turned a breaker.
    fn noticed(&self, call: &CallFacts, notice: &Notice<'_>) {
        let _ = (call, notice);
    }

    /// The cache was asked for a call's answer.
    fn cached(&self, call: &CallFacts, result: CacheResult) {
        let _ = (call, result);
    }

    /// What a call asks, or what came of it, as a JSON document without keys. `what` is `request`
    /// or `answer`.
    fn content(&self, call: &CallFacts, what: &'static str, text: &str) {
        let _ = (call, what, text);
    }

    /// A server beside the providers, such as Redis, is away or back. It belongs to no call.
    fn service(&self, notice: &ServiceNotice<'_>) {
        let _ = notice;
    }

    /// A call is over. `outcomes` has one entry, or one for each target of a fan-out.
    fn call_ended(&self, call: &CallFacts, outcomes: &[CallOutcome<'_>]) {
        let _ = (call, outcomes);
    }
}

/// What is known of a call once it has begun.
#[derive(Clone, Debug)]
pub struct CallFacts {
    /// A number that differs for each call of a process.
    pub number: u64,
    /// The id that its answer has as `liter.request_id`.
    pub id: CallId,
    /// `chat`, `http`, …; "" if the request could not be read.
    pub operation: &'static str,
    /// The provider of the call's first target.
    pub provider: Option<Arc<str>>,
    /// The route that the request names.
    pub route: Option<Arc<str>>,
    /// The length of the request document, in bytes.
    pub request_bytes: usize,
    /// Whether the answer is wanted as a stream.
    pub stream: bool,
    /// When the call began.
    pub began: Instant,
    /// The `traceparent` that goes to providers.
    pub traceparent: Option<Arc<str>>,
    /// The call's first target.
    pub(crate) target: Option<Arc<TargetState>>,
}

impl CallFacts {
    /// The facts of a call that begins now, in the process with this id. A request that could not
    /// be read has the operation "".
    pub(crate) fn new(
        process: u32,
        operation: &'static str,
        provider: Option<&Arc<str>>,
        stream: bool,
    ) -> Self {
        CallFacts {
            number: next_number(),
            id: CallId::new(process),
            operation,
            provider: provider.map(Arc::clone),
            route: None,
            request_bytes: 0,
            stream,
            began: Instant::now(),
            traceparent: None,
            target: None,
        }
    }
}

/// Returns a call number that is unique in this process.
fn next_number() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// What is known of an attempt once it has begun.
pub struct AttemptFacts<'a> {
    /// The attempt's index among the attempts of its call, from 0.
    pub number: usize,
    /// The target of the attempt.
    pub target: &'a Target,
    /// Whether the attempt runs beside another one.
    pub hedge: bool,
    /// When the attempt began.
    pub began: Instant,
    pub(crate) tally: &'a Tally,
}

/// A duration in milliseconds, as documents have it. Microseconds are fine enough for a reader.
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub struct AttemptEnd {
    /// When the attempt ended.
    pub at: Instant,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The kind of its error. `None` means that it was answered.
    pub failed: Option<ErrorKind>,
}

/// How a call ended, at one target.
#[derive(Clone, Debug, Default)]
pub struct CallOutcome<'a> {
    /// The provider that answered or failed.
    pub provider: Option<&'a str>,
    /// The model, as the provider names it.
    pub model: Option<&'a str>,
    /// The engine's id of the answer.
    pub request_id: Option<&'a str>,
    /// The provider's id of the request.
    pub provider_request_id: Option<&'a str>,
    /// The HTTP status of an answer that was passed through, or of a failure.
    pub status: Option<u16>,
    /// The usage that the provider reports.
    pub usage: Option<&'a Usage>,
    /// Milliseconds from begin to end, if an answer came.
    pub total_ms: Option<f64>,
    /// Milliseconds from begin to a stream's first content.
    pub ttft_ms: Option<f64>,
    /// Milliseconds from begin to the first attempt, if an answer came.
    pub queue_ms: Option<f64>,
    /// The requests that were sent, or that the call tried to send.
    pub attempts: &'a [Attempt],
    /// What the answer cost.
    pub cost: Option<&'a Cost>,
    /// Where the answer came from, if no provider was asked for it.
    pub cache: Option<CacheTier>,
    /// The failure. `None` means that the call was answered.
    pub failed: Option<FailedCall<'a>>,
}

/// How a call failed.
#[derive(Clone, Copy, Debug)]
pub struct FailedCall<'a> {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The provider's code.
    pub code: Option<&'a str>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

impl<'a> From<&'a Error> for CallOutcome<'a> {
    fn from(error: &'a Error) -> Self {
        CallOutcome {
            provider: error.provider.as_deref(),
            model: error.model.as_deref(),
            provider_request_id: error.request_id.as_deref(),
            status: error.status,
            attempts: &error.attempts,
            failed: Some(FailedCall {
                kind: error.kind(),
                code: error.code.as_deref(),
                retryable: error.retryable,
            }),
            ..CallOutcome::default()
        }
    }
}

impl<'a> From<&'a Answer> for CallOutcome<'a> {
    fn from(answer: &'a Answer) -> Self {
        let outcome = CallOutcome {
            provider: Some(answer.provider()),
            model: answer.model(),
            usage: answer.usage(),
            ..CallOutcome::default()
        };
        outcome.with(answer.liter())
    }
}

impl<'a> From<&'a Response> for CallOutcome<'a> {
    fn from(response: &'a Response) -> Self {
        let outcome = CallOutcome {
            provider: Some(&response.provider),
            model: response.model.as_deref(),
            usage: response.usage.as_ref(),
            ..CallOutcome::default()
        };
        outcome.with(&response.liter)
    }
}

impl<'a> From<&'a HttpAnswer> for CallOutcome<'a> {
    fn from(answer: &'a HttpAnswer) -> Self {
        let outcome = CallOutcome {
            provider: Some(&answer.provider),
            status: Some(answer.status),
            ..CallOutcome::default()
        };
        outcome.with(&answer.liter)
    }
}

impl<'a> CallOutcome<'a> {
    fn with(self, liter: &'a Liter) -> Self {
        CallOutcome {
            request_id: Some(&liter.request_id),
            provider_request_id: liter.provider_request_id.as_deref(),
            total_ms: Some(liter.timing.total_ms),
            ttft_ms: liter.timing.ttft_ms,
            queue_ms: Some(liter.timing.queue_ms),
            attempts: &liter.attempts,
            cost: liter.cost.as_deref(),
            cache: liter.cache.as_ref().map(|cached| cached.tier),
            ..self
        }
    }
}

/// The observers of a client's calls.
pub(crate) type Observers = Arc<[Arc<dyn Observer>]>;
