//! Encodes the conversation as contents, with the system instruction beside them.

use super::content::content;
use super::history::{self, Asked};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json, parse};
use crate::model::{Message, Role};
use crate::provider::{Notes, Target};

/// The system instruction and the contents.
pub(super) fn conversation(
    messages: &[Message],
    target: &Target,
    notes: &mut Notes,
) -> Result<(Option<Value>, Vec<Value>), Error> {
    let mut system = Vec::new();
    let mut contents: Vec<Value> = Vec::new();
    // "The number of function response parts must equal the number of function call parts of the
    // function call turn" [rec], so the results of one turn are one content.
    let mut results: Vec<Value> = Vec::new();
    let mut asked = Asked::default();
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        if message.role == Role::Tool {
            results.push(result(message, &asked, &path, notes)?);
            continue;
        }
        asked.add(message);
        if message.name.is_some() {
            notes.unsupported(&format!("{path}.name"), "Gemini takes no name of a speaker")?;
        }
        if matches!(message.role, Role::System | Role::Developer) {
            if !contents.is_empty() || !results.is_empty() {
                let text = "instructions in the middle of a conversation are moved to its start";
                notes.warn("moved", &path, text);
            }
            system.extend(content(message, &path, notes)?);
            continue;
        }
        answered(&mut results, &mut contents);
        let (role, parts) = match message.role {
            Role::Assistant => ("model", history::assistant(message, target, &path, notes)?),
            _ => ("user", content(message, &path, notes)?),
        };
        // A content without parts is refused: "contents.parts must not be empty" [rec].
        if parts.is_empty() && notes.adapts() {
            let text = "a message without content is refused: it is left out";
            match message.role {
                Role::Assistant => notes.warn("adjusted", &path, text),
                _ => notes.adjusted(&path, text)?,
            }
            continue;
        }
        contents.push(json!({"role": role, "parts": parts}));
    }
    answered(&mut results, &mut contents);
    Ok(((!system.is_empty()).then(|| json!({ "parts": system })), contents))
}

fn answered(results: &mut Vec<Value>, contents: &mut Vec<Value>) {
    if !results.is_empty() {
        contents.push(json!({"role": "user", "parts": std::mem::take(results)}));
    }
}

/// A tool's result. Google names the function in place of the call, and the call's id only where it
/// gave one itself.
fn result(
    message: &Message,
    asked: &Asked<'_>,
    path: &str,
    notes: &mut Notes,
) -> Result<Value, Error> {
    let id = message.tool_call_id.as_deref().unwrap_or_default();
    let (name, is_own) = match (asked.get(id), &message.name) {
        (Some(known), _) => known,
        (None, Some(name)) => (name.as_str(), false),
        (None, None) => {
            let message = format!(
                "{path}.tool_call_id is the id of no call before it, and Gemini needs the \
                 function's name: hand the assistant's message back, or give the message a name"
            );
            return Err(Error::invalid(format!("{path}.tool_call_id"), message));
        }
    };
    let (texts, media): (Vec<Value>, Vec<Value>) =
        content(message, path, notes)?.into_iter().partition(|part| part.get("text").is_some());
    let text: String = texts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
    let mut response = Object::new();
    if is_own {
        response.insert("id", id);
    }
    response.insert("name", name);
    response.insert("response", said(&text, message.is_error));
    if !media.is_empty() {
        response.insert("parts", media);
    }
    Ok(json!({ "functionResponse": response }))
}

/// A result must be an object. One that is none is the `output`, or the `error`, as Google's
/// documents advise [doc].
fn said(text: &str, is_error: Option<bool>) -> Value {
    if is_error == Some(true) {
        return json!({ "error": text });
    }
    match parse(text) {
        Ok(object @ Value::Object(_)) => object,
        _ => json!({ "output": text }),
    }
}
