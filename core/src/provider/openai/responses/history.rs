//! Sends an earlier answer back. Encrypted reasoning is valid only before the item that followed it,
//! so the items that this adapter read are sent back unchanged, as long as they match the message.
//! If the caller edited the message, the caller's words count.

use std::collections::{HashMap, HashSet};
use std::mem::take;

use super::super::OUTPUT;
use super::items::{self, Which};
use super::writer::Writer;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part, ToolCall};
use crate::provider::history::{self, ANNOTATIONS, CALL_FIELDS, CUSTOM_CALLS, CustomCall, IMAGES};
use crate::provider::history::{THINKING_BLOCKS, custom_calls};

/// The items of an assistant's message.
pub(super) fn assistant(
    message: &Message,
    path: &str,
    writer: &mut Writer<'_>,
) -> Result<Vec<Value>, Error> {
    let mut sent = vec![OUTPUT, CALL_FIELDS, CUSTOM_CALLS, "audio"];
    // The text of these blocks is already in the reasoning.
    if message.others.contains_key(THINKING_BLOCKS) && message.reasoning.is_some() {
        sent.push(THINKING_BLOCKS);
    }
    // The items have both.
    if message.provider_fields.contains_key(OUTPUT) {
        sent.extend([ANNOTATIONS, IMAGES]);
    }
    history::rest(message, &sent, writer.name, path, writer.notes);
    writer.marks(message, path)?;
    let native = message.provider_fields.get(OUTPUT).and_then(Value::as_array);
    match native {
        Some(native) if message.native_only => Ok(native.clone()),
        Some(native) => kept(native, message, path, writer),
        None => written(message, path, writer),
    }
}

/// The items of a message that this adapter did not read, or that hold nothing else.
fn written(message: &Message, path: &str, writer: &mut Writer<'_>) -> Result<Vec<Value>, Error> {
    reasoning_unsent(message, path, writer);
    let mut out = said(message, path, writer)?;
    history::calls_rest(message, writer.name, path, writer.notes);
    out.extend(message.tool_calls.iter().map(function_call));
    for call in custom_calls(message) {
        out.push(custom_call(&call, path, writer));
    }
    if out.is_empty() {
        let text = "a message without content has no item: it is left out";
        writer.notes.warn("adjusted", path, text);
    }
    Ok(out)
}

/// Reasoning goes back encrypted only.
fn reasoning_unsent(message: &Message, path: &str, writer: &mut Writer<'_>) {
    if message.reasoning.as_deref().is_some_and(|text| !text.is_empty()) {
        let text = format!("{} takes reasoning back only as it encrypted it", writer.name);
        history::left_out(writer.notes, &format!("{path}.reasoning"), text);
    }
}

/// The message's text and refusal, as items.
fn said(message: &Message, path: &str, writer: &mut Writer<'_>) -> Result<Vec<Value>, Error> {
    if let Some(Content::Parts(parts)) = &message.content {
        for (i, _) in parts.iter().enumerate().filter(|(_, part)| !is_text(part)) {
            let path = format!("{path}.content[{i}]");
            let text = format!("{} takes only text of an assistant: {path}", writer.name);
            writer.notes.unsupported(&path, text)?;
        }
    }
    let mut text = message.text();
    let heard = history::transcript(message, text.is_empty(), writer.name, path, writer.notes);
    text.push_str(heard.unwrap_or_default());
    let mut out = Vec::new();
    if !text.is_empty() {
        out.push(json!({"role": "assistant", "content": text}));
    }
    if let Some(refusal) = message.refusal.as_deref().filter(|text| !text.is_empty()) {
        let part = json!({"type": "refusal", "refusal": refusal});
        let content = vec![part];
        out.push(json!({"type": "message", "role": "assistant", "content": content}));
    }
    Ok(out)
}

fn is_text(part: &Part) -> bool {
    matches!(part, Part::Text { .. })
}

/// Whether the message's text and its reasoning are those of the items.
fn same(native: &[Value], message: &Message) -> (bool, bool) {
    let came = |wanted: fn(Which) -> bool| -> String {
        let texts = native.iter().flat_map(items::texts).filter(|(which, ..)| wanted(*which));
        texts.map(|(_, _, text, _)| text).collect()
    };
    let plain = match &message.content {
        Some(Content::Parts(parts)) => parts.iter().all(is_text),
        _ => true,
    };
    let text = plain
        && message.text() == came(|which| which == Which::Content)
        && message.refusal.as_deref().unwrap_or_default() == came(|which| which == Which::Refusal);
    let reasoning = message.reasoning.as_deref().unwrap_or_default() == came(Which::is_reasoning);
    (text, reasoning)
}

/// The items that this adapter read, as far as they still match the message.
fn kept(
    native: &[Value],
    message: &Message,
    path: &str,
    writer: &mut Writer<'_>,
) -> Result<Vec<Value>, Error> {
    let (same_text, same_reasoning) = same(native, message);
    if !same_reasoning {
        reasoning_unsent(message, path, writer);
    }
    let mut kept = Kept::default();
    let mut texts = if same_text { Vec::new() } else { said(message, path, writer)? };
    // A new text beside calls stands before them.
    if !native.iter().any(|item| items::kind(item) == "message") {
        kept.out.append(&mut texts);
    }
    let calls: HashMap<_, _> =
        message.tool_calls.iter().map(|call| (call.id.as_str(), call)).collect();
    let custom: HashMap<_, _> = custom_calls(message).map(|call| (call.id, call)).collect();
    for item in native {
        match items::kind(item) {
            "reasoning" if same_reasoning && items::is_sendable(item) => {
                kept.reasoning.push(item.clone());
            }
            "reasoning" => kept.lost = true,
            "message" if same_text => kept.put(item.clone()),
            "message" if texts.is_empty() => kept.gone(),
            "message" => {
                take(&mut texts).into_iter().for_each(|text| kept.put(said_in(item, text)))
            }
            "function_call" => {
                let id = items::call_id(item);
                match calls.get(id) {
                    Some(call) => kept.put(called(item, call)),
                    None => kept.gone(),
                }
            }
            "custom_tool_call" => {
                let id = items::call_id(item);
                match custom.get(id) {
                    Some(call) => kept.put(custom_called(item, call, path, writer)),
                    None => kept.gone(),
                }
            }
            _ => kept.put(item.clone()),
        }
    }
    // "Item of type 'reasoning' was provided without its required following item" [rec].
    if kept.lost || !kept.reasoning.is_empty() {
        let text = "the reasoning came without its encrypted form, or it or the item that followed \
                    it was changed: it is not sent";
        history::left_out(writer.notes, &format!("{path}.provider_fields.{OUTPUT}"), text);
        reasoning_unsent(message, path, writer);
    }
    let ids: HashSet<_> = native.iter().map(items::call_id).collect();
    let known = |id: &str| ids.contains(id);
    let mut out = kept.out;
    out.extend(message.tool_calls.iter().filter(|call| !known(&call.id)).map(function_call));
    for call in custom_calls(message).filter(|call| !known(call.id)) {
        out.push(custom_call(&call, path, writer));
    }
    Ok(out)
}

/// The caller's text in the place of the text of an item, whose id the reasoning before it needs.
fn said_in(item: &Value, mut text: Value) -> Value {
    let Some(Value::String(text)) = text.as_object_mut().and_then(|text| text.get_mut("content"))
    else {
        return text;
    };
    let none = Vec::<Value>::new();
    let part = json!({"type": "output_text", "text": take(text), "annotations": none});
    let mut item = item.clone();
    item.set("content", vec![part]);
    item
}

/// The items that go back so far.
#[derive(Default)]
struct Kept {
    out: Vec<Value>,
    /// Reasoning that waits for the item that it belongs to.
    reasoning: Vec<Value>,
    /// Reasoning was left out.
    lost: bool,
}

impl Kept {
    fn put(&mut self, item: Value) {
        self.out.append(&mut self.reasoning);
        self.out.push(item);
    }

    /// The caller took an item out. The reasoning before it has no place any more.
    fn gone(&mut self) {
        self.lost |= !self.reasoning.is_empty();
        self.reasoning.clear();
    }
}

fn function_call(call: &ToolCall) -> Value {
    let arguments = arguments(call);
    json!({"type": "function_call", "call_id": &call.id, "name": &call.name, "arguments": arguments})
}

fn arguments(call: &ToolCall) -> &str {
    if call.arguments.is_empty() { "{}" } else { &call.arguments }
}

/// The call's item, with the caller's name and arguments if they differ.
fn called(item: &Value, call: &ToolCall) -> Value {
    let came = items::text(item, "arguments");
    let same = came == call.arguments || came.trim().is_empty() && arguments(call) == "{}";
    let mut item = item.clone();
    if !same {
        item.set("arguments", arguments(call));
    }
    if items::text(&item, "name") != call.name {
        item.set("name", call.name.as_str());
    }
    item
}

fn custom_called(
    item: &Value,
    call: &CustomCall<'_>,
    path: &str,
    writer: &mut Writer<'_>,
) -> Value {
    if !writer.dialect.custom_tools {
        return custom_call(call, path, writer);
    }
    let mut item = item.clone();
    item.set("name", call.name);
    item.set("input", call.input);
    item
}

fn custom_call(call: &CustomCall<'_>, path: &str, writer: &mut Writer<'_>) -> Value {
    if writer.dialect.custom_tools {
        let (id, name, input) = (call.id, call.name, call.input);
        return json!({"type": "custom_tool_call", "call_id": id, "name": name, "input": input});
    }
    let input = history::custom_as_function(call, writer.name, path, writer.notes);
    let input = Value::Object(input).to_string();
    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": input})
}
