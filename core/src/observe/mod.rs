//! Observers: who wants to know how calls go. Five events, each with ids, targets, times, kinds and
//! counts, never a text of the caller's or of an answer.
//!
//! A call's begin and end are told by `admission`, those of its attempts by its ledger; nothing else
//! tells or counts anything. An observer runs on the thread of the call, so it must be quick and must
//! not wait.

pub(crate) mod metrics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::error::{Attempt, Error, ErrorKind};
use crate::model::{HttpAnswer, Liter, Response, Usage};
use crate::operation::Answer;
use crate::provider::Target;
use crate::target::Tally;

/// Hears of every call of a client. What it does not care for it leaves out.
pub trait Observer: Send + Sync {
    /// A call has its place and knows where it goes; or it has failed before that, and ends next.
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

    /// The first content of an attempt has come: of a stream its first delta, else the whole answer.
    fn first_content(&self, call: &CallFacts, attempt: &AttemptFacts<'_>, at: Instant) {
        let _ = (call, attempt, at);
    }

    /// A call is over. `outcomes`: one, but of a fan-out one for each target.
    fn call_ended(&self, call: &CallFacts, outcomes: &[CallOutcome<'_>]) {
        let _ = (call, outcomes);
    }
}

/// What is known of a call from its begin on.
#[derive(Clone, Debug)]
pub struct CallFacts {
    /// Tells the calls of a process apart.
    pub number: u64,
    /// `chat`, `http`, …; "" where the request could not be read.
    pub operation: &'static str,
    /// The provider that it is meant for first.
    pub provider: Option<Arc<str>>,
    /// Whether the answer is wanted as it arrives.
    pub stream: bool,
    /// When it began.
    pub began: Instant,
}

impl CallFacts {
    /// Of a call whose request could not be read.
    pub(crate) fn unread() -> Self {
        let began = Instant::now();
        CallFacts { number: next_number(), operation: "", provider: None, stream: false, began }
    }
}

/// A number for a call that no other of this process has.
pub(crate) fn next_number() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// What is known of an attempt from its begin on.
pub struct AttemptFacts<'a> {
    /// Its place among the attempts of its call, from 0.
    pub number: usize,
    /// Where it goes.
    pub target: &'a Target,
    /// It runs beside another one.
    pub hedge: bool,
    /// When it began.
    pub began: Instant,
    pub(crate) tally: &'a Tally,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub struct AttemptEnd {
    /// When.
    pub at: Instant,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// How it failed; `None`: it was answered.
    pub failed: Option<ErrorKind>,
}

/// How a call ended, at one target.
#[derive(Clone, Debug, Default)]
pub struct CallOutcome<'a> {
    /// Who answered, or failed.
    pub provider: Option<&'a str>,
    /// The model, as the provider names it.
    pub model: Option<&'a str>,
    /// Our id of the answer.
    pub request_id: Option<&'a str>,
    /// The provider's id of the request.
    pub provider_request_id: Option<&'a str>,
    /// The HTTP status of what was passed through, or of a failure.
    pub status: Option<u16>,
    /// What the provider says was used.
    pub usage: Option<&'a Usage>,
    /// Milliseconds from begin to end, where an answer came.
    pub total_ms: Option<f64>,
    /// Every request that was sent, or tried to be sent.
    pub attempts: &'a [Attempt],
    /// How it failed; `None`: it was answered.
    pub failed: Option<FailedCall<'a>>,
}

/// How a call failed.
#[derive(Clone, Copy, Debug)]
pub struct FailedCall<'a> {
    /// What kind of failure.
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
            attempts: &liter.attempts,
            ..self
        }
    }
}

/// All who hear of a client's calls.
pub(crate) type Observers = Arc<[Arc<dyn Observer>]>;
