//! A free-mode answer as HTTP/1.1 bytes and steps.

use std::time::Duration;

use super::FreeReply;
use super::writer::Writer;
use crate::reply::Framing;
use crate::script::{Step, put_piece};

pub(crate) fn encode_http1(
    reply: &FreeReply,
    keep_alive: bool,
    out: &mut Vec<u8>,
    steps: &mut Vec<Step>,
) {
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
    if reply.cuts.is_empty() {
        writer
            .raw("content-type: application/json\r\ncontent-length: ")
            .number(reply.body.len() as u64);
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
}

/// Without an interval the whole stream is one HTTP chunk; else one for each burst, each with a step of its own.
fn stream(reply: &FreeReply, out: &mut Vec<u8>, steps: &mut Vec<Step>) {
    let knobs = &reply.knobs;
    if knobs.interval == Duration::ZERO {
        put_piece(out, &reply.body, Framing::Chunked);
        out.extend_from_slice(b"0\r\n\r\n");
        return;
    }
    let mut from = 0;
    let mut at = knobs.delay;
    for burst in reply.cuts.chunks(knobs.burst.max(1)) {
        let until = burst[burst.len() - 1];
        put_piece(out, &reply.body[from..until], Framing::Chunked);
        if until == reply.body.len() {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        if at > Duration::ZERO {
            steps.push(Step::WaitUntil(at));
        }
        steps.push(Step::Write { until: out.len() });
        from = until;
        at += knobs.interval;
    }
}
