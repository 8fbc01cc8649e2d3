//! Sends an earlier answer back. Reasoning is signed: it is valid only if unchanged. So the blocks
//! that this adapter read are sent back unchanged, as long as they match the message. If the caller
//! edited the message, the caller's text counts.

use super::blocks::{self, CONTENT, Said, call_id};
use super::content::{content, is_text};
use super::documents::Documents;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part, ToolCall};
use crate::provider::history::{
    self, ANNOTATIONS, CALL_FIELDS, CUSTOM_CALLS, Calls, IMAGES, THINKING_BLOCKS,
};
use crate::provider::{Notes, Target};

const WHO: &str = "Bedrock";

const UNSIGNED: &str = "Bedrock takes reasoning back with its signature only, which is not there";

/// The blocks of an assistant's message.
pub(super) fn assistant(
    message: &Message,
    documents: &mut Documents,
    target: &Target,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut sent = vec![CONTENT, CALL_FIELDS, CUSTOM_CALLS, THINKING_BLOCKS, "audio"];
    // The blocks have both.
    if message.provider_fields.contains_key(CONTENT) {
        sent.extend([ANNOTATIONS, IMAGES]);
    }
    history::rest(message, &sent, WHO, path, notes);
    history::calls_rest(message, WHO, path, notes);
    let mut out = match message.provider_fields.get(CONTENT) {
        Some(Value::Array(native)) if message.native_only => return Ok(native.clone()),
        Some(Value::Array(native)) => kept(native, message, documents, path, notes)?,
        _ => written(message, documents, path, notes)?,
    };
    for call in history::custom_calls(message) {
        let input = history::custom_as_function(&call, WHO, path, notes);
        let call = json!({"toolUseId": call_id(call.id), "name": call.name, "input": input});
        out.push(json!({ "toolUse": call }));
    }
    unread(&mut out, target, path, notes);
    Ok(out)
}

/// Leaves out the reasoning that models refuse in a conversation: what is not signed, and all of it
/// for `DeepSeek`'s [doc]. Clients of other models send theirs as text or not at all [rec].
fn unread(blocks: &mut Vec<Value>, target: &Target, path: &str, notes: &mut Notes) {
    if !notes.adapts() {
        return;
    }
    let none = target.model.contains("deepseek");
    let refused = |block: &Value| {
        block.get("reasoningContent").is_some_and(|reasoning| {
            let said = reasoning.get("reasoningText");
            let signed = said.is_some_and(|said| said.get("signature").is_some());
            none || !(signed || reasoning.get("redactedContent").is_some())
        })
    };
    if blocks.iter().any(refused) {
        let text = match none {
            true => "DeepSeek's models at Bedrock take no reasoning back",
            false => UNSIGNED,
        };
        history::left_out(notes, &format!("{path}.reasoning"), text);
        blocks.retain(|block| !refused(block));
    }
}

/// The blocks of a message that this adapter did not read.
fn written(
    message: &Message,
    documents: &mut Documents,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    if let Some(signed) = signed(message) {
        out.extend(signed);
    } else if message.reasoning.as_deref().is_some_and(|text| !text.is_empty()) {
        history::left_out(notes, &format!("{path}.reasoning"), UNSIGNED);
    }
    out.extend(said(message, documents, path, notes)?);
    out.extend(message.tool_calls.iter().map(tool_use));
    Ok(out)
}

/// Anthropic's thinking blocks in Bedrock's form, if they are signed and say what the message does.
fn signed(message: &Message) -> Option<Vec<Value>> {
    let thinking = message.member(THINKING_BLOCKS)?.as_array()?;
    let mut text = String::new();
    let mut out = Vec::new();
    for block in thinking {
        let member = |name: &str| block.get(name).and_then(Value::as_str);
        let reasoning = match (member("thinking"), member("signature"), member("data")) {
            (Some(said), Some(signature), _) => {
                text.push_str(said);
                let said = json!({"text": said, "signature": signature});
                json!({ "reasoningText": said })
            }
            (_, _, Some(data)) => json!({ "redactedContent": data }),
            _ => return None,
        };
        out.push(json!({ "reasoningContent": reasoning }));
    }
    (text == message.reasoning.as_deref().unwrap_or_default()).then_some(out)
}

/// The blocks that this adapter read, as far as they still match the message.
fn kept(
    native: &[Value],
    message: &Message,
    documents: &mut Documents,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let (mut text, mut reasoning) = (String::new(), String::new());
    for block in native {
        match blocks::said(block) {
            Said::Text(said) => text.push_str(said),
            Said::Reasoning(said) => reasoning.push_str(said),
            _ => blocks::cited(block).for_each(|said| text.push_str(said)),
        }
    }
    let same_text = is_plain(message) && message.text() == text;
    let same_reasoning = message.reasoning.as_deref().unwrap_or_default() == reasoning;
    if !same_reasoning {
        let text = "the reasoning was changed, so its signature does not hold: it is not sent";
        history::left_out(notes, &format!("{path}.reasoning"), text);
    }
    let mut said = if same_text { Vec::new() } else { said(message, documents, path, notes)? };
    let mut calls = Calls::of(&message.tool_calls);
    let (mut out, mut cited) = (Vec::new(), false);
    for block in native {
        let is_cited = block.get("citationsContent").is_some();
        match blocks::said(block) {
            Said::Text(_) if !same_text => out.append(&mut said),
            Said::Other if is_cited && !same_text => {
                cited = true;
                out.append(&mut said);
            }
            _ if block.get("reasoningContent").is_some() && !same_reasoning => {}
            Said::Call(call) => {
                let text = |name| call.get(name).and_then(Value::as_str).unwrap_or_default();
                let found = calls.take(text("toolUseId"), text("name"));
                out.extend(found.map(|mine| called(block, mine)));
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

/// The call's block, with the caller's name and arguments if they differ.
fn called(block: &Value, mine: &ToolCall) -> Value {
    let Said::Call(call) = blocks::said(block) else { return block.clone() };
    let came = blocks::input(&blocks::arguments(call));
    let input = blocks::input(&mine.arguments);
    let same_name = call.get("name").and_then(Value::as_str) == Some(&mine.name);
    if same_name && came == input {
        return block.clone();
    }
    let mut call = call.clone();
    call.insert("name", mine.name.clone());
    call.insert("input", input);
    json!({ "toolUse": call })
}

fn tool_use(call: &ToolCall) -> Value {
    let input = blocks::input(&call.arguments);
    let call = json!({"toolUseId": call_id(&call.id), "name": &*call.name, "input": input});
    json!({ "toolUse": call })
}

/// The message's text, with its refusal.
fn said(
    message: &Message,
    documents: &mut Documents,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut out = content(message, documents, path, notes)?;
    // OpenAI's form has an empty text beside tool calls.
    out.retain(|block| !is_text(block, ""));
    let silent = out.is_empty();
    let heard = history::transcript(message, silent, WHO, path, notes);
    let more = [heard, message.refusal.as_deref()].into_iter().flatten();
    out.extend(more.filter(|text| !text.is_empty()).map(|text| json!({ "text": text })));
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
