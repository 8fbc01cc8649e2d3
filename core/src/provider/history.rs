//! Hands an earlier answer to any provider, with what it carries beside its text and calls.
//!
//! Each adapter sends what its provider takes back. All the rest is in `warnings`, whatever
//! `options.unsupported` is, because a response's message can be handed back unchanged.

use super::Notes;
use crate::codec::Object;
use crate::json::Value;
use crate::model::{Message, says_nothing};

/// The member that holds a message's calls of custom tools, which take text.
pub(super) const CUSTOM_CALLS: &str = "custom_tool_calls";

/// The member that holds what tool calls carry beside name and arguments.
pub(super) const CALL_FIELDS: &str = "tool_call_fields";

/// The member that holds Anthropic's thinking blocks, under `LiteLLM`'s name for them.
pub(super) const THINKING_BLOCKS: &str = "thinking_blocks";

const CODE: &str = "not_sent_back";

/// Warns about a part of an earlier answer that is not sent to this provider.
pub(super) fn left_out(notes: &mut Notes, param: &str, message: impl Into<String>) {
    notes.warn(CODE, param, message);
}

/// Warns about each member without a unified place that is not in `sent`. `who` takes none of them.
pub(super) fn rest(message: &Message, sent: &[&str], who: &str, path: &str, notes: &mut Notes) {
    let of = |members: &Object, path: &str, notes: &mut Notes| {
        for (name, value) in members {
            // The server's own index of a message has no meaning for others.
            if name != "index" && !sent.contains(&name.as_str()) && !says_nothing(value) {
                let param = format!("{path}.{name}");
                left_out(notes, &param, format!("{who} takes no {name} of an earlier answer back"));
            }
        }
    };
    of(&message.provider_fields, &format!("{path}.provider_fields"), notes);
    of(&message.others, path, notes);
}

/// What the call at this place, with this id, carries beside name and arguments. It may be in our
/// form, or in that of another library. The id counts, because the caller may have removed a call.
pub(super) fn call_fields(message: &Message, index: usize, id: &str) -> Object {
    let mut found = Object::new();
    for members in [&message.provider_fields, &message.others] {
        let kept = members.get(CALL_FIELDS).and_then(Value::as_array);
        for fields in kept.into_iter().flatten().filter_map(Value::as_object) {
            let same = match fields.get("id").and_then(Value::as_str) {
                Some(theirs) => theirs == id,
                None => fields.get("index").and_then(Value::as_u64) == Some(index as u64),
            };
            if same {
                found.extend(fields.clone());
            }
        }
    }
    found.shift_remove("index");
    found.shift_remove("id");
    found
}

/// Warns about what a call carries and the provider does not get.
pub(super) fn call_rest(fields: &Object, who: &str, path: &str, notes: &mut Notes) {
    for name in fields.iter().filter(|(_, value)| !says_nothing(value)).map(|(name, _)| name) {
        left_out(notes, &format!("{path}.{name}"), format!("{who} takes no {name} of a call back"));
    }
}

/// The transcript of an audio answer, for a provider that does not take its own audio back. It is
/// sent as text if the message has none.
pub(super) fn transcript<'a>(
    message: &'a Message,
    silent: bool,
    who: &str,
    path: &str,
    notes: &mut Notes,
) -> Option<&'a str> {
    let audio = message.member("audio")?;
    let member = |name: &str| audio.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    // Gateways fill in such a stub.
    if ["id", "data", "transcript"].iter().all(|name| member(name).is_none()) {
        return None;
    }
    let said = member("transcript").filter(|_| silent);
    let mut told = format!("{who} takes no audio of an earlier answer back");
    if said.is_some() {
        told.push_str(": its transcript is sent");
    }
    left_out(notes, &format!("{path}.audio"), told);
    said
}

/// A call of a custom tool.
pub(super) struct CustomCall<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub input: &'a str,
}

/// The calls of custom tools in a message.
pub(super) fn custom_calls(message: &Message) -> impl Iterator<Item = CustomCall<'_>> {
    let members = [&message.provider_fields, &message.others].into_iter();
    let calls = members.filter_map(|members| members.get(CUSTOM_CALLS)?.as_array()).flatten();
    calls.map(|call| {
        let custom = call.get("custom");
        CustomCall {
            id: text(Some(call), "id"),
            name: text(custom, "name"),
            input: text(custom, "input"),
        }
    })
}

fn text<'a>(object: Option<&'a Value>, name: &str) -> &'a str {
    object.and_then(|object| object.get(name)?.as_str()).unwrap_or_default()
}

/// A custom tool's call for a provider that has only functions: the text is its one argument.
pub(super) fn custom_as_function(
    call: &CustomCall<'_>,
    who: &str,
    path: &str,
    notes: &mut Notes,
) -> Object {
    let text = format!("{who} has no custom tools: the call is sent as one of a function");
    notes.warn("adjusted", &format!("{path}.tool_calls"), text);
    Object::from_iter([("input", Value::from(call.input))])
}
