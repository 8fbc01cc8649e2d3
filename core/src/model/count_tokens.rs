//! `op: "count_tokens"` asks how many tokens the input of a chat has.

use serde::Serialize;

use super::options::Options;
use super::request::Request;
use super::response::{Liter, Warning, last};
use crate::codec::{Fields, Object};
use crate::error::Error;

/// A provider's answer.
#[derive(Clone, Debug, Default)]
pub struct TokenCount {
    /// The number of tokens of the input.
    pub input_tokens: u64,
    /// The model that was asked about.
    pub model: String,
    /// Top-level members that have no place in an answer.
    pub fields: Object,
    /// What the adapter has to say about the answer.
    pub warnings: Vec<Warning>,
}

/// The answer to `op: "count_tokens"`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CountTokensResponse {
    /// The number of tokens that a chat with this request would read, as the provider counts them.
    pub input_tokens: u64,
    /// The model whose tokens these are: the one that was asked about, as the request or the
    /// configuration names it.
    pub model: String,
    /// The name in the configuration of the provider that answered.
    pub provider: String,
    /// Warnings about members that were left out or changed.
    pub warnings: Vec<Warning>,
    /// The members that are volatile or added by the engine.
    #[serde(serialize_with = "last")]
    pub liter: Liter,
}

impl Request {
    /// Reads a chat request whose input is to be counted.
    pub(crate) fn read_counted(fields: Fields, options: &Options) -> Result<Request, Error> {
        let request = Request::read(fields, options)?;
        if request.stream {
            let message = "stream must not be true: a count of tokens is one answer";
            return Err(Error::invalid("stream", message));
        }
        Ok(request.counted())
    }

    /// The same request without what only shapes the answer, which no count looks at.
    #[must_use]
    pub fn counted(mut self) -> Request {
        // OpenAI takes it in a count, because it is part of what the model is told [sdk].
        self.further.retain(|(name, _)| *name == "verbosity");
        Request {
            messages: self.messages,
            model: self.model,
            tools: self.tools,
            tool_choice: self.tool_choice,
            parallel_tool_calls: self.parallel_tool_calls,
            response_format: self.response_format,
            reasoning: self.reasoning,
            further: self.further,
            extra: self.extra,
            unknown: self.unknown,
            ..Request::default()
        }
    }
}
