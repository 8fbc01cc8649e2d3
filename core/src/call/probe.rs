//! A health probe asks a provider that failed whether it works again, so that no caller's request
//! has to.
//!
//! If `health_probe` is configured, a task watches each target whose breaker has opened. It asks
//! for the list of models, which costs nothing, until that is answered. The breaker is then
//! half-open at once, as after its own time: the next call goes through alone and decides. The
//! probe does not close the breaker, because a list of models says little about a model. If the
//! breaker opens again, the next probe comes later, because the last answer was no sign.
//!
//! The key's breaker has no probe, because an account whose credit is used up can still list
//! models.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::auth::Credential;
use crate::error::Error;
use crate::http::{Again, Deadline, Pool, Timeouts};
use crate::provider::Provider;
use crate::services::Services;
use crate::target::{ChosenTarget, TargetState};
use crate::wire::{Plane, Scheme};

/// The longest time for one probe.
const LONGEST: Duration = Duration::from_secs(10);

/// Starts watching a target if its breaker is open, no task watches it yet, and probes are
/// configured.
pub(super) fn watch(services: &Services, chosen: &ChosenTarget, now: Instant) {
    let settings = services.settings(chosen);
    let Some(probe) = settings.health_probe else { return };
    let Some((opening, openings)) = chosen.state.breaker.opening(now) else { return };
    if chosen.state.probes.opening.swap(opening, Ordering::Relaxed) == opening {
        return;
    }
    let plane = settings.row.adapter().probe(&chosen.state.target).map(|probe| probe.plane);
    let control = settings.control.as_ref().filter(|_| matches!(plane, Ok(Plane::Control)));
    let moved = settings.elsewhere.iter().find(|(region, _)| Some(*region) == chosen.moved);
    let http = control.or(moved.map(|(_, http)| http)).unwrap_or(&settings.http);
    // The probe has connections of its own. The call's connections may belong to a runtime that is
    // driven only while a caller waits.
    let watch = Watch {
        pool: Pool::new(
            http.clone(),
            1,
            None,
            &services.lookups,
            services.network.clone(),
            &services.shares,
        ),
        adapter: settings.row.adapter(),
        scheme: settings.scheme(),
        credentials: Arc::clone(&services.credentials),
        provider: chosen.provider,
        timeouts: settings.http.timeouts,
        state: Arc::clone(&chosen.state),
        opening,
        interval: probe.interval,
    };
    let closing = services.closing();
    // Boxed, as other rare tasks are: each type of task would be a runtime's code once more.
    let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        tokio::select! {
            () = closing => {}
            () = watch.run(openings) => {}
        }
    });
    match services.pools[chosen.provider].data.blocking() {
        Some(engine) => engine.spawn(task),
        None => Handle::current().spawn(task),
    };
}

/// The watch over one opening of one target's breaker. It keeps nothing of the client alive.
struct Watch {
    pool: Pool,
    adapter: &'static dyn Provider,
    scheme: Scheme,
    credentials: Arc<[Credential]>,
    /// The provider's index in the configuration.
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
            // A server without such a list works too.
            Ok(status) => (200..300).contains(&status) || (400..500).contains(&status),
        }
    }

    async fn ask(&self) -> Result<u16, Error> {
        let mut request = self.adapter.probe(&self.state.target)?;
        let credential = &self.credentials[self.provider];
        credential.authorize(self.scheme.clone(), &mut request, None).await?;
        let request = self.pool.prepare(request, &[], None)?;
        let start = Instant::now();
        let deadline = Deadline::new(&self.timeouts, false, start, start, start + LONGEST, None);
        let kept = request.clone();
        let again = || -> Again<'_> { Box::pin(ready(Ok(kept))) };
        let reply = self.pool.send(request, again, &deadline, |_| ()).await?;
        Ok(reply.status)
    }
}
