//! `op: "http"` passes a request of the caller through unchanged, and returns its answer unchanged.
//!
//! It serves the transports that put this engine under a provider's own SDK. The engine decides how
//! bytes travel: connections, timers, back-pressure, cancelling. The caller decides the content.
//! The engine adds no key, judges no status, decodes nothing and retries nothing. The state of
//! targets plays no part. Only the provider's own configured limits apply.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::http::{HeaderMap, Request};
use bytes::Bytes;
use http_body_util::Full;
use tokio::time::Instant;

use super::ledger::shortened;
use super::origin::provider;
use super::{notices, trace};
use crate::admission::Admission;
use crate::config::ProviderConfig;
use crate::error::{Attempt, AttemptTrace, Error, ErrorKind, Trace};
use crate::http::{Again, Body, Deadline, Passing, Received};
use crate::limit::{self, Held};
use crate::model::{
    CacheOptions, HttpAnswer, HttpCall, HttpEvent, Liter, OnBreak, Options, RetryOverlay, Timing,
    TraceHeaders, Unsupported,
};
use crate::observe::{CallFacts, CallOutcome, millis};
use crate::retry::MIN_ATTEMPT;
use crate::services::Services;
use crate::target::ProviderPlace;
use crate::wire::headers::{self, located};

/// A request that is passed through, and its provider.
struct Passage {
    services: Arc<Services>,
    facts: Arc<CallFacts>,
    provider: usize,
    deadline: Deadline,
    idle_ms: Option<u64>,
    /// Whether the request waits for the provider's limits.
    wait: bool,
    /// The request's place under these limits.
    place: Option<Box<ProviderPlace>>,
    began: Option<Instant>,
    /// Whether the request went out on a connection.
    sent: AtomicBool,
    /// Whether a connection took the request with it, so that it went out once more.
    lost: AtomicBool,
    ttft_ms: Option<f64>,
    /// The room that the answer takes.
    held: Held,
    /// Whether somebody asks for the trace.
    traced: bool,
    trace_headers: TraceHeaders,
}

/// An answer that is passed through as it arrives.
pub struct HttpStream {
    passage: Passage,
    admission: Admission,
    status: u16,
    headers: HeaderMap,
    body: Option<Body>,
    head_given: bool,
}

/// One step of a stream that is passed through.
#[derive(Debug)]
pub enum HttpStep {
    /// The head, or bytes of the body.
    Event(HttpEvent),
    /// The body's proper end.
    Done(Box<HttpAnswer>),
}

/// Passes a request through and waits for the whole answer.
pub(crate) async fn answer(
    services: &Arc<Services>,
    admission: &Admission,
    call: HttpCall,
    options: &Options,
) -> Result<HttpAnswer, Error> {
    let mut passage = Passage::begin(services, admission, &call, options)?;
    let work = async {
        let Received { status, headers, body } = passage.send(call).await?;
        let held = &mut passage.held;
        let body = body.collect(&passage.deadline, true, |bytes| held.hold(bytes)).await;
        let body = body.map_err(|e| located(e, status, &headers))?;
        Ok((status, headers, body))
    };
    let outcome = admission.run(Box::pin(work)).await;
    match outcome {
        Ok((status, headers, body)) => Ok(passage.respond(admission, status, headers, Some(body))),
        Err(error) => Err(admission.failed(passage.failed(error))),
    }
}

/// Passes a request through and waits for the answer's head.
pub(crate) async fn open(
    services: &Arc<Services>,
    admission: Admission,
    call: HttpCall,
    options: &Options,
) -> Result<HttpStream, Error> {
    let mut passage = Passage::begin(services, &admission, &call, options)?;
    let outcome = admission.run(Box::pin(passage.send(call))).await;
    match outcome {
        Ok(Received { status, headers, body }) => {
            let body = Some(body);
            Ok(HttpStream { passage, admission, status, headers, body, head_given: false })
        }
        Err(error) => Err(admission.failed(passage.failed(error))),
    }
}

impl HttpStream {
    /// Returns the next step: the head, bytes, or the end. Do not call it after the end or an
    /// error.
    pub async fn next(&mut self) -> Result<HttpStep, Error> {
        if !self.head_given {
            self.head_given = true;
            let (status, headers) = (self.status, self.headers.clone());
            return Ok(HttpStep::Event(HttpEvent::Head { status, headers }));
        }
        let Some(body) = &mut self.body else {
            return Err(Error::new(ErrorKind::Internal, "the stream was read past its end"));
        };
        let content = self.passage.ttft_ms.is_some();
        let outcome = self.admission.run(body.next(&self.passage.deadline, content)).await;
        match outcome {
            Ok(Some(bytes)) => {
                if !content {
                    self.passage.ttft_ms = Some(self.passage.elapsed_ms());
                }
                Ok(HttpStep::Event(HttpEvent::Data(bytes)))
            }
            Ok(None) => {
                self.body = None;
                self.passage.place = None;
                let headers = std::mem::take(&mut self.headers);
                let answer = self.passage.respond(&self.admission, self.status, headers, None);
                Ok(HttpStep::Done(Box::new(answer)))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Waits for `room`, which the reader makes by reading, until the call's time is up or the
    /// client is closed.
    pub async fn wait_for_reader(&mut self, room: impl Future<Output = ()>) -> Result<(), Error> {
        let outcome = self.admission.wait_for_reader(self.passage.deadline.total, room).await;
        outcome.map_err(|error| self.failed(error))
    }

    fn failed(&mut self, error: Error) -> Error {
        self.body = None;
        self.passage.place = None;
        self.admission.failed(self.passage.failed(located(error, self.status, &self.headers)))
    }
}

impl Passage {
    fn begin(
        services: &Arc<Services>,
        admission: &Admission,
        call: &HttpCall,
        options: &Options,
    ) -> Result<Passage, Error> {
        let passage = Passage::new(services, call, options);
        let passage = passage.map_err(|error| admission.failed(error))?;
        admission.began(&passage.facts);
        Ok(passage)
    }

    fn new(services: &Arc<Services>, call: &HttpCall, options: &Options) -> Result<Self, Error> {
        meaningless(options)?;
        let config = &services.config;
        let provider = provider(config, &call.url, options.provider.as_deref())?;
        let timeouts = &config.providers[provider].http.timeouts;
        let name = Some(&config.providers[provider].name);
        let facts = CallFacts {
            request_bytes: call.body.len(),
            ..CallFacts::new(services.process, "http", name, call.stream)
        };
        let start = facts.began;
        let total = options.timeout_ms.map_or(timeouts.total, Duration::from_millis);
        let total = Deadline::after(start, total);
        Ok(Passage {
            services: Arc::clone(services),
            facts: Arc::new(facts),
            provider,
            deadline: Deadline::verbatim(timeouts, start, start, total, options.idle_ms),
            idle_ms: options.idle_ms,
            wait: options.wait.unwrap_or(config.wait),
            place: None,
            began: None,
            sent: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            ttft_ms: None,
            held: Held::new(&services.room),
            traced: options.telemetry == Some(true),
            trace_headers: match config.providers[provider].trace_context {
                true => options.trace_headers().0,
                false => Vec::new(),
            },
        })
    }

    fn settings(&self) -> &ProviderConfig {
        &self.services.config.providers[self.provider]
    }

    async fn send(&mut self, call: HttpCall) -> Result<Received, Error> {
        let tokens = limit::estimate(call.body.len(), None);
        let Deadline { start, total, .. } = self.deadline;
        // The wait ends early, because a wait up to the deadline leaves no time for the request.
        let until = total.checked_sub(MIN_ATTEMPT).unwrap_or(total);
        self.place = {
            let table = &self.services.table;
            let place = pin!(table.enter_provider(self.provider, tokens, self.wait, until));
            let waits = || notices::waits_for_provider(&self.services, &self.facts, self.provider);
            notices::entered(place, waits).await.map_err(limit::Limited::error)?
        };
        // The attempt's timers begin when the attempt begins.
        let timeouts = &self.settings().http.timeouts;
        self.deadline = Deadline::verbatim(timeouts, start, Instant::now(), total, self.idle_ms);
        let mut request = Request::new(Full::new(call.body));
        *request.method_mut() = call.method;
        *request.uri_mut() = call.url;
        *request.headers_mut() = call.headers;
        for (name, value) in self.trace_headers.drain(..) {
            request.headers_mut().entry(name).or_insert(value);
        }
        self.began = Some(Instant::now());
        let sent = |passing| {
            self.sent.store(passing == Passing::Out, Ordering::Relaxed);
            self.lost.fetch_or(passing == Passing::Lost, Ordering::Relaxed);
        };
        let pool = &self.services.pools[self.provider].data;
        let kept = request.clone();
        let again = || -> Again<'_> { Box::pin(ready(Ok(kept))) };
        pool.forward(request, again, &self.deadline, sent).await
    }

    fn elapsed_ms(&self) -> f64 {
        millis(self.deadline.start.elapsed())
    }

    /// The target is the provider alone: which model is asked for is the caller's business.
    fn attempt(&self, status: Option<u16>, error: Option<&Error>) -> Option<Attempt> {
        let ms = u64::try_from(self.began?.elapsed().as_millis()).unwrap_or(u64::MAX);
        let refused = status.is_some_and(|status| !(200..300).contains(&status));
        let failed = error.is_some() && self.sent.load(Ordering::Relaxed) && !refused;
        let may_be_billed = failed || self.lost.load(Ordering::Relaxed);
        let target = self.settings().name.to_string();
        let (kind, message) =
            (error.map(Error::kind), error.map(|error| shortened(&error.message)));
        Some(Attempt { target, status, kind, message, ms, hedge: false, may_be_billed })
    }

    fn respond(
        &self,
        admission: &Admission,
        status: u16,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> HttpAnswer {
        let provider = self.settings().name.to_string();
        let began = self.began.unwrap_or(self.deadline.start);
        let liter = Liter {
            v: 1,
            request_id: self.facts.id.to_string(),
            provider_request_id: headers::request_id(&headers),
            attempts: self.attempt(Some(status), None).into_iter().collect(),
            timing: Timing {
                queue_ms: millis(began.duration_since(self.deadline.start)),
                ttft_ms: self.ttft_ms,
                total_ms: self.elapsed_ms(),
            },
            ratelimit: headers::rate_limits(&headers),
            trace: self.trace(),
            ..Liter::default()
        };
        let answer = HttpAnswer { status, headers, body, provider, liter };
        admission.ended(&[CallOutcome::from(&answer)]);
        answer
    }

    /// Adds to an error what every error of this call has.
    fn failed(&self, error: Error) -> Error {
        let attempt = self.attempt(error.status, Some(&error));
        error.with(|e| {
            e.provider.get_or_insert_with(|| self.settings().name.to_string());
            e.attempts.extend(attempt);
            e.trace = self.trace();
        })
    }

    /// The trace of the call, if somebody asks for it.
    fn trace(&self) -> Option<Box<Trace>> {
        self.traced.then(|| {
            let settings = self.settings();
            let server = trace::server(&settings.http.base_url);
            let start = self.deadline.start;
            let attempt = |began: Instant| AttemptTrace {
                start_ms: millis(began.duration_since(start)),
                end_ms: self.elapsed_ms(),
                sent_ms: None,
                first_ms: self.ttft_ms,
                server: server.clone(),
            };
            Box::new(Trace {
                start_unix_ns: trace::unix_ns(start),
                total_ms: self.elapsed_ms(),
                operation: "http",
                provider: settings.name.to_string(),
                kind: settings.row.name,
                attempts: self.began.map(attempt).into_iter().collect(),
                server,
                ..Trace::default()
            })
        })
    }
}

/// Refuses options that would change nothing, because a request is passed through once, to one
/// provider and unchanged.
fn meaningless(options: &Options) -> Result<(), Error> {
    let once = |retry: RetryOverlay| retry.max_attempts == Some(1);
    let asked = [
        ("retry", options.retry.is_some_and(|retry| !once(retry))),
        ("fallback", options.fallback.is_some()),
        ("fanout", options.fanout.is_some()),
        ("hedge", options.hedge.is_some_and(|hedge| hedge.max > 0)),
        ("region", options.region.is_some()),
        ("sticky_key", options.sticky_key.is_some()),
        ("idempotency_key", options.idempotency_key.is_some()),
        ("on_break", options.on_break == Some(OnBreak::Restart)),
        ("merge_deltas", options.merge_deltas == Some(true)),
        ("unsupported", options.unsupported == Some(Unsupported::Error)),
        ("strict", options.strict == Some(true)),
        ("adapt", options.adapt == Some(true)),
        ("drop_refused", options.drop_refused == Some(true)),
        ("cache", options.cache.is_some_and(CacheOptions::wants)),
        ("headers", options.headers.as_ref().is_some_and(|headers| !headers.is_empty())),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((name, _)) => {
            let path = format!("options.{name}");
            let message = format!(
                "{path} does not go with op \"http\", whose request is sent once and as it is: \
                 leave it out"
            );
            Err(Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some(path)))
        }
    }
}
