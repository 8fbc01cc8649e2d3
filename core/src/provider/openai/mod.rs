//! OpenAI's formats, and the dialects of the servers that speak them. `dialect` and `servers` say
//! what each server takes.

mod chat;
mod dialect;
mod models;
mod moderate;
mod servers;
mod switches;

use super::{Chat, Models, Moderate, Provider, Target};
use crate::error::Error;
use crate::wire::{Request, Scheme};
use dialect::Moderates;

pub use dialect::{
    COMPATIBLE, DEEPSEEK, Dialect, FIREWORKS, GROQ, MISTRAL, OLLAMA, OPENAI, OPENROUTER, TOGETHER,
    VLLM, XAI,
};
pub use servers::*;
pub use switches::NAMES as SWITCHES;

impl Dialect {
    /// The dialect of this target: its entry's own, if the entry has switches.
    fn of<'a>(&'a self, target: &'a Target) -> &'a Dialect {
        target.dialect.as_deref().unwrap_or(self)
    }
}

impl Provider for Dialect {
    fn scheme(&self) -> Scheme {
        if self.key_header.is_empty() { Scheme::Bearer } else { Scheme::Header(self.key_header) }
    }

    fn probe(&self, _target: &Target) -> Result<Request, Error> {
        Ok(Request::get("/models"))
    }

    fn chat(&self) -> Option<&dyn Chat> {
        Some(self)
    }

    fn models(&self) -> Option<&dyn Models> {
        Some(self)
    }

    fn moderate(&self) -> Option<&dyn Moderate> {
        (self.moderation != Moderates::Nothing).then_some(self as _)
    }
}
