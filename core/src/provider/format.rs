//! The wire formats that this library was built with, and their adapters.

use super::{Provider, anthropic, cohere, embeddings, openai};

/// A wire format, with its dialect.
#[derive(Debug)]
pub enum Format {
    /// OpenAI chat completions.
    OpenAi(openai::Dialect),
    /// Anthropic messages.
    Anthropic,
    /// Cohere v2 chat.
    Cohere,
    /// Google's `generateContent`.
    #[cfg(feature = "gemini")]
    Gemini,
    /// Vertex AI: that of the model's publisher.
    #[cfg(feature = "gemini")]
    Vertex,
    /// Amazon Bedrock's Converse.
    #[cfg(feature = "bedrock")]
    Bedrock,
    /// Ollama's own API, or its endpoints in OpenAI's form.
    #[cfg(feature = "ollama")]
    Ollama,
    /// Embeddings in OpenAI's form, and no chats.
    Embeddings(embeddings::Server),
}

impl Format {
    /// The adapter.
    pub(super) fn adapter(&'static self) -> &'static dyn Provider {
        match self {
            Format::OpenAi(dialect) => dialect,
            Format::Anthropic => &anthropic::Anthropic::Api,
            Format::Cohere => &cohere::Cohere,
            #[cfg(feature = "gemini")]
            Format::Gemini => &super::gemini::Gemini::Api,
            #[cfg(feature = "gemini")]
            Format::Vertex => &super::vertex::Vertex,
            #[cfg(feature = "bedrock")]
            Format::Bedrock => &super::bedrock::Bedrock,
            #[cfg(feature = "ollama")]
            Format::Ollama => &super::ollama::Ollama,
            Format::Embeddings(server) => server,
        }
    }

    /// The dialect, if it speaks OpenAI's chat completions, also beside a format of its own.
    pub(super) fn dialect(&'static self) -> Option<&'static openai::Dialect> {
        match self {
            Format::OpenAi(dialect) => Some(dialect),
            #[cfg(feature = "ollama")]
            Format::Ollama => Some(&super::ollama::OPENAI),
            _ => None,
        }
    }
}
