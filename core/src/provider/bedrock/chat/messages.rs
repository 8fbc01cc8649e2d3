//! Encodes the conversation: turns of blocks, with the system's blocks beside them.

use super::blocks::call_id;
use super::content::{content, is_blank, is_text};
use super::documents::Documents;
use super::history;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Message, Role};
use crate::provider::{Notes, Target};

/// The system's blocks and the turns.
pub(super) fn conversation(
    messages: &[Message],
    target: &Target,
    notes: &mut Notes,
) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let mut system = Vec::new();
    let mut turns: Vec<(&'static str, Vec<Value>)> = Vec::new();
    let mut documents = Documents::default();
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        if message.role == Role::Tool {
            let result = tool_result(message, &mut documents, &path, notes)?;
            add(&mut turns, "user", vec![result]);
            continue;
        }
        if message.name.is_some() {
            notes.unsupported(&format!("{path}.name"), "Bedrock takes no name of a speaker")?;
        }
        let mut blocks = match message.role {
            Role::Assistant => history::assistant(message, &mut documents, target, &path, notes)?,
            _ => content(message, &mut documents, &path, notes)?,
        };
        let given = !blocks.is_empty();
        blanks(&mut blocks, message.role, &path, notes)?;
        if matches!(message.role, Role::System | Role::Developer) {
            // Instructions stand only before the conversation.
            if !turns.is_empty() {
                let text = "instructions in the middle of a conversation are moved to its start";
                notes.warn("moved", &path, text);
            }
            system.append(&mut blocks);
        } else if blocks.is_empty() && notes.adapts() {
            if !given {
                let text = "a message without content is refused: it is left out";
                refused(message.role, &path, text, notes)?;
            }
        } else {
            let role = if message.role == Role::Assistant { "assistant" } else { "user" };
            add(&mut turns, role, blocks);
        }
    }
    if let Some((role, blocks)) = turns.last_mut().filter(|_| notes.adapts())
        && *role == "assistant"
    {
        prefill(blocks, &format!("messages[{}]", messages.len() - 1), notes)?;
    }
    let turn = |(role, blocks): (&str, Vec<Value>)| json!({"role": role, "content": blocks});
    Ok((system, turns.into_iter().map(turn).collect()))
}

/// Adds blocks to the conversation. "A conversation must alternate between user and assistant
/// roles" [doc], and all results of one turn's calls are one turn, so messages of one role are joined.
fn add(turns: &mut Vec<(&'static str, Vec<Value>)>, role: &'static str, mut blocks: Vec<Value>) {
    match turns.last_mut() {
        Some((last, so_far)) if *last == role => so_far.append(&mut blocks),
        _ => turns.push((role, blocks)),
    }
}

/// Leaves out the texts that Bedrock refuses: "The text field in the ContentBlock object is blank"
/// [doc]. An empty text says nothing, so nothing is said about it.
fn blanks(blocks: &mut Vec<Value>, role: Role, path: &str, notes: &mut Notes) -> Result<(), Error> {
    if !notes.adapts() {
        return Ok(());
    }
    if blocks.iter().any(|block| is_blank(block) && !is_text(block, "")) {
        let text = "a text of white space alone is refused: it is left out";
        refused(role, &format!("{path}.content"), text, notes)?;
    }
    blocks.retain(|block| !is_blank(block));
    Ok(())
}

/// Handles a text that Bedrock refuses as it is. An earlier answer can always be sent back unchanged.
fn refused(role: Role, path: &str, text: &str, notes: &mut Notes) -> Result<(), Error> {
    if role != Role::Assistant {
        return notes.adjusted(path, text);
    }
    notes.warn("adjusted", path, text);
    Ok(())
}

/// Trims a prefill, which the model continues: "final assistant content cannot end with trailing
/// whitespace" [doc].
fn prefill(blocks: &mut [Value], path: &str, notes: &mut Notes) -> Result<(), Error> {
    let last = blocks.last_mut().and_then(|block| block.as_object_mut()?.get_mut("text"));
    if let Some(Value::String(text)) = last
        && text.len() > text.trim_end().len()
    {
        let told = "the beginning of an answer may not end in white space: it is cut off";
        notes.adjusted(&format!("{path}.content"), told)?;
        text.truncate(text.trim_end().len());
    }
    Ok(())
}

fn tool_result(
    message: &Message,
    documents: &mut Documents,
    path: &str,
    notes: &mut Notes,
) -> Result<Value, Error> {
    let mut content = content(message, documents, path, notes)?;
    content.retain(|block| !is_blank(block));
    // A mark follows the result: it is no part of it.
    let mark = content.iter().position(|block| block.get("cachePoint").is_some());
    if mark.is_some() {
        content.retain(|block| block.get("cachePoint").is_none());
        let param = format!("{path}.content");
        notes.unsupported(&param, "Bedrock takes no cache mark inside a tool's result")?;
    }
    let id = call_id(message.tool_call_id.as_deref().unwrap_or_default());
    let mut result = json!({"toolUseId": id, "content": content});
    if let Some(is_error) = message.is_error {
        result.set("status", if is_error { "error" } else { "success" });
    }
    Ok(json!({ "toolResult": result }))
}
