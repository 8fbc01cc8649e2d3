//! Counts of tokens, whose answers all providers have in nearly the same form.

use super::json::count;
use super::{Target, classify};
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::TokenCount;
use crate::wire::Reply;

/// Reads an answer with status 2xx, whose count is the member `name`. Other members are kept, but
/// those of `known`, which say nothing.
pub(super) fn read(
    reply: &Reply<'_>,
    target: &Target,
    name: &str,
    known: &[&str],
) -> Result<TokenCount, Error> {
    let (mut object, warnings) = classify::answer_object(reply, target)?;
    let Some(input_tokens) = count(object.get(name)) else {
        return Err(no_count(object, name, reply, target));
    };
    object.shift_remove(name);
    object.retain(|name, value| !value.is_null() && !known.contains(&name.as_str()));
    Ok(TokenCount { input_tokens, model: target.model.to_string(), fields: object, warnings })
}

/// The error of an answer without a count: the provider's own, if it has one.
pub(super) fn no_count(object: Object, name: &str, reply: &Reply<'_>, target: &Target) -> Error {
    if object.contains_key("error") || object.get("message").is_some_and(Value::is_string) {
        let error = classify::in_body(&Value::Object(object), target);
        return classify::locate(error, reply, target);
    }
    let message = format!("the answer has no {name}: it is no count of tokens");
    classify::bad_response(message, reply, target)
}

/// The error of a request without a model. Each model counts in its own way.
pub(super) fn model(target: &Target) -> Result<(), Error> {
    if target.model.is_empty() {
        let message = "model is missing: give the model whose tokens are to be counted";
        return Err(Error::invalid("model", message));
    }
    Ok(())
}

/// Leaves out of a body what only shapes the answer, and what a count therefore does not take.
pub(super) fn leave_out(body: &mut Object, names: &[&str]) {
    body.retain(|name, _| !names.contains(&name.as_str()));
}
