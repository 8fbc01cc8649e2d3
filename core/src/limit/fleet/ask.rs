//! An attempt asks for its place: at once, or as the first of its line.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::super::limits::Limited;
use super::super::rate::Pace;
use super::super::{Gate, Permit};
use super::place::{Place, released};
use super::rules::{Rule, Until, Verdict, take};
use super::shared::{Line, Scope, Shared, lock};
use crate::redis::Fault;

/// The wait for a place in flight: at first, and at most.
const FIRST_LOOK: Duration = Duration::from_millis(25);
const LAST_LOOK: Duration = Duration::from_millis(250);

/// The longest random addition to a wait, in milliseconds.
const JITTER_MS: f64 = 10.0;

/// What one attempt asks for.
pub(crate) struct Wish<'a> {
    /// The first scope has the line, and the pause that its provider asks for.
    pub(crate) scopes: &'a [&'a Arc<Scope>],
    /// The gate that learns of a pause.
    pub(crate) gate: &'a Gate,
    pub(crate) tokens: u64,
    /// Whether the call may wait.
    pub(crate) wait: bool,
    pub(crate) deadline: Instant,
}

/// What a question brings.
pub(super) enum Asked {
    Passed(Place),
    Blocked(Limited),
}

/// An attempt that asks.
pub(super) struct Asker<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) wish: &'a Wish<'a>,
    pub(super) id: String,
    pub(super) rules: Vec<(Rule, &'static str)>,
    /// The places in this process's share, once they count.
    pub(super) shares: Vec<Permit>,
    pub(super) end: Instant,
    /// A question is under way, which may be granted.
    pub(super) asking: bool,
}

impl Asker<'_> {
    /// Asks once. Without Redis it waits for the share instead.
    pub(super) async fn ask(&mut self) -> Result<Asked, Limited> {
        let shared = self.shared;
        if shared.is_strict() {
            self.take_shares().await?;
        }
        let rules: Vec<Rule> = self.rules.iter().map(|(rule, _)| rule.clone()).collect();
        self.asking = true;
        let verdict = take(&shared.redis.before(self.end), &self.id, &rules).await;
        self.asking = false;
        match verdict {
            Ok(Verdict::Granted(second)) => {
                let mut place = Place::of(shared, &self.id, &rules, second);
                shared.answered();
                if shared.is_strict() {
                    self.take_shares().await.inspect_err(|_| place.unused())?;
                }
                Ok(Asked::Passed(place.with(self.passed())))
            }
            Ok(Verdict::Blocked(rule, until)) => {
                shared.answered();
                let retry_after = match until {
                    Until::After(time) => Some(time),
                    Until::Free | Until::Spent => None,
                };
                if let (Some((Rule::Pause { .. }, _)), Some(time)) =
                    (self.rules.get(rule), retry_after)
                {
                    self.wish.gate.cool(Instant::now() + time);
                }
                let what = self.rules.get(rule).map_or("a limit of the fleet", |(_, what)| what);
                Ok(Asked::Blocked(Limited { retry_after, what }))
            }
            Err(fault) => {
                if fault == Fault::Foreign {
                    shared.redis.foreign(|| names(&rules));
                }
                lock(&shared.trust).alone = true;
                self.take_shares().await?;
                let place = Place::alone(shared);
                if fault == Fault::Late {
                    // It may have been granted all the same.
                    shared.send(released(&self.id, &rules));
                }
                Ok(Asked::Passed(place.with(self.passed())))
            }
        }
    }

    /// Waits in line, and asks when it is the first.
    pub(super) async fn wait(&mut self, line: &Line) -> Result<Place, Limited> {
        let _place = line.join();
        let turn = timeout_at(self.end, line.turn.lock()).await;
        let Ok(_turn) = turn else {
            return Err(line.behind());
        };
        let mut look = FIRST_LOOK;
        loop {
            let freed = self.shared.freed.notified();
            let limited = match self.ask().await? {
                Asked::Passed(place) => return Ok(place),
                Asked::Blocked(limited) => limited,
            };
            *lock(&line.held) = Some(limited);
            if !self.fits(&limited) {
                return Err(limited);
            }
            let now = Instant::now();
            match limited.retry_after {
                Some(time) => {
                    let jitter = Duration::from_secs_f64(fastrand::f64() * JITTER_MS / 1e3);
                    sleep_until((now + time + jitter).min(self.end)).await;
                }
                None => {
                    let _ = timeout_at((now + look).min(self.end), freed).await;
                    look = (look * 2).min(LAST_LOOK);
                }
            }
        }
    }

    /// Whether the call can still pass in time.
    pub(super) fn fits(&self, limited: &Limited) -> bool {
        Instant::now() + limited.retry_after.unwrap_or_default() < self.end
    }

    /// Waits for a place in the share of each scope.
    async fn take_shares(&mut self) -> Result<(), Limited> {
        if !self.shares.is_empty() {
            return Ok(());
        }
        let mut taken = Vec::with_capacity(2);
        for share in self.wish.scopes.iter().filter_map(|scope| scope.share.as_ref()) {
            let Wish { tokens, wait, deadline, .. } = *self.wish;
            taken.push(share.turn(tokens, wait, deadline).await?);
        }
        taken.iter_mut().for_each(Permit::sent);
        self.shares = taken;
        Ok(())
    }

    /// Counts what passes in the share of each scope.
    fn passed(&mut self) -> Vec<Permit> {
        if self.shares.is_empty() {
            let shares = self.wish.scopes.iter().filter_map(|scope| scope.share.as_ref());
            return shares.map(|share| share.pass(self.wish.tokens)).collect();
        }
        std::mem::take(&mut self.shares)
    }
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        // Places that were taken for nothing are given back whole.
        self.shares.iter_mut().for_each(Permit::unused);
        if self.asking {
            // The call was cancelled, and may have been granted all the same.
            let rules: Vec<Rule> = self.rules.iter().map(|(rule, _)| rule.clone()).collect();
            self.shared.send(released(&self.id, &rules));
        }
    }
}

/// The rules of scopes, and what a call waits for at each.
pub(super) fn rules_of(scopes: &[&Arc<Scope>], tokens: u64) -> Vec<(Rule, &'static str)> {
    let mut rules = Vec::with_capacity(4);
    for (i, Scope { key, limits, .. }) in scopes.iter().map(|scope| &***scope).enumerate() {
        let key = |kind: &str| format!("{key}:{kind}");
        if i == 0 {
            rules.push((Rule::Pause { key: key("p") }, "the provider asked to wait"));
        }
        if let Some(per_minute) = limits.requests_per_minute {
            let (interval, tolerance) = Pace::new(per_minute).spacing();
            let rule = Rule::Requests { key: key("r"), interval, tolerance };
            rules.push((rule, "requests_per_minute"));
        }
        if let Some(per_minute) = limits.tokens_per_minute {
            let rule = Rule::Tokens { key: key("t"), quota: per_minute.into(), tokens };
            rules.push((rule, "tokens_per_minute"));
        }
        if let Some(most) = limits.max_in_flight {
            rules.push((Rule::InFlight { key: key("c"), most }, "max_in_flight"));
        }
    }
    rules
}

/// The keys of rules, for a record.
fn names(rules: &[Rule]) -> String {
    let name = |rule: &Rule| match rule {
        Rule::Pause { key }
        | Rule::Requests { key, .. }
        | Rule::Tokens { key, .. }
        | Rule::InFlight { key, .. }
        | Rule::Budget { key, .. } => key.clone(),
    };
    rules.iter().map(name).collect::<Vec<_>>().join(", ")
}
