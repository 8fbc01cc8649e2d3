//! The limits of a fleet: what is configured holds for all processes that share a Redis.
//!
//! A call that has passed its gates here asks Redis for all of its rules at once ([`rules`]). Calls
//! that must wait stand in one line for each target, and only the first of it asks. Everything that
//! passes is also counted in a [`Gate`] with this process's share of the quota. That one decides
//! while Redis is away, and for a minute after, as Redis' counts are old by then.
//!
//! What attempts have used is settled beside the calls, and their leases are renewed there (`tasks`).

mod ask;
mod gate;
mod place;
pub mod rules;
mod shared;
mod tasks;

pub(crate) use ask::Wish;
pub(crate) use place::Place;
pub(crate) use shared::Scope;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use self::ask::{Asked, Asker, rules_of};
use self::rules::Settled;
use self::shared::{Shared, lock};
use super::limits::{Limited, Limits, MAX_WAIT};
use crate::redis::Redis;

/// The limits that the processes of one namespace share. Clones are the same.
#[derive(Clone)]
pub(crate) struct Fleet(Arc<Shared>);

impl Fleet {
    /// The fleet of a Redis. `replicas` is the number of its processes until it is known.
    pub(crate) fn new(redis: Redis, replicas: u32) -> Self {
        Fleet(Arc::new(Shared::new(redis, replicas)))
    }

    /// The scope of this name.
    pub(crate) fn scope(&self, name: &str, limits: Limits) -> Arc<Scope> {
        self.0.scope(name, limits)
    }

    /// Tells all processes that the provider asked for a pause.
    pub(crate) fn pause(&self, scope: &Scope, time: Duration) {
        tasks::start(&self.0);
        self.0.send([Settled::Pause { key: format!("{}:p", scope.key), time }]);
    }

    /// Takes a place under the limits of the fleet. `None` means that there are none.
    ///
    /// # Errors
    /// As those of a gate: the call may not wait, or its turn does not come in time.
    pub(crate) async fn enter(&self, wish: Wish<'_>) -> Result<Option<Place>, Limited> {
        let Some(first) = wish.scopes.first() else { return Ok(None) };
        if wish.scopes.iter().all(|scope| scope.share.is_none()) {
            return Ok(None);
        }
        tasks::start(&self.0);
        let number = self.0.attempts.fetch_add(1, Ordering::Relaxed);
        let mut asker = Asker {
            shared: &self.0,
            wish: &wish,
            id: format!("{}.{number}", self.0.process),
            rules: rules_of(wish.scopes, wish.tokens),
            shares: Vec::new(),
            end: wish.deadline.min(Instant::now() + MAX_WAIT),
            asking: false,
        };
        let line = &first.line;
        if line.is_empty() {
            match asker.ask().await? {
                Asked::Passed(place) => return Ok(Some(place)),
                Asked::Blocked(limited) if !wish.wait || !asker.fits(&limited) => {
                    return Err(limited);
                }
                Asked::Blocked(limited) => *lock(&line.held) = Some(limited),
            }
        } else if !wish.wait {
            return Err(line.behind());
        }
        asker.wait(line).await.map(Some)
    }

    /// What holds the first waiting call of a scope back.
    pub(crate) fn holds_back(&self, scope: &Scope) -> Option<Limited> {
        let line = &scope.line;
        if line.is_empty() { None } else { *lock(&line.held) }
    }
}
