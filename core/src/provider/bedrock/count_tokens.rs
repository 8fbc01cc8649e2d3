//! `POST /model/ID/count-tokens`.

use super::{Bedrock, chat, error, path};
use crate::error::Error;
use crate::json::json;
use crate::model::{Request, ResponseFormat, TokenCount};
use crate::provider::{CountTokens, Notes, Target, counting};
use crate::wire::{self, Reply};

/// Members of a chat's body that a count does not have [spec].
const NOT_COUNTED: [&str; 8] = [
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "inferenceConfig",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
];

/// What stands before a model's own id in the id of a system-defined inference profile [doc].
const GEOGRAPHIES: [&str; 9] = ["us", "eu", "apac", "au", "ca", "jp", "us-gov", "sa", "global"];

impl CountTokens for Bedrock {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        counting::model(target)?;
        let schema = request.response_format.as_deref();
        if matches!(schema, Some(ResponseFormat::JsonSchema { .. })) {
            let text = "Bedrock counts without response_format: its schema is not counted";
            notes.unsupported("response_format", text)?;
        }
        let mut body = chat::body(request, target, notes)?;
        counting::leave_out(&mut body, &NOT_COUNTED);
        let converse = json!({ "converse": body });
        let body = json!({ "input": converse });
        let path = path(counted_by(target, notes), "count-tokens")?;
        Ok(wire::Request::post(path, body.to_string().into_bytes()))
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<TokenCount, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(error::of_status(reply, target));
        }
        counting::read(reply, target, "inputTokens", &[])
    }
}

/// The id to count by. "The provided model doesn't support counting tokens" is the answer to the id
/// of an inference profile, whose model has the same tokens [rec].
fn counted_by<'a>(target: &'a Target, notes: &mut Notes) -> &'a str {
    let Some(own) = own_id(&target.model).filter(|_| notes.adapts()) else {
        return &target.model;
    };
    let text = format!("Bedrock counts for no inference profile: its model {own} is asked");
    notes.warn("adjusted", "model", text);
    own
}

/// The id of the model that a system-defined inference profile is of. `None`: it is no such profile.
pub(super) fn own_id(model: &str) -> Option<&str> {
    let (geography, own) = model.split_once('.')?;
    // What is left is a model's own id, with its maker.
    (GEOGRAPHIES.contains(&geography) && own.contains('.')).then_some(own)
}
