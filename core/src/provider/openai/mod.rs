//! OpenAI chat completions, and the dialects of the servers that speak it.
//!
//! `dialect` says what each server takes, `encode` writes requests, `message` reads what an answer
//! and a delta have in common, `decode` and `stream` read answers. The method of reading: take the
//! known members out of each object; whatever is left survives in `provider_fields`.

mod decode;
mod dialect;
mod encode;
mod message;
mod stream;

use ::http::HeaderMap;

use super::{Answer, Auth, HttpRequest, Notes, Provider, StreamDecoder, Target};
use crate::error::Error;
use crate::model::Request;

pub use dialect::{
    COMPATIBLE, DEEPSEEK, Dialect, FIREWORKS, GROQ, MISTRAL, OLLAMA, OPENAI, OPENROUTER, TOGETHER,
    VLLM, XAI,
};

impl Provider for Dialect {
    fn auth(&self) -> Auth {
        Auth::Bearer
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<HttpRequest, Error> {
        encode::encode(self, request, target, notes)
    }

    fn health_probe(&self, _target: &Target<'_>) -> HttpRequest {
        HttpRequest::get("/models", Vec::new())
    }

    fn decode(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        target: &Target<'_>,
    ) -> Result<Answer, Error> {
        decode::decode(status, headers, body, target)
    }

    fn stream_decoder(&self, target: &Target<'_>) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(self, target))
    }
}
