//! A stream that has shown its first content.
//!
//! From here on nothing is tried again in silence: what the caller has seen cannot be taken back. A
//! stream that breaks ends in an error with the text so far; or, for callers that ask for it
//! (`options.on_break`), with a reset event, after which the answer comes anew.

use tokio::time::Instant;

use crate::attempt::{Content, Served, Streaming};
use crate::error::{Error, ErrorKind};
use crate::model::{Chunk, OnBreak, Reset, Response};
use crate::pipeline::{Call, Parts, located};
use crate::provider::{Progress, shared};
use crate::retry::{Failed, MIN_ATTEMPT, Next, decide};
use crate::route::race;

/// What a stream brought.
#[derive(Debug)]
pub enum Step {
    /// What arrived in one read of the socket; never empty.
    Chunks(Vec<Chunk>),
    /// The answer broke and begins anew: what came so far is void.
    Restarted(Reset),
    /// The end: the whole answer.
    Done(Box<Response>),
}

/// A stream that has shown its first content.
pub(crate) struct Open {
    call: Box<Call>,
    /// `None`: it has ended, or is about to begin anew.
    served: Option<Served>,
    restart: Option<Restart>,
    restarts: u32,
}

/// An answer that is about to begin anew.
struct Restart {
    /// The target that broke, and when it may be asked again.
    target: usize,
    at: Instant,
}

impl Open {
    pub(crate) fn new(call: Box<Call>, served: Served) -> Self {
        Open { call, served: Some(served), restart: None, restarts: 0 }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.call.deadline()
    }

    /// An error of this stream that came up outside of it, as `next` would say it.
    pub(crate) fn failed(&mut self, error: Error) -> Error {
        match self.served.take() {
            Some(served) => {
                let error = self.ended(served, error);
                self.call.failed(error)
            }
            None => self.call.failed(error),
        }
    }

    /// What comes next. After `Done` or an error there is nothing more.
    pub(crate) async fn next(&mut self) -> Result<Step, Error> {
        if let Some(restart) = &self.restart {
            // As any repetition waits; another target need not.
            if self.call.preferred() == restart.target {
                tokio::time::sleep_until(restart.at).await;
            }
            self.restart = None;
            // A slow reader may come back when there is no time left for another attempt.
            if self.call.remaining() < MIN_ATTEMPT {
                let message = "the call's time ran out before its answer could begin anew";
                return Err(self.call.failed(Error::new(ErrorKind::Timeout, message)));
            }
            let served = race(&self.call).await.map_err(|error| self.call.failed(error))?;
            self.served = Some(served);
        }
        let Some(served) = &mut self.served else {
            return Err(Error::new(ErrorKind::Internal, "the stream was read past its end"));
        };
        let outcome = match &mut served.content {
            Content::Stream(stream) => {
                let step = stream.step(&self.call, served.target, &served.parts).await;
                if served.ttft_ms.is_none() && stream.reader.committed() {
                    served.ttft_ms = Some(self.call.elapsed_ms());
                }
                step
            }
            Content::Whole(_) => Ok(None),
        };
        match outcome {
            Ok(Some(chunks)) => Ok(Step::Chunks(chunks)),
            Ok(None) => Ok(Step::Done(self.done()?)),
            Err(error) => {
                let Some(served) = self.served.take() else { return Err(error) };
                let target = served.target;
                let error = self.ended(served, error);
                self.restart_or(error, target)
            }
        }
    }

    fn done(&mut self) -> Result<Box<Response>, Error> {
        let over = || Error::new(ErrorKind::Internal, "the stream was read past its end");
        let mut served = self.served.take().ok_or_else(over)?;
        let answer = match served.content {
            Content::Stream(stream) => {
                let Streaming { ticket, permits, reader, .. } = *stream;
                let answer = reader.into_answer();
                let now = Instant::now();
                self.call.ledger.end(ticket, None, None, now);
                permits.done(answer.usage.as_ref(), now);
                answer
            }
            Content::Whole(answer) => answer,
        };
        let (target, ttft) = (served.target, served.ttft_ms);
        Ok(self.call.document(target, answer, &served.parts, &mut served.warnings, ttft))
    }

    /// The stream is over, with this error.
    fn ended(&self, served: Served, error: Error) -> Error {
        let Served { target, parts, content, .. } = served;
        let Content::Stream(stream) = content else { return error };
        let Streaming { ticket, permits, reader, .. } = *stream;
        let error = located(reader.broken(error), parts.status, &parts.headers);
        let now = Instant::now();
        self.call.ledger.end(ticket, error.status, Some(error.kind()), now);
        self.call.report(target, permits, &error, now);
        self.call.place(error, target)
    }

    fn restart_or(&mut self, error: Error, target: usize) -> Result<Step, Error> {
        let asked = self.call.options.on_break == Some(OnBreak::Restart);
        let attempt = self.restarts + 1;
        // The answer may begin anew as often as a failed attempt may be repeated.
        let failed = Failed { error: &error, attempt, committed: false };
        let next = decide(&self.call.retry, &failed, self.call.remaining(), &mut self.call.rng());
        let Next::Retry { after } = next else { return Err(self.call.failed(error)) };
        if !asked || !self.call.may_try_again() {
            return Err(self.call.failed(error));
        }
        self.restarts = attempt;
        let at = Instant::now() + after;
        self.call.ledger.pause(target, at);
        self.restart = Some(Restart { target, at });
        Ok(Step::Restarted(Reset::new(error.kind())))
    }
}

impl Streaming {
    /// The next chunks; `None` at the end.
    async fn step(
        &mut self,
        call: &Call,
        target: usize,
        parts: &Parts,
    ) -> Result<Option<Vec<Chunk>>, Error> {
        if !self.chunks.is_empty() {
            return Ok(Some(dated(std::mem::take(&mut self.chunks), parts)));
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        while let Some(body) = &mut self.body {
            let progress = match body.next(&self.deadline, self.reader.committed()).await? {
                Some(bytes) => self.reader.push(&bytes),
                None => {
                    self.body = None;
                    let adapter = call.settings(target).row.adapter();
                    let end = self.reader.end(adapter, &parts.headers, &call.target(target));
                    end.map(|()| Progress::Done)
                }
            };
            let chunks = self.reader.take_chunks();
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
                    // What came in the same read before the failure is not lost.
                    self.failure = Some(error);
                }
            }
            if !chunks.is_empty() {
                return Ok(Some(dated(chunks, parts)));
            }
        }
        Ok(None)
    }
}

/// Chunks of a provider that gives no time have the answer's.
fn dated(mut chunks: Vec<Chunk>, parts: &Parts) -> Vec<Chunk> {
    if chunks.iter().any(|chunk| chunk.created.is_none()) {
        let date = shared::date(&parts.headers);
        chunks.iter_mut().for_each(|chunk| chunk.created = chunk.created.or(date));
    }
    chunks
}
