//! Sends an earlier answer back. Signed parts are valid only where they stood, so the parts that
//! this adapter read are sent back unchanged, as long as they match the message. If the caller
//! edited the message, the caller's text counts.

use std::collections::{HashMap, HashSet, VecDeque};

use super::content;
use super::parts::{self, PARTS, Said};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json, parse};
use crate::model::{Content, Message, Part, ToolCall};
use crate::provider::history::{
    self, CALL_FIELDS, CUSTOM_CALLS, CallFields, IMAGES, THINKING_BLOCKS,
};
use crate::provider::{Notes, Target};

const WHO: &str = "Gemini";

/// The signature that stands for none. Gemini 3 refuses a call without a signature, and takes this
/// one for a call that another model made [doc]: `skip_thought_signature_validator`, as bytes [rec].
const NO_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// The parts of an assistant's message.
pub(super) fn assistant(
    message: &Message,
    target: &Target,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut sent = vec![PARTS, CALL_FIELDS, CUSTOM_CALLS, "audio"];
    // The parts have the images.
    if message.provider_fields.contains_key(PARTS) {
        sent.push(IMAGES);
    }
    // The text of these blocks is already in the reasoning.
    if message.others.contains_key(THINKING_BLOCKS) && message.reasoning.is_some() {
        sent.push(THINKING_BLOCKS);
    }
    history::rest(message, &sent, WHO, path, notes);
    let mut out = match message.provider_fields.get(PARTS) {
        Some(Value::Array(native)) if message.native_only => return Ok(native.clone()),
        Some(Value::Array(native)) => kept(native, message, path, notes)?,
        _ => written(message, path, notes)?,
    };
    for call in history::custom_calls(message) {
        let args = history::custom_as_function(&call, WHO, path, notes);
        let call = json!({"name": call.name, "args": args});
        out.push(json!({ "functionCall": call }));
    }
    sign(&mut out, target, path, notes);
    Ok(out)
}

/// The calls so far, by their ids.
#[derive(Default)]
pub(super) struct Asked<'a>(HashMap<&'a str, (&'a str, bool)>);

impl<'a> Asked<'a> {
    /// Adds the calls of a message. A later call of the same id counts, and of one message the
    /// first.
    pub(super) fn add(&mut self, message: &'a Message) {
        let custom: Vec<_> = history::custom_calls(message).collect();
        for call in custom.iter().rev() {
            self.0.insert(call.id, (call.name, false));
        }
        if message.tool_calls.is_empty() {
            return;
        }
        let native = message.provider_fields.get(PARTS).and_then(Value::as_array);
        let ids = native.into_iter().flatten();
        let ids: HashSet<&str> =
            ids.filter_map(|part| part.get("functionCall")?.get("id")?.as_str()).collect();
        for call in message.tool_calls.iter().rev() {
            self.0.insert(&call.id, (&call.name, ids.contains(&*call.id)));
        }
    }

    /// The name of the call with this id, and whether Google gave it the id.
    pub(super) fn get(&self, id: &str) -> Option<(&'a str, bool)> {
        self.0.get(id).copied()
    }
}

/// The parts of a message that this adapter did not read, or that hold nothing else.
fn written(message: &Message, path: &str, notes: &mut Notes) -> Result<Vec<Value>, Error> {
    let mut out: Vec<Value> = Vec::new();
    out.extend(thought(message));
    out.extend(said(message, path, notes)?);
    let mut all = CallFields::of(message);
    for (i, call) in message.tool_calls.iter().enumerate() {
        let mut fields = all.take(i, &call.id);
        let mut part = Object::from_iter([("functionCall", function_call(call, None))]);
        if let Some(signature) = compatible_signature(&fields) {
            part.insert("thoughtSignature", signature);
            fields.shift_remove("extra_content");
        }
        history::call_rest(&fields, WHO, &format!("{path}.tool_calls[{i}]"), notes);
        out.push(Value::Object(part));
    }
    Ok(out)
}

/// The signature of a call that came through Google's endpoint for OpenAI's format [rec].
fn compatible_signature(fields: &Object) -> Option<Value> {
    fields.get("extra_content")?.get("google")?.get("thought_signature").cloned()
}

fn thought(message: &Message) -> Option<Value> {
    let text = message.reasoning.as_deref().filter(|text| !text.is_empty())?;
    Some(json!({"text": text, "thought": true}))
}

/// The parts that this adapter read, as far as they still match the message.
fn kept(
    native: &[Value],
    message: &Message,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut came = (String::new(), String::new());
    for part in native {
        match parts::said(part) {
            Said::Text(text) => came.0.push_str(text),
            Said::Reasoning(text) => came.1.push_str(text),
            _ => {}
        }
    }
    let same_text = is_plain(message) && message.text() == came.0;
    let same_reasoning = message.reasoning.as_deref().unwrap_or_default() == came.1;
    let (mut calls, new) = answers(native, message);
    let mut text = if same_text { Vec::new() } else { said(message, path, notes)? };
    let mut out: Vec<Value> = Vec::new();
    if !same_reasoning {
        out.extend(thought(message));
    }
    let mut signed = false;
    for (i, part) in native.iter().enumerate() {
        let gone = match parts::said(part) {
            Said::Text(_) if !same_text => {
                out.append(&mut text);
                true
            }
            Said::Reasoning(_) => !same_reasoning,
            Said::Call(call) => match calls[i].take() {
                Some(mine) => {
                    out.push(called(part, call, mine));
                    continue;
                }
                None => true,
            },
            _ => false,
        };
        if gone {
            signed |= parts::signature(part).is_some();
        } else {
            out.push(part.clone());
        }
    }
    out.append(&mut text);
    if signed {
        let text = "a part was changed, so its signature does not hold: it is not sent";
        history::left_out(notes, &format!("{path}.provider_fields.{PARTS}"), text);
    }
    let known = native.iter().filter_map(|part| match parts::said(part) {
        Said::Call(call) => call.get("id")?.as_str(),
        _ => None,
    });
    let known: HashSet<&str> = known.collect();
    out.extend(new.into_iter().map(|call| {
        let id = known.contains(&*call.id).then_some(&*call.id);
        json!({ "functionCall": function_call(call, id) })
    }));
    Ok(out)
}

/// For each part, the message's call that it is, and the calls that are no part. Ids identify calls;
/// a call that came without one has one of ours, and is found by name and arguments, or else by name.
fn answers<'a>(
    native: &[Value],
    message: &'a Message,
) -> (Vec<Option<&'a ToolCall>>, Vec<&'a ToolCall>) {
    let calls = &message.tool_calls;
    // Each call stands under its id, its name, and its name with its arguments.
    let mut places: HashMap<(Sought, &str, String), VecDeque<usize>> = HashMap::new();
    for (i, call) in calls.iter().enumerate() {
        let exactly = sorted(args(&call.arguments)).to_string();
        for key in [
            (Sought::Id, &*call.id, String::new()),
            (Sought::Call, &*call.name, exactly),
            (Sought::Name, &*call.name, String::new()),
        ] {
            places.entry(key).or_default().push_back(i);
        }
    }
    let mut free = vec![true; calls.len()];
    let mut found: Vec<Option<&ToolCall>> = vec![None; native.len()];
    for exactly in [true, false] {
        for (part, found) in native.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            let Said::Call(call) = parts::said(part) else { continue };
            let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
            let key = match (text("id"), exactly) {
                ("", true) => (Sought::Call, text("name"), sorted(came(call)).to_string()),
                ("", false) => (Sought::Name, text("name"), String::new()),
                (id, _) => (Sought::Id, id, String::new()),
            };
            let Some(places) = places.get_mut(&key) else { continue };
            while let Some(at) = places.pop_front() {
                if std::mem::take(&mut free[at]) {
                    *found = Some(&calls[at]);
                    break;
                }
            }
        }
    }
    let new = calls.iter().zip(free).filter(|(_, free)| *free).map(|(call, _)| call);
    (found, new.collect())
}

/// By what a call is looked up.
#[derive(PartialEq, Eq, Hash)]
enum Sought {
    Id,
    Call,
    Name,
}

/// A value whose members are in the order of their names, at any depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, sorted(value)));
            let mut members: Vec<_> = members.collect();
            members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        other => other,
    }
}

/// The arguments of a call that came.
fn came(call: &Object) -> Value {
    args(&parts::arguments(call))
}

fn same_arguments(call: &Object, mine: &ToolCall) -> bool {
    came(call) == args(&mine.arguments)
}

/// The call's part, with the caller's name and arguments if they differ.
fn called(part: &Value, call: &Object, mine: &ToolCall) -> Value {
    let name = call.get("name").and_then(Value::as_str);
    if name == Some(&mine.name) && same_arguments(call, mine) {
        return part.clone();
    }
    let mut call = call.clone();
    call.insert("name", mine.name.clone());
    call.insert("args", args(&mine.arguments));
    let mut part = part.clone();
    part.set("functionCall", Value::Object(call));
    part
}

fn function_call(call: &ToolCall, id: Option<&str>) -> Value {
    let mut out = Object::new();
    if let Some(id) = id {
        out.insert("id", id);
    }
    out.insert("name", call.name.clone());
    out.insert("args", args(&call.arguments));
    Value::Object(out)
}

/// Arguments must be an object. A text that is none, such as one that the token limit cut, is
/// wrapped.
fn args(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(Object::new());
    }
    match parse(arguments) {
        Ok(value @ Value::Object(_)) => value,
        _ => json!({ "INVALID_JSON": arguments }),
    }
}

/// The message's text, with its refusal.
fn said(message: &Message, path: &str, notes: &mut Notes) -> Result<Vec<Value>, Error> {
    let mut out = content::content(message, path, notes)?;
    let silent = out.is_empty();
    let heard = history::transcript(message, silent, WHO, path, notes);
    let refusal = message.refusal.as_deref();
    let more = [heard, refusal].into_iter().flatten().filter(|text| !text.is_empty());
    out.extend(more.map(|text| json!({ "text": text })));
    Ok(out)
}

fn is_plain(message: &Message) -> bool {
    let plain = match &message.content {
        Some(Content::Parts(parts)) => {
            parts.iter().all(|part| matches!(part, Part::Text { cache_control: None, .. }))
        }
        _ => true,
    };
    plain && message.refusal.as_deref().is_none_or(str::is_empty)
}

/// Signs the first call of a turn that has no signature, where the model needs one.
fn sign(out: &mut [Value], target: &Target, path: &str, notes: &mut Notes) {
    if !notes.adapts() || !needs_signatures(&target.model) {
        return;
    }
    let mut calls = out.iter_mut().filter(|part| part.get("functionCall").is_some());
    if let Some(first) = calls.next()
        && parts::signature(first).is_none()
    {
        let text = "Gemini takes a call back with its signature only, which is not there: it is \
                    asked not to look for it";
        notes.warn("adjusted", &format!("{path}.tool_calls[0]"), text);
        first.set("thoughtSignature", NO_SIGNATURE);
    }
}

/// From Gemini 3 on, the first call of each step must have its signature [doc].
fn needs_signatures(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let version = name.strip_prefix("gemini-").and_then(|rest| rest.chars().next());
    version.is_some_and(|first| first.is_ascii_digit() && first >= '3')
}
