//! An attempt is one try at one target: prepare the request, enter under the limits, add the
//! credential, exchange, settle.
//!
//! A stream's attempt ends with its first content, or with the stream's end if there is no content.
//! A failure before that has shown the caller nothing, so the call may try again. `stream` takes
//! over from there.

use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::time::SystemTime;

use ::http::{HeaderMap, Request};
use bytes::Bytes;
use http_body_util::Full;
use tokio::time::Instant;

use super::ledger::Ticket;
use super::prepare::{Prepared, authorize, deadline, prepare, refused};
use super::reserved::Reserved;
use super::served::{Content, Failure, Head, Opened, Served};
use super::settle::{Sent, settle};
use super::{Call, asked, budget, notices, probe, refusal, targets};
use crate::auth::Proof;
use crate::error::{Error, ErrorKind};
use crate::http::{Again, Body, Deadline, Pool, Received};
use crate::limit::Held;
use crate::model::Unsupported;
use crate::observe::Reason;
use crate::provider::{Notes, Progress};
use crate::retry::MIN_ATTEMPT;
use crate::services::Services;
use crate::target::AttemptGuard;
use crate::wire::headers::located;
use crate::wire::{Plane, Reply};

/// The largest number of chunks without content that are kept back, so that a retry after a failure
/// stays unseen. More chunks are delivered: they must not fill the memory, and the reader may slow
/// the server down.
const MOST_UNSEEN: usize = 1_024;
/// The largest size of these chunks, in bytes.
const MOST_UNSEEN_BYTES: usize = 4 << 20;

/// How an attempt is made.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// The attempt is a hedge: it runs beside another attempt.
    pub(super) hedge: bool,
    /// The attempt waits for limits.
    pub(super) wait: bool,
}

/// Makes one attempt. It is repeated once if only one parameter was refused and the caller can do
/// without, or if its credential was refused and is mended.
pub(super) async fn attempt(
    services: &Services,
    call: &Call,
    index: usize,
    mode: Mode,
) -> Result<Served, Failure> {
    match once(services, call, index, mode, true).await {
        Err(Failure { error, tried: true, mended })
            if mended || refusal::goes_again(services, call, index, &error) =>
        {
            // Boxed: without the box every call's future would have room for this one.
            Box::pin(once(services, call, index, mode, false)).await
        }
        outcome => outcome,
    }
}

/// Makes one attempt. `first` means that it may be repeated.
async fn once(
    services: &Services,
    call: &Call,
    index: usize,
    mode: Mode,
    first: bool,
) -> Result<Served, Failure> {
    let Prepared { request, held, mut notes, tokens, plan } =
        prepare(services, call, index).await?;
    let plane = request.plane();
    let (mut guard, reserved) =
        enter(services, call, index, tokens, mode.wait, plan, &mut notes).await?;
    if guard.insisted {
        let message = format!(
            "{} is passed over for its failures, and was asked as there is no other",
            call.targets[index].name()
        );
        notes.warn("breaker_open", "model", message);
    }
    let (request, key) = match authorize(services, call, index, request).await {
        Ok(authorized) => authorized,
        Err(error) => {
            guard.unused();
            return Err(error.into());
        }
    };
    let began = guard.began();
    let ticket = call.ledger.begin(index, &call.targets[index], mode.hedge, began, reserved);
    let mut exchange = Exchange {
        services,
        plane,
        call,
        index,
        ticket,
        deadline: deadline(services, call, index, began),
        late_at: targets::first_token(services, call, index)
            .map(|time| Deadline::after(began, time)),
        guard: &mut guard,
        key,
        refusal: None,
    };
    let came = exchange.run(request).await;
    let Exchange { key, refusal, .. } = exchange;
    let mended = match &came {
        Err(error) => {
            Box::pin(refused(services, call, index, key.as_ref(), error, refusal)).await && first
        }
        Ok(_) => false,
    };
    drop(held);
    let sent = Sent { key, notes, mended };
    settle(services, call, index, ticket, guard, came, sent)
}

/// Takes an attempt's place under the limits of its target and provider, and then in its budgets.
async fn enter(
    services: &Services,
    call: &Call,
    index: usize,
    tokens: u64,
    wait: bool,
    plan: Option<Box<budget::Plan>>,
    notes: &mut Notes,
) -> Result<(AttemptGuard, Option<Box<Reserved>>), Error> {
    // The wait ends early, because a wait up to the deadline leaves no time for the attempt.
    let deadline = call.deadline.checked_sub(MIN_ATTEMPT).unwrap_or(call.deadline);
    let entering = pin!(services.table.enter(&call.targets[index], tokens, wait, deadline));
    let entered = notices::entered(entering, || notices::waits(services, call, index)).await;
    let guard = entered.map_err(|limited| call.place(limited.error(), index))?;
    match budget::reserve(services, call, index, plan, notes) {
        Ok(reserved) => Ok((guard, reserved)),
        Err(error) => {
            guard.unused();
            Err(call.place(error, index))
        }
    }
}

/// One request and its answer, up to a stream's first content.
struct Exchange<'a> {
    services: &'a Services,
    plane: Plane,
    call: &'a Call,
    index: usize,
    ticket: Ticket,
    deadline: Deadline,
    /// When to report a late first token. `None` if it was reported, or if no report is needed.
    late_at: Option<Instant>,
    guard: &'a mut AttemptGuard,
    /// The credential that was sent.
    key: Option<Proof>,
    /// The head of an answer that refused the credential. Boxed, because few are refused.
    refusal: Option<Box<HeaderMap>>,
}

/// How far a stream's body was read.
enum BodyState {
    Open,
    /// The terminal event has come. The body may continue after it.
    Done,
    Ended,
    Broken(Error),
}

impl<'a> Exchange<'a> {
    async fn run(&mut self, request: Request<Full<Bytes>>) -> Result<(Head, Content), Error> {
        let (call, ticket) = (self.call, self.ticket);
        let pool = self.pool()?;
        let deadline = self.deadline;
        let Received { status, headers, body } = self.send(request).await?;
        call.ledger.answered(ticket, status);
        self.guard.heard(&headers);
        let mut head = Head { status, headers, held: Held::new(&self.services.room) };
        let refused = !(200..300).contains(&status);
        if call.operation.streams() && !refused {
            let opened = self.open(head, body).await;
            return opened.map_err(|error| self.with_url(error));
        }
        let collected = {
            let held = &mut head.held;
            let collecting = pin!(body.collect(&deadline, refused, |bytes| held.hold(bytes)));
            self.punctual(collecting).await
        };
        let (body, lost) = match collected {
            Ok(body) => (body, None),
            // The status says enough, unless the call's time is up.
            Err(error) if refused && call.remaining() > MIN_ATTEMPT => (Bytes::new(), Some(error)),
            Err(error) => return Err(located(error, status, &head.headers)),
        };
        let chosen = &call.targets[self.index];
        let adapter = self.services.settings(chosen).row.adapter();
        let received = refused.then(SystemTime::now);
        let reply = Reply { status, headers: &head.headers, body: &body, received };
        let answer = call.operation.decode(adapter, &reply, chosen.target()).map_err(|error| {
            if error.kind() == ErrorKind::Authentication {
                self.refusal = Some(Box::new(head.headers.clone()));
            }
            let error = pool.name_proxy(self.with_url(error), &head.headers);
            match lost {
                Some(lost) => {
                    error.with(|e| e.message = format!("{}; {}", e.message, lost.message))
                }
                None => error,
            }
        })?;
        if refused {
            let message = "an error status was read as success";
            return Err(Error::new(ErrorKind::Internal, message));
        }
        Ok((head, Content::Whole(answer)))
    }

    /// Sends the request. It has a new signature if it goes again.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Received, Error> {
        let Exchange { services, call, index, ticket, deadline, .. } = *self;
        let pool = self.pool()?;
        let sent = |passing| call.ledger.passing(ticket, passing);
        let next = OnceLock::new();
        let again = || -> Again<'_> {
            Box::pin(async {
                budget::again(services, call, ticket)?;
                let bare = prepare(services, call, index).await?.request;
                let (request, key) = authorize(services, call, index, bare).await?;
                let _ = next.set(key);
                Ok(request)
            })
        };
        let received = self.punctual(pin!(pool.send(request, again, &deadline, sent))).await;
        // An answer may repeat the second signature.
        self.key = next.into_inner().unwrap_or_else(|| self.key.take());
        received
    }

    /// The connections to the plane that is asked.
    fn pool(&self) -> Result<&'a Pool, Error> {
        self.services.pool(&self.call.targets[self.index], self.plane)
    }

    /// Adds the URL that was asked to an error that it may explain.
    fn with_url(&self, error: Error) -> Error {
        let chosen = &self.call.targets[self.index];
        let settings = self.services.settings(chosen);
        // The path is made again, because few errors need it and every call would carry it.
        let path = || {
            let mut notes = Notes::new(Unsupported::Warn);
            let operation = &self.call.operation;
            let wire = operation.encode(settings.row.adapter(), chosen.target(), &mut notes);
            wire.map(|wire| wire.path).unwrap_or_default()
        };
        match self.pool() {
            Ok(pool) => asked::with_url(error, settings.row, pool.base_url(), path),
            Err(_) => error,
        }
    }

    /// Reads a stream up to its first content.
    async fn open(&mut self, mut head: Head, mut body: Body) -> Result<(Head, Content), Error> {
        let chosen = &self.call.targets[self.index];
        let adapter = self.services.settings(chosen).row.adapter();
        let merge = self.call.options.merge_deltas == Some(true);
        let mut reader = self.call.operation.reader(adapter, chosen.target(), merge)?;
        let mut state = BodyState::Open;
        while matches!(state, BodyState::Open)
            && !reader.committed()
            && reader.waiting() < MOST_UNSEEN
            && reader.bytes() < MOST_UNSEEN_BYTES
        {
            let deadline = self.deadline;
            let progress = match self.punctual(pin!(body.piece(&deadline, false))).await {
                Ok(Some(bytes)) => {
                    let room = head.held.hold(reader.bytes() + bytes.len());
                    room.and_then(|()| reader.push(&bytes))
                }
                Ok(None) => {
                    state = BodyState::Ended;
                    reader.end(&head.headers).map(|()| Progress::Done)
                }
                Err(error) => Err(error),
            };
            match progress {
                Ok(Progress::More) => {}
                Ok(Progress::Done) if matches!(state, BodyState::Open) => state = BodyState::Done,
                Ok(Progress::Done) => {}
                // Content that came in the same read before the failure is not lost.
                Err(error) if reader.committed() => state = BodyState::Broken(error),
                Err(error) => return Err(located(error, head.status, &head.headers)),
            }
        }
        let (body, failure) = match state {
            BodyState::Open => (Some(body), None),
            BodyState::Done => {
                body.finish();
                (None, None)
            }
            BodyState::Ended => (None, None),
            BodyState::Broken(error) => (None, Some(error)),
        };
        let chunks = reader.take_chunks();
        let came = self.call.ledger.came(self.ticket);
        if let Some(came) = &came {
            came.add(&chunks);
        }
        let (reader, deadline) = (Box::new(reader), self.deadline);
        let opened = Opened { reader, body, deadline, chunks, failure, came };
        Ok((head, Content::Stream(Box::new(opened))))
    }

    /// Waits for a part of the exchange. If the first token is late meanwhile, it reports that and
    /// waits on.
    async fn punctual<T>(&mut self, mut part: Pin<&mut impl Future<Output = T>>) -> T {
        let Some(due) = self.late_at else { return part.await };
        if let Ok(outcome) = tokio::time::timeout_at(due, part.as_mut()).await {
            return outcome;
        }
        self.late_at = None;
        let now = Instant::now();
        let turns = self.guard.late(now);
        let reason = Reason { kind: ErrorKind::Timeout, status: None, code: None };
        notices::turned(self.services, self.call, self.index, turns, Some(&reason));
        probe::watch(self.services, &self.call.targets[self.index], now);
        part.await
    }
}
