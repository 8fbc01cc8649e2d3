//! The table holds what a client has learned of its targets and providers, for all calls together.
//!
//! A target (a model at a provider) has a breaker, latencies, and the limits that its answers
//! report. A provider has a breaker for its key, its configured limits, and the budgets for retries
//! and hedges.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, State};
use super::fleet::{Entry, FleetPlace, Membership, Part};
use super::guard::{AttemptGuard, Places};
use super::state::{ChosenTarget, TargetState};
use crate::config::Config;
use crate::limit::{Gate, Limited, Limits, Permit};
use crate::provider::Target;
use crate::retry::budget::Budget;

/// The longest time that a turn is held during a wait for the other one. Limits have a second to
/// spare.
const BRIEFLY: Duration = Duration::from_millis(250);

/// The largest number of models of a provider that are remembered. Their names come from callers.
const MOST_MODELS: usize = 1_024;

/// The longest name of a model that is remembered, unless it is configured. No provider has longer
/// names, and a caller's name may be as long as a request.
const LONGEST_NAME: usize = 512;

/// The state of every target.
pub(crate) struct Table {
    providers: Vec<ProviderState>,
    breakers: bool,
    learns: bool,
    fleet: Membership,
    rng: Mutex<fastrand::Rng>,
}

/// What is known of a provider's models, by name.
type Models = RwLock<HashMap<String, Arc<TargetState>>>;

/// A request's place under the limits of a provider.
pub(crate) struct ProviderPlace {
    _permit: Permit,
    _fleet: FleetPlace,
}

struct ProviderState {
    targets: Models,
    /// The same in each region that a call may choose. Its quotas and its latency are its own.
    moved: Box<[(&'static str, Models)]>,
    key: Breaker,
    gate: Option<Gate>,
    /// Its part in the limits of a fleet.
    part: Part,
    /// `None` means no limit.
    retries: Option<Budget>,
    hedges: Budget,
}

impl Table {
    pub(crate) fn new(config: &Config, fleet: Membership, seed: u64) -> Self {
        let budget = config.retry_budget;
        let provider = |settings: &crate::config::ProviderConfig| ProviderState {
            targets: RwLock::default(),
            moved: settings.regions().map(|region| (region, RwLock::default())).collect(),
            key: Breaker::default(),
            gate: (settings.limits != Limits::default()).then(|| Gate::new(settings.limits)),
            part: fleet.part(|| settings.name.to_string(), settings.limits),
            retries: budget.ratio.map(|ratio| Budget::new(ratio, budget.per_second)),
            hedges: Budget::hedges(),
        };
        Table {
            providers: config.providers.iter().map(provider).collect(),
            breakers: config.breaker,
            learns: config.learn_limits,
            fleet,
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    pub(crate) fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of a model at a provider, in the region that the call has chosen.
    pub(crate) fn target(
        &self,
        config: &Config,
        provider: usize,
        model: &str,
        moved: Option<&'static str>,
    ) -> Arc<TargetState> {
        let own = &self.providers[provider];
        let of_region = own.moved.iter().find(|(region, _)| Some(*region) == moved);
        let targets = of_region.map_or(&own.targets, |(_, targets)| targets);
        if let Some(state) = targets.read().unwrap_or_else(PoisonError::into_inner).get(model) {
            return Arc::clone(state);
        }
        let configured = |model: &str| {
            let mut models = config.providers[provider].models.iter();
            models.find(|own| own.name == model).map(|own| own.limits)
        };
        let limits = configured(model);
        let is_kept = model.len() <= LONGEST_NAME || limits.is_some();
        let target = config.providers[provider].target(model);
        let region = moved.map(Arc::from).or(target.region);
        let target = Target { region, ..target };
        let limits = limits.unwrap_or_default();
        let name = || match moved {
            Some(region) => format!("{}/{model}@{region}", target.provider),
            None => format!("{}/{model}", target.provider),
        };
        let part = if is_kept { self.fleet.part(name, limits) } else { Part::default() };
        let state = Arc::new(TargetState::new(target, moved, limits, part));
        if !is_kept {
            return state;
        }
        let mut targets = targets.write().unwrap_or_else(PoisonError::into_inner);
        if targets.len() >= MOST_MODELS {
            forget(&mut targets, |name| configured(name).is_some());
            if targets.len() >= MOST_MODELS {
                return state;
            }
        }
        Arc::clone(targets.entry(model.to_owned()).or_insert(state))
    }

    /// Records that a call for a provider begins.
    pub(crate) fn offered(&self, provider: usize) {
        let state = &self.providers[provider];
        if let Some(retries) = &state.retries {
            retries.deposit();
        }
        state.hedges.deposit();
    }

    /// Takes one retry from the budget of a call's provider.
    pub(crate) fn may_try_again(&self, provider: usize) -> bool {
        let retries = &self.providers[provider].retries;
        retries.as_ref().is_none_or(|budget| budget.withdraw(Instant::now()))
    }

    /// Whether the budget of a call's provider fills again by itself.
    pub(crate) fn retries_refill(&self, provider: usize) -> bool {
        self.providers[provider].retries.as_ref().is_none_or(Budget::refills)
    }

    /// Whether a call that has no other target may ask this one again now. While the target's
    /// breaker is open, one call a second may.
    pub(crate) fn may_ask_open(&self, chosen: &ChosenTarget, now: Instant) -> bool {
        !self.breakers || chosen.state.breaker.ask(now)
    }

    /// Takes one hedge from the budgets. `late` means a fallback that replaces a timeout, so it
    /// does not count against the hedges' budget.
    pub(crate) fn may_hedge(&self, provider: usize, late: bool) -> bool {
        let now = Instant::now();
        (late || self.providers[provider].hedges.withdraw(now)) && self.may_try_again(provider)
    }

    /// Until when a target is passed over. `None` means that it is healthy.
    pub(crate) fn unwell_until(&self, chosen: &ChosenTarget, now: Instant) -> Option<Instant> {
        let state = &chosen.state;
        let cooling = state.gate.cooling(now).map(|left| now + left);
        if !self.breakers {
            return cooling;
        }
        let key = self.providers[chosen.provider].key.shut_until(now);
        cooling.max(state.breaker.shut_until(now)).max(key)
    }

    /// Whether a target's breaker, or its key's breaker, is open.
    pub(crate) fn is_open(&self, chosen: &ChosenTarget, now: Instant) -> bool {
        self.breakers
            && (chosen.state.breaker.state(now) == State::Open
                || self.providers[chosen.provider].key.state(now) == State::Open)
    }

    /// Takes an attempt's place under every limit.
    pub(crate) async fn enter(
        &self,
        chosen: &ChosenTarget,
        tokens: u64,
        wait: bool,
        deadline: Instant,
    ) -> Result<AttemptGuard, Limited> {
        let own = &self.providers[chosen.provider];
        let state = &chosen.state;
        let (mut target, mut provider) = match &own.gate {
            None => (state.gate.turn(tokens, wait, deadline).await?, None),
            Some(gate) => {
                let (target, provider) = both(&state.gate, gate, tokens, wait, deadline).await?;
                (target, Some(provider))
            }
        };
        let entry = Entry { gate: &state.gate, tokens, wait, deadline };
        let fleet = match state.part.enter(Some(&own.part), entry) {
            Some(entering) => entering.await?,
            None => FleetPlace::default(),
        };
        target.sent();
        if let Some(provider) = &mut provider {
            provider.sent();
        }
        let now = Instant::now();
        // The target was chosen, so it is asked even if its breaker is open: it is the least bad
        // one.
        let mut insisted = false;
        let mut pass = |own: &Breaker| {
            own.admit(now).unwrap_or_else(|| {
                insisted = true;
                own.insist(now)
            })
        };
        let passes = self.breakers.then(|| [pass(&state.breaker), pass(&own.key)]);
        let provider = provider.map(Box::new);
        let places = Places { target, provider, fleet };
        let mut guard = AttemptGuard::new(state, places, passes, self.learns, now);
        guard.insisted = insisted;
        Ok(guard)
    }

    /// Takes a request's place under the limits of a provider, whatever its model. `None` means
    /// that the provider has no limits. It is boxed, as few have some and each call's future would
    /// have room for it.
    pub(crate) async fn enter_provider(
        &self,
        provider: usize,
        tokens: u64,
        wait: bool,
        deadline: Instant,
    ) -> Result<Option<Box<ProviderPlace>>, Limited> {
        let own = &self.providers[provider];
        let Some(gate) = &own.gate else { return Ok(None) };
        let mut permit = gate.turn(tokens, wait, deadline).await?;
        let entry = Entry { gate, tokens, wait, deadline };
        let fleet = match own.part.enter(None, entry) {
            Some(entering) => entering.await?,
            None => FleetPlace::default(),
        };
        permit.sent();
        Ok(Some(Box::new(ProviderPlace { _permit: permit, _fleet: fleet })))
    }

    /// What holds calls to a target, or to any of a provider, back now.
    pub(crate) fn holds_back(
        &self,
        provider: usize,
        target: Option<&TargetState>,
    ) -> Option<Limited> {
        let own = &self.providers[provider];
        let gates = target.map(|state| &state.gate).into_iter();
        let mut gates = gates.chain(own.gate.as_ref());
        let part = target.map_or(&own.part, |state| &state.part);
        gates.find_map(|gate| gate.holds_back(Instant::now())).or_else(|| part.holds_back())
    }

    /// Every target that was asked, in the order of providers and models.
    pub(crate) fn targets(&self) -> Vec<Arc<TargetState>> {
        let mut all = Vec::new();
        for own in &self.providers {
            let from = all.len();
            for targets in std::iter::once(&own.targets).chain(own.moved.iter().map(|own| &own.1)) {
                let targets = targets.read().unwrap_or_else(PoisonError::into_inner);
                all.extend(targets.values().map(Arc::clone));
            }
            all[from..]
                .sort_unstable_by(|a: &Arc<TargetState>, b| a.target.model.cmp(&b.target.model));
        }
        all
    }
}

/// Makes room for the models of other calls. Models stay that a call uses now, that are
/// `configured` (the used-up share of their limit must not be lost), whose breaker is open, or whose
/// answers have taught a limit: callers make up names, and these must not cost others what is known.
/// Of the rest, the half goes that was asked least.
fn forget(targets: &mut HashMap<String, Arc<TargetState>>, configured: impl Fn(&str) -> bool) {
    let now = Instant::now();
    let attempts = |state: &TargetState| state.tally.attempts.load(Ordering::Relaxed);
    let mut idle: Vec<(u64, String)> = targets
        .iter()
        .filter(|(name, state)| {
            Arc::strong_count(state) == 1
                && state.breaker.state(now) != State::Open
                && !state.gate.has_learned(now)
                && !configured(name)
        })
        .map(|(name, state)| (attempts(state), name.clone()))
        .collect();
    idle.sort_unstable();
    idle.truncate(idle.len().div_ceil(2));
    for (_, name) in idle {
        targets.remove(&name);
    }
}

/// Takes a turn at two gates at once. No call waits long at one gate while it holds a turn of the
/// other. That would block others, and the turns would grow old: all who waited would then go at
/// once.
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
    // Boxed: waiting is rare, and without the box every call's future would have room for this one.
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
