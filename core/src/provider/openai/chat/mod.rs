//! Chat completions: `encode` and `messages` write requests, `message` reads what an answer and a
//! delta have in common, `decode` and `stream` read answers. Reading takes the known members out of
//! each object; the others are kept in `provider_fields`.

mod decode;
mod encode;
mod message;
mod messages;
mod stream;

pub(super) use message::usage;

use crate::error::Error;
use crate::model::Request;
use crate::provider::openai::dialect::Dialect;
use crate::provider::{Chat, Completion, Notes, StreamDecoder, Target};
use crate::wire::{self, Framing};

impl Chat for Dialect {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        encode::request(self, request, target, notes)
    }

    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<Completion, Error> {
        decode::answer(reply, target)
    }

    fn stream_decoder(&self, target: &Target) -> (Framing, Box<dyn StreamDecoder>) {
        (Framing::Sse, Box::new(stream::Decoder::new(self, target)))
    }
}
