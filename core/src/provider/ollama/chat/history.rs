//! Sends an earlier answer back: thinking beside the text, and calls with their arguments as
//! objects.

use super::content::WHO;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json, parse};
use crate::model::Message;
use crate::provider::Notes;
use crate::provider::history::{self, CALL_FIELDS, CUSTOM_CALLS, THINKING_BLOCKS};

/// Writes the members that only an assistant's message has, after its content.
pub(super) fn assistant(
    message: &Message,
    path: &str,
    out: &mut Object,
    notes: &mut Notes,
) -> Result<(), Error> {
    let said = out.get("content").and_then(Value::as_str).unwrap_or_default();
    let heard = history::transcript(message, said.is_empty(), WHO, path, notes);
    let refusal = message.refusal.as_deref().filter(|text| !text.is_empty());
    let texts = [Some(said).filter(|said| !said.is_empty()), heard, refusal];
    let text = texts.into_iter().flatten().collect::<Vec<_>>().join("\n");
    // The server's own answers have the member also where it is empty [rec].
    out.insert("content", text);
    if let Some(thinking) = message.reasoning.as_deref().filter(|text| !text.is_empty()) {
        out.insert("thinking", thinking);
    }
    let calls = calls(message, path, notes);
    if !calls.is_empty() {
        out.insert("tool_calls", calls);
    }
    let mut sent = vec![CALL_FIELDS, CUSTOM_CALLS, "audio"];
    // The text of these blocks is already in the reasoning.
    if message.others.contains_key(THINKING_BLOCKS) && message.reasoning.is_some() {
        sent.push(THINKING_BLOCKS);
    }
    history::rest(message, &sent, WHO, path, notes);
    Ok(())
}

fn calls(message: &Message, path: &str, notes: &mut Notes) -> Vec<Value> {
    let mut calls = Vec::new();
    let mut add = |name: &str, arguments: Value| {
        let function = json!({"name": name, "arguments": arguments});
        calls.push(json!({ "function": function }));
    };
    history::calls_rest(message, WHO, path, notes);
    for call in &message.tool_calls {
        add(&call.name, arguments(&call.arguments));
    }
    for custom in history::custom_calls(message) {
        add(custom.name, Value::Object(history::custom_as_function(&custom, WHO, path, notes)));
    }
    calls
}

/// Arguments must be an object: another value is a broken request. A text that is none, such as one
/// that the token limit cut, is wrapped.
fn arguments(text: &str) -> Value {
    if text.trim().is_empty() {
        return Value::Object(Object::new());
    }
    match parse(text) {
        Ok(value @ Value::Object(_)) => value,
        _ => json!({ "INVALID_JSON": text }),
    }
}
