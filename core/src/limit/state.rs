//! What lies behind a gate's lock: the counts, the line of those who wait, and the rules for the
//! time after a wait that the provider imposed.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::learned::{Anew, Quotas, Reading, periods};
use super::rate::{Pace, Window};
use super::{Limits, Place, Totals};

/// A call sent so long before another has surely reached the provider before it, even where a
/// connection had to be opened for it.
const GRACE: Duration = Duration::from_millis(500);

/// A pause is forgotten when so many more would be let go at once.
const FORGOTTEN: u64 = 1024;

/// Seats are numbered from here in both directions.
const MIDDLE: u64 = 1 << 63;

#[derive(Debug)]
pub(super) struct State {
    pace: Option<Pace>,
    window: Option<Window>,
    max_in_flight: Option<u32>,
    in_flight: u32,
    /// Those of them whose answer has not begun.
    unheard: u32,
    quotas: Quotas,
    cool: Option<Instant>,
    trial: Option<Trial>,
    line: VecDeque<Arc<Seat>>,
    /// The tokens of all who wait.
    waiting_tokens: u64,
    /// The numbers of the next who joins the line at its end, and before its first.
    next_seat: u64,
    prior_seat: u64,
    /// What had passed at two points in time, the older at least [`GRACE`] ago.
    older: Totals,
    newer: Totals,
    newer_at: Option<Instant>,
}

/// One place in the line.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: u64,
    pub(super) tokens: u64,
    pub(super) wake: Notify,
    /// Set when its turn has come.
    pub(super) grant: OnceLock<Grant>,
}

/// What one call was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// The call's number.
    call: u64,
    /// Of what passed before it, how much had surely reached the provider.
    counted_before: Totals,
    /// As estimated.
    tokens: u64,
    /// What the window counts for it, and where.
    spent: u64,
    pub(super) slot: Option<u64>,
    pace: Option<(Option<Instant>, Option<Instant>)>,
    /// Whether it is one of those in flight.
    pub(super) counted: bool,
    /// Whether its answer has begun.
    heard: bool,
}

/// Why one may not pass now, and when it may at the earliest, if that can be known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocked {
    pub(super) until: Option<Instant>,
    pub(super) what: &'static str,
}

/// After a pause, or when a quota has started anew, nobody knows how much the provider will take
/// until it says so: there is credit for what was left and one more, and time gives more of it. If
/// the limit is known, as much as that allows and never more than the whole; else one in the first
/// second and twice as many in each that follows, for a refusal comes quickly.
#[derive(Debug)]
struct Trial {
    credit: u64,
    /// When time gives the next.
    next: Instant,
    spacing: Duration,
    step: u64,
    limit: Option<u64>,
    /// When it began, in what time the limit may be used, and how much of it was.
    begun: Instant,
    period: Duration,
    taken: u64,
}

impl Grant {
    /// For one that passed a gate where nothing is limited.
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

impl Trial {
    /// `unheard` is whether calls are under way: they may have been let in by the new quota.
    fn begin(anew: &Anew, unheard: bool) -> Self {
        let limit = anew.limit.map(|(limit, _)| limit.max(1));
        let spacing = anew.limit.map_or(Duration::from_secs(1), |(limit, period)| {
            let spacing = period / u32::try_from(limit).unwrap_or(u32::MAX).max(1);
            spacing.max(Duration::from_nanos(1))
        });
        let credit = match anew.left {
            Some(left) => left.saturating_add(1),
            None => u64::from(!unheard),
        };
        let period = anew.limit.map_or(Duration::ZERO, |(_, period)| period);
        let (next, begun) = (anew.at + spacing, anew.at);
        Self { credit, next, spacing, step: 1, limit, begun, period, taken: 0 }
    }

    fn advance(&mut self, now: Instant) {
        let Some(since) = now.checked_duration_since(self.next) else { return };
        let times = since.as_nanos() / self.spacing.as_nanos() + 1;
        let into = since.as_nanos() % self.spacing.as_nanos();
        self.next = now + self.spacing - Duration::from_nanos(into as u64);
        if let Some(limit) = self.limit {
            let more = u64::try_from(times).unwrap_or(u64::MAX);
            self.credit = self.credit.saturating_add(more).min(limit);
            return;
        }
        for _ in 0..times.min(FORGOTTEN.ilog2().into()) {
            self.credit = self.credit.saturating_add(self.step);
            self.step = self.step.saturating_mul(2);
        }
    }

    fn take(&mut self, now: Instant) {
        self.credit = self.credit.saturating_sub(1);
        self.taken += 1;
        if self.limit.is_some() {
            // Time gives nothing before the answer to the last one could have.
            self.next = self.next.max(now + self.spacing);
        }
    }

    /// When there is room behind so many at the earliest, where the limit is known.
    fn opens(&self, ahead: u64) -> Option<Instant> {
        let times = (self.taken + ahead) / self.limit?;
        (times > 0).then(|| self.begun + periods(self.period, times))
    }

    fn is_over(&self) -> bool {
        self.step >= FORGOTTEN
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
            trial: None,
            line: VecDeque::new(),
            waiting_tokens: 0,
            next_seat: MIDDLE,
            prior_seat: MIDDLE - 1,
            older: Totals::default(),
            newer: Totals::default(),
            newer_at: None,
        }
    }

    pub(super) fn is_engaged(&self) -> bool {
        self.pace.is_some()
            || self.window.is_some()
            || self.max_in_flight.is_some()
            || !self.quotas.is_empty()
            || self.cool.is_some()
            || self.trial.is_some()
            || !self.line.is_empty()
    }

    /// Lets time pass. `passed` is what has passed the gate.
    pub(super) fn advance(&mut self, now: Instant, passed: Totals) {
        if let Some(window) = &mut self.window {
            window.advance(now);
        }
        if let Some(anew) = self.quotas.advance(now, passed) {
            let trial = Trial::begin(&anew, self.unheard > 0);
            if self.trial.as_ref().is_none_or(|known| trial.credit < known.credit) {
                self.trial = Some(trial);
            }
        }
        if let Some(at) = self.cool.take_if(|until| *until <= now) {
            self.trial = Some(Trial::begin(&Anew { at, left: Some(0), limit: None }, false));
        }
        if let Some(trial) = &mut self.trial {
            trial.advance(now);
        }
        self.trial.take_if(|trial| trial.is_over());
    }

    /// Whether one may pass now, when those ahead have. What it answers is a lower bound: nobody
    /// knows when those in flight end.
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
        if let Some(trial) = &self.trial {
            let anew = "the provider's quota starts anew";
            if trial.credit == 0 {
                not_before(trial.next, anew);
            }
            if let Some(at) = trial.opens(ahead.requests) {
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

    /// Whether one who came now could pass, behind all who wait.
    pub(super) fn check_last(
        &self,
        now: Instant,
        passed: Totals,
        tokens: u64,
    ) -> Result<(), Blocked> {
        let requests = self.line.len() as u64;
        self.check_behind(now, passed, Totals { requests, tokens: self.waiting_tokens }, tokens)
    }

    /// The same for one who waits. The tokens of those ahead are left out, so that nobody who
    /// could pass is sent away.
    pub(super) fn check_seat(
        &self,
        now: Instant,
        passed: Totals,
        seat: &Seat,
    ) -> Result<(), Blocked> {
        let requests = self.line.partition_point(|other| other.id < seat.id) as u64;
        self.check_behind(now, passed, Totals { requests, tokens: 0 }, seat.tokens)
    }

    fn check_behind(
        &self,
        now: Instant,
        passed: Totals,
        ahead: Totals,
        tokens: u64,
    ) -> Result<(), Blocked> {
        self.check(now, passed, ahead, tokens)?;
        // Nobody overtakes: what holds up the first holds up the others.
        match self.line.front() {
            Some(first) if ahead.requests > 0 => {
                self.check(now, passed, Totals::default(), first.tokens)
            }
            _ => Ok(()),
        }
    }

    /// One passes. `before` is what had passed before it.
    pub(super) fn take(&mut self, now: Instant, before: Totals, tokens: u64) -> Grant {
        let since = self.newer_at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        if since >= GRACE {
            self.older = if since >= GRACE * 2 { before } else { self.newer };
            self.newer = before;
            self.newer_at = Some(now);
        }
        if let Some(trial) = &mut self.trial {
            trial.take(now);
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

    /// The time since which [`Grant::counted_before`] counts begins now.
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
            self.trial = None;
        }
    }

    pub(super) fn cool(&mut self, until: Instant) {
        self.cool = Some(self.cool.map_or(until, |cool| cool.max(until)));
    }

    pub(super) fn cooling(&self, now: Instant) -> Option<Duration> {
        Some(self.cool?.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// A call is over. Does nothing for one that was not counted.
    pub(super) fn end_flight(&mut self, grant: &mut Grant) {
        self.hear(grant);
        self.in_flight -= u32::from(grant.counted);
        grant.counted = false;
    }

    fn hear(&mut self, grant: &mut Grant) {
        self.unheard -= u32::from(grant.counted && !grant.heard);
        grant.heard = true;
    }

    pub(super) fn first(&self) -> Option<Arc<Seat>> {
        self.line.front().cloned()
    }

    pub(super) fn join(&mut self, tokens: u64, place: Place) -> Arc<Seat> {
        let seat = |id| Arc::new(Seat { id, tokens, wake: Notify::new(), grant: OnceLock::new() });
        self.waiting_tokens = self.waiting_tokens.saturating_add(tokens);
        match place {
            Place::Last => {
                let seat = seat(self.next_seat);
                self.next_seat += 1;
                self.line.push_back(Arc::clone(&seat));
                seat
            }
            Place::First => {
                let seat = seat(self.prior_seat);
                self.prior_seat -= 1;
                self.line.push_front(Arc::clone(&seat));
                seat
            }
        }
    }

    /// The first has its turn.
    pub(super) fn pop(&mut self, grant: Grant) {
        if let Some(seat) = self.line.pop_front() {
            self.waiting_tokens = self.waiting_tokens.saturating_sub(seat.tokens);
            let _ = seat.grant.set(grant);
            seat.wake.notify_one();
        }
    }

    /// One does not wait any more. What it was given meanwhile it gives back, unused.
    pub(super) fn leave(&mut self, seat: &Seat, now: Instant) {
        if let Ok(index) = self.line.binary_search_by_key(&seat.id, |other| other.id) {
            self.line.remove(index);
            self.waiting_tokens = self.waiting_tokens.saturating_sub(seat.tokens);
        } else if let Some(mut grant) = seat.grant.get().copied() {
            self.give_back(&mut grant, now);
            self.end_flight(&mut grant);
        }
    }

    /// A call that had its turn was not sent.
    pub(super) fn give_back(&mut self, grant: &mut Grant, now: Instant) {
        self.settle(grant, 0, now);
        if let (Some(pace), Some(taken)) = (&mut self.pace, grant.pace.take()) {
            pace.undo(taken);
        }
        self.quotas.unused(grant.call, Totals { requests: 1, tokens: grant.tokens });
    }

    /// A call was refused for what it is.
    pub(super) fn refused(&mut self, grant: &mut Grant, now: Instant) {
        self.settle(grant, 0, now);
        self.quotas.unused(grant.call, Totals { requests: 0, tokens: grant.tokens });
    }

    pub(super) fn wake_all(&self) {
        for seat in &self.line {
            seat.wake.notify_one();
        }
    }

    /// How many wait and how many are in flight.
    #[cfg(test)]
    pub(super) fn load(&self) -> (usize, u32) {
        (self.line.len(), self.in_flight)
    }
}
