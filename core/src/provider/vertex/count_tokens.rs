//! Counts of tokens, which Google and Anthropic have at Vertex.

use super::publisher::{Format, Published};
use super::{ANTHROPIC, GOOGLE, Vertex, renamed};
use crate::error::{Error, ErrorKind};
use crate::model::{Request, TokenCount};
use crate::provider::{CountTokens, Notes, Target, counting};
use crate::wire::{self, Reply};

impl CountTokens for Vertex {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        counting::model(target)?;
        count_of(target)?.encode(request, &renamed(target)?, notes)
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<TokenCount, Error> {
        count_of(target)?.decode(reply, target)
    }
}

fn count_of(target: &Target) -> Result<&'static dyn CountTokens, Error> {
    match Published::of(&target.model).format() {
        Format::Google => Ok(GOOGLE),
        Format::Anthropic => Ok(ANTHROPIC),
        Format::Open => {
            let message = "Vertex counts tokens for Google's and Anthropic's models alone";
            Err(Error::new(ErrorKind::Unsupported, message)
                .with(|e| e.param = Some("model".to_owned())))
        }
    }
}
