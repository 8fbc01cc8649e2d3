//! A gate holds a call back before it is sent, so that it does not cause a foreseeable 429.
//!
//! A [`Gate`] guards one scope: a target, or a whole provider. It knows three things: the limits
//! that its user configured ([`rate`]), the quotas that the provider's answers report
//! ([`learned`]), and the end of a pause that the provider asked for. Calls that cannot pass wait
//! in one line, in order of arrival, and none overtakes. A call that could not pass in time gets
//! its error at once. See `docs/adr/0013-limits.md`.
//!
//! A gate has no task and no thread. Each change of its state admits the calls that may go. Each
//! waiter has its own timer, on the runtime on which it runs.

pub(crate) mod budget;
mod bytes;
#[cfg(feature = "redis")]
pub mod fleet;
mod learned;
mod limits;
mod rate;
mod slow_start;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use bytes::{Held, Room};
pub(crate) use limits::{Limited, Limits};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::HeaderMap;
use tokio::time::Instant;

use limits::{MAX_WAIT, Place, Totals};
use state::{Blocked, Grant, State, Waiter};

/// The extra time for a call that already waits, because answers read meanwhile may move its turn a
/// little.
const SLACK: Duration = Duration::from_secs(5);

/// How often a waiter that is not the first checks whether the first could go. The first may run on
/// a thread that is not driven now, and must not block the others.
const LOOK: Duration = Duration::from_secs(1);

/// The gate of one scope. Clones are the same gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Whether any limit, quota or waiter exists. While none does, calls pass without the lock.
    engaged: AtomicBool,
    /// The number of calls that have passed so far.
    requests: AtomicU64,
    /// The estimated tokens of these calls.
    tokens: AtomicU64,
    state: Mutex<State>,
}

/// The permit of a call that passed. It is dropped at the end of the call's answer.
#[derive(Debug)]
#[must_use = "a dropped permit frees its place"]
pub(crate) struct Permit {
    shared: Arc<Shared>,
    grant: Grant,
    /// Whether the call may still have to wait at another gate. If so, a drop gives everything
    /// back.
    unsent: bool,
}

/// An estimate of a call's tokens. Four bytes of a request count as one token, and the answer
/// counts with its largest length. [`Permit::settle`] corrects the estimate.
#[must_use]
pub(crate) fn estimate(request_body_len: usize, max_tokens: Option<u64>) -> u64 {
    /// The tokens counted for an answer without a limit.
    const ANSWER: u64 = 500;
    /// More than any quota. Larger values say nothing more, and their sums would overflow.
    const MOST: u64 = u32::MAX as u64;
    (request_body_len as u64 / 4 + 1) + max_tokens.unwrap_or(ANSWER).min(MOST)
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        let state = State::new(limits);
        Self(Arc::new(Shared {
            engaged: AtomicBool::new(state.is_engaged()),
            requests: AtomicU64::new(0),
            tokens: AtomicU64::new(0),
            state: Mutex::new(state),
        }))
    }

    /// Passes, or waits for its turn if `wait` allows it. `tokens` is an estimate of what the call
    /// will use.
    ///
    /// # Errors
    /// At once if the turn cannot come before `deadline` and within [`MAX_WAIT`], or if the call
    /// may not wait. Otherwise when the deadline comes. A dropped future leaves the line.
    #[cfg(test)]
    pub(crate) async fn acquire(
        &self,
        tokens: u64,
        wait: bool,
        deadline: Instant,
    ) -> Result<Permit, Limited> {
        self.enter(tokens, wait, deadline, Place::Last).await
    }

    /// Does the same for a call that has to pass another gate too, until [`Permit::sent`].
    pub(crate) async fn turn(
        &self,
        tokens: u64,
        wait: bool,
        deadline: Instant,
    ) -> Result<Permit, Limited> {
        let mut permit = self.enter(tokens, wait, deadline, Place::Last).await?;
        permit.unsent = true;
        Ok(permit)
    }

    /// Does the same for a call that gave its turn back to wait at the other gate. It goes ahead of
    /// later calls.
    pub(crate) async fn turn_again(
        &self,
        tokens: u64,
        deadline: Instant,
    ) -> Result<Permit, Limited> {
        let mut permit = self.enter(tokens, true, deadline, Place::First).await?;
        permit.unsent = true;
        Ok(permit)
    }

    async fn enter(
        &self,
        tokens: u64,
        wait: bool,
        deadline: Instant,
        place: Place,
    ) -> Result<Permit, Limited> {
        if !self.0.engaged.load(Ordering::Acquire) {
            let before = self.0.count(tokens);
            return Ok(self.permit(Grant::free(before, tokens)));
        }
        let now = Instant::now();
        let waiter = {
            let mut state = self.0.lock();
            self.0.pump(&mut state, now, None);
            let totals = self.0.totals();
            let free = match place {
                Place::Last => state.check_last(now, totals, tokens),
                Place::First => state.check(now, totals, Totals::default(), tokens),
            };
            match free {
                Ok(()) => {
                    let before = self.0.count(tokens);
                    let grant = state.take(now, before, tokens);
                    self.0.set_engaged(&mut state);
                    return Ok(self.permit(grant));
                }
                Err(blocked) if !wait || !blocked.fits(now, deadline) => {
                    return Err(blocked.limited(now));
                }
                Err(_) => state.join(tokens, place),
            }
        };
        let waiting = Waiting { gate: self, waiter, over: false };
        // Boxed: waiting is rare, and without the box every call's future would have room for this
        // one.
        Box::pin(waiting.turn(now, deadline)).await
    }

    /// Pauses the gate after an answer that asked to wait: no call passes before `until`.
    pub(crate) fn cool(&self, until: Instant) {
        let now = Instant::now();
        if until <= now {
            return;
        }
        let mut state = self.0.lock();
        state.cool(until);
        self.0.pump(&mut state, now, None);
        // The pause may be too long for some waiters.
        state.wake_all();
    }

    /// The rest of the pause that the provider asked for.
    pub(crate) fn cooling(&self, now: Instant) -> Option<Duration> {
        if !self.0.engaged.load(Ordering::Acquire) {
            return None;
        }
        self.0.lock().cooling(now)
    }

    /// What holds the first of the waiting calls back.
    pub(crate) fn holds_back(&self, now: Instant) -> Option<Limited> {
        let mut state = self.0.lock();
        state.advance(now, self.0.totals());
        let tokens = state.first()?.tokens;
        let blocked = state.check(now, self.0.totals(), Totals::default(), tokens).err()?;
        Some(blocked.limited(now))
    }

    /// Whether it holds something that answers have taught, and that still counts.
    pub(crate) fn has_learned(&self, now: Instant) -> bool {
        if !self.0.engaged.load(Ordering::Acquire) {
            return false;
        }
        let mut state = self.0.lock();
        state.advance(now, self.0.totals());
        state.has_learned()
    }

    fn permit(&self, grant: Grant) -> Permit {
        Permit { shared: Arc::clone(&self.0), grant, unsent: false }
    }
}

impl Permit {
    /// Corrects the call's tokens once they are known. It may be called again.
    pub(crate) fn settle(&mut self, actual: u64, now: Instant) {
        if self.grant.slot.is_none() {
            return;
        }
        let mut state = self.shared.lock();
        state.settle(&mut self.grant, actual, now);
        self.shared.pump(&mut state, now, None);
    }

    /// Records that the provider refused the request itself, so that it used no tokens.
    pub(crate) fn refused(&mut self, now: Instant) {
        if self.grant.slot.is_none() && !self.shared.engaged.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.shared.lock();
        state.refused(&mut self.grant, now);
        self.shared.pump(&mut state, now, None);
    }

    /// Gives the place back: the call has passed every gate, and sent nothing after all.
    pub(crate) fn unused(&mut self) {
        self.unsent = true;
    }

    /// Records that the call has passed every gate.
    pub(crate) fn sent(&mut self) {
        self.unsent = false;
    }

    /// Learns the rest of the provider's quotas from the head of the call's answer, of any status.
    /// An answer to an older call than the latest one read says nothing new.
    pub(crate) fn learn(&mut self, headers: &HeaderMap, now: Instant) {
        let readings = learned::read(headers);
        if readings.is_empty() && !self.shared.engaged.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.shared.lock();
        state.learn(&mut self.grant, &readings, now);
        self.shared.pump(&mut state, now, None);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.grant.counted || self.unsent {
            let now = Instant::now();
            let mut state = self.shared.lock();
            if self.unsent {
                state.give_back(&mut self.grant, now);
            }
            state.end_flight(&mut self.grant);
            self.shared.pump(&mut state, now, None);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn totals(&self) -> Totals {
        Totals {
            requests: self.requests.load(Ordering::Relaxed),
            tokens: self.tokens.load(Ordering::Relaxed),
        }
    }

    /// Counts a call that passes. Returns the totals before it.
    fn count(&self, tokens: u64) -> Totals {
        Totals {
            requests: self.requests.fetch_add(1, Ordering::Relaxed),
            tokens: self.tokens.fetch_add(tokens, Ordering::Relaxed),
        }
    }

    /// Admits the waiters whose turn has come, in order. It then wakes the first of the others to
    /// set its timer again, unless that one is `asking`.
    fn pump(&self, state: &mut State, now: Instant, asking: Option<&Waiter>) {
        state.advance(now, self.totals());
        while let Some(waiter) = state.first() {
            if state.check(now, self.totals(), Totals::default(), waiter.tokens).is_err() {
                if asking.is_none_or(|asking| asking.id != waiter.id) {
                    waiter.wake.notify_one();
                }
                break;
            }
            let before = self.count(waiter.tokens);
            let grant = state.take(now, before, waiter.tokens);
            state.pop(grant);
        }
        self.set_engaged(state);
    }

    fn set_engaged(&self, state: &mut State) {
        let engaged = state.is_engaged();
        if self.engaged.swap(engaged, Ordering::AcqRel) != engaged && engaged {
            state.mark(self.totals());
        }
    }
}

/// A call that waits. If dropped, it leaves the line and gives back a grant that it got meanwhile.
struct Waiting<'a> {
    gate: &'a Gate,
    waiter: Arc<Waiter>,
    over: bool,
}

impl Waiting<'_> {
    async fn turn(mut self, since: Instant, deadline: Instant) -> Result<Permit, Limited> {
        loop {
            let look = {
                let now = Instant::now();
                let shared = &self.gate.0;
                let mut state = shared.lock();
                shared.pump(&mut state, now, Some(&self.waiter));
                if let Some(grant) = self.waiter.grant.get() {
                    self.over = true;
                    return Ok(self.gate.permit(*grant));
                }
                let Err(blocked) = state.check_waiter(now, shared.totals(), &self.waiter) else {
                    // The line moved up, but this turn was not granted. That cannot happen.
                    continue;
                };
                // The waiter gets the slack, as if it had come later.
                let since = since + blocked.until.map_or(Duration::ZERO, |_| SLACK);
                let end = deadline.min(since + MAX_WAIT);
                if now >= end || !blocked.fits(since, deadline) {
                    return Err(blocked.limited(now));
                }
                let first = state.first().is_some_and(|first| first.id == self.waiter.id);
                let own = blocked.until.unwrap_or(end).min(end);
                if first { own } else { end.min(now + LOOK) }
            };
            let _ = tokio::time::timeout_at(look, self.waiter.wake.notified()).await;
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let shared = &self.gate.0;
        let mut state = shared.lock();
        let now = Instant::now();
        state.leave(&self.waiter, now);
        shared.pump(&mut state, now, None);
    }
}

impl Blocked {
    /// Whether a call that has waited since `since` can still pass before its deadline.
    fn fits(&self, since: Instant, deadline: Instant) -> bool {
        match self.until {
            Some(until) => until < deadline && until <= since + MAX_WAIT,
            None => since < deadline,
        }
    }

    fn limited(&self, now: Instant) -> Limited {
        let retry_after = self.until.map(|until| until.saturating_duration_since(now));
        Limited { retry_after, what: self.what }
    }
}
