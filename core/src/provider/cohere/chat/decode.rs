//! A complete answer, or an error.

use std::collections::BTreeMap;

use crate::json::Value;

use super::message::{CITATIONS, CONTENT, LOGPROBS, PLAN, Piece};
use super::message::{annotations, finish_reason, logprobs, usage};
use crate::codec::Object;
use crate::error::Error;
use crate::model::{AssistantMessage, Choice, FinishReason, ToolCall};
use crate::provider::cohere::error;
use crate::provider::json::{take_list, take_object, take_string};
use crate::provider::unknown_finish;
use crate::provider::{Completion, Target, classify, reader};
use crate::wire::Reply;

/// Reads an answer of any status.
pub(super) fn answer(reply: &Reply<'_>, target: &Target) -> Result<Completion, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(classify::failed(reply, target));
    }
    let bad = |what: &str| classify::bad_response(what, reply, target);
    if let Some(read) = reader::unasked(reply, target) {
        return read;
    }
    let (mut object, warnings) = classify::answer_object(reply, target)?;
    if !object.get("message").is_some_and(Value::is_object) && error::is_error(&object) {
        let error = classify::in_body(&Value::Object(object), target);
        return Err(classify::locate(error, reply, target));
    }
    let Some(message) = take_object(&mut object, "message") else {
        return Err(bad("the answer has no message"));
    };
    let id = take_string(&mut object, "id");
    let mut answer = Completion { id, warnings, ..Completion::default() };
    let mut choice = Choice { message: read(message), ..Choice::default() };
    answer.complete(&mut choice);
    if let Some(word) = take_string(&mut object, "finish_reason") {
        let said = object.get("error").and_then(Value::as_str);
        if let Some(mut error) = error::of_finish(&word, said) {
            error.request_id = answer.id;
            return Err(classify::locate(error, reply, target));
        }
        let reason = finish_reason(&word);
        if reason.is_none() {
            answer.warnings.push(unknown_finish(&word));
        }
        choice.finish_reason = Some(reason.unwrap_or(FinishReason::Stop));
        answer.finish_reason_raw = Some(word);
    }
    if let Some(raw) = take_object(&mut object, "usage") {
        answer.usage = Some(usage(&raw));
        answer.usage_raw = Some(Value::Object(raw));
    }
    if let Some(tokens) = logprobs(&take_list(&mut object, LOGPROBS).unwrap_or_default()) {
        choice.logprobs = Some(tokens.into());
    }
    answer.choices.push(choice);
    object.retain(|_, value| !value.is_null());
    answer.fields = object;
    Ok(answer)
}

fn read(mut object: Object) -> AssistantMessage {
    let mut message = AssistantMessage::default();
    let mut unknown = Vec::new();
    let blocks = match object.shift_remove("content") {
        Some(Value::Array(blocks)) => blocks,
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one],
    };
    let (mut characters, mut texts) = (0, BTreeMap::new());
    for (at, block) in (0..).zip(blocks) {
        match Piece::of(&block) {
            Some(Piece::Text(text)) => {
                texts.insert(at, characters);
                characters += text.chars().count() as u64;
                message.content.get_or_insert_default().push_str(text);
            }
            Some(Piece::Thinking(text)) => {
                message.reasoning.get_or_insert_default().push_str(text);
            }
            None => unknown.push(block),
        }
    }
    for call in take_list(&mut object, "tool_calls").unwrap_or_default() {
        message.tool_calls.push(tool_call(&call));
    }
    let plan = take_string(&mut object, PLAN).filter(|plan| !plan.is_empty());
    if let Some(plan) = plan {
        message.provider_fields.insert(PLAN, plan);
    }
    let citations = take_list(&mut object, CITATIONS).filter(|citations| !citations.is_empty());
    if let Some(citations) = citations {
        let cited = citations.iter().flat_map(|citation| annotations(citation, &texts));
        message.annotations.extend(cited);
        message.provider_fields.insert(CITATIONS, citations);
    }
    if !unknown.is_empty() {
        message.provider_fields.insert(CONTENT, unknown);
    }
    object.shift_remove("role");
    message.provider_fields.extend(object.into_iter().filter(|(_, value)| !value.is_null()));
    message
}

/// A tool call.
fn tool_call(call: &Value) -> ToolCall {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    let function = call.get("function");
    let function = |name: &str| text(function.and_then(|function| function.get(name)));
    ToolCall::new(text(call.get("id")), function("name"), function("arguments"))
}
