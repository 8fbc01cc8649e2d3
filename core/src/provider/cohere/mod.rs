//! Cohere's v2 chat API.
//!
//! What is peculiar to it: it tells apart the plan before tool calls (`tool_plan`), thinking and
//! text; a tool cannot be forced by name; an answer may fail under status 200, in its
//! `finish_reason`; and its counts are floats, of which those of `usage.tokens` are tokens.

mod decode;
mod encode;
mod error;
mod message;
mod stream;

use ::http::HeaderMap;

use super::{Answer, Auth, HttpRequest, Notes, Provider, StreamDecoder, Target};
use crate::error::Error;
use crate::model::Request;

/// The member of `message.provider_fields` that holds the plan before tool calls.
const PLAN: &str = "tool_plan";

/// The member of `message.provider_fields` that holds the citations.
const CITATIONS: &str = "citations";

/// The member of `message.provider_fields` that holds content of types that are not known.
const CONTENT: &str = "cohere_content";

/// The adapter.
#[derive(Debug)]
pub struct Cohere;

impl Provider for Cohere {
    fn auth(&self) -> Auth {
        Auth::Bearer
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<HttpRequest, Error> {
        encode::request(request, target, notes)
    }

    fn health_probe(&self, _target: &Target<'_>) -> HttpRequest {
        HttpRequest::get("/v1/models", Vec::new())
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
