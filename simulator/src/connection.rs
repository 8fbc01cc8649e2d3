//! One HTTP/1.1 connection: read a request, decide on the answer, play it, again.
//!
//! The decision is synchronous and borrows the read buffer. The playing is asynchronous and borrows
//! nothing of it, because during a wait the buffer takes what the peer sends. The hot path (a unary
//! answer in free mode) is one read, one parse and one write, into buffers that live as long as the
//! connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf as _;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use crate::control;
use crate::free::{self, Asking, FreeReply};
use crate::peer::{Peer, Socket};
use crate::registry::Playing;
use crate::request::{ChunkedBody, Progress, Request, read_request};
use crate::script::{End, Step};
use crate::shared::{Shared, error_body};
use crate::stats::OpenRequest;

/// Buffers that live as long as the connection.
#[derive(Default)]
struct Scratch {
    bytes: Vec<u8>,
    steps: Vec<Step>,
    reply: FreeReply,
}

/// A decided answer.
struct Plan {
    source: Source,
    keep_alive: bool,
    /// None for `/_sim/…`, which is not counted.
    open: Option<OpenRequest>,
    /// How long the connection rests after the answer. `None`: for ever.
    rest: Option<Duration>,
    /// What becomes of the connection after an answer from the scratch buffers.
    end: End,
}

enum Source {
    /// The scratch buffers.
    Scratch,
    Case(Playing),
}

pub(crate) async fn serve<S: Socket>(io: S, shared: Arc<Shared>) {
    let mut peer = Peer::new(io);
    // An error means that the peer went away. Its request has been counted by then.
    let _ = converse(&mut peer, &shared).await;
}

async fn converse<S: Socket>(peer: &mut Peer<S>, shared: &Shared) -> io::Result<()> {
    let mut scratch = Scratch::default();
    let mut rest = None;
    loop {
        let next = next_request(peer, shared, &mut scratch);
        let plan = match rest {
            None => next.await?,
            // Whatever is on its way by then is lost.
            Some(rest) => tokio::time::timeout(rest, next).await.unwrap_or(Ok(None))?,
        };
        let Some(plan) = plan else { return Ok(()) };
        rest = plan.rest;
        let end = match &plan.source {
            Source::Scratch => {
                play(peer, &scratch.bytes, &scratch.steps, None).await?;
                plan.end
            }
            Source::Case(playing) => {
                let script = playing.script();
                play(peer, &script.bytes, &script.steps, script.endless.as_deref()).await?;
                script.end
            }
        };
        if let Some(open) = plan.open {
            open.complete();
        }
        match end {
            End::KeepAlive if plan.keep_alive => {}
            End::KeepAlive | End::Close => return peer.io.shutdown().await,
            End::Cut => return Ok(()),
            End::Reset => return peer.io.tcp().set_zero_linger(),
        }
    }
}

/// The plan for the next request, or `None` after the last one.
async fn next_request<S: Socket>(
    peer: &mut Peer<S>,
    shared: &Shared,
    scratch: &mut Scratch,
) -> io::Result<Option<Plan>> {
    let mut continued = false;
    loop {
        let progress = read_request(&peer.buffer, None, |request| decide(shared, request, scratch));
        let (wanted, continue_expected, chunked) = match progress {
            Ok(Progress::Complete { used, result }) => {
                peer.buffer.advance(used);
                return Ok(Some(result));
            }
            Ok(Progress::Partial { wanted, continue_expected }) => {
                (wanted, continue_expected, None)
            }
            Ok(Progress::Chunked { head, continue_expected }) => (0, continue_expected, Some(head)),
            Err(message) => return refuse(peer, &message).await,
        };
        if continue_expected && !continued {
            peer.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            continued = true;
        }
        if let Some(head) = chunked {
            return chunked_request(peer, shared, scratch, head).await;
        }
        if !peer.fill(wanted).await? {
            return Ok(None);
        }
    }
}

async fn chunked_request<S: Socket>(
    peer: &mut Peer<S>,
    shared: &Shared,
    scratch: &mut Scratch,
    head: usize,
) -> io::Result<Option<Plan>> {
    let head = peer.buffer.split_to(head);
    let mut body = ChunkedBody::default();
    loop {
        let (used, complete) = match body.take(&peer.buffer) {
            Ok(taken) => taken,
            Err(message) => return refuse(peer, &message).await,
        };
        peer.buffer.advance(used);
        if complete {
            break;
        }
        if !peer.fill(64 << 10).await? {
            return Ok(None);
        }
    }
    match read_request(&head, Some(&body.bytes), |request| decide(shared, request, scratch)) {
        Ok(Progress::Complete { result, .. }) => Ok(Some(result)),
        _ => Ok(None),
    }
}

/// A request that cannot be read ends the connection.
async fn refuse<S: Socket>(peer: &mut Peer<S>, message: &str) -> io::Result<Option<Plan>> {
    let mut bytes = Vec::new();
    put_json(&mut bytes, 400, "Bad Request", &error_body("bad_request", message));
    peer.write(&bytes).await?;
    peer.io.shutdown().await?;
    Ok(None)
}

fn decide(shared: &Shared, request: &Request<'_>, scratch: &mut Scratch) -> Plan {
    scratch.bytes.clear();
    scratch.steps.clear();
    let keep_alive = request.keep_alive;
    if request.target.starts_with("/_sim/echo") {
        put_json(&mut scratch.bytes, 200, "OK", &control::echo(request));
        return Plan {
            source: Source::Scratch,
            keep_alive,
            open: Some(shared.counters.request()),
            rest: None,
            end: End::KeepAlive,
        };
    }
    if request.target.starts_with("/_sim/") {
        let (status, reason, body) = control::answer(shared, request.method, request.target);
        put_json(&mut scratch.bytes, status, reason, &body);
        let (source, end) = (Source::Scratch, End::KeepAlive);
        return Plan { source, keep_alive, open: None, rest: None, end };
    }
    let open = Some(shared.counters.request());
    if let Some(target) = request.target.strip_prefix("/case/") {
        let source = match shared.registry.next(request, target) {
            Ok(playing) => Source::Case(playing),
            Err(message) => {
                put_json(
                    &mut scratch.bytes,
                    599,
                    "Not As Expected",
                    &error_body("simulator_refused", &message),
                );
                Source::Scratch
            }
        };
        return Plan { source, keep_alive, open, rest: None, end: End::KeepAlive };
    }
    let authorised =
        ["authorization", "x-api-key", "api-key"].iter().any(|name| request.has_header(name));
    let asking = Asking {
        method: request.method,
        target: request.target,
        authorised,
        body: request.body,
        id: shared.next_id(),
    };
    free::answer(asking, &shared.turns, &mut scratch.reply);
    let (rest, end) = (scratch.reply.rest(), scratch.reply.end());
    free::encode_http1(&scratch.reply, keep_alive, &mut scratch.bytes, &mut scratch.steps);
    if scratch.steps.len() > 1 {
        // Each of thousands of slow streams should hold its bytes only once.
        scratch.reply = FreeReply::default();
    }
    Plan { source: Source::Scratch, keep_alive, open, rest, end }
}

fn put_json(out: &mut Vec<u8>, status: u16, reason: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body.as_bytes());
}

/// No steps mean that all bytes go out in one write.
async fn play<S: Socket>(
    peer: &mut Peer<S>,
    bytes: &[u8],
    steps: &[Step],
    endless: Option<&[u8]>,
) -> io::Result<()> {
    if steps.is_empty() && endless.is_none() {
        return peer.write(bytes).await;
    }
    let start = Instant::now();
    let mut from = 0;
    for (n, step) in steps.iter().enumerate() {
        match *step {
            Step::Write { until } => {
                peer.write(&bytes[from..until]).await?;
                from = until;
                if n + 1 < steps.len() {
                    // The reader gets a chance to see this write alone.
                    tokio::task::yield_now().await;
                }
            }
            Step::Wait(pause) => peer.wait_until(Instant::now() + pause).await?,
            Step::WaitUntil(offset) => peer.wait_until(start + offset).await?,
            Step::Hang => return Err(peer.gone().await),
        }
    }
    while let Some(unit) = endless {
        peer.write(unit).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
