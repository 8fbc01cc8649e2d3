//! A place is what one attempt has under the limits of a fleet. It is settled beside the calls.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::Permit;
use super::rules::{Rule, Settled};
use super::shared::{Shared, lock};

/// The place of one attempt. A dropped one is given back.
#[must_use = "a dropped place is given back"]
pub(crate) struct Place {
    shared: Arc<Shared>,
    id: String,
    /// Whether it has places in flight.
    leased: bool,
    tokens: Vec<Tokens>,
    /// The places in this process's share.
    shares: Vec<Permit>,
}

/// Tokens that Redis has counted.
struct Tokens {
    key: String,
    second: i64,
    counted: u64,
}

impl Place {
    /// The place that Redis has granted in this second.
    pub(super) fn of(shared: &Arc<Shared>, id: &str, rules: &[Rule], second: i64) -> Self {
        let tokens = |rule: &Rule| match rule {
            Rule::Tokens { key, quota, tokens } => {
                Some(Tokens { key: key.clone(), second, counted: *tokens.min(quota) })
            }
            _ => None,
        };
        let lease = |rule: &Rule| match rule {
            Rule::InFlight { key, .. } => Some(key.clone()),
            _ => None,
        };
        let leases: Vec<String> = rules.iter().filter_map(lease).collect();
        let leased = !leases.is_empty();
        if leased {
            lock(&shared.leases).insert(id.to_owned(), leases);
        }
        let tokens = rules.iter().filter_map(tokens).collect();
        Place { shared: Arc::clone(shared), id: id.to_owned(), leased, tokens, shares: Vec::new() }
    }

    /// A place without Redis.
    pub(super) fn alone(shared: &Arc<Shared>) -> Self {
        let (tokens, shares) = (Vec::new(), Vec::new());
        Place { shared: Arc::clone(shared), id: String::new(), leased: false, tokens, shares }
    }

    pub(super) fn with(self, shares: Vec<Permit>) -> Self {
        // Not by an update of the struct, which would take it apart.
        let mut place = self;
        place.shares = shares;
        place
    }

    /// Corrects the tokens once they are known.
    pub(crate) fn settle(&mut self, actual: u64, now: Instant) {
        self.shares.iter_mut().for_each(|share| share.settle(actual, now));
        self.count(actual);
    }

    /// The provider refused the request itself, so that it used no tokens.
    pub(crate) fn refused(&mut self, now: Instant) {
        self.shares.iter_mut().for_each(|share| share.refused(now));
        self.count(0);
    }

    /// Nothing was sent after all.
    pub(crate) fn unused(&mut self) {
        self.shares.iter_mut().for_each(Permit::unused);
        self.count(0);
    }

    fn count(&mut self, actual: u64) {
        let changed = self.tokens.iter_mut().filter(|tokens| tokens.counted != actual);
        let settled = changed.map(|tokens| {
            let counted = std::mem::replace(&mut tokens.counted, actual);
            let (key, second) = (tokens.key.clone(), tokens.second);
            Settled::Tokens { key, second, counted, actual }
        });
        let settled: Vec<Settled> = settled.collect();
        if !settled.is_empty() {
            self.shared.send(settled);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.leased {
            let keys = lock(&self.shared.leases).remove(&self.id).unwrap_or_default();
            let id = &self.id;
            self.shared.send(keys.into_iter().map(|key| Settled::Release { key, id: id.clone() }));
        }
    }
}

/// What gives places in flight back that may have been taken.
pub(super) fn released(id: &str, rules: &[Rule]) -> Vec<Settled> {
    let release = |rule: &Rule| match rule {
        Rule::InFlight { key, .. } => {
            Some(Settled::Release { key: key.clone(), id: id.to_owned() })
        }
        _ => None,
    };
    rules.iter().filter_map(release).collect()
}
