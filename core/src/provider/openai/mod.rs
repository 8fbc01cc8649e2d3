//! OpenAI's formats, and the dialects of the servers that speak them. `dialect` and `servers` say
//! what each server takes.

mod billed;
mod chat;
#[cfg(feature = "responses")]
mod count_tokens;
mod dialect;
mod models;
mod moderate;
#[cfg(feature = "responses")]
mod responses;
mod servers;
mod switches;
#[cfg(not(feature = "responses"))]
mod uncounted;

use std::borrow::Cow;

use super::{
    Chat, Completion, CountTokens, Embed, Models, Moderate, Notes, Provider, Reported, Rerank,
    StreamDecoder, Target, deployment,
};
use crate::error::Error;
use crate::model::{self, Billed};
use crate::wire::{Framing, Reply, Request, Scheme};
use dialect::{Api, Moderates};

#[cfg(feature = "ollama")]
pub use dialect::OLLAMA;
pub use dialect::{COMPATIBLE, DEEPSEEK, Dialect, GROQ, MISTRAL, OPENAI, OPENROUTER, VLLM, XAI};
pub use servers::*;
pub use switches::NAMES as SWITCHES;

/// The member of a message that holds the items of a Responses answer, as they came.
const OUTPUT: &str = "responses_output";

impl Dialect {
    /// The dialect of this target: its entry's own, if the entry has switches.
    fn of<'a>(&'a self, target: &'a Target) -> &'a Dialect {
        target.dialect.as_deref().unwrap_or(self)
    }

    /// The request for a chat.
    fn post(&self, target: &Target, body: Vec<u8>) -> Result<Request, Error> {
        if self.deployments && self.api == Api::Chat {
            return deployment::post(target, self.path.clone(), body);
        }
        if self.deployments && target.api_version.is_some() {
            // Deployments have no Responses: it stands beside them, without a version [rec].
            return Ok(Request::post(format!("/v1{}", self.path), body));
        }
        Ok(Request::post(self.path.clone(), body))
    }

    /// The request for something else than a chat.
    fn get(&self, target: &Target, path: impl Into<Cow<'static, str>>) -> Request {
        let request = Request::get(path);
        if self.deployments { deployment::versioned(target, request) } else { request }
    }
}

impl Provider for Dialect {
    fn scheme(&self) -> Scheme {
        if self.key_header.is_empty() { Scheme::Bearer } else { Scheme::Header(self.key_header) }
    }

    fn probe(&self, target: &Target) -> Result<Request, Error> {
        Ok(self.get(target, "/models"))
    }

    fn billed<'a>(&self, said: &Reported<'a>, target: &Target) -> Option<Billed<'a>> {
        billed::billed(said, target)
    }

    fn chat(&self) -> Option<&dyn Chat> {
        Some(self)
    }

    fn embed(&self) -> Option<&dyn Embed> {
        self.embeddings.map(|form| form as _)
    }

    fn rerank(&self) -> Option<&dyn Rerank> {
        self.reranking.map(|form| form as _)
    }

    fn models(&self) -> Option<&dyn Models> {
        Some(self)
    }

    fn count_tokens(&self) -> Option<&dyn CountTokens> {
        self.counts.then_some(self as _)
    }

    fn moderate(&self) -> Option<&dyn Moderate> {
        (self.moderation != Moderates::Nothing).then_some(self as _)
    }
}

impl Chat for Dialect {
    fn encode(
        &self,
        request: &model::Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<Request, Error> {
        let dialect = self.of(target);
        match dialect.api {
            Api::Chat => chat::request(dialect, request, target, notes),
            #[cfg(feature = "responses")]
            Api::Responses => responses::request(dialect, request, target, notes),
        }
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<Completion, Error> {
        match self.of(target).api {
            Api::Chat => chat::answer(reply, target),
            #[cfg(feature = "responses")]
            Api::Responses => responses::answer(reply, target),
        }
    }

    fn stream_decoder(&self, target: &Target) -> (Framing, Box<dyn StreamDecoder>) {
        let dialect = self.of(target);
        let decoder: Box<dyn StreamDecoder> = match dialect.api {
            Api::Chat => Box::new(chat::Decoder::new(dialect, target)),
            #[cfg(feature = "responses")]
            Api::Responses => Box::new(responses::Decoder::new(target)),
        };
        (Framing::Sse, decoder)
    }
}
