//! OpenAI counts tokens with Responses, which this library was built without.

use super::Dialect;
use crate::error::Error;
use crate::model::{Request, TokenCount};
use crate::provider::{CountTokens, Notes, Target};
use crate::wire::{self, Reply};

impl CountTokens for Dialect {
    fn encode(&self, _: &Request, target: &Target, _: &mut Notes) -> Result<wire::Request, Error> {
        Err(not_built(target))
    }

    fn decode(&self, _: &Reply<'_>, target: &Target) -> Result<TokenCount, Error> {
        Err(not_built(target))
    }
}

fn not_built(target: &Target) -> Error {
    let what = format!("op \"count_tokens\" of {}", target.provider);
    Error::not_built("op", &what, "responses")
}
