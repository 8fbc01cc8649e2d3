//! Asks a provider that failed whether it is back, so that no caller's request has to find out.
//!
//! Where `health_probe` is configured, a task watches each target whose breaker has opened: it asks
//! for what costs nothing, the list of models, until that is answered. Then the breaker is half-open
//! at once, as it would be when its own time is over: the next call goes through, alone, and decides.
//! It is not closed, as a list of models says little of a model. Nor is one that fails again asked
//! after as soon: what was answered the last time was no sign.
//!
//! The key's breaker is not looked after: the account of a key whose credit is used up can still list
//! models.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::candidates::Candidate;
use super::table::TargetState;
use crate::client::Inner;
use crate::config::ProviderConfig;
use crate::http::{Deadline, Pool};
use crate::provider::Target;

/// The longest that one question may take.
const LONGEST: Duration = Duration::from_secs(10);

/// What was asked after a target.
#[derive(Default)]
pub(crate) struct Probes {
    pub(crate) asked: AtomicU64,
    /// How many of these were answered as by a server that works.
    pub(crate) well: AtomicU64,
    /// The opening of its breaker that is, or was, watched last.
    opening: AtomicU64,
}

/// Has a target watched if its breaker is open, nobody does it yet, and it is configured so.
pub(crate) fn watch(inner: &Inner, pools: &[Pool], candidate: &Candidate, now: Instant) {
    let settings = &inner.config.providers[candidate.provider];
    let Some(probe) = settings.health_probe else { return };
    let Some((opening, openings)) = candidate.state.breaker.opening(now) else { return };
    if candidate.state.probes.opening.swap(opening, Ordering::Relaxed) == opening {
        return;
    }
    // Connections of its own: those of the call may belong to a runtime that is driven only while
    // somebody waits.
    let watch = Watch {
        pool: Pool::new(settings, 1, None, inner.network.clone()),
        settings: settings.clone(),
        model: candidate.model.clone(),
        state: Arc::clone(&candidate.state),
        opening,
        interval: probe.interval,
    };
    let closing = inner.closing();
    let task = async move {
        tokio::select! {
            () = closing => {}
            () = watch.run(openings) => {}
        }
    };
    match &pools[candidate.provider].engine {
        Some(engine) => engine.spawn(task),
        None => Handle::current().spawn(task),
    };
}

/// One opening of one target's breaker. Keeps nothing of the client.
struct Watch {
    pool: Pool,
    settings: ProviderConfig,
    model: String,
    state: Arc<TargetState>,
    opening: u64,
    interval: Duration,
}

impl Watch {
    async fn run(self, openings: u32) {
        let mut rest = self.interval.saturating_mul(openings);
        loop {
            tokio::time::sleep(rest).await;
            let open = self.state.breaker.opening(Instant::now());
            if open.is_none_or(|(opening, _)| opening != self.opening) {
                return;
            }
            self.state.probes.asked.fetch_add(1, Ordering::Relaxed);
            if self.is_well().await {
                self.state.probes.well.fetch_add(1, Ordering::Relaxed);
                self.state.breaker.half_open(self.opening, Instant::now());
                return;
            }
            rest = self.interval;
        }
    }

    async fn is_well(&self) -> bool {
        let adapter = self.settings.row.adapter();
        let target = Target { provider: &self.settings, model: &self.model };
        let request = adapter.health_probe(&target);
        let Ok(wire) = self.pool.prepare(&self.settings, adapter.auth(), request, None) else {
            return false;
        };
        let start = Instant::now();
        let deadline =
            Deadline::new(&self.settings.timeouts, false, start, start, start + LONGEST, None);
        let reply = self.pool.send(&self.settings, wire, &deadline, |_| ()).await;
        match reply.map(|reply| reply.status) {
            Ok(401 | 403 | 407) => false,
            // A server that has no such list works no less.
            Ok(status) => (200..300).contains(&status) || (400..500).contains(&status),
            Err(_) => false,
        }
    }
}
