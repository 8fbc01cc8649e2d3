//! Messages: an answer is a list of typed blocks, and the signed ones must be sent back unchanged.
//! Blocks without a place in the unified message are kept verbatim under [`blocks::CONTENT`].
//! `history` sends them back, as long as they match the message.

mod blocks;
mod content;
mod decode;
mod encode;
mod history;
mod messages;
mod stream;

pub(super) use encode::counted;

use crate::error::Error;
use crate::model::Request;
use crate::provider::anthropic::Anthropic;
use crate::provider::{Chat, Completion, Notes, StreamDecoder, Target};
use crate::wire::{self, Framing};

impl Chat for Anthropic {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        encode::request(*self, request, target, notes)
    }

    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<Completion, Error> {
        decode::answer(reply, target)
    }

    fn stream_decoder(&self, target: &Target) -> (Framing, Box<dyn StreamDecoder>) {
        (Framing::Sse, Box::new(stream::Decoder::new(target)))
    }
}
