//! The ledgers of a client's budgets.

use std::collections::HashMap;

use super::rule::{Enforce, Rule};
use super::window::Span;

/// The most ledgers of a client. Their names come from callers.
const MOST: usize = 100_000;

/// The ledger of all values that came when there were too many. No tag, tenant or key has this name.
const OTHERS: &str = "\u{0}others";

/// How long it takes at least, in milliseconds, until ledgers are looked through again for those that
/// can go.
const SWEEP: u64 = 1_000;

/// How long the page of an ended window is kept, in milliseconds: a clock may be set back.
const KEPT: u64 = 3_600_000;

/// The ledgers of each budget, by the value that it is split by.
#[derive(Debug)]
pub(super) struct Ledgers {
    rules: Vec<HashMap<Box<str>, Vec<Page>>>,
    count: usize,
    most: usize,
    /// When they were looked through.
    swept: u64,
}

/// What was spent in one window.
#[derive(Debug)]
struct Page {
    span: Span,
    spent: u64,
    held: u64,
    /// The attempts that are not settled.
    open: u32,
}

/// What stands in a ledger, in nano-dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) spent: u64,
    pub(crate) held: u64,
    pub(crate) span: Span,
}

/// A budget without room for an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    /// The budget's place in the configuration.
    pub(crate) rule: usize,
    /// What is left of it.
    pub(crate) left: u64,
    /// What the attempt needs.
    pub(crate) needed: u64,
    /// When the window ends.
    pub(crate) until: Option<u64>,
}

/// What an attempt asks of one budget.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// The budget's place in the configuration.
    pub(super) rule: usize,
    pub(super) of: &'a Rule,
    /// The value of what the budget is split by.
    pub(super) value: &'a str,
    pub(super) amount: u64,
}

/// One reservation of an attempt.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rule: usize,
    value: Box<str>,
    start: u64,
    pub(super) amount: u64,
}

impl Entry {
    /// What would reserve the same again.
    pub(super) fn ask<'a>(&'a self, rules: &'a [Rule]) -> Ask<'a> {
        Ask { rule: self.rule, of: &rules[self.rule], value: &self.value, amount: self.amount }
    }
}

impl Page {
    /// Whether it can go: nobody will look at it again.
    fn is_over(&self, now: u64) -> bool {
        let ended = self.span.end.is_some_and(|end| end.saturating_add(KEPT) <= now);
        self.open == 0 && (ended || self.spent == 0)
    }
}

impl Ledgers {
    pub(super) fn new(rules: usize) -> Self {
        let rules = (0..rules).map(|_| HashMap::new()).collect();
        Ledgers { rules, count: 0, most: MOST, swept: 0 }
    }

    #[cfg(test)]
    pub(super) fn with_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether there are so many ledgers that a further value has none of its own. It makes room first
    /// if it can.
    pub(super) fn is_full(&mut self, now: u64) -> bool {
        let full = |own: &Self| own.count + own.rules.len() > own.most;
        if full(self) && now.abs_diff(self.swept) >= SWEEP {
            self.sweep(now);
        }
        full(self)
    }

    /// Whether an amount stays under the limit, beside what others hold if `held`. Only a soft budget
    /// lets it pass all the same.
    pub(super) fn room(
        &self,
        ask: &Ask<'_>,
        full: bool,
        now: u64,
        held: bool,
    ) -> Result<bool, Full> {
        let Ask { rule: i, of, amount, .. } = *ask;
        let account = self.account(ask, full, now);
        let used = account.spent.saturating_add(if held { account.held } else { 0 });
        let left = of.limit.saturating_sub(used);
        if amount <= left {
            return Ok(true);
        }
        match of.enforce {
            Enforce::Soft => Ok(false),
            Enforce::Strict | Enforce::Hard => {
                Err(Full { rule: i, left, needed: amount, until: account.span.end })
            }
        }
    }

    pub(super) fn account(&self, ask: &Ask<'_>, full: bool, now: u64) -> Account {
        let span = ask.of.window.at(now);
        let pages = self.rules[ask.rule].get(self.name(ask, full, span));
        let page = pages.and_then(|pages| pages.iter().find(|page| page.span == span));
        let (spent, held) = page.map_or((0, 0), |page| (page.spent, page.held));
        Account { spent, held, span }
    }

    /// The name of a value's ledger. A value that shared one keeps to it until the window ends: in one
    /// of its own nothing would stand of what it has spent.
    fn name<'a>(&self, ask: &Ask<'a>, full: bool, span: Span) -> &'a str {
        let own = &self.rules[ask.rule];
        let shared = || own.get(OTHERS).is_some_and(|all| all.iter().any(|one| one.span == span));
        if !own.contains_key(ask.value) && (full || shared()) { OTHERS } else { ask.value }
    }

    /// Takes an amount, whatever the limit is.
    pub(super) fn hold(&mut self, ask: &Ask<'_>, full: bool, now: u64) -> Entry {
        let Ask { rule, of, amount, .. } = *ask;
        let span = of.window.at(now);
        let value = self.name(ask, full, span);
        let own = &mut self.rules[rule];
        if !own.contains_key(value) {
            own.insert(value.into(), Vec::with_capacity(1));
            self.count += 1;
        }
        let entry = Entry { rule, value: value.into(), start: span.start, amount };
        let Some(pages) = own.get_mut(value) else { return entry };
        match pages.iter_mut().find(|page| page.span == span) {
            Some(page) => {
                page.held = page.held.saturating_add(amount);
                page.open = page.open.saturating_add(1);
            }
            None => {
                pages.retain(|page| !page.is_over(now));
                pages.push(Page { span, spent: 0, held: amount, open: 1 });
            }
        }
        entry
    }

    /// Puts what was spent in the place of what is reserved, in the window of the reservation.
    pub(super) fn settle(&mut self, entry: &Entry, spent: u64) {
        let Some(pages) = self.rules[entry.rule].get_mut(&entry.value) else { return };
        if let Some(page) = pages.iter_mut().find(|page| page.span.start == entry.start) {
            page.held = page.held.saturating_sub(entry.amount);
            page.spent = page.spent.saturating_add(spent);
            page.open = page.open.saturating_sub(1);
        }
    }

    /// Forgets the ledgers of windows that are over, and those in which nothing stands.
    fn sweep(&mut self, now: u64) {
        self.swept = now;
        for own in &mut self.rules {
            own.retain(|_, pages| {
                pages.retain(|page| !page.is_over(now));
                !pages.is_empty()
            });
        }
        self.count = self.rules.iter().map(HashMap::len).sum();
    }
}
