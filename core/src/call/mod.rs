//! A call while it runs: the request, its targets, its deadline, and what it has tried.
//!
//! The call itself is data. `targets` picks the next target, `attempt` makes one attempt at it,
//! `refusal` repeats it without what its provider refused, `retry` continues after a failure, and
//! `hedge` runs a second attempt beside a slow one. `fanout` asks several targets at once. `split`
//! asks about a long list of inputs in parts, and `pages` for a list in pages. `cached` and `shared`
//! answer from the cache, or from a call that several callers share. `stream` is a streamed answer
//! after its first content. `settle` ends an attempt. `budget` reserves what an attempt may cost, and
//! `reserved` gives it back. `priced` says what an answer cost, and `respond` makes the document.
//! `trace` has what a span of the call needs.

mod asked;
mod attempt;
mod beyond;
mod budget;
pub(crate) mod cached;
pub(crate) mod chat_stream;
mod clock;
mod content;
mod extra;
pub(crate) mod fanout;
mod flight;
pub(crate) mod hedge;
mod ledger;
mod notices;
mod origin;
pub(crate) mod outcome;
pub(crate) mod pages;
pub(crate) mod passthrough;
mod place;
pub(crate) mod plan;
mod prepare;
mod priced;
mod probe;
pub(crate) mod purge;
mod question;
mod race;
mod redact;
mod refusal;
mod reserved;
pub(crate) mod respond;
mod retry;
mod served;
mod settle;
pub(crate) mod shared;
pub(crate) mod spending;
pub(crate) mod split;
pub(crate) mod stream;
mod targets;
mod trace;
pub(crate) mod wanted;

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Attempt, AttemptTrace, Done, Error, Partial};
use crate::http::{Deadline, Timeouts};
use crate::limit::Held;
use crate::model::{CacheMode, Hedge, Options, Routed, TraceHeaders, Warning, near};
use crate::observe::CallFacts;
use crate::operation::{Answer, Operation};
use crate::retry::RetryPolicy;
use crate::services::Services;
use crate::target::{Choice, ChosenTarget, choose};
use ledger::Ledger;

/// How long a call outlasts its only target's outage if nobody has given the call a time.
const PATIENCE: Duration = Duration::from_secs(15);

/// A call that knows its targets.
pub(crate) struct Call {
    pub(crate) operation: Arc<Operation>,
    pub(crate) options: Arc<Options>,
    /// The targets, the preferred one first. Never empty.
    targets: Vec<ChosenTarget>,
    retry: RetryPolicy,
    hedge: Option<Hedge>,
    /// Whether the call waits for limits.
    wait: bool,
    ledger: Ledger,
    /// The attempts at the other targets of a fan-out, if this call has won it.
    others: Vec<Attempt>,
    /// The times of these, if somebody asks for the trace.
    others_times: Vec<AttemptTrace>,
    /// The trace context that goes to providers.
    trace_headers: TraceHeaders,
    /// When the call's time is up.
    deadline: Instant,
    /// Until when the call outlasts the outage of its only target. `None`: it has others, or its
    /// number of attempts was named.
    patience: Option<Instant>,
    warnings: Vec<Warning>,
    /// Why its targets were chosen, if a route chose them by cost or by quality.
    routed: Option<Box<Routed>>,
    /// The idempotency key, the same for every attempt.
    idempotency: OnceLock<String>,
    /// What targets refused, each by its index, with the member that later attempts leave out.
    refused: Mutex<Vec<(usize, String)>>,
    /// The target that answered, and how many of the answer's first warnings are about the request.
    /// Set for a cache alone.
    served: OnceLock<(usize, usize)>,
    /// The room that the answer takes. It is held as long as the call: the answer may wait for others.
    held: OnceLock<Held>,
    /// The parts of the request, if it goes out in parts.
    parts: Mutex<Vec<Arc<Part>>>,
}

/// A part of a request that goes out in parts (`split`): a range of its inputs, and a call about them.
/// Or a page of a list (`pages`), which has no range.
struct Part {
    range: Option<Range<usize>>,
    call: Call,
    /// Set when the part is done.
    answer: OnceLock<Answer>,
}

impl Call {
    /// Makes a call and finds its targets. `to` is one target of a fan-out. The request document has
    /// `request_bytes`.
    pub(crate) fn new(
        services: &Services,
        operation: Arc<Operation>,
        options: Arc<Options>,
        to: Option<&str>,
        request_bytes: usize,
    ) -> Result<Call, Error> {
        let config = &services.config;
        let Choice { targets, route, retry, hedge, mut warnings, routed } = choose(
            config,
            &services.table,
            operation.model(),
            operation.wants_model(),
            &options,
            to,
            &|| operation.traits(request_bytes),
        )?;
        extra::check(services, &operation, &targets)?;
        let settings = services.settings(&targets[0]);
        let (name, provider) = (operation.name(), Some(&settings.name));
        let (trace_headers, wrong) = options.trace_headers();
        warnings.extend(wrong);
        let parent = trace_headers.first().and_then(|(_, parent)| parent.to_str().ok());
        let facts = CallFacts {
            route,
            traceparent: parent.map(Arc::from),
            request_bytes,
            target: Some(Arc::clone(&targets[0].state)),
            ..CallFacts::new(services.process, name, provider, operation.streams())
        };
        let total = options.timeout_ms.map_or(settings.http.timeouts.total, Duration::from_millis);
        let chat = matches!(*operation, Operation::Chat(_) | Operation::CountTokens(_));
        let unknowns = operation.unknown().iter().enumerate();
        warnings.extend(unknowns.map(|(i, path)| unknown(path, chat && i < ADVISED)));
        let retry = options.retry.unwrap_or_default().or(retry.unwrap_or_default());
        let retry = retry.or(config.retry).policy();
        let deadline = Deadline::after(facts.began, total);
        let timed = options.timeout_ms.is_some() || total != Timeouts::default().total;
        let patience = if timed { deadline } else { facts.began + PATIENCE };
        let alone = targets.len() == 1 && to.is_none();
        uncached(services, &options, to.is_some(), &mut warnings)?;
        let traced = options.telemetry == Some(true);
        services.table.offered(targets[0].provider);
        Ok(Call {
            retry,
            hedge: options.hedge.or(hedge).or(config.hedge),
            wait: options.wait.unwrap_or(config.wait),
            others: Vec::new(),
            others_times: Vec::new(),
            trace_headers,
            deadline,
            patience: (alone && retry.outlasts).then_some(patience),
            ledger: Ledger::new(Arc::new(facts), Arc::clone(&services.observers), traced),
            idempotency: OnceLock::new(),
            refused: Mutex::default(),
            served: OnceLock::new(),
            held: OnceLock::new(),
            parts: Mutex::default(),
            operation,
            options,
            targets,
            warnings,
            routed,
        })
    }

    /// The facts that observers get about the call.
    pub(crate) fn facts(&self) -> &Arc<CallFacts> {
        &self.ledger.facts
    }

    fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// How the call uses the cache.
    fn mode(&self) -> CacheMode {
        self.options.cache.unwrap_or_default().mode.unwrap_or_default()
    }

    /// Whether a target has refused a member, which it was then not sent.
    fn has_refused(&self, target: usize) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().any(|(by, _)| *by == target)
    }

    /// All attempts so far, those of its parts in the order of the parts.
    fn attempts(&self) -> Vec<Attempt> {
        let mut attempts = self.ledger.attempts();
        for part in self.parts() {
            attempts.extend(part.call.attempts());
        }
        attempts.extend_from_slice(&self.others);
        attempts
    }

    /// The parts that were made so far.
    fn parts(&self) -> Vec<Arc<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What had come of the parts, if there are any.
    fn partial(&self) -> Option<Partial> {
        let parts = self.parts();
        let mut ranges =
            parts.iter().filter_map(|part| Some((part, part.range.as_ref()?))).peekable();
        ranges.peek()?;
        let done = ranges.filter(|(part, _)| part.answer.get().is_some());
        let inputs = done.map(|(_, range)| Done { from: range.start, to: range.end }).collect();
        Some(Partial { inputs, ..Partial::default() })
    }

    /// Adds the target to an error.
    fn place(&self, error: Error, index: usize) -> Error {
        let chosen = &self.targets[index];
        error.with(|e| {
            e.provider.get_or_insert_with(|| chosen.target().provider.to_string());
            e.model.get_or_insert_with(|| chosen.target().model.to_string());
        })
    }

    /// Adds to an error what every error of this call has.
    pub(crate) fn failed(&self, error: Error) -> Error {
        let partial = self.partial();
        self.place(error, 0).with(|e| {
            e.attempts = self.attempts();
            e.partial = e.partial.take().or(partial);
        })
    }
}

/// Looks at `options.cache` of a call that no cache serves: a fan-out, or a client without one.
fn uncached(
    services: &Services,
    options: &Options,
    fanout: bool,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    let Some(cache) = options.cache else { return Ok(()) };
    if fanout && cache.wants() {
        let message = "options.cache: the answers of a fan-out are not stored: leave one of the \
                       two out";
        return Err(Error::invalid("options.cache", message));
    }
    // Where nothing can be stored, `only` fails as it does where nothing is.
    if services.cache.is_none() && cache.wants() && cache.mode != Some(CacheMode::Only) {
        warnings.push(Warning {
            code: "no_cache",
            message: "options.cache: this client has no cache: give its configuration one, such \
                      as {\"cache\": {}}"
                .to_owned(),
            param: Some("options.cache".to_owned()),
        });
    }
    Ok(())
}

/// How many unknown members are told with what may be meant: a comparison with each name costs more
/// than all else of a member.
const ADVISED: usize = 8;

/// A member that nobody knows. Only of a chat do we know what else may be meant.
fn unknown(path: &String, chat: bool) -> Warning {
    let advice = chat
        .then(|| near::chat_member(path))
        .flatten()
        .unwrap_or_else(|| "; members for one provider go under extra.<provider>".to_owned());
    Warning {
        code: "unknown_parameter",
        message: format!("{path} is not a member of a request and was not sent{advice}"),
        param: Some(path.clone()),
    }
}
