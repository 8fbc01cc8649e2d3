//! Embeddings: what the providers have in common, and the form that most of them share with OpenAI.
//!
//! `form` says how a server differs, `encode` writes its requests, `pack` turns decimal numbers into base64, `read` checks the
//! vectors of an answer, `extra` refuses members that would change their form.

mod encode;
mod extra;
mod form;
mod pack;
mod read;
mod server;

pub(super) use extra::extra;
pub(super) use form::{AZURE, FIREWORKS, MISTRAL, OPENAI, OTHERS, TOGETHER};
pub use form::{Cut, Form};
pub(super) use read::{count_vectors, open, usage};
pub use server::{JINA, Server, VOYAGE};

use super::{Embed, Target};
use crate::error::{Error, ErrorKind};
use crate::model::{EmbedRequest, Encoding};

/// The target's model. Vectors of different models have nothing in common, so there is no default.
pub(super) fn model(target: &Target) -> Result<&str, Error> {
    if !target.model.is_empty() {
        return Ok(&target.model);
    }
    let message = "model is missing: give the model to embed with, as vectors of different models \
                   cannot be compared (a configured default model is one for chats)";
    Err(Error::invalid("model", message))
}

/// Whether a provider can embed each input of a request.
pub(crate) fn check(
    embed: &dyn Embed,
    request: &EmbedRequest,
    target: &Target,
) -> Result<(), Error> {
    for (input, i) in request.asked().iter().zip(request.part.clone()) {
        if let Some(what) = embed.refuses(input, target) {
            let path = format!("input[{i}]");
            let message = format!("{path}: {} embeds no {what}", target.provider);
            return Err(Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some(path)));
        }
    }
    Ok(())
}

/// The note about an encoding that a provider does not have.
pub(super) fn no_encoding(target: &Target, encoding: Encoding) -> String {
    let (provider, name) = (&target.provider, encoding.name());
    format!("{provider} has no vectors of the encoding {name}: they come as base64")
}

/// The note about a place to cut inputs off that a provider does not have.
pub(super) fn no_cut(target: &Target) -> String {
    format!("{} cannot be asked to cut inputs off so", target.provider)
}

/// The note about `truncate: "none"` where nobody says what happens to an input that is too long.
pub(super) fn no_refusal(target: &Target) -> String {
    let provider = &target.provider;
    format!("{provider} cannot be asked to refuse an input that is too long: it may cut it off")
}
