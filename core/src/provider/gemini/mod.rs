//! Google's `generateContent` format, which the Gemini API and Vertex AI share.
//!
//! It has three peculiarities: a conversation is a list of contents made of parts, a tool call may
//! have no id, and a stream has no terminal event.

mod billed;
mod chat;
mod count_tokens;
mod embed;
mod models;

use super::{Chat, CountTokens, Embed, Models, Provider, Reported, Target};
use crate::error::Error;
use crate::model::Billed;
use crate::wire::{Request, Scheme};

pub(super) use models::query as list_query;

/// The adapter.
#[derive(Debug)]
pub enum Gemini {
    /// The Gemini API, with a key of its own.
    Api,
    /// Vertex AI, with an OAuth token. The target's model is a path under the location.
    Vertex,
}

impl Provider for Gemini {
    /// The key could also stand in the query, where proxies would log it.
    fn scheme(&self) -> Scheme {
        match self {
            Gemini::Api => Scheme::Header("x-goog-api-key"),
            Gemini::Vertex => Scheme::Bearer,
        }
    }

    fn probe(&self, _target: &Target) -> Result<Request, Error> {
        Ok(Request { query: "pageSize=1".into(), ..Request::get("/models") })
    }

    fn billed<'a>(&self, said: &Reported<'a>, _target: &Target) -> Option<Billed<'a>> {
        billed::billed(said)
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
