//! `POST /responses/input_tokens`, which counts what a request of Responses would read.

use super::dialect::{Api, Dialect};
use super::responses;
use crate::error::Error;
use crate::model::{Request, TokenCount};
use crate::provider::{CountTokens, Notes, Target, classify, counting};
use crate::wire::{self, Reply};

/// Members of a chat's body, of Responses or of chat completions, that a count does not take [sdk].
const NOT_COUNTED: [&str; 29] = [
    "audio",
    "background",
    "frequency_penalty",
    "include",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "max_tool_calls",
    "metadata",
    "modalities",
    "n",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "top_logprobs",
    "top_p",
    "user",
];

impl CountTokens for Dialect {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        counting::model(target)?;
        let own = self.of(target);
        let dialect = match own.api {
            Api::Responses => own,
            Api::Chat => &own.with_responses(),
        };
        let mut body = responses::counted(dialect, request, target, notes)?;
        counting::leave_out(&mut body, &NOT_COUNTED);
        Ok(wire::Request::post(format!("{}/input_tokens", dialect.path), body.to_json()))
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<TokenCount, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(classify::failed(reply, target));
        }
        counting::read(reply, target, "input_tokens", &["object"])
    }
}
