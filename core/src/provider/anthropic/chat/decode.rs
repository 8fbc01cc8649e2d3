//! A complete answer: one `message` object, or an error.

use crate::json::{Key, Value};

use super::blocks;
use crate::codec::Object;
use crate::error::Error;
use crate::model::{Choice, FinishReason, Warning};
use crate::provider::anthropic::error;
use crate::provider::finish_remark;
use crate::provider::json::{take_list, take_object, take_string};
use crate::provider::{Completion, Target, classify, reader};
use crate::wire::Reply;

/// Reads an answer of any status.
pub(super) fn answer(reply: &Reply<'_>, target: &Target) -> Result<Completion, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(error::of_status(reply, target));
    }
    let bad = |what: &str| classify::bad_response(what, reply, target);
    if let Some(read) = reader::unasked(reply, target) {
        return read;
    }
    let (mut object, warnings) = classify::answer_object(reply, target)?;
    if error::is_error(&object) {
        let error = error::in_body(&Value::Object(object), target);
        return Err(classify::locate(error, reply, target));
    }
    let kind = object.get("type").and_then(Value::as_str);
    let (true, Some(content)) =
        (kind.is_none_or(|kind| kind == "message"), take_list(&mut object, "content"))
    else {
        return Err(bad("the answer is not a message: it has no list of content"));
    };
    Ok(read(object, content, warnings))
}

fn read(mut object: Object, content: Vec<Value>, warnings: Vec<Warning>) -> Completion {
    let mut answer = Completion {
        id: take_string(&mut object, "id"),
        model: take_string(&mut object, "model"),
        warnings,
        ..Completion::default()
    };
    let mut choice = Choice { message: blocks::message(content), ..Choice::default() };
    answer.complete(&mut choice);
    if let Some(word) = take_string(&mut object, "stop_reason") {
        let reason = blocks::finish_reason(&word);
        answer.warnings.extend(finish_remark(&word, reason.is_some()));
        choice.finish_reason = Some(reason.unwrap_or(FinishReason::Stop));
        answer.finish_reason_raw = Some(word);
    }
    for (name, value) in CHOICE_MEMBERS.iter().filter_map(|name| object.shift_remove_entry(name)) {
        if !value.is_null() {
            choice.provider_fields.insert(name, value);
        }
    }
    answer.choices.push(choice);
    if let Some(raw) = take_object(&mut object, "usage") {
        answer.usage = Some(blocks::usage(&raw));
        answer.usage_raw = Some(Value::Object(raw));
    }
    answer.fields = rest(object).collect();
    answer
}

/// The members that belong to the choice, not to the whole answer: the stop text that was met, and
/// why the model refused.
pub(super) const CHOICE_MEMBERS: [&str; 2] = ["stop_sequence", "stop_details"];

/// The members of a message that have no place in a response.
pub(super) fn rest(object: Object) -> impl Iterator<Item = (Key, Value)> {
    object
        .into_iter()
        .filter(|(name, value)| !matches!(name.as_str(), "type" | "role") && !value.is_null())
}
