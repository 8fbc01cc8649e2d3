//! Encodes the conversation as input items, with the first instructions beside them.

use std::collections::HashSet;

use super::history;
use super::writer::{Writer, insert};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part, Role};
use crate::provider::history::custom_calls;

/// The instructions and the input items.
pub(super) fn conversation(
    messages: &[Message],
    writer: &mut Writer<'_>,
) -> Result<(Option<String>, Vec<Value>), Error> {
    let leading = leading(messages);
    let mut instructions = Vec::new();
    let mut items = Vec::new();
    // Their results have a type of their own.
    let mut custom: HashSet<&str> = HashSet::new();
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        if message.name.is_some() && message.role != Role::Tool {
            writer.cannot(&format!("{path}.name"))?;
        }
        match message.role {
            Role::System | Role::Developer if i < leading => {
                writer.marks(message, &path)?;
                instructions.push(message.text());
            }
            Role::Assistant => {
                if writer.dialect.custom_tools {
                    custom.extend(custom_calls(message).map(|call| call.id));
                }
                items.extend(history::assistant(message, &path, writer)?);
            }
            Role::Tool => items.push(writer.result(message, &custom, &path)?),
            role => {
                let plain = role == Role::Developer
                    && !writer.dialect.developer_role
                    && writer.notes.adapts();
                let role = if plain { Role::System } else { role };
                let content = writer.content(message, &path)?;
                items.push(json!({"role": role.name(), "content": content}));
            }
        }
    }
    let instructions = (!instructions.is_empty()).then(|| instructions.join("\n\n"));
    Ok((instructions, items))
}

/// How many messages at the start are the instructions: those of text, unless there is no other
/// message, because a request without input is refused ("Missing required parameter: 'input'"
/// [rec]).
fn leading(messages: &[Message]) -> usize {
    let instructs = |message: &&Message| {
        let text = match &message.content {
            Some(Content::Parts(parts)) => {
                parts.iter().all(|part| matches!(part, Part::Text { .. }))
            }
            _ => true,
        };
        text && matches!(message.role, Role::System | Role::Developer)
    };
    let leading = messages.iter().take_while(instructs).count();
    if leading == messages.len() { 0 } else { leading }
}

impl Writer<'_> {
    fn result(
        &mut self,
        message: &Message,
        custom: &HashSet<&str>,
        path: &str,
    ) -> Result<Value, Error> {
        if message.is_error == Some(true) {
            self.cannot(&format!("{path}.is_error"))?;
        }
        let id = message.tool_call_id.as_deref().unwrap_or_default();
        let kind = match custom.contains(id) {
            true => "custom_tool_call_output",
            false => "function_call_output",
        };
        let output = self.content(message, path)?;
        Ok(json!({"type": kind, "call_id": id, "output": output}))
    }

    /// The content of a message that is no answer: a text, or parts.
    fn content(&mut self, message: &Message, path: &str) -> Result<Value, Error> {
        self.marks(message, path)?;
        let parts = match &message.content {
            Some(Content::Parts(parts)) => parts,
            Some(Content::Text(text)) => return Ok(text.as_str().into()),
            None => return Ok("".into()),
        };
        let mut out = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            out.extend(self.part(part, &format!("{path}.content[{i}]"))?);
        }
        Ok(out.into())
    }

    /// Tells the marks of Anthropic's cache, which have no place here.
    pub(super) fn marks(&mut self, message: &Message, path: &str) -> Result<(), Error> {
        let Some(Content::Parts(parts)) = &message.content else { return Ok(()) };
        for (i, part) in parts.iter().enumerate() {
            let mark = match part {
                Part::Text { cache_control, .. }
                | Part::Image { cache_control, .. }
                | Part::File { cache_control, .. } => cache_control.is_some(),
                Part::Audio { .. } => false,
            };
            if mark {
                self.cannot(&format!("{path}.content[{i}].cache_control"))?;
            }
        }
        Ok(())
    }

    fn part(&mut self, part: &Part, path: &str) -> Result<Option<Value>, Error> {
        let takes = &self.dialect.parts;
        let (taken, what) = match part {
            Part::Text { .. } => (true, "text"),
            Part::Image { url, .. } if url.starts_with("data:") => (takes.image_data, "images"),
            Part::Image { .. } => (takes.image_url, "images by URL"),
            Part::Audio { .. } => (takes.audio, "audio"),
            Part::File { .. } => (takes.file, "files"),
        };
        if !taken {
            let message = format!("{} takes no {what}: {path}", self.name);
            self.notes.unsupported(path, message)?;
            return Ok(None);
        }
        Ok(Some(match part {
            Part::Text { text, .. } => json!({"type": "input_text", "text": text}),
            Part::Image { url, detail, .. } => {
                let mut image = Object::from_iter([("type", Value::from("input_image"))]);
                insert(&mut image, "image_url", Some(url.as_str()));
                insert(&mut image, "detail", detail.clone());
                Value::Object(image)
            }
            Part::Audio { data, format } => {
                let audio = json!({"data": data, "format": format});
                json!({"type": "input_audio", "input_audio": audio})
            }
            // The members are the same: file_data, file_id, file_url, filename.
            Part::File { file, .. } => {
                let mut out = Object::from_iter([("type", Value::from("input_file"))]);
                out.extend(file.clone());
                Value::Object(out)
            }
        }))
    }
}
