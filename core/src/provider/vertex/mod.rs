//! Vertex AI: one provider, and three wire formats. The publisher of the model says which one.
//!
//! Google's models speak `generateContent`, Anthropic's speak the messages API by `rawPredict`, and
//! the others speak OpenAI's chat completions. The base URL ends with the location.

mod count_tokens;
mod embed;
mod models;
mod publisher;

use std::sync::Arc;

use super::anthropic::Anthropic;
use super::gemini::Gemini;
use super::openai::VERTEX_OPEN;
use super::{
    Chat, Completion, CountTokens, Embed, Models, Notes, Provider, Reported, StreamDecoder, Target,
    anthropic, gemini,
};
use crate::error::Error;
use crate::model::{self, Billed};
use crate::wire::{Framing, Reply, Request, Scheme};
use publisher::{Format, Published};

/// The adapter.
#[derive(Debug)]
pub struct Vertex;

/// Where the list of Google's models is under the URL of the control plane [sdk google-genai 3.4].
const LIST: &str = "/publishers/google/models";

/// The adapters that it hands over to.
const GOOGLE: &Gemini = &gemini::Gemini::Vertex;
const ANTHROPIC: &Anthropic = &anthropic::Anthropic::Vertex;

impl Provider for Vertex {
    /// An OAuth token.
    fn scheme(&self) -> Scheme {
        Scheme::Bearer
    }

    fn probe(&self, _target: &Target) -> Result<Request, Error> {
        let list = Request::get(LIST).to_control();
        Ok(Request { query: "pageSize=1".into(), ..list })
    }

    fn billed<'a>(&self, said: &Reported<'a>, target: &Target) -> Option<Billed<'a>> {
        match Published::of(&target.model).format() {
            Format::Google => GOOGLE.billed(said, target),
            Format::Anthropic => ANTHROPIC.billed(said, target),
            Format::Open => VERTEX_OPEN.billed(said, target),
        }
    }

    fn chat(&self) -> Option<&dyn Chat> {
        Some(self)
    }

    fn embed(&self) -> Option<&dyn Embed> {
        Some(self)
    }

    fn models(&self) -> Option<&dyn Models> {
        Some(self)
    }

    fn count_tokens(&self) -> Option<&dyn CountTokens> {
        Some(self)
    }
}

/// The chat of the target's model.
fn chat_of(target: &Target) -> &'static dyn Chat {
    match Published::of(&target.model).format() {
        Format::Google => GOOGLE,
        Format::Anthropic => ANTHROPIC,
        Format::Open => &VERTEX_OPEN,
    }
}

/// The target under the name that its format has for the model.
fn renamed(target: &Target) -> Result<Target, Error> {
    let model = Published::of(&target.model).name()?;
    Ok(Target { model: Arc::from(model), ..target.clone() })
}

impl Chat for Vertex {
    fn encode(
        &self,
        request: &model::Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<Request, Error> {
        chat_of(target).encode(request, &renamed(target)?, notes)
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<Completion, Error> {
        chat_of(target).decode(reply, target)
    }

    fn stream_decoder(&self, target: &Target) -> (Framing, Box<dyn StreamDecoder>) {
        chat_of(target).stream_decoder(target)
    }
}
