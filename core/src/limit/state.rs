//! The state behind a gate's lock: the counts, the line of waiters, and the rules for the time
//! after a pause that the provider imposed.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::learned::{QuotaReset, Quotas, Reading};
use super::limits::{Limits, Place, Totals};
use super::rate::{Pace, Window};
use super::slow_start::SlowStart;

/// The age at which a call has surely reached the provider before a later call, even over a new
/// connection.
const GRACE: Duration = Duration::from_millis(500);

/// Waiters are numbered from here in both directions.
const MIDDLE: u64 = 1 << 63;

#[derive(Debug)]
pub(super) struct State {
    pace: Option<Pace>,
    window: Option<Window>,
    max_in_flight: Option<u32>,
    in_flight: u32,
    /// The calls in flight whose answer has not begun.
    unheard: u32,
    quotas: Quotas,
    cool: Option<Instant>,
    slow_start: Option<SlowStart>,
    line: VecDeque<Arc<Waiter>>,
    /// The tokens of all waiters.
    waiting_tokens: u64,
    /// The numbers of the next waiter at the end of the line, and of the next one before the first.
    next_seat: u64,
    prior_seat: u64,
    /// The totals at two points in time, the older one at least [`GRACE`] ago.
    older: Totals,
    newer: Totals,
    newer_at: Option<Instant>,
}

/// A waiter is one place in the line.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) tokens: u64,
    pub(super) wake: Notify,
    /// Set when its turn has come.
    pub(super) grant: OnceLock<Grant>,
}

/// A grant is what one call was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// The call's number.
    call: u64,
    /// The part of the totals before the call that had surely reached the provider.
    counted_before: Totals,
    /// The estimated tokens.
    tokens: u64,
    /// What the window counts for the call, and where.
    spent: u64,
    pub(super) slot: Option<u64>,
    pace: Option<(Option<Instant>, Option<Instant>)>,
    /// Whether the call counts as in flight.
    pub(super) counted: bool,
    /// Whether the call's answer has begun.
    heard: bool,
}

/// Why a call may not pass now, and when it may at the earliest, if that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocked {
    pub(super) until: Option<Instant>,
    pub(super) what: &'static str,
}

impl Grant {
    /// The grant of a call that passed a gate without limits.
    pub(super) fn free(before: Totals, tokens: u64) -> Self {
        Self {
            call: before.requests,
            counted_before: before,
            tokens,
            spent: 0,
            slot: None,
            pace: None,
            counted: false,
            heard: false,
        }
    }
}

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            pace: limits.requests_per_minute.map(Pace::new),
            window: limits.tokens_per_minute.map(Window::new),
            max_in_flight: limits.max_in_flight,
            in_flight: 0,
            unheard: 0,
            quotas: Quotas::default(),
            cool: None,
            slow_start: None,
            line: VecDeque::new(),
            waiting_tokens: 0,
            next_seat: MIDDLE,
            prior_seat: MIDDLE - 1,
            older: Totals::default(),
            newer: Totals::default(),
            newer_at: None,
        }
    }

    /// The same under other limits of the same kinds.
    #[cfg(feature = "redis")]
    pub(super) fn put_under(&mut self, limits: Limits) {
        if let Some(quota) = limits.requests_per_minute {
            self.pace = self.pace.take().map(|pace| pace.under(quota));
        }
        if let Some(quota) = limits.tokens_per_minute {
            self.window = self.window.take().map(|window| window.under(quota));
        }
        self.max_in_flight = limits.max_in_flight;
    }

    pub(super) fn is_engaged(&self) -> bool {
        self.pace.is_some()
            || self.window.is_some()
            || self.max_in_flight.is_some()
            || !self.quotas.is_empty()
            || self.cool.is_some()
            || self.slow_start.is_some()
            || !self.line.is_empty()
    }

    pub(super) fn has_learned(&self) -> bool {
        !self.quotas.is_empty() || self.cool.is_some() || self.slow_start.is_some()
    }

    /// Advances the state to `now`. `passed` are the totals of the gate.
    pub(super) fn advance(&mut self, now: Instant, passed: Totals) {
        if let Some(window) = &mut self.window {
            window.advance(now);
        }
        if let Some(anew) = self.quotas.advance(now, passed) {
            let slow_start = SlowStart::begin(&anew, self.unheard > 0);
            if self.slow_start.as_ref().is_none_or(|known| slow_start.credit < known.credit) {
                self.slow_start = Some(slow_start);
            }
        }
        if let Some(at) = self.cool.take_if(|until| *until <= now) {
            self.slow_start =
                Some(SlowStart::begin(&QuotaReset { at, left: Some(0), limit: None }, false));
        }
        if let Some(slow_start) = &mut self.slow_start {
            slow_start.advance(now);
        }
        self.slow_start.take_if(|slow_start| slow_start.is_over());
    }

    /// Whether a call may pass now, after those ahead. The time is a lower bound, because nobody
    /// knows when the calls in flight end.
    pub(super) fn check(
        &self,
        now: Instant,
        passed: Totals,
        ahead: Totals,
        tokens: u64,
    ) -> Result<(), Blocked> {
        let mut worst: Option<(Instant, &'static str)> = None;
        let mut not_before = |at: Instant, what| {
            if at > now && worst.is_none_or(|(until, _)| until < at) {
                worst = Some((at, what));
            }
        };
        if let Some(until) = self.cool {
            not_before(until, "the provider asked to wait");
        }
        if let Some(pace) = &self.pace {
            not_before(pace.earliest(now, ahead.requests), "requests_per_minute");
        }
        if let Some(window) = &self.window {
            not_before(window.earliest(now, ahead.tokens, tokens), "tokens_per_minute");
        }
        if let Some((at, what)) = self.quotas.earliest(now, passed, ahead, tokens) {
            not_before(at, what);
        }
        if let Some(slow_start) = &self.slow_start {
            let anew = "the provider's quota starts anew";
            if slow_start.credit == 0 {
                not_before(slow_start.next, anew);
            }
            if let Some(at) = slow_start.opens(ahead.requests) {
                not_before(at, anew);
            }
        }
        if let Some((until, what)) = worst {
            return Err(Blocked { until: Some(until), what });
        }
        let in_flight = u64::from(self.in_flight) + ahead.requests;
        if self.max_in_flight.is_some_and(|most| in_flight >= u64::from(most)) {
            return Err(Blocked { until: None, what: "max_in_flight" });
        }
        Ok(())
    }

    /// Whether a new call could pass now, behind all waiters.
    pub(super) fn check_last(
        &self,
        now: Instant,
        passed: Totals,
        tokens: u64,
    ) -> Result<(), Blocked> {
        let requests = self.line.len() as u64;
        self.check_behind(now, passed, Totals { requests, tokens: self.waiting_tokens }, tokens)
    }

    /// Does the same for a waiter. The tokens of those ahead are left out, so that no call that
    /// could pass is refused.
    pub(super) fn check_waiter(
        &self,
        now: Instant,
        passed: Totals,
        waiter: &Waiter,
    ) -> Result<(), Blocked> {
        let requests = self.line.partition_point(|other| other.id < waiter.id) as u64;
        self.check_behind(now, passed, Totals { requests, tokens: 0 }, waiter.tokens)
    }

    fn check_behind(
        &self,
        now: Instant,
        passed: Totals,
        ahead: Totals,
        tokens: u64,
    ) -> Result<(), Blocked> {
        self.check(now, passed, ahead, tokens)?;
        // No call overtakes, so what blocks the first waiter blocks the others.
        match self.line.front() {
            Some(first) if ahead.requests > 0 => {
                self.check(now, passed, Totals::default(), first.tokens)
            }
            _ => Ok(()),
        }
    }

    /// Records that a call passes. `before` are the totals before it.
    pub(super) fn take(&mut self, now: Instant, before: Totals, tokens: u64) -> Grant {
        let since = self.newer_at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        if since >= GRACE {
            self.older = if since >= GRACE * 2 { before } else { self.newer };
            self.newer = before;
            self.newer_at = Some(now);
        }
        if let Some(slow_start) = &mut self.slow_start {
            slow_start.take(now);
        }
        let spent = self.window.as_mut().map(|window| window.spend(now, tokens));
        self.in_flight += 1;
        self.unheard += 1;
        Grant {
            call: before.requests,
            counted_before: self.older,
            tokens,
            spent: spent.map_or(0, |(spent, _)| spent),
            slot: spent.map(|(_, slot)| slot),
            pace: self.pace.as_mut().map(|pace| pace.take(now)),
            counted: true,
            heard: false,
        }
    }

    /// Starts the time over which [`Grant::counted_before`] counts.
    pub(super) fn mark(&mut self, passed: Totals) {
        (self.older, self.newer, self.newer_at) = (passed, passed, None);
    }

    pub(super) fn settle(&mut self, grant: &mut Grant, actual: u64, now: Instant) {
        if let (Some(window), Some(slot)) = (&mut self.window, grant.slot) {
            window.advance(now);
            window.correct(now, slot, grant.spent, actual);
            grant.spent = actual;
        }
    }

    pub(super) fn learn(&mut self, grant: &mut Grant, readings: &[Reading], now: Instant) {
        self.hear(grant);
        let counted = grant.counted_before;
        if self.quotas.learn(readings, grant.call, counted, grant.tokens, now) {
            self.slow_start = None;
        }
    }

    pub(super) fn cool(&mut self, until: Instant) {
        self.cool = Some(self.cool.map_or(until, |cool| cool.max(until)));
    }

    pub(super) fn cooling(&self, now: Instant) -> Option<Duration> {
        Some(self.cool?.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Ends a call. It does nothing for a call that was not counted.
    pub(super) fn end_flight(&mut self, grant: &mut Grant) {
        self.hear(grant);
        self.in_flight -= u32::from(grant.counted);
        grant.counted = false;
    }

    fn hear(&mut self, grant: &mut Grant) {
        self.unheard -= u32::from(grant.counted && !grant.heard);
        grant.heard = true;
    }

    pub(super) fn first(&self) -> Option<Arc<Waiter>> {
        self.line.front().cloned()
    }

    pub(super) fn join(&mut self, tokens: u64, place: Place) -> Arc<Waiter> {
        let waiter =
            |id| Arc::new(Waiter { id, tokens, wake: Notify::new(), grant: OnceLock::new() });
        self.waiting_tokens = self.waiting_tokens.saturating_add(tokens);
        match place {
            Place::Last => {
                let waiter = waiter(self.next_seat);
                self.next_seat += 1;
                self.line.push_back(Arc::clone(&waiter));
                waiter
            }
            Place::First => {
                let waiter = waiter(self.prior_seat);
                self.prior_seat -= 1;
                self.line.push_front(Arc::clone(&waiter));
                waiter
            }
        }
    }

    /// Gives the first waiter its turn.
    pub(super) fn pop(&mut self, grant: Grant) {
        if let Some(waiter) = self.line.pop_front() {
            self.waiting_tokens = self.waiting_tokens.saturating_sub(waiter.tokens);
            let _ = waiter.grant.set(grant);
            waiter.wake.notify_one();
        }
    }

    /// Removes a waiter from the line. A grant that it got meanwhile is given back unused.
    pub(super) fn leave(&mut self, waiter: &Waiter, now: Instant) {
        if let Ok(index) = self.line.binary_search_by_key(&waiter.id, |other| other.id) {
            self.line.remove(index);
            self.waiting_tokens = self.waiting_tokens.saturating_sub(waiter.tokens);
        } else if let Some(mut grant) = waiter.grant.get().copied() {
            self.give_back(&mut grant, now);
            self.end_flight(&mut grant);
        }
    }

    /// Takes back a call that had its turn and was not sent.
    pub(super) fn give_back(&mut self, grant: &mut Grant, now: Instant) {
        self.settle(grant, 0, now);
        if let (Some(pace), Some(taken)) = (&mut self.pace, grant.pace.take()) {
            pace.undo(taken);
        }
        self.quotas.unused(grant.call, Totals { requests: 1, tokens: grant.tokens });
    }

    /// Records that the request itself was refused.
    pub(super) fn refused(&mut self, grant: &mut Grant, now: Instant) {
        self.settle(grant, 0, now);
        self.quotas.unused(grant.call, Totals { requests: 0, tokens: grant.tokens });
    }

    pub(super) fn wake_all(&self) {
        for waiter in &self.line {
            waiter.wake.notify_one();
        }
    }

    /// The number of waiters and of calls in flight.
    #[cfg(test)]
    pub(super) fn load(&self) -> (usize, u32) {
        (self.line.len(), self.in_flight)
    }
}
