//! Decodes a complete answer of chat completions, and the top level that it shares with a stream's
//! chunk.

use crate::json::Value;

use super::message::{Finish, Piece, finish, said, usage};
use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::model::{Choice, ToolCall};
use crate::provider::citation;
use crate::provider::finish_remark;
use crate::provider::history::CALL_FIELDS;
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::{Completion, Target, classify, ids, reader};
use crate::wire::Reply;

/// Reads a complete answer of any status.
pub(in crate::provider::openai) fn answer(
    reply: &Reply<'_>,
    target: &Target,
) -> Result<Completion, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(classify::failed(reply, target));
    }
    let bad = |what: String| Err(classify::bad_response(what, reply, target));
    if let Some(read) = reader::unasked(reply, target) {
        return read;
    }
    let (mut object, warnings) = classify::answer_object(reply, target)?;
    if let Some(error) = error_in(&object, target) {
        return Err(classify::locate(error, reply, target));
    }
    let Some(choices) = take_list(&mut object, "choices").filter(|choices| !choices.is_empty())
    else {
        return bad("the answer has no choices: it is no chat completion".to_owned());
    };
    let mut answer = Completion { warnings, ..Completion::default() };
    let top = Top::take(&mut object);
    answer.id = top.id;
    answer.model = top.model;
    answer.created = top.created;
    if let Some(raw) = top.usage {
        answer.usage = Some(usage(&raw));
        answer.usage_raw = Some(Value::Object(raw));
    }
    answer.fields = said(object);
    for (position, choice) in choices.into_iter().enumerate() {
        let Value::Object(choice) = choice else {
            return bad("a choice of the answer is not an object".to_owned());
        };
        match read_choice(choice, position as u64, &mut answer) {
            Ok(choice) => answer.choices.push(choice),
            Err(error) => return Err(classify::locate(error, reply, target)),
        }
    }
    if let Some(first) = answer.choices.first_mut()
        && first.message.annotations.is_empty()
    {
        first.message.annotations = citation::of_answer(&answer.fields);
    }
    Ok(answer)
}

fn read_choice(
    mut object: Object,
    position: u64,
    answer: &mut Completion,
) -> Result<Choice, Error> {
    let index = count(object.shift_remove("index").as_ref()).unwrap_or(position);
    // Perplexity adds an empty `delta` to a complete message [rec].
    let delta = take_object(&mut object, "delta");
    let message = take_object(&mut object, "message").or(delta).unwrap_or_default();
    let piece = Piece::read(message);
    let mut choice = Choice { index, ..Choice::default() };
    let word = take_string(&mut object, "finish_reason").filter(|word| !word.is_empty());
    if let Some(word) = word {
        match finish(&word, !piece.calls.is_empty()) {
            Finish::Failed => return Err(failed_finish(&word)),
            Finish::Reason { reason, known } => {
                choice.finish_reason = Some(reason);
                answer.warnings.extend(finish_remark(&word, known));
            }
        }
        if answer.choices.is_empty() {
            answer.finish_reason_raw = Some(word);
        }
    }
    choice.logprobs = object.shift_remove("logprobs").filter(|value| !value.is_null());
    choice.provider_fields = said(object);
    let message = &mut choice.message;
    message.content = piece.content;
    message.reasoning = piece.reasoning.map(|(_, text)| text);
    message.refusal = piece.refusal;
    if let Some(more) = piece.more {
        message.annotations = more.annotations;
        message.images = more.images;
        message.audio = more.audio;
    }
    message.provider_fields = piece.fields;
    let mut kept = Vec::new();
    for (i, mut call) in piece.calls.into_iter().enumerate() {
        let place = i as u64;
        if call.id.is_empty() {
            call.id = ids::made(answer.id.as_deref(), answer.created, index, place, &call.name);
        }
        if ids::no_arguments(&call.arguments) {
            call.arguments = "{}".to_owned();
        }
        kept.extend(call_fields(place, &call.id, call.fields));
        message.tool_calls.push(ToolCall::new(call.id, call.name, call.arguments));
    }
    if !kept.is_empty() {
        message.provider_fields.insert(CALL_FIELDS, Value::Array(kept));
    }
    Ok(choice)
}

/// `{"index": …, "id": …}` with the members of a call that have no unified place. The id identifies
/// the call even if the caller removes another call before the message is handed back.
pub(super) fn call_fields(index: u64, id: &str, fields: Object) -> Option<Value> {
    if fields.is_empty() {
        return None;
    }
    let mut kept = Object::from_iter([("index", Value::from(index)), ("id", Value::from(id))]);
    kept.extend(fields.into_iter().filter(|(name, _)| name != "index" && name != "id"));
    Some(Value::Object(kept))
}

/// The members that an answer and a chunk have at the top.
pub(super) struct Top {
    pub id: Option<String>,
    pub model: Option<String>,
    pub created: Option<i64>,
    pub usage: Option<Object>,
}

impl Top {
    /// Takes these members out. `object` and the padding against eavesdroppers are dropped.
    pub fn take(object: &mut Object) -> Self {
        let mut top = Top { id: None, model: None, created: None, usage: None };
        // One pass is enough, and every chunk has these members.
        object.retain(|name, value| match (name.as_str(), value) {
            ("object" | "obfuscation" | "p", _) => false,
            ("id" | "model" | "usage", Value::Null) => false,
            ("id", Value::String(id)) => keep(&mut top.id, id),
            ("model", Value::String(model)) => keep(&mut top.model, model),
            ("usage", Value::Object(usage)) => {
                top.usage = Some(std::mem::take(usage)).filter(|usage| !usage.is_empty());
                false
            }
            ("created", at) => {
                let whole = at.as_i64().or_else(|| at.as_f64().map(|at| at as i64));
                top.created = whole.filter(|at| (1..1 << 53).contains(at));
                false
            }
            _ => true,
        });
        // Groq once reported usage only here [rec].
        let groq = || object.get("x_groq")?.get("usage")?.as_object().cloned();
        top.usage = top.usage.or_else(groq);
        top
    }
}

/// Moves a text that is not empty, so that it does not stay in its old place.
fn keep(to: &mut Option<String>, text: &mut String) -> bool {
    *to = Some(std::mem::take(text)).filter(|text| !text.is_empty());
    false
}

/// The error, if the object is one instead of an answer.
pub(super) fn error_in(object: &Object, target: &Target) -> Option<Error> {
    let (mut is_error, mut has_choices, mut has_text) = (false, false, false);
    for (name, value) in object {
        match name.as_str() {
            "choices" => has_choices = true,
            "object" | "type" => is_error |= value == "error",
            "detail" | "message" => has_text = true,
            "error" => {
                is_error |= match value {
                    Value::Null => false,
                    Value::String(text) => !text.is_empty(),
                    Value::Object(members) => !members.is_empty(),
                    _ => true,
                }
            }
            _ => {}
        }
    }
    let is_error = is_error || (has_text && !has_choices);
    is_error.then(|| classify::in_body(&Value::Object(object.clone()), target))
}

/// The error for a finish word that says that the answer failed.
pub(super) fn failed_finish(word: &str) -> Error {
    let message = format!("the provider broke off its answer: finish_reason is {word:?}");
    Error::new(ErrorKind::Unavailable, message).with(|e| e.code = Some(word.to_owned()))
}
