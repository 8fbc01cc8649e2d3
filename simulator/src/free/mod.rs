//! Free mode: answers made up on the spot, at high speed, in the wire format that the path asks for.
//!
//! ```text
//! target ── knobs, provider ──► ask (what the body says) ──► openai | anthropic | cohere ──► FreeReply
//!        └─ other: embeddings, rankings, models, moderations, tokens, in OpenAI's format ──────┘
//!                                                                      encode_http1, or h2_server ──► bytes
//! ```
//!
//! Invariant: nothing here waits or touches a socket; pauses are data (`Step`).

use std::time::Duration;

mod answer;
mod anthropic;
mod ask;
mod cohere;
mod encode;
mod faults;
mod knobs;
mod openai;
mod other;
mod provider;
mod text;
mod writer;

pub(crate) use encode::{bursts, encode_http1};
pub(crate) use faults::Turns;
pub(crate) use provider::Provider;

use answer::Answer;
use ask::Ask;
use faults::{Fault, PAGE};
use knobs::Knobs;

use crate::script::End;

/// An answer before it is framed for its HTTP version. It is reused from request to request.
#[derive(Debug, Default)]
pub(crate) struct FreeReply {
    pub(crate) status: u16,
    pub(crate) provider: Provider,
    pub(crate) id: u64,
    pub(crate) body: Vec<u8>,
    /// For a stream: where each of its text chunks ends in `body`; the last is the end. Else empty.
    pub(crate) cuts: Vec<usize>,
    pub(crate) knobs: Knobs,
    /// What goes wrong with this answer.
    fault: Option<Fault>,
    /// The bytes of the whole body that `body` does not have, because the answer breaks.
    missing: usize,
    /// Of a stream: where the last text chunk ends in `body`.
    text_end: usize,
    text: String,
}

/// A request, as far as free mode looks at it.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// Whether it has a key.
    pub(crate) authorised: bool,
    pub(crate) body: &'a [u8],
    pub(crate) id: u64,
}

/// Fills `reply` with the answer to a request.
pub(crate) fn answer(asking: Asking<'_>, turns: &Turns, reply: &mut FreeReply) {
    reply.id = asking.id;
    reply.body.clear();
    reply.cuts.clear();
    (reply.fault, reply.missing) = (None, 0);
    let (knobs, segment, path) = match knobs::parse(asking.target) {
        Ok(parsed) => parsed,
        Err(message) => {
            reply.knobs = Knobs::default();
            return reply.fail(400, "invalid_request_error", &message);
        }
    };
    reply.knobs = knobs;
    well(asking, path, reply);
    // A request that is refused anyway takes no turn.
    if let Some(fault) = knobs.fault
        && reply.status == 200
        && knobs.times.is_none_or(|times| turns.take(segment, times))
    {
        reply.go_wrong(fault);
    }
}

/// The answer without a fault.
fn well(asking: Asking<'_>, path: &str, reply: &mut FreeReply) {
    let Asking { method, authorised, body, id, .. } = asking;
    if let Some(asked) = other::Asked::of(method, path) {
        reply.provider = Provider::OpenAi;
        if !authorised {
            return reply.fail(401, "authentication_error", Provider::OpenAi.missing_key());
        }
        reply.status = 200;
        return match asked.answer(body, id) {
            Ok(answer) => reply.body.extend_from_slice(answer.to_string().as_bytes()),
            Err(message) => reply.fail(400, "invalid_request_error", &message),
        };
    }
    let Some(provider) = Provider::of_path(path) else {
        reply.provider = Provider::OpenAi;
        let message = format!(
            "the simulator serves …/chat/completions, …/messages, …/v2/chat, GET …/models, POST …/moderations, POST …/embeddings, POST …/rerank, POST …/responses/input_tokens, POST …/messages/count_tokens, /case/… and /_sim/…, not {method} {path}"
        );
        return reply.fail(404, "not_found_error", &message);
    };
    reply.provider = provider;
    if method != "POST" {
        return reply.fail(
            405,
            "invalid_request_error",
            &format!("{method} is not allowed here, POST is"),
        );
    }
    if !authorised {
        return reply.fail(401, "authentication_error", provider.missing_key());
    }
    let ask = match Ask::parse(body) {
        Ok(ask) => ask,
        Err(error) => {
            return reply.fail(
                400,
                "invalid_request_error",
                &format!("could not read the body: {error}"),
            );
        }
    };
    if let Some(message) = ask.missing(provider) {
        return reply.fail(400, "invalid_request_error", message);
    }
    reply.respond(&ask, body.len());
}

impl FreeReply {
    /// How long its connection rests after it, if it is closed then. Each answer has another time,
    /// and always the same.
    pub(crate) fn rest(&self) -> Option<Duration> {
        let spread = (self.id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u32;
        self.knobs.close.map(|most| most * (spread % 1_024) / 1_024)
    }

    fn respond(&mut self, ask: &Ask<'_>, request_bytes: usize) {
        self.status = 200;
        let mut text = std::mem::take(&mut self.text);
        let chunks = text::answer(&mut text, ask.last_user_text(), &self.knobs);
        let tool = ask.tool_to_call();
        let arguments = tool.map(|_| serde_json::json!({"text": ask.last_user_text()}).to_string());
        let answer = Answer {
            id: self.id,
            model: &ask.model,
            text: &text,
            tool: tool.zip(arguments.as_deref()),
            chunks,
            include_usage: ask.stream_options.include_usage,
            prompt_tokens: tokens(request_bytes),
            completion_tokens: tokens(text.len()),
        };
        match (self.provider, ask.stream) {
            (Provider::OpenAi, false) => openai::unary(&answer, &mut self.body),
            (Provider::OpenAi, true) => openai::stream(&answer, &mut self.body, &mut self.cuts),
            (Provider::Anthropic, false) => anthropic::unary(&answer, &mut self.body),
            (Provider::Anthropic, true) => {
                anthropic::stream(&answer, &mut self.body, &mut self.cuts)
            }
            (Provider::Cohere, false) => cohere::unary(&answer, &mut self.body),
            (Provider::Cohere, true) => cohere::stream(&answer, &mut self.body, &mut self.cuts),
        }
        if let Some(last) = self.cuts.last_mut() {
            self.text_end = std::mem::replace(last, self.body.len());
        }
        self.text = text;
    }

    fn go_wrong(&mut self, fault: Fault) {
        self.fault = Some(fault);
        match fault {
            Fault::Refusal(refusal) => {
                let (status, kind, code, message) = refusal.words(self.provider);
                self.body.clear();
                self.cuts.clear();
                self.refuse(status, kind, Some(code), message);
            }
            Fault::Html => {
                self.body.clear();
                self.cuts.clear();
                self.body.extend_from_slice(PAGE.as_bytes());
            }
            Fault::Cut | Fault::Stall => self.break_off(self.middle()),
            Fault::NoTerminator if !self.cuts.is_empty() => self.break_off(self.text_end),
            Fault::Malformed if self.cuts.is_empty() => self.body.truncate(self.middle()),
            Fault::Malformed => {
                let (at, event) = (self.middle(), b"data: {\"id\":\n\n");
                self.body.splice(at..at, event.iter().copied());
                self.cuts.iter_mut().filter(|cut| **cut > at).for_each(|cut| *cut += event.len());
            }
            Fault::NoTerminator | Fault::Reset | Fault::Silence => {}
        }
    }

    /// The middle of the body; of a stream: between two text chunks, if there are two.
    fn middle(&self) -> usize {
        match self.cuts.len() {
            0 | 1 => self.body.len() / 2,
            count => self.cuts[count / 2 - 1],
        }
    }

    /// Takes the body away from this byte on.
    fn break_off(&mut self, at: usize) {
        self.missing = self.body.len() - at;
        self.body.truncate(at);
        if !self.cuts.is_empty() {
            self.cuts.retain(|cut| *cut < at);
            self.cuts.push(at);
        }
    }

    /// Whether the framing says that the answer is complete.
    fn ends_in_order(&self) -> bool {
        !matches!(self.fault, Some(Fault::Cut | Fault::Stall))
    }

    /// What becomes of the connection.
    pub(crate) fn end(&self) -> End {
        match self.fault {
            Some(Fault::Reset) => End::Reset,
            Some(Fault::Cut) => End::Cut,
            _ => End::KeepAlive,
        }
    }

    fn fail(&mut self, status: u16, kind: &str, message: &str) {
        let code = if status == 404 { Some("unknown_url") } else { None };
        self.refuse(status, kind, code, message);
    }

    fn refuse(&mut self, status: u16, kind: &str, code: Option<&str>, message: &str) {
        self.status = status;
        let body = self.provider.error_body(kind, code, message, self.id);
        self.body.extend_from_slice(body.as_bytes());
    }
}

/// The usual rule of thumb, four bytes a token, is plausible enough.
fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}
