//! Encodes the conversation. The server has no ids of calls: a result names its function, and
//! results of one function stand in the order of its calls. So the results of a turn are put in
//! that order.

use std::collections::HashMap;

use super::content::content;
use super::history;
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{Message, Role};
use crate::provider::Notes;
use crate::provider::history::custom_calls;

/// The messages on the wire.
pub(super) fn conversation(messages: &[Message], notes: &mut Notes) -> Result<Vec<Value>, Error> {
    let mut out = Vec::with_capacity(messages.len());
    let mut asked = Asked::default();
    // The results of the turn, each with the place of its call.
    let mut results: Vec<(usize, Value)> = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        if message.role == Role::Tool {
            results.push(result(message, &asked, &path, notes)?);
            continue;
        }
        answered(&mut results, &mut out);
        out.push(self::message(message, &path, notes)?);
        if message.role == Role::Assistant {
            asked.add(message);
        }
    }
    answered(&mut results, &mut out);
    Ok(out)
}

fn answered(results: &mut Vec<(usize, Value)>, out: &mut Vec<Value>) {
    results.sort_by_key(|(place, _)| *place);
    out.extend(results.drain(..).map(|(_, result)| result));
}

fn message(message: &Message, path: &str, notes: &mut Notes) -> Result<Value, Error> {
    let mut out = Object::new();
    let role = if message.role == Role::Developer { Role::System } else { message.role };
    out.insert("role", role.name());
    if message.name.is_some() {
        notes.unsupported(&format!("{path}.name"), "Ollama takes no name of a speaker")?;
    }
    content(message, path, &mut out, notes)?;
    if role == Role::Assistant {
        history::assistant(message, path, &mut out, notes)?;
    }
    Ok(Value::Object(out))
}

/// The calls so far, by their ids: the function's name, and the call's place among all.
#[derive(Default)]
struct Asked<'a> {
    calls: HashMap<&'a str, (&'a str, usize)>,
    places: usize,
}

impl<'a> Asked<'a> {
    /// Adds the calls of a message. A later call of the same id counts.
    fn add(&mut self, message: &'a Message) {
        let calls = message.tool_calls.iter().map(|call| (&*call.id, &*call.name));
        for (id, name) in calls.chain(custom_calls(message).map(|call| (call.id, call.name))) {
            self.calls.insert(id, (name, self.places));
            self.places += 1;
        }
    }
}

/// A tool's result, with the place of the call that it answers.
fn result(
    message: &Message,
    asked: &Asked<'_>,
    path: &str,
    notes: &mut Notes,
) -> Result<(usize, Value), Error> {
    if message.is_error == Some(true) {
        let text = "Ollama has no mark for a failed tool call: say it in the content";
        notes.unsupported(&format!("{path}.is_error"), text)?;
    }
    let id = message.tool_call_id.as_deref().unwrap_or_default();
    let (name, place) = match (asked.calls.get(id), &message.name) {
        (Some(&(name, place)), _) => (name, place),
        (None, Some(name)) => (name.as_str(), usize::MAX),
        (None, None) => {
            let message = format!(
                "{path}.tool_call_id is the id of no call before it, and Ollama needs the \
                 function's name: hand the assistant's message back, or give the message a name"
            );
            return Err(Error::invalid(format!("{path}.tool_call_id"), message));
        }
    };
    let mut out = Object::new();
    out.insert("role", "tool");
    out.insert("content", "");
    content(message, path, &mut out, notes)?;
    out.insert("tool_name", name);
    Ok((place, Value::Object(out)))
}
