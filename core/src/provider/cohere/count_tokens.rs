//! `POST /v1/tokenize`, which knows texts and no chats.
//!
//! The tokens of a text are what Cohere bills for a chat of that text alone
//! (`usage.billed_units.input_tokens` [rec]). What the model reads is more: Cohere puts 65 to 1,400
//! tokens of its own around a chat [rec]. How it writes several messages, tools and parts as one
//! text is not documented, so their tokens are not counted at all.

use super::Cohere;
use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::{Content, Message, Part, Request, ResponseFormat, Role, TokenCount};
use crate::provider::json::take_list;
use crate::provider::{CountTokens, Notes, Target, classify, counting};
use crate::wire::{self, Reply};

impl CountTokens for Cohere {
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        counting::model(target)?;
        let text = only_text(request)?;
        let remark = "Cohere counts the text alone, which is what it bills: the tokens that it puts \
                      around a chat are in the chat's prompt_tokens";
        notes.adjusted("messages", remark)?;
        let body =
            Object::from_iter([("text", text.into()), ("model", Value::from(&*target.model))]);
        Ok(wire::Request::post("/v1/tokenize", body.to_json()))
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<TokenCount, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(classify::failed(reply, target));
        }
        let (mut object, warnings) = classify::answer_object(reply, target)?;
        let Some(tokens) = take_list(&mut object, "tokens") else {
            return Err(counting::no_count(object, "tokens", reply, target));
        };
        // The tokens as texts are the request's text again.
        counting::leave_out(&mut object, &["token_strings"]);
        object.retain(|_, value| !value.is_null());
        let (input_tokens, model) = (tokens.len() as u64, target.model.to_string());
        Ok(TokenCount { input_tokens, model, fields: object, warnings })
    }
}

/// The text of a request that is nothing but a user's text.
fn only_text(request: &Request) -> Result<&str, Error> {
    let text = match request.messages.as_slice() {
        [Message { role: Role::User, content: Some(content), .. }] => match content {
            Content::Text(text) => Some(text),
            Content::Parts(parts) => match parts.as_slice() {
                [Part::Text { text, .. }] => Some(text),
                _ => None,
            },
        },
        _ => None,
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Err(uncounted("messages", "one message of the user's, of text"));
    };
    if !request.tools.is_empty() {
        return Err(uncounted("tools", "texts without tools"));
    }
    if let Some(ResponseFormat::JsonObject | ResponseFormat::JsonSchema { .. }) =
        request.response_format.as_deref()
    {
        return Err(uncounted("response_format", "texts without a form of the answer"));
    }
    Ok(text)
}

fn uncounted(param: &str, what: &str) -> Error {
    let message = format!(
        "Cohere counts only {what}: what it makes of another chat is not known, and no estimate is \
         given"
    );
    Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some(param.to_owned()))
}
