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
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::auth::Credential;
use crate::error::Error;
use crate::http::{Deadline, Pool, Timeouts};
use crate::provider::Provider;
use crate::services::Services;
use crate::target::{ChosenTarget, TargetState};

/// The longest that one question may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Has a target watched if its breaker is open, nobody does it yet, and it is configured so.
pub(super) fn watch(services: &Services, chosen: &ChosenTarget, now: Instant) {
    let settings = services.settings(chosen);
    let Some(probe) = settings.health_probe else { return };
    let Some((opening, openings)) = chosen.state.breaker.opening(now) else { return };
    if chosen.state.probes.opening.swap(opening, Ordering::Relaxed) == opening {
        return;
    }
    // Connections of its own: those of the call may belong to a runtime that is driven only while
    // somebody waits.
    let watch = Watch {
        pool: Pool::new(settings.http.clone(), 1, None, services.network.clone()),
        adapter: settings.row.adapter(),
        credentials: Arc::clone(&services.credentials),
        provider: chosen.provider,
        timeouts: settings.http.timeouts,
        state: Arc::clone(&chosen.state),
        opening,
        interval: probe.interval,
    };
    let closing = services.closing();
    let task = async move {
        tokio::select! {
            () = closing => {}
            () = watch.run(openings) => {}
        }
    };
    match services.pools[chosen.provider].blocking() {
        Some(engine) => engine.spawn(task),
        None => Handle::current().spawn(task),
    };
}

/// One opening of one target's breaker. Keeps nothing of the client.
struct Watch {
    pool: Pool,
    adapter: &'static dyn Provider,
    credentials: Arc<[Credential]>,
    /// The provider's place in the configuration.
    provider: usize,
    timeouts: Timeouts,
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
        match self.ask().await {
            Ok(401 | 403 | 407) | Err(_) => false,
            // A server that has no such list works no less.
            Ok(status) => (200..300).contains(&status) || (400..500).contains(&status),
        }
    }

    async fn ask(&self) -> Result<u16, Error> {
        let mut request = self.adapter.probe(&self.state.target)?;
        let credential = &self.credentials[self.provider];
        credential.authorize(self.adapter.scheme(), &mut request, None).await?;
        let request = self.pool.prepare(request, None)?;
        let start = Instant::now();
        let deadline = Deadline::new(&self.timeouts, false, start, start, start + LONGEST, None);
        let reply = self.pool.send(request, &deadline, |_| ()).await?;
        Ok(reply.status)
    }
}
