//! What the span of a call needs. A call that does not ask for it (`options.telemetry`) has nothing
//! of it.

use std::time::SystemTime;

use tokio::time::Instant;

use super::Call;
use crate::error::{AttemptTrace, Error, Trace};
use crate::observe::millis;
use crate::services::Services;
use crate::wire::Plane;

/// Nanoseconds since 1970 of a time of the call's clock, which knows no date.
pub(super) fn unix_ns(at: Instant) -> u64 {
    let then = SystemTime::now().checked_sub(at.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH);
    let since = then.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl Call {
    /// Whether somebody asks for the call's trace.
    pub(super) fn is_traced(&self) -> bool {
        self.options.telemetry == Some(true)
    }

    /// The trace of the call, if somebody asks for it. `target` answered; the first target is none
    /// that did.
    pub(super) fn trace(&self, services: &Services, target: usize) -> Option<Box<Trace>> {
        self.is_traced().then(|| {
            let began = self.facts().began;
            let asked = self.targets[target].target();
            Box::new(Trace {
                start_unix_ns: unix_ns(began),
                total_ms: millis(Instant::now().duration_since(began)),
                operation: self.operation.name(),
                provider: asked.provider.to_string(),
                model: Some(asked.model.to_string()).filter(|model| !model.is_empty()),
                kind: asked.kind,
                server: self.server(services, target),
                route: self.facts().route.as_deref().map(str::to_owned),
                attempts: self.times(services, began),
                request: self.operation.parameters(),
            })
        })
    }

    /// The times of all attempts, in the order of [`Call::attempts`].
    pub(super) fn times(&self, services: &Services, began: Instant) -> Vec<AttemptTrace> {
        let mut times = self.ledger.times(began, |target| self.server(services, target));
        for part in self.parts() {
            times.extend(part.call.times(services, began));
        }
        times.extend_from_slice(&self.others_times);
        times
    }

    /// Host and port of a target.
    fn server(&self, services: &Services, target: usize) -> String {
        let pool = services.pool(&self.targets[target], Plane::Data);
        pool.map(|pool| server(pool.base_url())).unwrap_or_default()
    }

    /// An error with the trace of this call, and of no other one that shared its failure.
    pub(crate) fn traced(&self, services: &Services, mut error: Error) -> Error {
        if self.is_traced() || error.trace.is_some() {
            error.trace = self.trace(services, 0);
        }
        error
    }
}

/// The host and port of a URL.
pub(super) fn server(url: &::http::Uri) -> String {
    let port = if url.scheme_str() == Some("http") { 80 } else { 443 };
    format!("{}:{}", url.host().unwrap_or_default(), url.port_u16().unwrap_or(port))
}

/// The times of the attempts of several calls, as seen from the first one, if somebody asks.
pub(super) fn times(services: &Services, calls: &[Call]) -> Vec<AttemptTrace> {
    let Some(first) = calls.first().filter(|call| call.is_traced()) else { return Vec::new() };
    let began = first.facts().began;
    calls.iter().flat_map(|call| call.times(services, began)).collect()
}
