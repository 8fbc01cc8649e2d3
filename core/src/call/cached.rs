//! A call with a cache: a stored answer, a seat at the same call of another caller, or a call that
//! others may share.
//!
//! The call that others share is a task of its own. It is the call of the caller that came first,
//! with its options and its deadline. If it fails, one of those that wait asks again, once.

use std::sync::Arc;

use tokio::time::Instant;

pub(crate) use super::flight::Run;
use super::flight::{Flight, Slot, given, given_beyond, given_with, refresh};
use super::plan::Plan;
use super::question::{Asked, ask};
use super::{Call, beyond, targets};
use crate::admission::Admission;
use crate::cache::{Entry, Landed, Look, Reader, Seat};
use crate::cache::{is_about_the_request, may_stand_in};
use crate::error::{Error, ErrorKind};
use crate::http::until;
use crate::model::{CacheMode, CacheTier, Warning};
use crate::observe::{CacheResult, CallOutcome};
use crate::operation::Answer;
use crate::retry::MIN_ATTEMPT;
use crate::services::Services;

/// What a call has before anything is sent.
pub(super) enum Begun {
    /// A stored answer.
    Stored(Answer),
    /// A seat at a flight. `first`: the flight is this call's own.
    Seat { reader: Reader, first: bool, slot: Slot },
    /// Nothing is stored and nothing is shared: the call runs for itself.
    Own,
}

/// Whether a call may be answered from the cache, or must be.
pub(crate) fn concerns(services: &Services, call: &Call) -> bool {
    services.cache.is_some() || call.options.cache.is_some()
}

/// The answer of a call for a whole answer, if a fresh one is stored. It waits for nothing.
pub(crate) fn stored(services: &Services, admission: &Admission, planned: &Plan) -> Option<Answer> {
    let Plan::One(call) = planned else { return None };
    let cache = services.cache.as_ref().filter(|_| !call.operation.streams())?;
    if !beyond::is_current(cache, call) {
        return None;
    }
    let asked = ask(services, cache, call, targets::preferred(services, call)).ok()??;
    let now = Instant::now();
    let Look::Hit(entry) = cache.look(&asked.question, now, targets::rng(services).f64()) else {
        return None;
    };
    call.ledger.cached(CacheResult::Hit);
    let answer = given(services, call, &asked, &entry, now);
    admission.ended(&[CallOutcome::from(&answer)]);
    Some(answer)
}

/// Runs a call and waits for the whole answer.
pub(crate) async fn whole(
    services: &Arc<Services>,
    call: &Arc<Call>,
    run: Run,
) -> Result<Answer, Error> {
    let mut caller = Caller::new(services, call, run).await?;
    loop {
        let (mut reader, first) = match caller.begin().await? {
            Begun::Stored(answer) => return Ok(answer),
            Begun::Own => return run(services, call).await,
            Begun::Seat { reader, first, .. } => (reader, first),
        };
        match caller.wait(first, reader.end()).await {
            Ok(landed) if first => return Ok(landed.answer.clone()),
            Ok(landed) => return Ok(caller.joined(&landed)),
            Err(error) => {
                if first || !caller.may_ask_again(&error) {
                    return caller.stands_in(error);
                }
            }
        }
    }
}

/// A caller that may be given a stored answer.
pub(super) struct Caller {
    pub(super) services: Arc<Services>,
    pub(super) call: Arc<Call>,
    /// What it asks. `None`: it is not cached.
    asked: Option<Asked>,
    run: Run,
    /// An expired answer, for want of another one.
    expired: Option<Arc<Entry>>,
    /// A flight has failed.
    again: bool,
}

impl Caller {
    pub(super) async fn new(
        services: &Arc<Services>,
        call: &Arc<Call>,
        run: Run,
    ) -> Result<Caller, Error> {
        if let Some(cache) = &services.cache {
            beyond::catch_up(cache, call).await;
        }
        let target = targets::preferred(services, call);
        let asked = match &services.cache {
            Some(cache) => {
                ask(services, cache, call, target).map_err(|error| call.failed(error))?
            }
            None => None,
        };
        let (services, call) = (Arc::clone(services), Arc::clone(call));
        Ok(Caller { services, call, asked, run, expired: None, again: false })
    }

    /// Looks for an answer, and takes a seat if there is none.
    pub(super) async fn begin(&mut self) -> Result<Begun, Error> {
        let call = &self.call;
        let only = call.mode() == CacheMode::Only;
        let Some(asked) = &self.asked else {
            call.ledger.cached(CacheResult::Bypass);
            return if only { Err(call.failed(nothing_stored())) } else { Ok(Begun::Own) };
        };
        let now = Instant::now();
        match asked.cache.look(&asked.question, now, targets::rng(&self.services).f64()) {
            Look::Hit(entry) => {
                call.ledger.cached(CacheResult::Hit);
                return Ok(Begun::Stored(given(&self.services, call, asked, &entry, now)));
            }
            Look::Stale(entry) => {
                call.ledger.cached(CacheResult::Stale);
                let answer = given(&self.services, call, asked, &entry, now);
                refresh(&self.services, call, self.run, asked);
                return Ok(Begun::Stored(answer));
            }
            Look::Miss(expired) => self.expired = expired,
        }
        if only {
            call.ledger.cached(CacheResult::Miss);
            let Some(entry) = beyond::peek(call, asked).await else {
                return Err(call.failed(nothing_stored()));
            };
            return Ok(Begun::Stored(given_beyond(&self.services, call, asked, &entry)));
        }
        let slot = Slot::default();
        match asked.cache.seat(&asked.question) {
            Seat::Beside(reader) => Ok(Begun::Seat { reader, first: false, slot }),
            Seat::First(writer, reader) => {
                call.ledger.cached(CacheResult::Miss);
                let (services, asked) = (Arc::clone(&self.services), asked.clone());
                let flight = Flight { services, call: Arc::clone(call), run: self.run, asked };
                let task = tokio::spawn(flight.whole(writer, Arc::clone(&slot)));
                reader.runs_as(task.abort_handle());
                Ok(Begun::Seat { reader, first: true, slot })
            }
        }
    }

    /// Waits at a seat. The flight has the deadline of its first caller, another one its own.
    pub(super) async fn wait<T>(
        &self,
        first: bool,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if first {
            return work.await;
        }
        until(|| self.call.deadline, work).await.unwrap_or_else(|| {
            let message = "the call's time ran out while another call asked the same";
            Err(self.call.failed(Error::new(ErrorKind::Timeout, message)))
        })
    }

    /// The answer of another caller's call.
    pub(super) fn joined(&self, landed: &Landed) -> Answer {
        self.call.ledger.cached(CacheResult::Joined);
        let own = self.own_warnings();
        self.given(own, &landed.entry, CacheTier::Flight)
    }

    /// Whether this caller asks again after the failure of a call that it shared.
    pub(super) fn may_ask_again(&mut self, error: &Error) -> bool {
        let about = is_about_the_request(error.kind());
        !about && self.call.remaining() >= MIN_ATTEMPT && !std::mem::replace(&mut self.again, true)
    }

    /// An expired answer after a failure, if there is one and the configuration allows it.
    pub(super) fn stands_in(&self, error: Error) -> Result<Answer, Error> {
        if !may_stand_in(error.kind()) {
            return Err(error);
        }
        // The call may have found one in Redis meanwhile.
        let found = || {
            let asked = self.asked.as_ref()?;
            asked.cache.expired(&asked.question, Instant::now())
        };
        let Some(entry) = self.expired.clone().or_else(found) else { return Err(error) };
        self.call.ledger.cached(CacheResult::Stale);
        let mut own = self.own_warnings();
        own.push(Warning {
            code: "stale",
            message: format!(
                "no target answered ({}), so this answer is an expired one: see liter.cache.age_ms",
                error.kind().name()
            ),
            param: None,
        });
        Ok(self.given(own, &entry, CacheTier::Memory))
    }

    fn given(&self, own: Vec<Warning>, entry: &Entry, tier: CacheTier) -> Answer {
        given_with(&self.services, &self.call, own, entry, tier, Instant::now())
    }

    fn own_warnings(&self) -> Vec<Warning> {
        let asked = self.asked.iter().flat_map(|asked| asked.warnings.iter().cloned());
        self.call.warnings.iter().cloned().chain(asked).collect()
    }
}

fn nothing_stored() -> Error {
    let message = "nothing is stored for this request, and options.cache.mode is \"only\"";
    Error::new(ErrorKind::NotFound, message).with(|e| e.code = Some("cache_miss".to_owned()))
}
