//! Sends an earlier answer back. Thinking is signed: it is valid only if unchanged, and reasoning
//! text without its signature cannot be sent at all [doc]. So the blocks that this adapter read are
//! sent back unchanged, as long as they match the message. If the caller edited the message, the
//! caller's text counts. A block is left out if its text or call is gone, and only unedited
//! thinking stays.

use super::blocks::{self, CONTENT};
use super::content::{content, is_empty};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{AssistantMessage, Content, Message, Part, ToolCall, says_nothing};
use crate::provider::Notes;
use crate::provider::history::{
    self, ANNOTATIONS, CALL_FIELDS, CUSTOM_CALLS, Calls, THINKING_BLOCKS,
};

const WHO: &str = "Anthropic";

/// The content blocks of an assistant's message.
pub(super) fn assistant(
    message: &Message,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut sent = vec![CONTENT, CALL_FIELDS, CUSTOM_CALLS, THINKING_BLOCKS, "audio"];
    // The blocks have the citations.
    if message.provider_fields.contains_key(CONTENT) {
        sent.push(ANNOTATIONS);
    }
    history::rest(message, &sent, WHO, path, notes);
    history::calls_rest(message, WHO, path, notes);
    let mut out = match message.provider_fields.get(CONTENT) {
        Some(Value::Array(native)) if message.native_only => return Ok(native.clone()),
        Some(Value::Array(native)) => kept(native, message, path, notes)?,
        _ => written(message, path, notes)?,
    };
    for call in history::custom_calls(message) {
        let input = history::custom_as_function(&call, WHO, path, notes);
        out.push(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input}));
    }
    Ok(out)
}

/// The blocks of a message that this adapter did not read.
fn written(message: &Message, path: &str, notes: &mut Notes) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    if let Some(Value::Array(thinking)) = message.member(THINKING_BLOCKS)
        && thinking.iter().all(is_signed)
        && same(blocks::message(thinking.clone()).reasoning.as_deref(), message)
    {
        out.extend(thinking.iter().cloned());
    } else if message.reasoning.as_deref().is_some_and(|text| !text.is_empty()) {
        let text = "Anthropic takes reasoning back with its signature only, which is not there";
        history::left_out(notes, &format!("{path}.reasoning"), text);
    }
    out.extend(said(message, path, notes)?);
    out.extend(message.tool_calls.iter().map(tool_use));
    Ok(out)
}

/// The blocks that this adapter read, as far as they still match the message.
fn kept(
    native: &[Value],
    message: &Message,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let came = blocks::message(native.to_vec());
    let same_text = has_text(message, &came);
    let same_reasoning = same(came.reasoning.as_deref(), message);
    if !same_reasoning {
        let text = "the reasoning was changed, so its signature does not hold: no thinking is sent";
        history::left_out(notes, &format!("{path}.reasoning"), text);
    }
    let mut said = if same_text { Vec::new() } else { said(message, path, notes)? };
    let mut calls = Calls::of(&message.tool_calls);
    let mut out = Vec::new();
    let mut cited = false;
    for block in native {
        match block.get("type").and_then(Value::as_str) {
            Some("thinking" | "redacted_thinking") if !same_reasoning => {}
            Some("text") if !same_text => {
                cited |= block.get("citations").is_some_and(|value| !says_nothing(value));
                out.append(&mut said);
            }
            Some("tool_use") => {
                let id = block.get("id").and_then(Value::as_str).unwrap_or_default();
                let name = block.get("name").and_then(Value::as_str).unwrap_or_default();
                out.extend(calls.take(id, name).map(|call| called(block, call)));
            }
            _ => out.push(block.clone()),
        }
    }
    if cited {
        let text = "the text was changed, so its citations do not hold: they are not sent";
        history::left_out(notes, &format!("{path}.content"), text);
    }
    out.append(&mut said);
    out.extend(calls.left.into_iter().flatten().map(tool_use));
    Ok(out)
}

/// The message's text, with its refusal.
fn said(message: &Message, path: &str, notes: &mut Notes) -> Result<Vec<Value>, Error> {
    // OpenAI's form has an empty text beside tool calls.
    let mut out = content(message, path, notes)?;
    out.retain(|block| !is_empty(block));
    let silent = out.is_empty();
    let heard = history::transcript(message, silent, WHO, path, notes);
    out.extend(heard.map(|text| json!({"type": "text", "text": text})));
    if let Some(refusal) = message.refusal.as_deref().filter(|text| !text.is_empty()) {
        out.push(json!({"type": "text", "text": refusal}));
    }
    Ok(out)
}

fn has_text(message: &Message, came: &AssistantMessage) -> bool {
    let plain = match &message.content {
        Some(Content::Parts(parts)) => {
            parts.iter().all(|part| matches!(part, Part::Text { cache_control: None, .. }))
        }
        _ => true,
    };
    let refused = message.refusal.as_deref().is_some_and(|text| !text.is_empty());
    plain && !refused && message.text() == came.content.as_deref().unwrap_or_default()
}

fn same(reasoning: Option<&str>, message: &Message) -> bool {
    reasoning.unwrap_or_default() == message.reasoning.as_deref().unwrap_or_default()
}

fn is_signed(block: &Value) -> bool {
    let member = match block.get("type").and_then(Value::as_str) {
        Some("thinking") => "signature",
        _ => "data",
    };
    block.get(member).is_some_and(Value::is_string)
}

/// The call's block, with the caller's name and arguments if they differ.
fn called(block: &Value, call: &ToolCall) -> Value {
    let input = blocks::input(&call.arguments);
    let came = block.get("input").map(blocks::arguments).unwrap_or_default();
    let mut out = block.clone();
    if blocks::input(&came) != input {
        out.set("input", input);
    }
    for (name, value) in [("name", &call.name), ("id", &call.id)] {
        if block.get(name).and_then(Value::as_str) != Some(value) {
            out.set(name, value.clone());
        }
    }
    out
}

fn tool_use(call: &ToolCall) -> Value {
    let members: Object = Object::from_iter([
        ("type", Value::from("tool_use")),
        ("id", call.id.as_str().into()),
        ("name", call.name.as_str().into()),
        ("input", blocks::input(&call.arguments)),
    ]);
    Value::Object(members)
}
