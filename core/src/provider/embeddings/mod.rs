//! Embeddings: what the providers have in common, and the form that most of them share with OpenAI.
//!
//! `form` says how a server differs, `encode` writes its requests, `pack` turns decimal numbers into base64, `read` checks the
//! vectors of an answer.

mod encode;
mod form;
mod pack;
mod read;
mod server;

pub use form::Form;
pub(super) use form::{AZURE, FIREWORKS, MISTRAL, OPENAI, OTHERS, TOGETHER};
pub(super) use read::{count_vectors, open, usage};
pub use server::{JINA, Server, VOYAGE};

use super::Target;
use crate::error::{Error, ErrorKind};
use crate::model::Encoding;

/// The target's model. Vectors of different models have nothing in common, so there is no default.
pub(super) fn model(target: &Target) -> Result<&str, Error> {
    if !target.model.is_empty() {
        return Ok(&target.model);
    }
    let message = "model is missing: give the model to embed with, as vectors of different models \
                   cannot be compared (a configured default model is one for chats)";
    Err(Error::invalid("model", message))
}

/// The error for an input that a provider cannot embed.
pub(super) fn not_taken(target: &Target, i: usize, what: &str) -> Error {
    let path = format!("input[{i}]");
    let message = format!("{path}: {} embeds no {what}", target.provider);
    Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some(path))
}

/// The note about an encoding that a provider does not have.
pub(super) fn no_encoding(target: &Target, encoding: Encoding) -> String {
    let (provider, name) = (&target.provider, encoding.name());
    format!("{provider} has no vectors of the encoding {name}: they come as base64")
}
