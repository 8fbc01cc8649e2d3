//! Providers that have embeddings and ranking, and no chats.

use super::form::{Cut, Form, OPENAI};
use crate::error::Error;
use crate::model::{Billed, Encoding};
use crate::provider::{Embed, Most, Provider, Reported, Rerank, Target, reranking};
use crate::wire::{Request, Scheme};

/// The adapter of such a provider.
#[derive(Debug)]
pub struct Server {
    /// How it takes a request for embeddings.
    pub embed: Form,
    /// How it takes a request to rank documents.
    pub rerank: reranking::Form,
}

/// Voyage: `input_type`, `truncation`, `output_dimension`, `output_dtype`, base64 [sdk 0.5, rec];
/// 1,000 inputs [doc], and 120,000 tokens with the models of the smallest limit [doc]. Its types of
/// inputs are `query` and `document` [doc].
pub const VOYAGE: Server = Server {
    embed: Form {
        numbers: "output_dtype",
        encodings: &[Encoding::Int8, Encoding::Uint8, Encoding::Binary, Encoding::Ubinary],
        dimensions: "output_dimension",
        input_type: ("input_type", ["query", "document", "", ""]),
        cut: Cut::Member("truncation"),
        tokens: false,
        most: Most::of(1_000, 120_000),
        ..OPENAI
    },
    rerank: reranking::VOYAGE,
};

/// Jina: `task`, `truncate`, `dimensions`, and `embedding_type` in the place of `encoding_format`
/// [doc]; images as `{"image": …}` [doc]. How many inputs a request may have is [unverified].
pub const JINA: Server = Server {
    embed: Form {
        base64: Some(("embedding_type", "base64")),
        numbers: "embedding_type",
        encodings: &[Encoding::Binary, Encoding::Ubinary],
        input_type: (
            "task",
            ["retrieval.query", "retrieval.passage", "classification", "separation"],
        ),
        cut: Cut::Member("truncate"),
        tokens: false,
        images: true,
        most: Most::of(512, usize::MAX),
        ..OPENAI
    },
    rerank: reranking::OTHERS,
};

impl Provider for Server {
    fn scheme(&self) -> Scheme {
        Scheme::Bearer
    }

    /// They have no list of models. A server that says so works.
    fn probe(&self, _target: &Target) -> Result<Request, Error> {
        Ok(Request::get("/models"))
    }

    fn billed<'a>(&self, said: &Reported<'a>, _target: &Target) -> Option<Billed<'a>> {
        said.plain()
    }

    fn embed(&self) -> Option<&dyn Embed> {
        Some(&self.embed)
    }

    fn rerank(&self) -> Option<&dyn Rerank> {
        Some(&self.rerank)
    }
}
