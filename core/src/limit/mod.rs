//! Gates that a call passes before it is sent, so that a 429 that can be foreseen is not caused.
//!
//! A [`Gate`] stands before one scope: a target, or a whole provider. It knows three things: the
//! limits that its user configured ([`rate`]), the quotas that the provider's answers tell of
//! ([`learned`]), and a time until which the provider asked to be left alone. Who cannot pass waits
//! in one line, in the order of arrival; nobody overtakes, and who could not pass in time is told so
//! at once. See `docs/adr/0013-limits.md`.
//!
//! There is no task and no thread behind it: whoever changes something admits those that may go now,
//! and each of the waiting has a timer of its own, on whatever runtime it runs.

mod learned;
mod limits;
mod rate;
mod slow_start;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use limits::{Limited, Limits};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::HeaderMap;
use tokio::time::Instant;

use limits::{MAX_WAIT, Place, Totals};
use state::{Blocked, Grant, State, Waiter};

/// How much longer one waits who was let wait: what is learned meanwhile may move a turn a little.
const SLACK: Duration = Duration::from_secs(5);

/// How often one who is not the first looks whether the first could go: the first may run on a
/// thread that nobody drives just now, and must not hold up the others.
const LOOK: Duration = Duration::from_secs(1);

/// What stands before one scope. Clones are the same gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Whether anything is limited, known or waited for: while not, calls pass without the lock.
    engaged: AtomicBool,
    /// How many calls have passed, ever.
    requests: AtomicU64,
    /// How many tokens they were estimated at.
    tokens: AtomicU64,
    state: Mutex<State>,
}

/// A call that passed, until it is dropped: at the end of its answer.
#[derive(Debug)]
#[must_use = "a dropped permit frees its place"]
pub(crate) struct Permit {
    shared: Arc<Shared>,
    grant: Grant,
    /// It may have to wait elsewhere yet: dropped, it gives back all that it was given.
    unsent: bool,
}

/// A guess at a call's tokens: four bytes of a request make one, and the answer may be as long as
/// was asked for. [`Permit::settle`] corrects it.
#[must_use]
pub(crate) fn estimate(request_body_len: usize, max_tokens: Option<u64>) -> u64 {
    /// What an answer is taken for whose length is not limited.
    const ANSWER: u64 = 500;
    /// More than any quota: what is asked for beyond says nothing, and sums of it would overflow.
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

    /// Passes, or waits for its turn where `wait` allows it. `tokens` is an estimate of what the
    /// call will take.
    ///
    /// # Errors
    /// At once, where the turn cannot come before `deadline` nor within [`MAX_WAIT`], or may not be
    /// waited for; else when the deadline comes. A dropped future leaves the line.
    pub(crate) async fn acquire(
        &self,
        tokens: u64,
        wait: bool,
        deadline: Instant,
    ) -> Result<Permit, Limited> {
        self.enter(tokens, wait, deadline, Place::Last).await
    }

    /// The same for a call that has to pass another gate too: until [`Permit::sent`].
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

    /// The same for one who had its turn and gave it back, as it had to wait at the other gate: ahead
    /// of those who came later.
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
        // Boxed: waiting is rare, and every call would carry its future about.
        Box::pin(waiting.turn(now, deadline)).await
    }

    /// After an answer that asked to wait: nobody passes before `until`.
    pub(crate) fn cool(&self, until: Instant) {
        let now = Instant::now();
        if until <= now {
            return;
        }
        let mut state = self.0.lock();
        state.cool(until);
        self.0.pump(&mut state, now, None);
        // Some of them may not be able to wait so long.
        state.wake_all();
    }

    /// How long nobody will pass, because the provider asked for it.
    pub(crate) fn cooling(&self, now: Instant) -> Option<Duration> {
        if !self.0.engaged.load(Ordering::Acquire) {
            return None;
        }
        self.0.lock().cooling(now)
    }

    fn permit(&self, grant: Grant) -> Permit {
        Permit { shared: Arc::clone(&self.0), grant, unsent: false }
    }
}

impl Permit {
    /// Puts the call's tokens right, once they are known. May be said again.
    pub(crate) fn settle(&mut self, actual: u64, now: Instant) {
        if self.grant.slot.is_none() {
            return;
        }
        let mut state = self.shared.lock();
        state.settle(&mut self.grant, actual, now);
        self.shared.pump(&mut state, now, None);
    }

    /// The provider refused the request for what it is: no tokens were used for it.
    pub(crate) fn refused(&mut self, now: Instant) {
        if self.grant.slot.is_none() && !self.shared.engaged.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.shared.lock();
        state.refused(&mut self.grant, now);
        self.shared.pump(&mut state, now, None);
    }

    /// The call has passed every gate.
    pub(crate) fn sent(&mut self) {
        self.unsent = false;
    }

    /// Learns from the head of the call's answer, whatever its status, what is left of the
    /// provider's quotas. An answer to a call that was sent before one already heard of says
    /// nothing new.
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

    /// Counts a call that passes; returns what had passed before it.
    fn count(&self, tokens: u64) -> Totals {
        Totals {
            requests: self.requests.fetch_add(1, Ordering::Relaxed),
            tokens: self.tokens.fetch_add(tokens, Ordering::Relaxed),
        }
    }

    /// Lets those pass whose turn has come, in their order, and has the first of the others set its
    /// timer anew, unless that one is asking.
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

/// One who waits. Dropped, it leaves the line, and gives back what it was given meanwhile.
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
                    // The line moved up to it, but its turn was not given: cannot be.
                    continue;
                };
                // As if it had come later.
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
    /// Whether one who has waited since then may be let pass before its deadline.
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
