//! Anthropic's messages API.
//!
//! What is peculiar to it: the system prompt stands outside the messages, `max_tokens` has to be
//! given, tool results are blocks of a user's message, and an answer is a list of typed blocks of
//! which signed ones must be sent back unchanged. Blocks that have no place in the unified message
//! are kept verbatim under [`CONTENT`], which `encode` sends back as it is.

mod blocks;
mod decode;
mod encode;
mod error;
mod messages;
mod stream;

use ::http::HeaderMap;

use super::{Answer, Auth, HttpRequest, Notes, Provider, StreamDecoder, Target};
use crate::error::Error;
use crate::model::Request;

/// The member of `message.provider_fields` that holds an answer's content blocks as they came.
const CONTENT: &str = "anthropic_content";

/// The header of the API's version, which has to be given.
const VERSION_HEADER: &str = "anthropic-version";

/// The adapter.
#[derive(Debug)]
pub struct Anthropic;

impl Provider for Anthropic {
    /// If both are sent, `x-api-key` wins over `Authorization` [doc]; all recordings have it.
    fn auth(&self) -> Auth {
        Auth::Header("x-api-key")
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<HttpRequest, Error> {
        encode::request(request, target, notes)
    }

    fn health_probe(&self, target: &Target<'_>) -> HttpRequest {
        let headers = vec![(VERSION_HEADER, encode::version(target).to_owned())];
        HttpRequest::get("/v1/models", headers)
    }

    fn decode(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        target: &Target<'_>,
    ) -> Result<Answer, Error> {
        decode::answer(status, headers, body, target)
    }

    fn stream_decoder(&self, target: &Target<'_>) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(target))
    }
}
