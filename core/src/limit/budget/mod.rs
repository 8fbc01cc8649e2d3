//! Budgets of money. An attempt reserves what it may cost before it is sent, and what it did cost
//! takes the place of that at its end.
//!
//! A budget has a ledger for each value that it is split by, and a ledger has a page for each window.
//! All reservations of an attempt are made in one step, under one lock: all of them or none. Money is
//! whole nano-dollars. Nothing here reads a clock: times are milliseconds since 1970, given by the
//! caller. See `docs/adr/0035-budgets.md`.

mod ledgers;
mod rule;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use ledgers::{Account, Full};
pub(crate) use rule::{Enforce, Fact, Facts, Rule};
pub(crate) use window::Window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledgers::{Ask, Entry, Ledgers};

/// The budgets of a client.
#[derive(Debug)]
pub(crate) struct Budgets {
    rules: Box<[Rule]>,
    ledgers: Mutex<Ledgers>,
}

/// What an attempt has reserved. If it is dropped, nothing was spent.
#[derive(Debug)]
#[must_use = "a dropped hold gives everything back"]
pub(crate) struct Hold {
    budgets: Arc<Budgets>,
    entries: Box<[Entry]>,
    /// The budgets whose limit this attempt passes all the same.
    over: Box<[usize]>,
}

/// What became of an attempt, in nano-dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It did cost this.
    Known(u64),
    /// Nobody knows what it did cost, and this is likely. A strict budget counts all that is
    /// reserved.
    Likely(u64),
    /// Nobody knows: all that is reserved counts.
    Unknown,
}

impl Budgets {
    /// The ledgers of these budgets, all empty. None if there are no budgets.
    pub(crate) fn new(rules: &[Rule]) -> Option<Arc<Budgets>> {
        if rules.is_empty() {
            return None;
        }
        let ledgers = Mutex::new(Ledgers::new(rules.len()));
        Some(Arc::new(Budgets { rules: rules.into(), ledgers }))
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether an attempt would have room in all its budgets if those that run cost nothing. `amount` is
    /// what it reserves in each.
    pub(crate) fn check(
        &self,
        facts: &Facts<'_>,
        amount: impl Fn(&Rule) -> u64,
        now: u64,
    ) -> Result<(), Full> {
        let mut ledgers = self.lock();
        let full = ledgers.is_full(now);
        let mut asks = self.asks(facts, &amount);
        asks.try_for_each(|ask| ledgers.room(&ask, full, now, false).map(|_| ()))
    }

    /// Reserves what an attempt may cost, in each of its budgets or in none.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        facts: &Facts<'_>,
        amount: impl Fn(&Rule) -> u64,
        now: u64,
    ) -> Result<Hold, Full> {
        let mut ledgers = self.lock();
        let full = ledgers.is_full(now);
        let mut over = Vec::new();
        for ask in self.asks(facts, &amount) {
            if !ledgers.room(&ask, full, now, true)? {
                over.push(ask.rule);
            }
        }
        let entries = self.asks(facts, &amount).map(|ask| ledgers.hold(&ask, full, now)).collect();
        drop(ledgers);
        Ok(Hold { budgets: Arc::clone(self), entries, over: over.into() })
    }

    /// What stands in the ledger of a budget for a value, in the window of now.
    pub(crate) fn account(&self, rule: usize, value: &str, now: u64) -> Account {
        let mut ledgers = self.lock();
        let full = ledgers.is_full(now);
        ledgers.account(&Ask { rule, of: &self.rules[rule], value, amount: 0 }, full, now)
    }

    /// What an attempt asks of each budget that it counts in.
    fn asks<'a>(
        &'a self,
        facts: &'a Facts<'_>,
        amount: &'a impl Fn(&Rule) -> u64,
    ) -> impl Iterator<Item = Ask<'a>> {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| rule.concerns(facts));
        rules.map(|(rule, of)| Ask { rule, of, value: of.ledger(facts), amount: amount(of) })
    }

    fn lock(&self) -> MutexGuard<'_, Ledgers> {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// The budgets whose limit this attempt passes all the same.
    pub(crate) fn over(&self) -> impl Iterator<Item = &Rule> {
        self.over.iter().map(|i| &self.budgets.rules[*i])
    }

    /// Reserves in the strict budgets once more, for a request that goes out a second time: the first
    /// one may be billed, too.
    pub(crate) fn again(&self, now: u64) -> Result<Hold, Full> {
        let rules = &*self.budgets.rules;
        let mut ledgers = self.budgets.lock();
        let full = ledgers.is_full(now);
        let strict = |entry: &&Entry| rules[entry.rule].enforce == Enforce::Strict;
        let asks = || self.entries.iter().filter(strict).map(|entry| entry.ask(rules));
        asks().try_for_each(|ask| ledgers.room(&ask, full, now, true).map(|_| ()))?;
        let entries = asks().map(|ask| ledgers.hold(&ask, full, now)).collect();
        drop(ledgers);
        Ok(Hold { budgets: Arc::clone(&self.budgets), entries, over: Box::default() })
    }

    /// Puts what was spent in the place of what is reserved.
    pub(crate) fn settle(mut self, spent: Spent) {
        self.close(|rule, held| match (spent, rule.enforce) {
            (Spent::Known(amount), _) => amount,
            (Spent::Likely(amount), Enforce::Hard | Enforce::Soft) => amount,
            (Spent::Likely(_), Enforce::Strict) | (Spent::Unknown, _) => held,
        });
    }

    fn close(&mut self, spent: impl Fn(&Rule, u64) -> u64) {
        let entries = std::mem::take(&mut self.entries);
        if entries.is_empty() {
            return;
        }
        let mut ledgers = self.budgets.lock();
        for entry in &entries {
            let amount = spent(&self.budgets.rules[entry.rule], entry.amount);
            ledgers.settle(entry, amount);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.close(|_, _| 0);
    }
}
