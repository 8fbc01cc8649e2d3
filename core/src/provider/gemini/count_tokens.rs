//! `countTokens`.

use super::models::path_of_model;
use super::{Gemini, chat};
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{Request, TokenCount};
use crate::provider::{CountTokens, Notes, Target, classify, counting};
use crate::wire::{self, Reply};

/// Members of a chat's body that Vertex's count does not have [doc].
const NOT_COUNTED: [&str; 4] = ["labels", "safetySettings", "safety_settings", "toolConfig"];

impl CountTokens for Gemini {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        counting::model(target)?;
        let mut body = chat::body(request, target, notes)?;
        let path = path_of_model(target)?;
        let body = match self {
            // Beside this member there is only `contents`, without tools and instructions [rec].
            Gemini::Api => {
                let mut whole = Object::from_iter([("model", path.trim_start_matches('/').into())]);
                whole.extend(body);
                Object::from_iter([("generateContentRequest", Value::Object(whole))])
            }
            Gemini::Vertex => {
                if request.tool_choice.is_some() && body.contains_key("toolConfig") {
                    let text = "Vertex counts without tool_choice";
                    notes.unsupported("tool_choice", text)?;
                }
                counting::leave_out(&mut body, &NOT_COUNTED);
                body
            }
        };
        Ok(wire::Request::post(format!("{path}:countTokens"), body.to_json()))
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<TokenCount, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(classify::failed(reply, target));
        }
        counting::read(reply, target, "totalTokens", &[])
    }
}
