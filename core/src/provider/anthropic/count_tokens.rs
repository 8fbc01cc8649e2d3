//! `POST /v1/messages/count_tokens`, and the same at Vertex.

use super::{Anthropic, VERSION_HEADER, VERTEX_VERSION, chat, error, version};
use crate::error::Error;
use crate::model::{Request, TokenCount};
use crate::provider::{CountTokens, Notes, Target, counting};
use crate::wire::{self, Reply};

/// Members of a chat's body that a count does not take [sdk].
const NOT_COUNTED: [&str; 10] = [
    "container",
    "inference_geo",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
];

/// Where Vertex counts for all of Anthropic's models [sdk].
const VERTEX_PATH: &str = "/publishers/anthropic/models/count-tokens:rawPredict";

impl CountTokens for Anthropic {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        counting::model(target)?;
        let mut body = chat::counted(request, target, notes)?;
        counting::leave_out(&mut body, &NOT_COUNTED);
        if *self == Anthropic::Vertex {
            // The body names the model, which of the path is the last part [sdk].
            let name = target.model.rsplit('/').next().unwrap_or_default();
            body.insert("model", name);
            body.insert("anthropic_version", VERTEX_VERSION);
            return Ok(wire::Request::post(VERTEX_PATH, body.to_json()));
        }
        let mut out = wire::Request::post("/v1/messages/count_tokens", body.to_json());
        out.header(VERSION_HEADER, version(target))?;
        Ok(out)
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<TokenCount, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(error::of_status(reply, target));
        }
        counting::read(reply, target, "input_tokens", &[])
    }
}
