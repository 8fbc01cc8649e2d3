//! Sends an earlier answer back: thinking as content, the plan beside the calls, and the citations
//! beside the text that they cite.

use super::content::content;
use super::message::{CITATIONS, CONTENT, PLAN};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::Message;
use crate::provider::Notes;
use crate::provider::history::{self, ANNOTATIONS, CALL_FIELDS, CUSTOM_CALLS, THINKING_BLOCKS};

const WHO: &str = "Cohere";

/// Writes the members that only an assistant's message has.
pub(super) fn assistant(
    message: &Message,
    path: &str,
    out: &mut Object,
    notes: &mut Notes,
) -> Result<(), Error> {
    blocks(message, path, out, notes)?;
    let calls = calls(message, path, notes);
    if !calls.is_empty() {
        out.insert("tool_calls", calls);
    }
    if let Some(plan @ Value::String(_)) = message.provider_fields.get(PLAN) {
        out.insert(PLAN, plan.clone());
    }
    if let Some(citations) = message.provider_fields.get(CITATIONS) {
        if cites(citations, message) {
            out.insert(CITATIONS, citations.clone());
        } else {
            let text = "the text was changed, so its citations do not hold: they are not sent";
            history::left_out(notes, &format!("{path}.provider_fields.{CITATIONS}"), text);
        }
    }
    let mut sent = vec![PLAN, CONTENT, CALL_FIELDS, CUSTOM_CALLS, "audio"];
    if message.provider_fields.contains_key(CITATIONS) {
        sent.extend([CITATIONS, ANNOTATIONS]);
    }
    // The text of these blocks is already in the reasoning.
    if message.others.contains_key(THINKING_BLOCKS) && message.reasoning.is_some() {
        sent.push(THINKING_BLOCKS);
    }
    history::rest(message, &sent, WHO, path, notes);
    Ok(())
}

/// The content: a text, or a list if there is more than one part.
fn blocks(message: &Message, path: &str, out: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    let content = content(message, path, notes)?.filter(|content| content.as_str() != Some(""));
    let said = history::transcript(message, content.is_none(), WHO, path, notes);
    let thinking = message.reasoning.as_deref().filter(|text| !text.is_empty());
    let refusal = message.refusal.as_deref().filter(|text| !text.is_empty());
    // Content of unknown types is Cohere's own, and no caller can edit it.
    let own = match message.provider_fields.get(CONTENT) {
        Some(Value::Array(own)) => &own[..],
        _ => &[],
    };
    if thinking.is_none() && refusal.is_none() && own.is_empty() {
        if let Some(content) = content.or_else(|| said.map(Value::from)) {
            out.insert("content", content);
        }
        return Ok(());
    }
    let text = |text: &Value| json!({"type": "text", "text": text});
    let mut blocks = Vec::new();
    if let Some(text) = thinking {
        blocks.push(json!({"type": "thinking", "thinking": text}));
    }
    blocks.extend(own.iter().cloned());
    match content {
        Some(Value::Array(parts)) => blocks.extend(parts),
        Some(said) => blocks.push(text(&said)),
        None => blocks.extend(said.map(|said| text(&said.into()))),
    }
    blocks.extend(refusal.map(|refusal| text(&refusal.into())));
    out.insert("content", blocks);
    Ok(())
}

fn calls(message: &Message, path: &str, notes: &mut Notes) -> Vec<Value> {
    let mut calls = Vec::new();
    let call = |id: &str, name: &str, arguments: &str| {
        // An empty text is no JSON.
        let arguments = if arguments.is_empty() { "{}" } else { arguments };
        let function = json!({"name": name, "arguments": arguments});
        json!({"id": id, "type": "function", "function": function})
    };
    history::calls_rest(message, WHO, path, notes);
    for given in &message.tool_calls {
        calls.push(call(&given.id, &given.name, &given.arguments));
    }
    for custom in history::custom_calls(message) {
        let input = Value::Object(history::custom_as_function(&custom, WHO, path, notes));
        calls.push(call(custom.id, custom.name, &input.to_string()));
    }
    calls
}

/// The largest number of bytes that are searched for the words of all citations together.
const MOST_SEARCHED: usize = 64 << 20;

/// Whether the message still has the cited words.
fn cites(citations: &Value, message: &Message) -> bool {
    let plan = message.provider_fields.get(PLAN).and_then(Value::as_str).unwrap_or_default();
    let reasoning = message.reasoning.as_deref().unwrap_or_default();
    let content = message.text();
    let said = [content.as_str(), plan, reasoning];
    let citations = citations.as_array().map_or(&[][..], Vec::as_slice);
    let searched = said.map(str::len).iter().sum::<usize>().saturating_mul(citations.len());
    // No answer cites so much.
    searched <= MOST_SEARCHED
        && citations.iter().all(|citation| {
            let text = citation.get("text").and_then(Value::as_str).unwrap_or_default();
            said.iter().any(|said| said.contains(text))
        })
}
