//! `POST /api/chat`: an answer is one message, and a stream is that message in pieces, a JSON object
//! a line. The last line says `done`.

mod content;
mod decode;
mod encode;
mod history;
mod messages;
mod stream;

use super::{OPENAI, Ollama, speaks_openai};
use crate::error::Error;
use crate::model::Request;
use crate::provider::{Chat, Completion, Notes, StreamDecoder, Target};
use crate::wire::{self, Framing};

impl Chat for Ollama {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        if speaks_openai(target) {
            return Chat::encode(&OPENAI, request, target, notes);
        }
        encode::request(request, target, notes)
    }

    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<Completion, Error> {
        if speaks_openai(target) {
            return Chat::decode(&OPENAI, reply, target);
        }
        decode::answer(reply, target)
    }

    fn stream_decoder(&self, target: &Target) -> (Framing, Box<dyn StreamDecoder>) {
        if speaks_openai(target) {
            return OPENAI.stream_decoder(target);
        }
        (Framing::Ndjson, Box::new(stream::Decoder::new(target)))
    }
}
