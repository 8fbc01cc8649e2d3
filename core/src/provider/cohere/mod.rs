//! Cohere's formats.

mod billed;
mod chat;
mod count_tokens;
mod embed;
mod error;
mod models;

// Bedrock has models of Cohere, too.
#[cfg(feature = "bedrock")]
pub(super) use embed::{input_type, inputs};

use super::{Chat, CountTokens, Embed, Models, Provider, Reported, Rerank, Target, reranking};
use crate::error::Error;
use crate::model::Billed;
use crate::wire::{Request, Scheme};

/// The adapter.
#[derive(Debug)]
pub struct Cohere;

impl Provider for Cohere {
    fn scheme(&self) -> Scheme {
        Scheme::Bearer
    }

    fn probe(&self, _target: &Target) -> Result<Request, Error> {
        Ok(Request::get("/v1/models"))
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

    fn rerank(&self) -> Option<&dyn Rerank> {
        Some(&reranking::COHERE)
    }

    fn models(&self) -> Option<&dyn Models> {
        Some(self)
    }

    fn count_tokens(&self) -> Option<&dyn CountTokens> {
        Some(self)
    }
}
