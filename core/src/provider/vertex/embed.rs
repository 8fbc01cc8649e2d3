//! Embeddings, which Google's models have.

use super::publisher::{Format, Published};
use super::{GOOGLE, Vertex, renamed};
use crate::error::{Error, ErrorKind};
use crate::model::{EmbedInput, EmbedRequest, Embeddings};
use crate::provider::{Embed, Most, Notes, Target};
use crate::wire::{Reply, Request};

impl Embed for Vertex {
    fn most(&self, request: &EmbedRequest, target: &Target) -> Most {
        GOOGLE.most(request, target)
    }

    fn refuses(&self, input: &EmbedInput, target: &Target) -> Option<&'static str> {
        GOOGLE.refuses(input, target)
    }

    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<Request, Error> {
        if Published::of(&target.model).format() != Format::Google {
            let message = "embeddings at Vertex are made by Google's models, and this is another's";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with(|e| e.param = Some("model".to_owned())));
        }
        GOOGLE.encode(request, &named(target)?, notes)
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error> {
        Embed::decode(GOOGLE, reply, request, target)
    }
}

/// A request without a model says so itself.
fn named(target: &Target) -> Result<Target, Error> {
    if target.model.is_empty() { Ok(target.clone()) } else { renamed(target) }
}
