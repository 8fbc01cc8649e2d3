//! A flight is the call that callers share: a task of its own, which asks other processes first, and
//! then a provider. What comes of it is kept.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::hedge::hedged;
use super::question::{Asked, ask};
use super::stream::{Collects, Open, Step};
use super::{Call, beyond, content};
use crate::cache::{Entry, Event, Landed, Lease, Question, Writer};
use crate::error::Error;
use crate::model::{CacheTier, Timing, Warning};
use crate::observe::millis;
use crate::operation::Answer;
use crate::services::Services;

/// Runs a call without a cache.
pub(crate) type Run =
    for<'a> fn(
        &'a Services,
        &'a Call,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>>;

/// Says whether the first caller of a shared stream only collects its answer.
pub(super) type Slot = Arc<Mutex<Option<Collects>>>;

/// The work that callers share.
pub(super) struct Flight {
    pub(super) services: Arc<Services>,
    pub(super) call: Arc<Call>,
    pub(super) run: Run,
    pub(super) asked: Asked,
}

impl Flight {
    /// Looks at what other processes have, and asks if they have nothing. Boxed, as an old answer is
    /// asked for anew in a flight of its own.
    pub(super) fn whole(
        self,
        writer: Writer,
        slot: Slot,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            match beyond::look(&self.call, &self.asked).await {
                beyond::Found::Nothing(lease) => self.ask(writer, slot, lease).await,
                beyond::Found::Answer { entry, stale } => {
                    let answer = given_beyond(&self.services, &self.call, &self.asked, &entry);
                    writer.end(Ok(Landed { answer, entry }));
                    if stale {
                        refresh(&self.services, &self.call, self.run, &self.asked);
                    }
                }
            }
        })
    }

    /// Asks, and keeps the answer for all.
    async fn ask(&self, writer: Writer, slot: Slot, lease: Option<Lease>) {
        let Flight { services, call, run, asked } = self;
        let work = async {
            match call.operation.streams() {
                true => stream(services, call, &writer, slot).await,
                false => run(services, call).await,
            }
        };
        let outcome = Lease::held(lease.as_ref(), work).await;
        let mut kept = None;
        writer.end(outcome.map(|answer| {
            let (entry, question) = keep(services, call, asked, &answer);
            kept = question.map(|question| (question, Arc::clone(&entry)));
            Landed { answer, entry }
        }));
        // Nobody waits for it.
        if let Some((question, entry)) = kept {
            asked.cache.keep_beyond(beyond::tenant(call), &question, &entry, lease).await;
        }
    }
}

/// Asks anew for an answer that is given meanwhile. It ends when the client closes.
pub(super) fn refresh(services: &Arc<Services>, call: &Arc<Call>, run: Run, asked: &Asked) {
    let Some(writer) = asked.cache.seat_alone(&asked.question) else { return };
    let closing = services.closing();
    let flight = Flight {
        services: Arc::clone(services),
        call: Arc::clone(call),
        run,
        asked: asked.clone(),
    };
    let anew = async move {
        let Flight { call, asked, .. } = &flight;
        let lease = asked.cache.anew(beyond::tenant(call), &asked.question, call.deadline).await;
        let (writer, lease) = match lease {
            Ok(lease) => (writer, lease),
            // Another process asks already.
            Err(()) => match writer.unless_awaited() {
                Some(writer) => (writer, None),
                None => return,
            },
        };
        flight.ask(writer, Slot::default(), lease).await;
    };
    tokio::spawn(async move {
        tokio::select! {
            biased;
            () = closing => {}
            () = anew => {}
        }
    });
}

/// Reads a stream into a flight, as fast as it comes.
async fn stream(
    services: &Arc<Services>,
    call: &Arc<Call>,
    writer: &Writer,
    slot: Slot,
) -> Result<Answer, Error> {
    let served = hedged(services, call).await.map_err(|error| call.failed(error))?;
    let mut open = Open::new(services, call, served);
    open.collects = Some(Box::new(move || {
        let asked = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // Without its first caller nobody wants it anew.
        let collects = asked.as_ref().map(|collects| collects());
        Box::pin(async move {
            match collects {
                Some(collects) => collects.await,
                None => false,
            }
        })
    }));
    loop {
        match open.next().await? {
            Step::Chunks(chunks) => writer.push(Event::Chunks(Arc::new(chunks))),
            Step::Restarted(reset) => writer.push(Event::Restarted(reset)),
            Step::Done(response) => return Ok(Answer::Chat(response)),
        }
    }
}

/// Keeps an answer for the target that gave it. Returns what others get of it, and the question that it
/// is kept for.
fn keep(
    services: &Services,
    call: &Call,
    asked: &Asked,
    answer: &Answer,
) -> (Arc<Entry>, Option<Question>) {
    let now = Instant::now();
    let took = now.saturating_duration_since(call.facts().began);
    // The answers to the parts of a request do not say which of their warnings are about it.
    let served = call.served.get().copied();
    let (target, own) = served.unwrap_or((asked.target, call.warnings.len()));
    let in_parts = served.is_none();
    let same = target == asked.target && !call.has_refused(target);
    let question = match same {
        true => Some(asked.question).filter(|_| !in_parts || asked.warnings.is_empty()),
        false => {
            ask(services, &asked.cache, call, target).ok().flatten().map(|asked| asked.question)
        }
    };
    let tag = asked.question.tag();
    let (entry, kept) = asked.cache.keep(question.as_ref(), tag, answer, own, took, now);
    (entry, question.filter(|_| kept))
}

/// An answer of another process, as this call gets it.
pub(super) fn given_beyond(
    services: &Services,
    call: &Call,
    asked: &Asked,
    entry: &Entry,
) -> Answer {
    let own = call.warnings.iter().chain(&asked.warnings).cloned().collect();
    given_with(services, call, own, entry, CacheTier::Redis, Instant::now())
}

/// A stored answer, as this call gets it.
pub(super) fn given(
    services: &Services,
    call: &Call,
    asked: &Asked,
    entry: &Entry,
    now: Instant,
) -> Answer {
    let own = call.warnings.iter().chain(&asked.warnings).cloned().collect();
    given_with(services, call, own, entry, CacheTier::Memory, now)
}

pub(super) fn given_with(
    services: &Services,
    call: &Call,
    own: Vec<Warning>,
    entry: &Entry,
    tier: CacheTier,
    now: Instant,
) -> Answer {
    let mut answer = entry.answer(tier, own, now);
    let (_, liter) = answer.additions();
    liter.request_id = call.facts().id.to_string();
    let since = millis(Instant::now().saturating_duration_since(call.facts().began));
    let ttft_ms = call.operation.streams().then_some(since);
    liter.timing = Timing { queue_ms: 0.0, ttft_ms, total_ms: since };
    liter.trace = call.trace(services, 0);
    content::answer(services, call, &call.secrets(services, 0, None), &answer);
    answer
}
