//! Hands an earlier answer to any provider, with what it carries beside its text and calls.
//!
//! Each adapter sends what its provider takes back. All the rest is in `warnings`, whatever
//! `options.unsupported` is, because a response's message can be handed back unchanged.

use std::collections::{BTreeMap, VecDeque};

use super::Notes;
use crate::codec::Object;
use crate::json::Value;
use crate::model::{Message, ToolCall, says_nothing};

/// The member that holds a message's calls of custom tools, which take text.
pub(super) const CUSTOM_CALLS: &str = "custom_tool_calls";

/// The member that holds what tool calls carry beside name and arguments.
pub(super) const CALL_FIELDS: &str = "tool_call_fields";

/// The member that holds Anthropic's thinking blocks, under `LiteLLM`'s name for them.
pub(super) const THINKING_BLOCKS: &str = "thinking_blocks";

/// The member that holds what the text cites.
pub(super) const ANNOTATIONS: &str = "annotations";

/// The member that holds the images that a model made.
#[cfg(any(feature = "bedrock", feature = "gemini", feature = "responses"))]
pub(super) const IMAGES: &str = "images";

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

/// What the calls of a message carry beside name and arguments, in our form or in that of another
/// library. It is found by a call's id, because the caller may have removed another call.
pub(super) struct CallFields<'a> {
    by_id: BTreeMap<&'a str, Vec<&'a Object>>,
    by_index: BTreeMap<u64, Vec<&'a Object>>,
}

impl<'a> CallFields<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        let mut found = CallFields { by_id: BTreeMap::new(), by_index: BTreeMap::new() };
        for members in [&message.provider_fields, &message.others] {
            let kept = members.get(CALL_FIELDS).and_then(Value::as_array);
            for fields in kept.into_iter().flatten().filter_map(Value::as_object) {
                if let Some(id) = fields.get("id").and_then(Value::as_str) {
                    found.by_id.entry(id).or_default().push(fields);
                } else if let Some(index) = fields.get("index").and_then(Value::as_u64) {
                    found.by_index.entry(index).or_default().push(fields);
                }
            }
        }
        found
    }

    /// Takes those of the call at this place, with this id. A second call of the same id has none.
    pub(super) fn take(&mut self, index: usize, id: &str) -> Object {
        let mut found = Object::new();
        let by_id = self.by_id.remove(id).unwrap_or_default();
        let by_index = self.by_index.remove(&(index as u64)).unwrap_or_default();
        for fields in by_id.into_iter().chain(by_index) {
            found.extend(fields.clone());
        }
        found.shift_remove("index");
        found.shift_remove("id");
        found
    }
}

/// Warns about what a call carries and the provider does not get.
pub(super) fn call_rest(fields: &Object, who: &str, path: &str, notes: &mut Notes) {
    for name in fields.iter().filter(|(_, value)| !says_nothing(value)).map(|(name, _)| name) {
        left_out(notes, &format!("{path}.{name}"), format!("{who} takes no {name} of a call back"));
    }
}

/// The same for all calls of a message, of which the provider gets nothing but the calls.
pub(super) fn calls_rest(message: &Message, who: &str, path: &str, notes: &mut Notes) {
    let mut fields = CallFields::of(message);
    for (i, call) in message.tool_calls.iter().enumerate() {
        call_rest(&fields.take(i, &call.id), who, &format!("{path}.tool_calls[{i}]"), notes);
    }
}

/// The calls of a message that no block was found for yet, in their order.
pub(super) struct Calls<'a> {
    pub(super) left: Vec<Option<&'a ToolCall>>,
    /// Where the calls with an id are, and those of a function.
    by_id: BTreeMap<&'a str, VecDeque<usize>>,
    by_name: BTreeMap<&'a str, VecDeque<usize>>,
}

impl<'a> Calls<'a> {
    pub(super) fn of(calls: &'a [ToolCall]) -> Self {
        let mut found =
            Calls { left: Vec::new(), by_id: BTreeMap::new(), by_name: BTreeMap::new() };
        for (at, call) in calls.iter().enumerate() {
            found.left.push(Some(call));
            found.by_id.entry(&call.id).or_default().push_back(at);
            found.by_name.entry(&call.name).or_default().push_back(at);
        }
        found
    }

    /// Takes the first call of a block. Ids identify calls, so a call without its id was removed by
    /// the caller. A call that came without an id has one of ours.
    pub(super) fn take(&mut self, id: &str, name: &str) -> Option<&'a ToolCall> {
        let of_id = self.by_id.get_mut(id);
        let places = if id.is_empty() { self.by_name.get_mut(name) } else { of_id }?;
        while let Some(at) = places.pop_front() {
            // A call is in both lists, so it may be gone.
            if let Some(call) = self.left[at].take() {
                return Some(call);
            }
        }
        None
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
