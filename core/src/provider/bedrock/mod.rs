//! Amazon Bedrock's Converse format, which is the same for every model there. Embeddings and
//! ranking go by `invoke`, in each model's own form.
//!
//! Converse has three peculiarities: a block is an object with one member, which says what it is. A
//! stream is AWS's binary event stream. The class of an error stands in a header.

mod billed;
mod chat;
mod count_tokens;
mod embed;
mod error;
mod invoke;
mod models;
mod rerank;

use super::{Chat, CountTokens, Embed, Models, Provider, Reported, Rerank, Target};
use crate::error::Error;
use crate::model::Billed;
use crate::wire::{Request, Scheme};

/// The adapter.
#[derive(Debug)]
pub struct Bedrock;

impl Provider for Bedrock {
    /// An API key of Bedrock is a bearer token [spec].
    fn scheme(&self) -> Scheme {
        Scheme::Bearer
    }

    /// The list of models is at the control plane, so the probe lists the account's jobs, one at most.
    fn probe(&self, _target: &Target) -> Result<Request, Error> {
        Ok(Request { query: "maxResults=1".into(), ..Request::get("/async-invoke") })
    }

    fn billed<'a>(&self, said: &Reported<'a>, _target: &Target) -> Option<Billed<'a>> {
        billed::billed(said)
    }

    fn chat(&self) -> Option<&dyn Chat> {
        Some(self)
    }

    fn count_tokens(&self) -> Option<&dyn CountTokens> {
        Some(self)
    }

    fn models(&self) -> Option<&dyn Models> {
        Some(self)
    }

    fn embed(&self) -> Option<&dyn Embed> {
        Some(self)
    }

    fn rerank(&self) -> Option<&dyn Rerank> {
        Some(self)
    }
}

/// The path of an operation on a model.
fn path(model: &str, operation: &str) -> Result<String, Error> {
    Ok(format!("/model/{}/{operation}", encoded(model)?))
}

/// An id as one part of a path: each character but the unreserved ones is percent-encoded, also `:`
/// and the `/` of an ARN [rec].
fn encoded(model: &str) -> Result<String, Error> {
    if matches!(model, "." | "..") {
        // It would be the path of another resource.
        return Err(Error::invalid("model", "model is \".\" or \"..\": no id is"));
    }
    let mut out = String::new();
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(out)
}
