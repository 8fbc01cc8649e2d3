//! The ledger lists what a call has tried: one entry for each request that it sent, or tried to
//! send.
//!
//! Attempts may run at once (a hedge beside a slow one), and a loser is dropped at any point. An
//! entry without an end is a cancelled attempt. The ledger tells the observers of each attempt's
//! begin, first content and end, and holds none of its locks meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::reserved::{Came, Reserved};
use crate::error::{Attempt, AttemptTrace, Error, ErrorKind};
use crate::http::Passing;
use crate::limit::budget::Full;
use crate::model::Usd;
use crate::observe::{
    AttemptEnd, AttemptFacts, CacheResult, CallFacts, Observer, Observers, millis,
};
use crate::target::{ChosenTarget, TargetState};

/// The attempts of one call, in the order in which they began.
pub(crate) struct Ledger {
    pub(crate) facts: Arc<CallFacts>,
    observers: Observers,
    entries: Mutex<Vec<Entry>>,
    given_up: Mutex<Vec<usize>>,
    /// The targets that may not be asked before a time, each at most once.
    pauses: Mutex<Vec<(usize, Instant)>>,
    begun: Notify,
    /// Whether somebody asks for the times of the attempts.
    traced: bool,
}

/// The index of an entry.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(usize);

struct Entry {
    /// The target's index in the call's list.
    target: usize,
    /// The target's state, shared by all calls.
    state: Arc<TargetState>,
    hedge: bool,
    began: Instant,
    /// Whether the request went out on a connection.
    sent: bool,
    /// Whether a connection took the request with it, so that it went out once more.
    lost: bool,
    /// When the request went out, and when the first content came, if somebody asks.
    moments: [Option<Instant>; 2],
    status: Option<u16>,
    /// When the attempt ended, and the kind of its error.
    end: Option<(Instant, Option<ErrorKind>)>,
    message: Option<String>,
    /// What it has reserved of its budgets, until it is known what it did cost.
    reserved: Option<Box<Reserved>>,
}

impl Ledger {
    /// The ledger of a call that has tried nothing yet.
    pub(crate) fn new(facts: Arc<CallFacts>, observers: Observers, traced: bool) -> Self {
        Ledger {
            facts,
            observers,
            entries: Mutex::default(),
            given_up: Mutex::default(),
            pauses: Mutex::default(),
            begun: Notify::new(),
            traced,
        }
    }

    /// An empty ledger of the same call.
    pub(crate) fn beside(&self) -> Self {
        Ledger::new(Arc::clone(&self.facts), Arc::clone(&self.observers), self.traced)
    }

    /// Records that an attempt at a target begins. `target` is its index in the call's list.
    pub(crate) fn begin(
        &self,
        target: usize,
        chosen: &ChosenTarget,
        hedge: bool,
        began: Instant,
        reserved: Option<Box<Reserved>>,
    ) -> Ticket {
        let state = Arc::clone(&chosen.state);
        let mut entries = self.lock();
        let number = entries.len();
        entries.push(Entry {
            target,
            state,
            hedge,
            began,
            sent: false,
            lost: false,
            moments: [None; 2],
            status: None,
            end: None,
            message: None,
            reserved,
        });
        drop(entries);
        self.begun.notify_one();
        let facts = facts(number, &chosen.state, hedge, began);
        self.tell(|observer| observer.attempt_began(&self.facts, &facts));
        Ticket(number)
    }

    /// Records what the cache had for the call.
    pub(crate) fn cached(&self, result: CacheResult) {
        self.tell(|observer| observer.cached(&self.facts, result));
    }

    fn tell(&self, event: impl Fn(&dyn Observer)) {
        self.observers.iter().for_each(|observer| event(&**observer));
    }

    /// Records the first content of an attempt.
    pub(crate) fn first_content(&self, ticket: Ticket, at: Instant) {
        let (state, hedge, began) = {
            let entry = &mut self.lock()[ticket.0];
            entry.moments[1] = Some(at);
            entry.about()
        };
        let facts = facts(ticket.0, &state, hedge, began);
        self.tell(|observer| observer.first_content(&self.facts, &facts, at));
    }

    /// Records what happens to the request on its way.
    pub(crate) fn passing(&self, ticket: Ticket, passing: Passing) {
        let entry = &mut self.lock()[ticket.0];
        entry.sent = passing == Passing::Out;
        entry.lost |= passing == Passing::Lost;
        if self.traced && entry.sent {
            entry.moments[0] = Some(Instant::now());
        }
    }

    /// Records that the head of an answer came.
    pub(crate) fn answered(&self, ticket: Ticket, status: u16) {
        self.lock()[ticket.0].status = Some(status);
    }

    /// The attempt ended, with this error if it failed. Its text holds no key any more.
    pub(crate) fn end(&self, ticket: Ticket, error: Option<&Error>, now: Instant) {
        let mut entries = self.lock();
        let entry = &mut entries[ticket.0];
        entry.status = error.and_then(|error| error.status).or(entry.status);
        let failed = error.map(Error::kind);
        entry.message = error.map(|error| shortened(&error.message));
        entry.end = Some((now, failed));
        if failed.is_some() {
            entry.give_back();
        }
        let end = AttemptEnd { at: now, status: entry.status, failed };
        let about = entry.about();
        drop(entries);
        self.tell_end(ticket.0, &about, &end);
    }

    /// The counter of what has come of an answer, if a budget wants to know.
    pub(crate) fn came(&self, ticket: Ticket) -> Option<Arc<Came>> {
        Some(Arc::clone(&self.lock()[ticket.0].reserved.as_ref()?.came))
    }

    /// Reserves once more for a request that goes out a second time.
    pub(crate) fn goes_again(&self, ticket: Ticket, now: u64) -> Result<(), Full> {
        if let Some(reserved) = &mut self.lock()[ticket.0].reserved {
            reserved.again = Some(reserved.hold.again(now)?);
        }
        Ok(())
    }

    /// Puts what an answered attempt did cost in the place of what it has reserved. `usd` is asked if
    /// it has reserved something.
    pub(crate) fn paid(&self, ticket: Ticket, usd: impl FnOnce() -> Option<Usd>) {
        // Without the lock: the cost looks into the ledger, too.
        let reserved = self.lock()[ticket.0].reserved.take();
        if let Some(reserved) = reserved {
            reserved.answered(usd());
        }
    }

    fn tell_end(&self, number: usize, (state, hedge, began): &About, end: &AttemptEnd) {
        let facts = facts(number, state, *hedge, *began);
        self.tell(|observer| observer.attempt_ended(&self.facts, &facts, end));
    }

    /// Records the winner of attempts that ran at once, if it goes on. All other attempts end as
    /// cancelled.
    pub(crate) fn won(&self, winner: Option<Ticket>, now: Instant) {
        let mut over = Vec::new();
        for (i, entry) in self.lock().iter_mut().enumerate() {
            if entry.end.is_none() && winner.is_none_or(|winner| winner.0 != i) {
                entry.end = Some((now, Some(ErrorKind::Cancelled)));
                entry.give_back();
                over.push((i, entry.about(), entry.status));
            }
        }
        for (number, about, status) in over {
            let end = AttemptEnd { at: now, status, failed: Some(ErrorKind::Cancelled) };
            self.tell_end(number, &about, &end);
        }
    }

    /// Whether another target has begun an answer, and broken it.
    pub(crate) fn has_begun_beside(&self, target: usize) -> bool {
        let begun = |entry: &Entry| entry.status == Some(200) && entry.end.is_some();
        self.lock().iter().any(|entry| entry.target != target && begun(entry))
    }

    /// When the first attempt began.
    pub(crate) fn began(&self) -> Option<Instant> {
        self.lock().first().map(|entry| entry.began)
    }

    /// The number of attempts.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Gives a target up for the rest of this call. No restarted stream and no hedge asks it again.
    pub(crate) fn give_up(&self, target: usize) {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).push(target);
    }

    pub(crate) fn has_given_up(&self, target: usize) -> bool {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).contains(&target)
    }

    /// Pauses a target: this call does not ask it again before `until`.
    pub(crate) fn pause(&self, target: usize, until: Instant) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        match pauses.iter_mut().find(|(paused, _)| *paused == target) {
            Some((_, known)) => *known = until.max(*known),
            None => pauses.push((target, until)),
        }
    }

    /// When a target's pause ends, if it has not ended.
    pub(crate) fn paused_until(&self, target: usize, now: Instant) -> Option<Instant> {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let own = pauses.iter().find(|(paused, _)| *paused == target);
        own.map(|(_, until)| *until).filter(|until| *until > now)
    }

    /// Waits until an attempt has begun since the last time.
    pub(crate) async fn begun(&self) {
        self.begun.notified().await;
    }

    /// The target and begin of the first and of the last attempt in progress.
    pub(crate) fn under_way(&self) -> Option<[(usize, Instant); 2]> {
        let entries = self.lock();
        let mut open = entries.iter().filter(|entry| entry.end.is_none());
        let of = |entry: &Entry| (entry.target, entry.began);
        let first = open.next()?;
        Some([of(first), of(open.next_back().unwrap_or(first))])
    }

    /// Whether this call has asked the target.
    pub(crate) fn has_tried(&self, target: usize) -> bool {
        self.lock().iter().any(|entry| entry.target == target)
    }

    /// Whether an attempt at this target is in progress.
    pub(crate) fn is_trying(&self, target: usize) -> bool {
        self.lock().iter().any(|entry| entry.target == target && entry.end.is_none())
    }

    /// The targets of the attempts whose work may be billed although it is in no answer.
    pub(crate) fn maybe_billed(&self) -> Vec<usize> {
        let entries = self.lock();
        entries.iter().filter(|entry| entry.may_be_billed()).map(|entry| entry.target).collect()
    }

    /// The attempts, for the document.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let attempt = |entry: &Entry| {
            let cancelled = || (Instant::now(), Some(ErrorKind::Cancelled));
            let (end, kind) = entry.end.unwrap_or_else(cancelled);
            Attempt {
                target: entry.state.name(),
                status: entry.status,
                kind,
                message: entry.message.clone(),
                ms: u64::try_from((end - entry.began).as_millis()).unwrap_or(u64::MAX),
                hedge: entry.hedge,
                may_be_billed: entry.may_be_billed(),
            }
        };
        self.lock().iter().map(attempt).collect()
    }

    /// The times of the attempts since `began`. `server` names that of a target.
    pub(crate) fn times(
        &self,
        began: Instant,
        server: impl Fn(usize) -> String,
    ) -> Vec<AttemptTrace> {
        let since = |at: Instant| millis(at.saturating_duration_since(began));
        let times = |entry: &Entry| AttemptTrace {
            start_ms: since(entry.began),
            end_ms: since(entry.end.map_or_else(Instant::now, |(at, _)| at)),
            sent_ms: entry.moments[0].map(since),
            first_ms: entry.moments[1].map(since),
            server: server(entry.target),
        };
        self.lock().iter().map(times).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ledger {
    /// Ends the attempts that still run as cancelled, because their caller gave them up.
    fn drop(&mut self) {
        let open = self.lock().iter().any(|entry| entry.end.is_none());
        if open {
            self.won(None, Instant::now());
        }
        // An answer that nobody has asked the price of.
        for entry in self.lock().iter_mut() {
            if let Some(reserved) = entry.reserved.take() {
                reserved.answered(None);
            }
        }
    }
}

/// The parts of an entry that an event needs.
type About = (Arc<TargetState>, bool, Instant);

impl Entry {
    /// Whether work may be billed that is in no answer.
    fn may_be_billed(&self) -> bool {
        // A provider does not bill an answer with an error status.
        let refused = self.status.is_some_and(|status| !(200..300).contains(&status));
        let answered = self.end.is_some_and(|(_, kind)| kind.is_none());
        self.lost || !answered && self.sent && !refused
    }

    /// Settles what a failed attempt has reserved.
    fn give_back(&mut self) {
        let may_be_billed = self.may_be_billed();
        if let Some(reserved) = self.reserved.take() {
            reserved.failed(may_be_billed);
        }
    }

    fn about(&self) -> About {
        (Arc::clone(&self.state), self.hedge, self.began)
    }
}

fn facts(number: usize, state: &TargetState, hedge: bool, began: Instant) -> AttemptFacts<'_> {
    AttemptFacts { number, target: &state.target, hedge, began, tally: &state.tally }
}

/// Most characters of a failure's text in the list of attempts.
const MOST_TEXT: usize = 300;

/// A failure's text for the list of attempts, which may be long.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
