//! A free-mode answer as HTTP/1.1 bytes and steps.

use std::time::Duration;

use super::FreeReply;
use super::faults::Fault;
use super::writer::Writer;
use crate::reply::Framing;
use crate::script::{Step, put_piece};

pub(crate) fn encode_http1(
    reply: &FreeReply,
    keep_alive: bool,
    out: &mut Vec<u8>,
    steps: &mut Vec<Step>,
) {
    match reply.fault {
        // The end of the connection is all that the peer sees.
        Some(Fault::Reset) => return steps.push(Step::WaitUntil(reply.knobs.delay)),
        Some(Fault::Silence) => return steps.push(Step::Hang),
        _ => {}
    }
    let provider = reply.provider;
    let mut writer = Writer(out);
    match reply.status {
        200 => writer.raw("HTTP/1.1 200 OK\r\n"),
        status => {
            let reason = http::StatusCode::from_u16(status)
                .ok()
                .and_then(|status| status.canonical_reason());
            writer.raw(&format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or_default()))
        }
    };
    writer.raw(provider.header_lines()).raw(provider.request_id_header()).raw(": ");
    writer.raw(provider.request_id_prefix()).id(reply.id);
    writer.raw(if keep_alive { "\r\n" } else { "\r\nconnection: close\r\n" });
    if reply.status == 429 {
        writer.raw("retry-after: 1\r\n");
    }
    if reply.cuts.is_empty() {
        let html = reply.fault == Some(Fault::Html);
        writer
            .raw(if html { "content-type: text/html" } else { "content-type: application/json" })
            .raw("\r\ncontent-length: ")
            .number((reply.body.len() + reply.missing) as u64);
        writer.raw("\r\n\r\n");
        out.extend_from_slice(&reply.body);
    } else {
        writer.raw(
            "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n",
        );
        stream(reply, out, steps);
    }
    if reply.knobs.delay > Duration::ZERO && steps.is_empty() {
        steps.extend([Step::WaitUntil(reply.knobs.delay), Step::Write { until: out.len() }]);
    }
    if reply.fault == Some(Fault::Stall) {
        if steps.is_empty() {
            steps.push(Step::Write { until: out.len() });
        }
        steps.push(Step::Hang);
    }
}

/// Each burst is one HTTP chunk and, if there are pauses, one step.
fn stream(reply: &FreeReply, out: &mut Vec<u8>, steps: &mut Vec<Step>) {
    let mut from = 0;
    for (at, until) in bursts(reply) {
        put_piece(out, &reply.body[from..until], Framing::Chunked);
        if until == reply.body.len() && reply.ends_in_order() {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        if at > Duration::ZERO {
            steps.push(Step::WaitUntil(at));
        }
        steps.push(Step::Write { until: out.len() });
        from = until;
    }
}

/// When the parts of a stream leave, counted from the beginning of the answer, and where each ends in the body.
/// Without an interval all is one part.
pub(crate) fn bursts(reply: &FreeReply) -> impl Iterator<Item = (Duration, usize)> {
    let knobs = reply.knobs;
    let size = if knobs.interval == Duration::ZERO { usize::MAX } else { knobs.burst.max(1) };
    let pauses = std::iter::successors(Some(knobs.delay), move |at| Some(*at + knobs.interval));
    pauses.zip(reply.cuts.chunks(size).map(|burst| burst[burst.len() - 1]))
}
