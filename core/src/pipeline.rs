//! The stages of a call, in order, as plain functions. Read this first.
//!
//! ```text
//! request, options ─ targets ─┬─ limit ─ encode ─ http ─ decode ─┬─ response | error
//!                             │            attempt                │
//!                             └── retry, fallback, hedge, fan-out ┘
//! ```
//!
//! [`Call::new`] finds the targets; `route::race` and `route::pursue` make attempts until one is
//! answered; `attempt` is one of them; [`Call::respond`] adds what is ours. A stream that has shown
//! its first content goes on in `stream`. `client` owns what the stages need and hands it in;
//! `provider` knows the wire formats; `http` knows sockets and timers. No stage sleeps past the call's
//! one deadline.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::attempt::{Content, Served};
use crate::client::Inner;
use crate::config::{Hedge, ProviderConfig};
use crate::error::{Attempt, Error};
use crate::http::{Deadline, Pool};
use crate::ledger::Ledger;
use crate::model::{Liter, Options, Request, Response, Timing, Warning};
use crate::provider::{Answer, Notes, Target, shared};
use crate::retry::{MIN_ATTEMPT, RetryPolicy};
use crate::route::table::{Late, Permits};
use crate::route::{Candidate, Choice, health, race, resolve};

/// A call that knows where it may go.
pub(crate) struct Call {
    inner: Arc<Inner>,
    pub(crate) pools: Arc<[Pool]>,
    pub(crate) request: Request,
    pub(crate) options: Options,
    /// The targets, the preferred one first. Never empty.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) retry: RetryPolicy,
    pub(crate) hedge: Option<Hedge>,
    /// Whether it waits for limits.
    pub(crate) wait: bool,
    pub(crate) merge: bool,
    pub(crate) ledger: Ledger,
    /// What became of the other targets of a fan-out that this one has won.
    pub(crate) others: Vec<Attempt>,
    start: Instant,
    total: Instant,
    warnings: Vec<Warning>,
    /// The same for every attempt.
    idempotency: OnceLock<String>,
}

/// What is kept of a reply while its body is read.
pub(crate) struct Parts {
    pub(crate) status: u16,
    pub(crate) headers: ::http::HeaderMap,
}

/// One whole answer.
pub(crate) async fn whole(call: &Call) -> Result<Box<Response>, Error> {
    match race(call).await {
        Ok(served) => Ok(call.respond(served)),
        Err(error) => Err(call.failed(error)),
    }
}

/// A stream's first content, or its end.
pub(crate) async fn first(call: &Call) -> Result<Served, Error> {
    race(call).await.map_err(|error| call.failed(error))
}

impl Call {
    /// `to`: one target of a fan-out.
    pub(crate) fn new(
        inner: Arc<Inner>,
        pools: Arc<[Pool]>,
        request: Request,
        options: Options,
        to: Option<&str>,
    ) -> Result<Box<Call>, Error> {
        let config = &inner.config;
        let Choice { candidates, retry, hedge, mut warnings } =
            resolve(config, &inner.table, &request, &options, to)?;
        let start = Instant::now();
        let total = match options.timeout_ms {
            Some(ms) => Duration::from_millis(ms),
            None => config.providers[candidates[0].provider].timeouts.total,
        };
        warnings.extend(request.unknown.iter().map(|path| Warning {
            code: "unknown_parameter",
            message: format!(
                "{path} is not a member of a request and was not sent; members for one provider go \
                 under extra.<provider>"
            ),
            param: Some(path.clone()),
        }));
        let retry = options.retry.unwrap_or_default().or(retry.unwrap_or_default());
        let call = Call {
            retry: retry.or(config.retry).policy(),
            hedge: options.hedge.or(hedge).or(config.hedge),
            wait: options.wait.unwrap_or(config.wait),
            merge: options.merge_deltas == Some(true),
            ledger: Ledger::default(),
            others: Vec::new(),
            total: Deadline::after(start, total),
            idempotency: OnceLock::new(),
            pools,
            request,
            options,
            candidates,
            start,
            warnings,
            inner,
        };
        call.inner.table.offered(call.candidates[0].provider);
        Ok(Box::new(call))
    }

    pub(crate) fn settings(&self, index: usize) -> &ProviderConfig {
        &self.inner.config.providers[self.candidates[index].provider]
    }

    pub(crate) fn target(&self, index: usize) -> Target<'_> {
        Target { provider: self.settings(index), model: &self.candidates[index].model }
    }

    /// When the call's time is up.
    pub(crate) fn deadline(&self) -> Instant {
        self.total
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.total.saturating_duration_since(Instant::now())
    }

    pub(crate) fn elapsed_ms(&self) -> f64 {
        millis(self.start.elapsed())
    }

    pub(crate) fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.inner.table.rng()
    }

    /// The timers of an attempt.
    pub(crate) fn attempt_deadline(&self, index: usize, begun: Instant) -> Deadline {
        let mut timeouts = self.settings(index).timeouts;
        if self.first_token(index).is_some() {
            timeouts.first_token = None;
        }
        let stream = self.request.stream;
        Deadline::new(&timeouts, stream, self.start, begun, self.total, self.options.idle_ms)
    }

    /// When a first token of a target is late, where that starts another attempt and ends none.
    pub(crate) fn first_token(&self, index: usize) -> Option<Duration> {
        let first_token = self.settings(index).timeouts.first_token;
        first_token.filter(|_| self.request.stream && self.candidates.len() > 1)
    }

    /// A first token is late: says so to what is known of its target.
    pub(crate) fn late(&self, index: usize, late: &Late<'_>) {
        let now = Instant::now();
        late.tell(now);
        health::watch(&self.inner, &self.pools, &self.candidates[index], now);
    }

    /// Takes an attempt's place under the limits of its target and provider.
    pub(crate) async fn enter(
        &self,
        index: usize,
        tokens: u64,
        wait: bool,
    ) -> Result<Permits, Error> {
        let candidate = &self.candidates[index];
        // Whoever waits until its time is up has none left for the attempt.
        let until = self.total.checked_sub(MIN_ATTEMPT).unwrap_or(self.total);
        let entered = self.inner.table.enter(candidate, tokens, wait, until).await;
        entered.map_err(|limited| self.place(limited.error(), index))
    }

    /// An attempt failed: says so to what is known of its target.
    pub(crate) fn report(&self, index: usize, permits: Permits, error: &Error, now: Instant) {
        permits.failed(error, self.total <= now || error.own_timer, now);
        health::watch(&self.inner, &self.pools, &self.candidates[index], now);
    }

    /// The key that makes the attempts of this call count once, where the server has such a header.
    pub(crate) fn idempotency_key(
        &self,
        index: usize,
        notes: &mut Notes,
    ) -> Result<Option<&str>, Error> {
        let own = self.options.idempotency_key.as_deref();
        let settings = self.settings(index);
        if settings.idempotency_header.is_none() {
            if own.is_some() {
                let message = format!(
                    "{} has no header for idempotency_key: name it in \
                     providers.{0}.idempotency_header, if there is one",
                    settings.name
                );
                notes.unsupported("options.idempotency_key", message)?;
            }
            return Ok(None);
        }
        Ok(Some(own.unwrap_or_else(|| self.idempotency.get_or_init(|| unique(&self.inner, "")))))
    }

    /// The target to try next among those that are `wanted`: the first that is well. Where none is,
    /// the one that is well again soonest.
    pub(crate) fn pick(&self, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        if self.candidates.len() == 1 {
            return wanted(0).then_some(0);
        }
        let now = Instant::now();
        let candidates = self.candidates.iter().enumerate().filter(|&(i, _)| wanted(i));
        let unwell = |(i, candidate): (usize, &Candidate)| {
            (self.inner.table.unwell_until(candidate, now), i)
        };
        candidates.map(unwell).min().map(|(_, i)| i)
    }

    /// The target that an attempt goes to where none has been made yet.
    pub(crate) fn preferred(&self) -> usize {
        self.pick(|i| !self.ledger.has_given_up(i)).unwrap_or(0)
    }

    /// Whether this target is passed over for its failures.
    pub(crate) fn is_open(&self, index: usize) -> bool {
        self.inner.table.is_open(&self.candidates[index], Instant::now())
    }

    /// Until when a target is to be passed over; `None`: it is well.
    pub(crate) fn unwell_until(&self, index: usize) -> Option<Instant> {
        self.inner.table.unwell_until(&self.candidates[index], Instant::now())
    }

    pub(crate) fn is_well(&self, index: usize) -> bool {
        self.unwell_until(index).is_none()
    }

    /// Takes one further attempt from the budget.
    pub(crate) fn may_try_again(&self) -> bool {
        self.inner.table.may_try_again(self.candidates[0].provider)
    }

    /// Takes one attempt beside another from the budgets; `late`: it takes the place of a timeout.
    pub(crate) fn may_hedge(&self, late: bool) -> bool {
        self.inner.table.may_hedge(self.candidates[0].provider, late)
    }

    /// Where an attempt beside those that are under way goes. `other`: only to another target.
    pub(crate) fn beside(&self, other: bool) -> Option<usize> {
        let now = Instant::now();
        let paused = |i| self.ledger.paused_until(i, now).is_some();
        let wanted = |i| !self.ledger.has_given_up(i) && !paused(i) && self.is_well(i);
        let again = !other && self.candidates.len() == 1;
        self.pick(|i| wanted(i) && (again || !self.ledger.is_trying(i)))
    }

    /// Says of an error which target it is of.
    pub(crate) fn place(&self, error: Error, index: usize) -> Error {
        error.with(|e| {
            let settings = self.settings(index);
            e.provider.get_or_insert_with(|| settings.name.clone());
            e.model.get_or_insert_with(|| self.candidates[index].model.clone());
            if e.status.is_some() {
                // Whatever the provider says may repeat the key.
                let texts = [&mut e.code, &mut e.param, &mut e.request_id].into_iter().flatten();
                for text in texts.chain([&mut e.message]) {
                    if let Some(clean) = settings.key.redact(text) {
                        *text = clean;
                    }
                }
            }
        })
    }

    pub(crate) fn name(&self, index: usize) -> String {
        [self.settings(index).name.as_str(), &self.candidates[index].model].join("/")
    }

    /// The response: the provider's answer and what is ours.
    fn respond(&self, served: Served) -> Box<Response> {
        let Served { target, parts, mut warnings, content, ttft_ms, .. } = served;
        let answer = match content {
            Content::Whole(answer) => answer,
            Content::Stream(stream) => stream.reader.into_answer(),
        };
        self.document(target, answer, &parts, &mut warnings, ttft_ms)
    }

    pub(crate) fn document(
        &self,
        target: usize,
        answer: Answer,
        parts: &Parts,
        own_warnings: &mut Vec<Warning>,
        ttft_ms: Option<f64>,
    ) -> Box<Response> {
        let mut warnings = self.warnings.clone();
        warnings.append(own_warnings);
        warnings.extend(answer.warnings);
        let first = answer.choices.first().and_then(|choice| choice.message.content.clone());
        // Boxed: it is large, and goes through many hands.
        Box::new(Response {
            id: answer.id,
            object: "chat.completion",
            created: answer.created.or_else(|| shared::date(&parts.headers)),
            model: answer.model,
            choices: answer.choices,
            usage: answer.usage,
            text: first.unwrap_or_default(),
            provider: self.settings(target).name.clone(),
            warnings,
            liter: Liter {
                v: 1,
                request_id: unique(&self.inner, "llm_"),
                provider_request_id: shared::request_id(&parts.headers),
                finish_reason_raw: answer.finish_reason_raw,
                usage_raw: answer.usage_raw,
                attempts: self.attempts(),
                timing: Timing {
                    queue_ms: self
                        .ledger
                        .began()
                        .map_or(0.0, |began| millis(began.duration_since(self.start))),
                    ttft_ms,
                    total_ms: self.elapsed_ms(),
                },
                ratelimit: shared::rate_limits(&parts.headers),
                provider_fields: answer.fields,
            },
        })
    }

    /// Every attempt so far.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let mut attempts = self.ledger.attempts(|i| self.name(i));
        attempts.extend_from_slice(&self.others);
        attempts
    }

    /// The error, with what every error of this call has in common.
    pub(crate) fn failed(&self, error: Error) -> Error {
        self.place(error, 0).with(|e| e.attempts = self.attempts())
    }
}

/// A number that no other has. A keyed hash of the process and a count costs no system call; a forked
/// process, which inherits key and count, differs in its own number, with which it makes its clients.
pub(crate) fn unique(inner: &Inner, prefix: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    static KEY: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let key = KEY.get_or_init(RandomState::new);
    let call = (inner.process, COUNT.fetch_add(1, Ordering::Relaxed));
    let mut id = String::with_capacity(prefix.len() + 32);
    id.push_str(prefix);
    for half in 0..2 {
        let number = key.hash_one((call, half));
        let digit = |at: u32| char::from(HEX[(number >> (at * 4)) as usize & 15]);
        id.extend((0..16).rev().map(digit));
    }
    id
}

/// Adds what an answer's head says to an error that came after it: for the provider's support, a
/// broken stream needs its id no less than a refused request.
pub(crate) fn located(mut error: Error, status: u16, headers: &::http::HeaderMap) -> Error {
    error.status.get_or_insert(status);
    error.request_id = error.request_id.take().or_else(|| shared::request_id(headers));
    error
}

pub(crate) fn millis(duration: Duration) -> f64 {
    // Microseconds are the finest that is worth a reader's time.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
