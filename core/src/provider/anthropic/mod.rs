//! Anthropic's messages API.
//!
//! It has three peculiarities: the system prompt stands outside the messages, `max_tokens` is
//! required, and tool results are blocks of a user's message.

mod billed;
mod chat;
mod count_tokens;
mod error;
mod models;

use super::{Chat, CountTokens, Models, Provider, Reported, Target};
use crate::error::Error;
use crate::model::Billed;
use crate::wire::{Request, Scheme};

/// The required header for the API's version.
const VERSION_HEADER: &str = "anthropic-version";

/// The version for new code. It has no sampling parameters; a configuration can name the older
/// `2023-06-01`, which has them [doc].
const VERSION: &str = "2026-10-21";

/// The version of the same API at Vertex, a member of the body [rec]. It has sampling parameters.
const VERTEX_VERSION: &str = "vertex-2023-10-16";

/// The adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anthropic {
    /// Anthropic's own servers.
    Api,
    /// Vertex AI. The target's model is a path under the location.
    Vertex,
}

impl Provider for Anthropic {
    /// If both are sent, `x-api-key` wins over `Authorization` [doc]; all recordings have it.
    fn scheme(&self) -> Scheme {
        Scheme::Header("x-api-key")
    }

    fn probe(&self, target: &Target) -> Result<Request, Error> {
        let mut request = Request::get("/v1/models");
        request.header(VERSION_HEADER, version(target))?;
        Ok(request)
    }

    fn billed<'a>(&self, said: &Reported<'a>, _target: &Target) -> Option<Billed<'a>> {
        billed::billed(said)
    }

    fn chat(&self) -> Option<&dyn Chat> {
        Some(self)
    }

    fn models(&self) -> Option<&dyn Models> {
        Some(self)
    }

    fn count_tokens(&self) -> Option<&dyn CountTokens> {
        Some(self)
    }
}

impl Anthropic {
    /// Whether the requested version of the API has sampling parameters.
    fn samples(self, target: &Target) -> bool {
        // Versions are dates, so a comparison as text is right.
        self == Anthropic::Vertex || version(target) < VERSION
    }
}

/// The requested version of the API.
fn version(target: &Target) -> &str {
    target.api_version.as_deref().unwrap_or(VERSION)
}
