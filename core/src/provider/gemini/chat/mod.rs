//! `generateContent`: an answer is a list of candidates, each a list of parts, and signed parts must
//! be sent back unchanged. Parts without a place in the unified message are kept verbatim under
//! [`parts::PARTS`]. `history` sends them back, as long as they match the message.

mod calls;
mod characters;
mod content;
mod contents;
mod decode;
mod encode;
mod history;
mod logprobs;
mod parts;
mod sources;
mod stream;

pub(super) use encode::body;

use super::Gemini;
use crate::error::Error;
use crate::model::Request;
use crate::provider::{Chat, Completion, Notes, StreamDecoder, Target};
use crate::wire::{self, Framing};

impl Chat for Gemini {
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
