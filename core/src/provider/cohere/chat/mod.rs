//! The v2 chat API. It distinguishes the plan before tool calls (`tool_plan`), thinking and text. A
//! tool cannot be forced by name. An answer may fail under status 200, in its `finish_reason`. The
//! counts are floats, and those of `usage.tokens` are tokens.

mod content;
mod decode;
mod encode;
mod history;
mod message;
mod stream;

use crate::error::Error;
use crate::model::Request;
use crate::provider::cohere::Cohere;
use crate::provider::{Chat, Completion, Notes, StreamDecoder, Target};
use crate::wire::{self, Framing};

impl Chat for Cohere {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        encode::request(request, target, notes)
    }

    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<Completion, Error> {
        decode::answer(reply, target)
    }

    fn stream_decoder(&self, target: &Target) -> (Framing, Box<dyn StreamDecoder>) {
        (Framing::Sse, Box::new(stream::Decoder::new(target)))
    }
}
