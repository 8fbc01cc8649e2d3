//! An attempt's guard is its place under every limit. The guard reports the outcome.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::http::HeaderMap;
use tokio::time::Instant;

use super::breaker::{Fault, Pass, Turned, fault_of};
use super::fleet::FleetPlace;
use super::state::TargetState;
use crate::error::{Error, ErrorKind};
use crate::limit::Permit;
use crate::model::Usage;

/// The longest pause of a target that one answer can ask for. Otherwise a day's pause from a proxy
/// or a maintenance page would close a client's only target until the process ends.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// An attempt's place under every limit, which reports its outcome to the target's state.
pub(crate) struct AttemptGuard {
    state: InFlight,
    places: Places,
    passes: Option<[Pass; 2]>,
    /// The first token was late, and that was counted as the target's fault.
    late: bool,
    /// The target was asked although its breaker, or its key's breaker, is open.
    pub(crate) insisted: bool,
    learns: bool,
    began: Instant,
}

/// An attempt's places under the limits of its target, of its provider, and of the fleet.
pub(super) struct Places {
    pub(super) target: Permit,
    /// Boxed: few providers have limits, and each call's future would have room for it.
    pub(super) provider: Option<Box<Permit>>,
    pub(super) fleet: FleetPlace,
}

impl Places {
    /// Corrects the tokens once they are known.
    fn settle(&mut self, tokens: u64, now: Instant) {
        self.target.settle(tokens, now);
        if let Some(provider) = &mut self.provider {
            provider.settle(tokens, now);
        }
        self.fleet.settle(tokens, now);
    }

    /// Nothing could be sent.
    fn unused(&mut self) {
        self.target.unused();
        if let Some(provider) = &mut self.provider {
            provider.unused();
        }
        self.fleet.unused();
    }

    /// The provider refused the request itself.
    fn refused(&mut self, now: Instant) {
        self.target.refused(now);
        if let Some(provider) = &mut self.provider {
            provider.refused(now);
        }
        self.fleet.refused(now);
    }
}

/// How an outcome has turned the breaker of the target, and that of the provider's key.
pub(crate) type Turns = [Option<Turned>; 2];

struct InFlight(Arc<TargetState>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AttemptGuard {
    /// The guard of an attempt that has its place everywhere.
    pub(super) fn new(
        state: &Arc<TargetState>,
        places: Places,
        passes: Option<[Pass; 2]>,
        learns: bool,
        began: Instant,
    ) -> Self {
        state.in_flight.fetch_add(1, Ordering::Relaxed);
        let state = InFlight(Arc::clone(state));
        let (late, insisted) = (false, false);
        AttemptGuard { state, places, passes, late, insisted, learns, began }
    }

    /// Reports the head of an answer, which may have quotas in its headers.
    pub(crate) fn heard(&mut self, headers: &HeaderMap) {
        if self.learns {
            self.places.target.learn(headers, Instant::now());
        }
    }

    /// Reports a late first token. It is the target's fault, as a timeout would be.
    pub(crate) fn late(&mut self, now: Instant) -> Turns {
        self.late = true;
        self.state.0.has_failed(now);
        [self.passes.as_ref().and_then(|[target, _]| target.late(now)), None]
    }

    /// When the attempt got its place and began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// Reports an answer, or a stream's first content.
    pub(crate) fn answered(&self, now: Instant, stream: bool) {
        let state = &self.state.0;
        state.latency(stream).observe(now - self.began, now);
        state.has_answered();
    }

    /// Reports a complete answer and its usage.
    pub(crate) fn done(mut self, usage: Option<&Usage>, now: Instant) -> Turns {
        if let Some(tokens) = usage.and_then(|usage| usage.total_tokens) {
            self.places.settle(tokens, now);
        }
        self.passes.take().map_or([None; 2], |passes| passes.map(Pass::success))
    }

    /// Gives the place back, because nothing could be sent.
    pub(crate) fn unused(mut self) {
        self.places.unused();
    }

    /// Reports an attempt whose credential was refused, and is mended already: it was our fault, and
    /// says nothing of the target or its key.
    pub(crate) fn mended(mut self, error: &Error, now: Instant) {
        self.refund(error, now);
    }

    /// Gives back the tokens of a request that was refused.
    fn refund(&mut self, error: &Error, now: Instant) {
        // Requests with other statuses may have cost something.
        if error
            .status
            .is_some_and(|status| (400..500).contains(&status) && status != 408 && status != 429)
        {
            self.places.refused(now);
        }
    }

    /// Reports a failed attempt. `ours` means that the caller's time ran out, not a timer of the
    /// target.
    pub(crate) fn failed(mut self, error: &Error, ours: bool, now: Instant) -> Turns {
        if let (true, Some(429 | 503 | 529), Some(ms)) =
            (self.learns, error.status, error.retry_after_ms)
        {
            let pause = Duration::from_millis(ms).min(LONGEST_PAUSE);
            self.state.0.gate.cool(now + pause);
            self.state.0.part.pause(pause);
        }
        self.refund(error, now);
        let fault = fault_of(error.kind(), error.status);
        // A missing model is also missing for the next call.
        if (fault != Fault::None && !ours) || error.kind() == ErrorKind::NotFound {
            self.state.0.has_failed(now);
        }
        let Some([target, key]) = self.passes.take() else { return [None; 2] };
        match fault {
            Fault::Provider if ours || self.late => [None; 2],
            Fault::Provider => [target.fault(now), None],
            Fault::Key => [None, key.trip(now)],
            // The target refused, so it works.
            Fault::Limited | Fault::None if error.status.is_some() => [target.success(), None],
            Fault::Limited | Fault::None => [None; 2],
        }
    }
}
