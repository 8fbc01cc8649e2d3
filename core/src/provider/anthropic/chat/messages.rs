//! Encodes the conversation in Anthropic's form: content blocks, with the system prompt beside
//! them.

use super::content::{content, is_empty};
use super::history;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Message, Role};
use crate::provider::Notes;

/// The system prompt and the messages.
pub(super) fn conversation(
    conversation: &[Message],
    notes: &mut Notes,
) -> Result<(Option<Value>, Vec<Value>), Error> {
    let mut system = Vec::new();
    let mut messages: Vec<Value> = Vec::new();
    // The results of one turn's calls form one message, because a call whose result is not in the
    // very next message is an error [rec].
    let mut results: Vec<Value> = Vec::new();
    for (i, message) in conversation.iter().enumerate() {
        let path = format!("messages[{i}]");
        if message.role == Role::Tool {
            results.push(tool_result(message, &path, notes)?);
            continue;
        }
        if message.name.is_some() {
            notes.unsupported(&format!("{path}.name"), "Anthropic takes no name of a speaker")?;
        }
        if matches!(message.role, Role::System | Role::Developer) {
            // Anthropic takes instructions only before the conversation.
            if !messages.is_empty() || !results.is_empty() {
                let text = "instructions in the middle of a conversation are moved to its start";
                notes.warn("moved", &path, text);
            }
            system.extend(texts(content(message, &path, notes)?, message.role, &path, notes)?);
            continue;
        }
        if !results.is_empty() {
            let results = std::mem::take(&mut results);
            messages.push(json!({"role": "user", "content": results}));
        }
        let blocks = match message.role {
            Role::Assistant => history::assistant(message, &path, notes)?,
            _ => content(message, &path, notes)?,
        };
        let blocks = texts(blocks, message.role, &path, notes)?;
        // "all messages must have non-empty content except for the optional final assistant
        // message" [doc].
        if blocks.is_empty() && i + 1 < conversation.len() {
            let text = "a message without content is refused: it is left out";
            refused(message.role, &path, text, notes)?;
            continue;
        }
        let content = content_value(blocks);
        messages.push(json!({"role": message.role.name(), "content": content}));
    }
    if !results.is_empty() {
        messages.push(json!({"role": "user", "content": results}));
    }
    if let Some(last) = messages.last_mut().filter(|last| last.get("role") == Some(&assistant())) {
        prefill(last, &format!("messages[{}]", conversation.len() - 1), notes)?;
    }
    Ok(((!system.is_empty()).then(|| content_value(system)), messages))
}

fn assistant() -> Value {
    Role::Assistant.name().into()
}

/// The blocks without the texts that Anthropic refuses: empty texts, and texts of white space alone
/// ("text content blocks must contain non-whitespace text" [doc]).
fn texts(
    mut blocks: Vec<Value>,
    role: Role,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    if blocks.iter().any(|block| is_empty(block) && block.get("cache_control").is_some()) {
        let text = "an empty text takes no cache mark: it is left out";
        notes.unsupported(&format!("{path}.content"), text)?;
    }
    blocks.retain(|block| !is_empty(block));
    let blank = |block: &Value| {
        block.get("type").is_some_and(|kind| kind == "text")
            && block.get("text").and_then(Value::as_str).is_some_and(|text| text.trim().is_empty())
    };
    if !blocks.is_empty() && blocks.iter().all(blank) {
        let text = "a text of white space alone is refused: it is left out";
        refused(role, &format!("{path}.content"), text, notes)?;
        blocks.clear();
    }
    Ok(blocks)
}

/// Handles a text that Anthropic refuses as it is. An earlier answer can always be sent back
/// unchanged.
fn refused(role: Role, path: &str, text: &str, notes: &mut Notes) -> Result<(), Error> {
    if role != Role::Assistant {
        return notes.adjusted(path, text);
    }
    notes.warn("adjusted", path, text);
    Ok(())
}

/// Trims a prefill, which the model continues: "final assistant content cannot end with trailing
/// whitespace" [doc].
fn prefill(message: &mut Value, path: &str, notes: &mut Notes) -> Result<(), Error> {
    let content = message.as_object_mut().and_then(|message| message.get_mut("content"));
    let text = match content {
        Some(Value::Array(blocks)) => {
            blocks.last_mut().and_then(|block| block.as_object_mut()?.get_mut("text"))
        }
        text => text,
    };
    let Some(Value::String(text)) = text else { return Ok(()) };
    if text.len() > text.trim_end().len() {
        let told = "the beginning of an answer may not end in white space: it is cut off";
        notes.adjusted(&format!("{path}.content"), told)?;
        text.truncate(text.trim_end().len());
    }
    Ok(())
}

/// One plain text is a string; anything else is a list of blocks.
fn content_value(mut blocks: Vec<Value>) -> Value {
    let plain = |block: &Value| {
        let block = block.as_object();
        block.is_some_and(|block| block.len() == 2 && block.contains_key("text"))
    };
    match &mut blocks[..] {
        [] => Value::String(String::new()),
        [only] if plain(only) => only
            .as_object_mut()
            .and_then(|only| only.get_mut("text"))
            .map(Value::take)
            .unwrap_or_default(),
        _ => Value::Array(blocks),
    }
}

fn tool_result(message: &Message, path: &str, notes: &mut Notes) -> Result<Value, Error> {
    let mut block = Object::new();
    block.insert("type", "tool_result");
    block.insert("tool_use_id", message.tool_call_id.clone());
    let mut content = content(message, path, notes)?;
    content.retain(|block| !is_empty(block) || block.get("cache_control").is_some());
    // A cache mark belongs to the message's block, not to a part inside it [rec].
    let marks =
        content.iter_mut().filter_map(|part| part.as_object_mut()?.shift_remove("cache_control"));
    let mark = marks.last();
    block.insert("content", content_value(content));
    if let Some(is_error) = message.is_error {
        block.insert("is_error", is_error);
    }
    if let Some(mark) = mark {
        block.insert("cache_control", mark);
    }
    Ok(Value::Object(block))
}
