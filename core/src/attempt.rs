//! One attempt of a call at one target: limits, encode, HTTP, decode.
//!
//! A stream's attempt ends with its first content, or with its end where there is none: what fails
//! before that has shown the caller nothing, and may be tried again. From then on it is a `stream`.

use std::pin::{Pin, pin};

use tokio::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::http::{Body, Deadline, Reply};
use crate::ledger::Ticket;
use crate::limit;
use crate::model::{Chunk, Warning};
use crate::pipeline::{Call, Parts, located};
use crate::provider::{Answer, Notes, Progress, StreamReader};
use crate::route::table::{Late, Permits};

/// Chunks without content that are kept back so that a failure can be tried again unseen. A server that
/// sends more has them delivered: they must not fill the memory, and the reader may slow it down.
const MOST_UNSEEN: usize = 1_024;
/// And so many bytes of them.
const MOST_UNSEEN_BYTES: usize = 4 << 20;

/// How an attempt is made.
#[derive(Clone, Copy)]
pub(crate) struct Mode {
    /// It runs beside another one.
    pub(crate) hedge: bool,
    /// It waits for a limit.
    pub(crate) wait: bool,
}

/// An attempt that a target answered.
pub(crate) struct Served {
    /// The target's place among the call's.
    pub(crate) target: usize,
    pub(crate) parts: Parts,
    /// What could not be asked of this target.
    pub(crate) warnings: Vec<Warning>,
    pub(crate) ttft_ms: Option<f64>,
    pub(crate) content: Content,
}

/// What came.
#[expect(clippy::large_enum_variant, reason = "most are whole, and a box would cost each of them")]
pub(crate) enum Content {
    /// The whole answer.
    Whole(Answer),
    /// A stream with its first content.
    Stream(Box<Streaming>),
}

impl Content {
    /// The attempt, if it goes on.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self {
            Content::Whole(_) => None,
            Content::Stream(stream) => Some(stream.ticket),
        }
    }
}

/// A stream from its first content on.
pub(crate) struct Streaming {
    pub(crate) ticket: Ticket,
    pub(crate) permits: Permits,
    pub(crate) reader: Box<StreamReader>,
    /// `None` once it has ended.
    pub(crate) body: Option<Body>,
    pub(crate) deadline: Deadline,
    /// What came up to the first content.
    pub(crate) chunks: Vec<Chunk>,
    /// What ended the stream right after that.
    pub(crate) failure: Option<Error>,
}

/// An attempt that failed.
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// A request was sent, or should have been: it is in the ledger.
    pub(crate) tried: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { error, tried: false }
    }
}

/// Makes one attempt.
pub(crate) async fn attempt(call: &Call, index: usize, mode: Mode) -> Result<Served, Failure> {
    let candidate = &call.candidates[index];
    let settings = call.settings(index);
    let adapter = settings.row.adapter();
    let adapted = candidate.parameters.as_ref().map(|own| own.apply(&call.request));
    let request = adapted.as_ref().unwrap_or(&call.request);
    let target = call.target(index);
    let mut notes = Notes::new(call.options.unsupported.unwrap_or_default());
    let http = adapter.encode(request, &target, &mut notes)?;
    let idempotency = call.idempotency_key(index, &mut notes)?;
    let tokens = limit::estimate(http.body.len(), request.max_tokens);
    let pool = &call.pools[candidate.provider];
    let wire = pool.prepare(settings, adapter.auth(), http, idempotency)?;
    let mut permits = call.enter(index, tokens, mode.wait).await?;
    if permits.insisted {
        let message = format!(
            "{} is passed over for its failures, and was asked as there is no other",
            call.name(index)
        );
        notes.warn("breaker_open", "model", message);
    }

    // The clock is read once at each end: it is not for nothing.
    let began = permits.began();
    let deadline = call.attempt_deadline(index, began);
    let ticket = call.ledger.begin(index, mode.hedge, began);
    let (mut ear, late) = permits.under_way();
    let exchange = async {
        let sent = |sent| call.ledger.sent(ticket, sent);
        let Reply { status, headers, mut body } =
            pool.send(settings, wire, &deadline, sent).await?;
        call.ledger.answered(ticket, status);
        ear.learn(&headers);
        let refused = !(200..300).contains(&status);
        if !request.stream || refused {
            let body = body.collect(&deadline, refused).await;
            let body = body.map_err(|e| located(e, status, &headers))?;
            let answer = adapter.decode(status, &headers, &body, &target)?;
            if refused {
                let message = "an error status was read as success";
                return Err(Error::new(ErrorKind::Internal, message));
            }
            return Ok((Parts { status, headers }, Came::Whole(answer)));
        }
        let mut reader = StreamReader::new(adapter, &target, call.merge);
        let mut state = BodyState::Open;
        while matches!(state, BodyState::Open)
            && !reader.committed()
            && reader.waiting() < MOST_UNSEEN
            && reader.bytes() < MOST_UNSEEN_BYTES
        {
            let progress = match body.next(&deadline, false).await {
                Ok(Some(bytes)) => reader.push(&bytes),
                Ok(None) => {
                    state = BodyState::Ended;
                    reader.end(adapter, &headers, &target).map(|()| Progress::Done)
                }
                Err(error) => Err(error),
            };
            match progress {
                Ok(Progress::More) => {}
                Ok(Progress::Done) if matches!(state, BodyState::Open) => state = BodyState::Done,
                Ok(Progress::Done) => {}
                // What came in the same read before the failure is not lost.
                Err(error) if reader.committed() => state = BodyState::Broken(error),
                Err(error) => return Err(located(error, status, &headers)),
            }
        }
        let (mut rest, mut failure) = (None, None);
        match state {
            BodyState::Open => rest = Some(body),
            BodyState::Done => body.finish(),
            BodyState::Ended => {}
            BodyState::Broken(error) => failure = Some(error),
        }
        Ok((Parts { status, headers }, Came::Stream(Box::new(reader), rest, failure)))
    };

    let (outcome, is_late) = {
        let exchange = pin!(exchange);
        timed(call, index, began, late, exchange).await
    };
    permits.late = is_late;
    match outcome {
        Ok((parts, came)) => {
            let now = Instant::now();
            permits.answered(now, request.stream);
            let mut ttft_ms = None;
            let content = match came {
                Came::Whole(answer) => {
                    call.ledger.end(ticket, None, None, now);
                    permits.done(answer.usage.as_ref(), now);
                    Content::Whole(answer)
                }
                Came::Stream(mut reader, body, failure) => {
                    ttft_ms = reader.committed().then(|| call.elapsed_ms());
                    let chunks = reader.take_chunks();
                    let stream =
                        Streaming { ticket, permits, reader, body, deadline, chunks, failure };
                    Content::Stream(Box::new(stream))
                }
            };
            let warnings = notes.into_warnings();
            Ok(Served { target: index, parts, warnings, ttft_ms, content })
        }
        Err(error) => {
            let now = Instant::now();
            call.ledger.end(ticket, error.status, Some(error.kind()), now);
            call.report(index, permits, &error, now);
            Err(Failure { error: call.place(error, index), tried: true })
        }
    }
}

/// Waits for an exchange; says so where its first token is late, which is then answered too.
async fn timed<T>(
    call: &Call,
    index: usize,
    began: Instant,
    late: Late<'_>,
    mut exchange: Pin<&mut impl Future<Output = T>>,
) -> (T, bool) {
    if let Some(time) = call.first_token(index) {
        let due = Deadline::after(began, time);
        if let Ok(outcome) = tokio::time::timeout_at(due, exchange.as_mut()).await {
            return (outcome, false);
        }
        call.late(index, &late);
        return (exchange.await, true);
    }
    (exchange.await, false)
}

/// What an exchange brought.
enum Came {
    Whole(Answer),
    /// The reader, what is left of the body, and what broke it after the first content.
    Stream(Box<StreamReader>, Option<Body>, Option<Error>),
}

/// How far a stream's body is.
enum BodyState {
    Open,
    /// The terminal event has come; the body may go on.
    Done,
    Ended,
    Broken(Error),
}
