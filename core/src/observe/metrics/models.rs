//! Which models have a label of their own. Callers name models, so their number has a bound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Config;
use crate::error::Attempt;
use crate::observe::{CallFacts, CallOutcome};
use crate::price::Priced;
use crate::target::Series;

/// How many models that nobody configured have a label of their own: so many with a price, and so
/// many without.
const MOST_MODELS: usize = 200;
/// The longest name of such a model.
const LONGEST_NAME: usize = 200;
/// The label of all others.
const OTHER: &str = "other";

/// The series of every model that has a label.
pub(super) struct Models {
    config: Arc<Config>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By the provider's name and the model's label.
    series: HashMap<String, Arc<Series>>,
    /// How many labels nobody configured: of models without a price, and with one.
    named: [usize; 2],
}

impl Models {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Models { config, known: Mutex::default() }
    }

    /// Gives `count` the series that an outcome of a call belongs to.
    pub(super) fn of(
        &self,
        call: &CallFacts,
        outcome: &CallOutcome<'_>,
        count: impl FnOnce(&Series),
    ) {
        let (provider, model) = asked(outcome);
        let first = call.target.as_deref().filter(|state| {
            let own = &state.target;
            provider.is_none_or(|name| *name == *own.provider)
                && model.is_none_or(|name| *name == *own.model)
        });
        match first {
            Some(state) => {
                let own = &state.target;
                count(state.series.get_or_init(|| self.find(&own.provider, &own.model)));
            }
            None => count(&self.find(provider.unwrap_or_default(), model.unwrap_or_default())),
        }
    }

    /// The series of a provider's model. A provider that is not configured has no name here.
    fn find(&self, provider: &str, model: &str) -> Arc<Series> {
        let providers = &self.config.providers;
        let at = providers.binary_search_by(|own| (*own.name).cmp(provider)).ok();
        let (name, model) = match at {
            Some(at) => (Arc::clone(&providers[at].name), model),
            None => (Arc::default(), ""),
        };
        let key = |model: &str| [&*name, "\0", model].concat();
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = lock().series.get(&key(model)) {
            return Arc::clone(series);
        }
        // Without the lock: the first time a part of the price table is read.
        let class = at.map_or(Class::Own, |at| self.class(at, model));
        let mut known = lock();
        let label = match class {
            Class::Own => model,
            _ if known.series.contains_key(&key(model)) => model,
            _ if model.len() > LONGEST_NAME || model == OTHER => OTHER,
            Class::Priced | Class::Unknown => {
                let named = &mut known.named[usize::from(class == Class::Priced)];
                let room = *named < MOST_MODELS;
                *named += usize::from(room);
                if room { model } else { OTHER }
            }
        };
        let made = || Arc::new(Series::new(Arc::clone(&name), label.into()));
        Arc::clone(known.series.entry(key(label)).or_insert_with(made))
    }

    fn class(&self, provider: usize, model: &str) -> Class {
        let own = &self.config.providers[provider];
        let mut targets = self.config.routes.iter().flat_map(|route| &route.targets);
        let default = self.config.default_model.as_deref();
        let configured = model.is_empty()
            || default
                .is_some_and(|name| name.rsplit_once('/').map_or(name, |(_, own)| own) == model)
            || own.models.iter().any(|own| own.name == model)
            || targets.any(|own| own.provider == provider && own.model.as_deref() == Some(model));
        if configured {
            return Class::Own;
        }
        match own.prices.find(model, None) {
            Some(Priced::Own(_) | Priced::Table(..)) => Class::Priced,
            Some(Priced::Free) | None => Class::Unknown,
        }
    }

    /// Every series, in the order of providers and models.
    pub(super) fn all(&self) -> Vec<Arc<Series>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = known.series.values().map(Arc::clone).collect();
        drop(known);
        all.sort_unstable_by(|a, b| (&a.provider, &a.model).cmp(&(&b.provider, &b.model)));
        all
    }
}

/// Who named a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// The configuration, or nobody.
    Own,
    /// A caller. It has a price.
    Priced,
    /// A caller.
    Unknown,
}

/// The provider that answered or failed, and the model that it was asked for. What is not known is
/// that of the call's first target.
fn asked<'a>(outcome: &CallOutcome<'a>) -> (Option<&'a str>, Option<&'a str>) {
    let Some(provider) = outcome.provider else { return (None, None) };
    if outcome.failed.is_some() {
        return (Some(provider), outcome.model);
    }
    // An answer names its model as the provider does.
    let answered = outcome.attempts.iter().rev().find(|attempt| attempt.kind.is_none());
    let model = |attempt: &'a Attempt| {
        let rest = attempt.target.strip_prefix(provider)?;
        Some(rest.strip_prefix('/').unwrap_or(rest))
    };
    (Some(provider), answered.and_then(model))
}
