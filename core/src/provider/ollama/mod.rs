//! Ollama's own API, and its endpoints in OpenAI's form under `/v1`.
//!
//! An entry's target has a dialect where it is reached in OpenAI's form; `config` decides that by
//! `api` and the base URL. The own API has three peculiarities: a stream is lines of JSON, an error
//! is one of them, and tool calls and their results are matched by names and order.

mod chat;
mod embed;
mod models;

use super::{Chat, Embed, Models, Provider, Reported, Target, openai};
use crate::error::Error;
use crate::model::Billed;
use crate::wire::{Request, Scheme};

/// The adapter.
#[derive(Debug)]
pub struct Ollama;

/// The endpoints in OpenAI's form.
pub static OPENAI: openai::Dialect = openai::OLLAMA;

/// The path of the list of models.
const LIST: &str = "/api/tags";

/// Whether the target is reached in OpenAI's form.
fn speaks_openai(target: &Target) -> bool {
    target.dialect.is_some()
}

impl Provider for Ollama {
    /// A server of this machine takes any key; ollama.com takes its own.
    fn scheme(&self) -> Scheme {
        OPENAI.scheme()
    }

    fn probe(&self, target: &Target) -> Result<Request, Error> {
        if speaks_openai(target) { OPENAI.probe(target) } else { Ok(Request::get(LIST)) }
    }

    fn billed<'a>(&self, said: &Reported<'a>, _target: &Target) -> Option<Billed<'a>> {
        said.plain()
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
}
