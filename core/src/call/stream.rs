//! A stream that has delivered its first content.
//!
//! From here on nothing is retried silently, because what the caller has seen cannot be taken back.
//! A stream that breaks ends in an error with the text so far. If the caller asks for it
//! (`options.on_break`), it delivers a reset event instead, and the answer begins again. A caller
//! who only collects the answer has seen nothing of it, so there it begins again by default.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::hedge::hedged;
use super::prepare::refused;
use super::respond::{document, finished, noted};
use super::served::{Content, Head, Opened, Served};
use super::settle::{paid, report};
use super::{Call, notices, redact, targets};
use crate::error::{Error, ErrorKind};
use crate::http::until;
use crate::model::{Chunk, OnBreak, Reset, Response};
use crate::observe::Reason;
use crate::operation::Decoded;
use crate::provider::Progress;
use crate::retry::{Failed, MIN_ATTEMPT, Next, decide};
use crate::services::Services;
use crate::wire::headers::{self, located};

/// A step of a stream.
#[derive(Debug)]
pub enum Step {
    /// The chunks of one read of the socket; never empty.
    Chunks(Vec<Chunk>),
    /// The answer broke and begins again: the chunks so far are void.
    Restarted(Reset),
    /// The end: the whole answer.
    Done(Box<Response>),
}

/// Says whether a stream's caller only collects the answer. It may wait until that is known.
pub type Collects = Box<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// A stream that has delivered its first content.
pub(super) struct Open {
    pub(super) services: Arc<Services>,
    pub(super) call: Arc<Call>,
    /// `None` means that it has ended, or is about to begin again.
    served: Option<Served>,
    /// A reset event was delivered, so another attempt follows.
    begins_anew: bool,
    restarts: u32,
    pub(super) collects: Option<Collects>,
}

impl Open {
    pub(super) fn new(services: &Arc<Services>, call: &Arc<Call>, served: Served) -> Self {
        Open {
            services: Arc::clone(services),
            call: Arc::clone(call),
            served: Some(served),
            begins_anew: false,
            restarts: 0,
            collects: None,
        }
    }

    /// The form that `next` would give to an error that happened outside of the stream.
    pub(super) fn failed(&mut self, error: Error) -> Error {
        let error = match self.served.take() {
            Some(served) => self.ended(served, error),
            None => error,
        };
        self.call.failed(error)
    }

    pub(super) async fn next(&mut self) -> Result<Step, Error> {
        self.begin_anew().await?;
        let Some(served) = &mut self.served else { return Err(past_its_end()) };
        let outcome = match &mut served.content {
            Content::Stream(opened) => {
                let step = opened.step(&mut served.head).await;
                if served.first_content.is_none() && opened.reader.committed() {
                    let now = Instant::now();
                    served.first_content = Some(now);
                    self.call.ledger.first_content(served.ticket, now);
                }
                step
            }
            Content::Whole(_) => Ok(None),
        };
        match outcome {
            Ok(Some(chunks)) => Ok(Step::Chunks(chunks)),
            Ok(None) => self.done(),
            Err(error) => {
                let Some(served) = self.served.take() else { return Err(error) };
                let (target, key) = (served.target, served.key.as_ref());
                let head = Some(Box::new(served.head.headers.clone()));
                // Boxed: few streams fail, and each call's future would have room for it.
                Box::pin(refused(&self.services, &self.call, target, key, &error, head)).await;
                let error = self.ended(served, error);
                self.restart_or(error, target).await
            }
        }
    }

    /// Makes the attempt after a reset, if there was one.
    async fn begin_anew(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.begins_anew) {
            return Ok(());
        }
        let (services, call) = (&*self.services, &self.call);
        // The target that broke is paused for a while, like any that failed. Another one need not
        // be.
        let to = targets::preferred(services, call);
        if let Some(until) = call.ledger.paused_until(to, Instant::now()) {
            tokio::time::sleep_until(until).await;
        }
        // A slow reader may come back without enough time left for another attempt.
        if call.remaining() < MIN_ATTEMPT {
            let message = "the call's time ran out before its answer could begin anew";
            return Err(call.failed(Error::new(ErrorKind::Timeout, message)));
        }
        let served = hedged(services, call).await;
        self.served = Some(served.map_err(|error| call.failed(error))?);
        Ok(())
    }

    fn done(&mut self) -> Result<Step, Error> {
        let served = self.served.take().ok_or_else(past_its_end)?;
        let Served { target, ticket, guard, head, key, warnings, first_content, content } = served;
        let decoded = match content {
            Content::Stream(opened) => {
                let decoded = Decoded::of_stream(*opened.reader);
                let now = Instant::now();
                self.call.ledger.end(ticket, None, now);
                if let Some(guard) = guard {
                    let turns = guard.done(decoded.usage(), now);
                    notices::turned(&self.services, &self.call, target, turns, None);
                }
                paid(&self.services, &self.call, target, ticket, &decoded);
                decoded
            }
            Content::Whole(decoded) => decoded,
        };
        let (services, call) = (&self.services, &self.call);
        noted(services, call, target, &warnings);
        let answer = document(services, call, target, &head, warnings, first_content, decoded);
        let answer = finished(services, call, target, key.as_ref(), answer);
        Ok(Step::Done(answer.chat()?))
    }

    /// Ends the stream with this error.
    fn ended(&self, served: Served, error: Error) -> Error {
        let Served { target, ticket, guard, head, key, content, .. } = served;
        let (Content::Stream(opened), Some(guard)) = (content, guard) else { return error };
        let error = located(opened.reader.broken(error), head.status, &head.headers);
        let secrets = self.call.secrets(&self.services, target, key.as_ref());
        let error = self.call.place(redact::error(&secrets, error), target);
        let now = Instant::now();
        self.call.ledger.end(ticket, Some(&error), now);
        report(&self.services, &self.call, target, guard, &error, now);
        error
    }

    /// Whether an answer that broke may begin again.
    async fn may_begin_anew(&mut self) -> bool {
        match (self.call.options.on_break, &self.collects) {
            (Some(on_break), _) => on_break == OnBreak::Restart,
            (None, Some(collects)) => {
                until(|| self.call.deadline, collects()).await.unwrap_or(false)
            }
            (None, None) => false,
        }
    }

    /// Begins the answer anew after an error, or fails with it.
    async fn restart_or(&mut self, error: Error, target: usize) -> Result<Step, Error> {
        // Whether the caller wants it may take a while to learn, so that is asked last.
        let Some(again) = self.again_after(&error) else { return Err(self.call.failed(error)) };
        let asked = self.may_begin_anew().await;
        let (services, call) = (&*self.services, &self.call);
        if !asked || !targets::may_try_again(services, call) {
            return Err(call.failed(error));
        }
        let (to, wait) = match again {
            Again::After(wait) => {
                call.ledger.pause(target, Instant::now() + wait);
                (target, Some(wait))
            }
            Again::Elsewhere => {
                call.ledger.give_up(target);
                (targets::untried(services, call).unwrap_or(target), None)
            }
        };
        notices::goes_on(services, call, [target, to], &Reason::from(&error), wait);
        self.restarts += 1;
        self.begins_anew = true;
        Ok(Step::Restarted(Reset::new(error.kind())))
    }

    /// How the answer could begin again after this error.
    fn again_after(&self, error: &Error) -> Option<Again> {
        let (services, call) = (&*self.services, &self.call);
        // The answer may begin again as often as a failed attempt may be retried, and once more for
        // each further target.
        let others = u32::try_from(call.targets.len() - 1).unwrap_or(u32::MAX);
        let attempt = (self.restarts + 1).saturating_sub(others).max(1);
        let failed = Failed { error, attempt, patience: None };
        match decide(&call.retry, &failed, call.remaining(), &mut targets::rng(services)) {
            Next::Retry { after } => Some(Again::After(after)),
            // The same target is not asked again, but another one may be.
            Next::Elsewhere => targets::untried(services, call).map(|_| Again::Elsewhere),
            Next::Stop => None,
        }
    }
}

/// How an answer that broke begins again.
enum Again {
    /// After this wait.
    After(Duration),
    /// At another target, at once.
    Elsewhere,
}

fn past_its_end() -> Error {
    Error::new(ErrorKind::Internal, "the stream was read past its end")
}

impl Opened {
    /// The next chunks. `None` at the end.
    async fn step(&mut self, head: &mut Head) -> Result<Option<Vec<Chunk>>, Error> {
        if !self.chunks.is_empty() {
            return Ok(Some(dated(std::mem::take(&mut self.chunks), head)));
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        while let Some(body) = &mut self.body {
            let progress = match body.piece(&self.deadline, self.reader.committed()).await? {
                Some(bytes) => {
                    let room = head.held.hold(self.reader.bytes() + bytes.len());
                    room.and_then(|()| self.reader.push(&bytes))
                }
                None => {
                    self.body = None;
                    self.reader.end(&head.headers).map(|()| Progress::Done)
                }
            };
            let chunks = self.reader.take_chunks();
            if let Some(came) = &self.came {
                came.add(&chunks);
            }
            match progress {
                Ok(Progress::More) => {}
                Ok(Progress::Done) => {
                    if let Some(body) = self.body.take() {
                        body.finish();
                    }
                }
                Err(error) => {
                    self.body = None;
                    if chunks.is_empty() {
                        return Err(error);
                    }
                    // Content that came in the same read before the failure is not lost.
                    self.failure = Some(error);
                }
            }
            if !chunks.is_empty() {
                return Ok(Some(dated(chunks, head)));
            }
        }
        Ok(None)
    }
}

/// Gives the chunks the answer's time if their provider gives none.
fn dated(mut chunks: Vec<Chunk>, head: &Head) -> Vec<Chunk> {
    if chunks.iter().any(|chunk| chunk.created.is_none()) {
        let date = headers::date(&head.headers);
        chunks.iter_mut().for_each(|chunk| chunk.created = chunk.created.or(date));
    }
    chunks
}
