//! OpenAI's formats, and the dialects of the servers that speak them. `dialect` says what each
//! server takes.

mod chat;
mod dialect;

use super::{Chat, Provider, Target};
use crate::error::Error;
use crate::wire::{Request, Scheme};

pub use dialect::{
    COMPATIBLE, DEEPSEEK, Dialect, FIREWORKS, GROQ, MISTRAL, OLLAMA, OPENAI, OPENROUTER, TOGETHER,
    VLLM, XAI,
};

impl Provider for Dialect {
    fn scheme(&self) -> Scheme {
        Scheme::Bearer
    }

    fn probe(&self, _target: &Target) -> Result<Request, Error> {
        Ok(Request::get("/models"))
    }

    fn chat(&self) -> Option<&dyn Chat> {
        Some(self)
    }
}
