//! What a client has learned of its targets and providers, for all calls together.
//!
//! A target (a model at a provider) has a breaker, latencies, and the limits that its answers tell
//! of; a provider has a breaker for its key, its configured limits, and the budgets of what is sent
//! to it again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use ::http::HeaderMap;
use tokio::time::Instant;

use super::breaker::{Breaker, Fault, Pass, State, fault_of};
use super::candidates::Candidate;
use super::health::Probes;
use super::latency::Latency;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::limit::{Gate, Limited, Limits, Permit};
use crate::model::Usage;
use crate::retry::budget::Budget;

/// For so long at most a target is left alone because one answer asked for it. A day's pause from a proxy
/// or a page of maintenance would else close a client's only target until the process ends.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// For so long a target counts as failing after it has failed, unless it answers.
const FAILING: Duration = Duration::from_secs(10);

/// So long a turn may be held while another is waited for: limits are kept with a second to spare.
const BRIEFLY: Duration = Duration::from_millis(250);

/// Most models of a provider of which something is remembered. Names of models come from callers.
const MOST_MODELS: usize = 1_024;

/// The longest name of a model of which something is remembered, unless it is configured: no provider's
/// is as long, and a caller's may be as long as a request.
const LONGEST_NAME: usize = 512;

/// What is known of every target.
pub(crate) struct Table {
    providers: Vec<ProviderState>,
    breakers: bool,
    learns: bool,
    rng: Mutex<fastrand::Rng>,
}

struct ProviderState {
    targets: RwLock<HashMap<String, Arc<TargetState>>>,
    key: Breaker,
    gate: Option<Gate>,
    /// `None`: without a limit.
    retries: Option<Budget>,
    hedges: Budget,
}

/// What is known of one target.
pub(crate) struct TargetState {
    pub(super) breaker: Breaker,
    gate: Gate,
    /// Of streams to their first content, and of whole answers.
    streams: Latency,
    answers: Latency,
    in_flight: AtomicU32,
    pub(crate) attempts: AtomicU64,
    pub(crate) failures: AtomicU64,
    /// When it failed, in milliseconds since `known` and one more; 0: it answered since.
    failed: AtomicU64,
    known: Instant,
    pub(crate) probes: Probes,
}

/// An attempt's place under every limit, and what its outcome is reported to.
pub(crate) struct Permits {
    state: InFlight,
    target: Permit,
    provider: Option<Permit>,
    passes: Option<[Pass; 2]>,
    /// Its first token was late, which has been counted as the target's fault.
    pub(crate) late: bool,
    /// The target was asked although its breaker, or its key's, is open.
    pub(crate) insisted: bool,
    learns: bool,
    began: Instant,
}

struct InFlight(Arc<TargetState>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Table {
    pub(crate) fn new(config: &Config, seed: u64) -> Self {
        let budget = config.retry_budget;
        let provider = |settings: &crate::config::ProviderConfig| ProviderState {
            targets: RwLock::default(),
            key: Breaker::default(),
            gate: (settings.limits != Limits::default()).then(|| Gate::new(settings.limits)),
            retries: budget.ratio.map(|ratio| Budget::new(ratio, budget.per_second)),
            hedges: Budget::hedges(),
        };
        Table {
            providers: config.providers.iter().map(provider).collect(),
            breakers: config.breaker,
            learns: config.learn_limits,
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    pub(crate) fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a model at a provider.
    pub(crate) fn target(&self, config: &Config, provider: usize, model: &str) -> Arc<TargetState> {
        let targets = &self.providers[provider].targets;
        if let Some(state) = targets.read().unwrap_or_else(PoisonError::into_inner).get(model) {
            return Arc::clone(state);
        }
        let configured = |model: &str| {
            let mut models = config.providers[provider].models.iter();
            models.find(|(name, _)| name == model).map(|(_, limits)| *limits)
        };
        let limits = configured(model);
        let is_kept = model.len() <= LONGEST_NAME || limits.is_some();
        let state = Arc::new(TargetState {
            breaker: Breaker::default(),
            gate: Gate::new(limits.unwrap_or_default()),
            streams: Latency::default(),
            answers: Latency::default(),
            in_flight: AtomicU32::new(0),
            attempts: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            known: Instant::now(),
            probes: Probes::default(),
        });
        if !is_kept {
            return state;
        }
        let mut targets = targets.write().unwrap_or_else(PoisonError::into_inner);
        if targets.len() >= MOST_MODELS {
            // Those that nobody uses just now are the ones that can be forgotten; but not how much of
            // a configured limit is used up.
            targets
                .retain(|name, state| Arc::strong_count(state) > 1 || configured(name).is_some());
        }
        Arc::clone(targets.entry(model.to_owned()).or_insert(state))
    }

    /// A call for a provider begins.
    pub(crate) fn offered(&self, provider: usize) {
        let state = &self.providers[provider];
        if let Some(retries) = &state.retries {
            retries.deposit();
        }
        state.hedges.deposit();
    }

    /// Takes one further attempt from the budget of a call's provider.
    pub(crate) fn may_try_again(&self, provider: usize) -> bool {
        let retries = &self.providers[provider].retries;
        retries.as_ref().is_none_or(|budget| budget.withdraw(Instant::now()))
    }

    /// Takes one attempt beside another from the budgets; `late`: in place of a timeout, and so not
    /// from that of hedges.
    pub(crate) fn may_hedge(&self, provider: usize, late: bool) -> bool {
        let now = Instant::now();
        (late || self.providers[provider].hedges.withdraw(now)) && self.may_try_again(provider)
    }

    /// Until when a target is to be passed over; `None`: it is well.
    pub(crate) fn unwell_until(&self, candidate: &Candidate, now: Instant) -> Option<Instant> {
        let state = &candidate.state;
        let cooling = state.gate.cooling(now).map(|left| now + left);
        if !self.breakers {
            return cooling;
        }
        let key = self.providers[candidate.provider].key.shut_until(now);
        cooling.max(state.breaker.shut_until(now)).max(key)
    }

    /// Whether a target's breaker, or its key's, lets no call through.
    pub(crate) fn is_open(&self, candidate: &Candidate, now: Instant) -> bool {
        self.breakers
            && (candidate.state.breaker.state(now) == State::Open
                || self.providers[candidate.provider].key.state(now) == State::Open)
    }

    /// Takes an attempt's place under every limit.
    pub(crate) async fn enter(
        &self,
        candidate: &Candidate,
        tokens: u64,
        wait: bool,
        deadline: Instant,
    ) -> Result<Permits, Limited> {
        let own = &self.providers[candidate.provider];
        let state = &candidate.state;
        let (mut target, mut provider) = match &own.gate {
            None => (state.gate.turn(tokens, wait, deadline).await?, None),
            Some(gate) => {
                let (target, provider) = both(&state.gate, gate, tokens, wait, deadline).await?;
                (target, Some(provider))
            }
        };
        target.sent();
        if let Some(provider) = &mut provider {
            provider.sent();
        }
        let now = Instant::now();
        // Whoever comes here has been chosen: where every target is open, the least bad one.
        let mut insisted = false;
        let mut pass = |own: &Breaker| {
            own.admit(now).unwrap_or_else(|| {
                insisted = true;
                own.insist(now)
            })
        };
        let passes = self.breakers.then(|| [pass(&state.breaker), pass(&own.key)]);
        state.in_flight.fetch_add(1, Ordering::Relaxed);
        state.attempts.fetch_add(1, Ordering::Relaxed);
        let state = InFlight(Arc::clone(state));
        let learns = self.learns;
        let late = false;
        Ok(Permits { state, target, provider, passes, late, insisted, learns, began: now })
    }

    /// Takes a request's place under the limits of a provider, whatever its model; `None`: it has
    /// none.
    pub(crate) async fn enter_provider(
        &self,
        provider: usize,
        tokens: u64,
        wait: bool,
        deadline: Instant,
    ) -> Result<Option<Permit>, Limited> {
        match &self.providers[provider].gate {
            Some(gate) => Ok(Some(gate.acquire(tokens, wait, deadline).await?)),
            None => Ok(None),
        }
    }

    /// Every target that was asked, with its provider's place.
    pub(crate) fn targets(&self) -> Vec<(usize, String, Arc<TargetState>)> {
        let mut all = Vec::new();
        for (provider, own) in self.providers.iter().enumerate() {
            let targets = own.targets.read().unwrap_or_else(PoisonError::into_inner);
            for (model, state) in targets.iter() {
                all.push((provider, model.clone(), Arc::clone(state)));
            }
        }
        all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        all
    }
}

/// A turn at two gates at once. Nobody waits long at one while it holds a turn of the other: that would
/// keep others from theirs, and grow old, so that those who waited would all go at once, each with a
/// turn from long ago.
async fn both(
    target: &Gate,
    provider: &Gate,
    tokens: u64,
    wait: bool,
    deadline: Instant,
) -> Result<(Permit, Permit), Limited> {
    let first = target.turn(tokens, wait, deadline).await?;
    match provider.turn(tokens, false, deadline).await {
        Ok(second) => return Ok((first, second)),
        Err(limited) if !wait => return Err(limited),
        Err(_) => drop(first),
    }
    // Boxed: waiting is rare, and every call would carry its future about.
    Box::pin(async {
        let soon = || deadline.min(Instant::now() + BRIEFLY);
        let mut second = provider.turn(tokens, wait, deadline).await?;
        loop {
            if let Ok(first) = target.turn_again(tokens, soon()).await {
                return Ok((first, second));
            }
            drop(second);
            let first = target.turn_again(tokens, deadline).await?;
            if let Ok(second) = provider.turn_again(tokens, soon()).await
                // An answer may have asked for a pause meanwhile.
                && target.cooling(Instant::now()).is_none()
            {
                return Ok((first, second));
            }
            drop(first);
            second = provider.turn_again(tokens, deadline).await?;
        }
    })
    .await
}

impl TargetState {
    /// The average time to a first token, in milliseconds; that of whole answers without streams.
    pub(crate) fn ewma_ms(&self, now: Instant) -> Option<f64> {
        self.streams.ewma_ms(now).or_else(|| self.answers.ewma_ms(now))
    }

    pub(crate) fn p95(&self, stream: bool) -> Option<Duration> {
        self.latency(stream).p95()
    }

    /// When a first attempt is slow for this target; `None` while too little is known.
    pub(crate) fn slow_after(&self, stream: bool) -> Option<Duration> {
        self.latency(stream).slow_after()
    }

    fn latency(&self, stream: bool) -> &Latency {
        if stream { &self.streams } else { &self.answers }
    }

    /// Whether what it was asked last failed, and not through the caller's fault: it may refuse so
    /// quickly that it looks quick and idle.
    pub(super) fn is_failing(&self, now: Instant) -> bool {
        let failed = self.failed.load(Ordering::Relaxed);
        failed > 0 && self.known + Duration::from_millis(failed) + FAILING > now
    }

    fn has_failed(&self, now: Instant) {
        let since = now.saturating_duration_since(self.known).as_millis();
        self.failed.store(u64::try_from(since).unwrap_or(0) + 1, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn breaker(&self, now: Instant) -> State {
        self.breaker.state(now)
    }

    pub(crate) fn cooling(&self, now: Instant) -> Option<Duration> {
        self.gate.cooling(now)
    }
}

/// Hears an attempt's answer.
pub(crate) struct Ear<'a>(Option<&'a mut Permit>);

/// Hears that an attempt's first token is late.
pub(crate) struct Late<'a> {
    state: &'a TargetState,
    pass: Option<&'a Pass>,
}

impl Ear<'_> {
    /// An answer's head came: it may tell of quotas.
    pub(crate) fn learn(&mut self, headers: &HeaderMap) {
        if let Some(permit) = &mut self.0 {
            permit.learn(headers, Instant::now());
        }
    }
}

impl Late<'_> {
    /// That is the target's fault, as it would be where it ended the attempt.
    pub(crate) fn tell(&self, now: Instant) {
        self.state.has_failed(now);
        if let Some(pass) = self.pass {
            pass.late(now);
        }
    }
}

impl Permits {
    /// What is told of the attempt while it goes on.
    pub(crate) fn under_way(&mut self) -> (Ear<'_>, Late<'_>) {
        let pass = self.passes.as_ref().map(|[target, _]| target);
        let ear = Ear(self.learns.then_some(&mut self.target));
        (ear, Late { state: &self.state.0, pass })
    }

    /// When the attempt had its place, and began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The answer came, or a stream's first content.
    pub(crate) fn answered(&self, now: Instant, stream: bool) {
        let state = &self.state.0;
        state.latency(stream).observe(now - self.began, now);
        if state.failed.load(Ordering::Relaxed) > 0 {
            state.failed.store(0, Ordering::Relaxed);
        }
    }

    /// The answer is complete; it used so many tokens.
    pub(crate) fn done(mut self, usage: Option<&Usage>, now: Instant) {
        if let Some(tokens) = usage.and_then(|usage| usage.total_tokens) {
            self.target.settle(tokens, now);
            if let Some(provider) = &mut self.provider {
                provider.settle(tokens, now);
            }
        }
        for pass in self.passes.take().into_iter().flatten() {
            pass.success();
        }
    }

    /// The attempt failed; `ours`: it was the caller's time that ran out, not a timer of the target.
    pub(crate) fn failed(mut self, error: &Error, ours: bool, now: Instant) {
        self.state.0.failures.fetch_add(1, Ordering::Relaxed);
        if let (true, Some(429 | 503 | 529), Some(ms)) =
            (self.learns, error.status, error.retry_after_ms)
        {
            self.state.0.gate.cool(now + Duration::from_millis(ms).min(LONGEST_PAUSE));
        }
        // The others may have cost something.
        if error
            .status
            .is_some_and(|status| (400..500).contains(&status) && status != 408 && status != 429)
        {
            self.target.refused(now);
            if let Some(provider) = &mut self.provider {
                provider.refused(now);
            }
        }
        let fault = fault_of(error.kind(), error.status);
        // A model that is not there is not there for the next call either.
        if (fault != Fault::None && !ours) || error.kind() == ErrorKind::NotFound {
            self.state.0.has_failed(now);
        }
        let Some([target, key]) = self.passes.take() else { return };
        match fault {
            Fault::Provider if ours || self.late => {}
            Fault::Provider => target.fault(now),
            Fault::Key => key.trip(now),
            // It refused, and so it works.
            Fault::Limited | Fault::None if error.status.is_some() => target.success(),
            Fault::Limited | Fault::None => {}
        }
    }
}
