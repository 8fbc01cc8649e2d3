//! Reads the messages of a request document.

use std::collections::VecDeque;

use super::request::{Content, Message, Part, Role};
use super::response::ToolCall;
use crate::codec::{Fields, Object, Path, wrong};
use crate::error::Error;
use crate::json::Value;

impl Message {
    pub(super) fn read(value: Value, path: Path, unknown: &mut Vec<String>) -> Result<Self, Error> {
        let visible = ["content", "tool_calls", "reasoning", "reasoning_content"];
        let native_only = value.get("provider_fields").is_some()
            && visible.iter().all(|name| value.get(name).is_none());
        let mut fields = Fields::of(value, path)?;
        let role = read_role(&mut fields)?;
        let mut others = Object::new();
        let content = read_content(&mut fields, role, &mut others, unknown)?;
        let tool_calls = read_tool_calls(&mut fields, &mut others)?;
        let mut message = Message {
            role,
            content,
            name: fields.string("name")?,
            tool_calls,
            tool_call_id: fields.string("tool_call_id")?,
            refusal: fields.string("refusal")?,
            reasoning: match fields.string("reasoning")? {
                Some(text) => Some(text),
                None => fields.string("reasoning_content")?,
            },
            is_error: fields.bool("is_error")?,
            provider_fields: fields.object("provider_fields")?.unwrap_or_default(),
            others,
            native_only,
        };
        match message.role {
            Role::Assistant => {}
            _ if message.content.is_none() => {
                return Err(fields.missing("content", "a string or a list of parts"));
            }
            _ => {}
        }
        if message.role == Role::Assistant {
            // It may be a response of another library, with members of its own (`annotations`,
            // `audio`, …). Each adapter sends what its provider takes back, and says the rest.
            for (name, items) in
                [("annotations", fields.list("annotations")?), ("images", fields.list("images")?)]
            {
                items.and_then(|items| message.others.insert(name, items));
            }
            if let Some(audio) = fields.object("audio")? {
                message.others.insert("audio", audio);
            }
            message.others.extend(fields.rest());
            message.read_thinking();
        } else {
            message.unsaid(&fields, unknown);
            fields.rest_into(unknown);
        }
        Ok(message)
    }

    /// Adds the members that only an assistant's message may have.
    fn unsaid(&self, fields: &Fields, unknown: &mut Vec<String>) {
        for (name, given) in [
            ("tool_calls", !self.tool_calls.is_empty()),
            ("refusal", self.refusal.is_some()),
            ("reasoning", self.reasoning.is_some()),
            ("provider_fields", !self.provider_fields.is_empty()),
            ("is_error", self.is_error.is_some() && self.role != Role::Tool),
        ] {
            if given {
                unknown.push(fields.at(name));
            }
        }
    }

    /// Thinking that another library gives as blocks is the reasoning, where none is given beside.
    fn read_thinking(&mut self) {
        if self.reasoning.is_some() {
            return;
        }
        let Some(Value::Array(blocks)) = self.others.get(THINKING) else { return };
        let mut text = String::new();
        for block in blocks {
            match block.get("thinking") {
                Some(Value::String(part)) => text.push_str(part),
                // Mistral's form.
                Some(Value::Array(items)) => {
                    let parts = items.iter().filter_map(|item| item.get("text")?.as_str());
                    parts.for_each(|part| text.push_str(part));
                }
                _ => {}
            }
        }
        self.reasoning = Some(text).filter(|text| !text.is_empty());
    }
}

fn read_role(fields: &mut Fields) -> Result<Role, Error> {
    let Some(word) = fields.string("role")? else {
        return Err(fields.missing("role", "one of system, developer, user, assistant, tool"));
    };
    Ok(match word.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => {
            let path = fields.at("role");
            let message = format!("{path} must be one of {}", Role::WORDS.join(", "));
            return Err(Error::invalid(path, message));
        }
    })
}

fn read_content(
    fields: &mut Fields,
    role: Role,
    others: &mut Object,
    unknown: &mut Vec<String>,
) -> Result<Option<Content>, Error> {
    Ok(match fields.value("content") {
        None => None,
        Some(Value::String(text)) => Some(Content::Text(text)),
        Some(Value::Array(mut items)) => {
            if role == Role::Assistant {
                take_thinking(&mut items, others);
            }
            let at = fields.at("content");
            let parts = items.into_iter().enumerate();
            let parts = parts.map(|(i, item)| Part::read(item, format!("{at}[{i}]"), unknown));
            Some(Content::Parts(parts.collect::<Result<_, _>>()?))
        }
        Some(other) => {
            return Err(wrong(&fields.at("content"), "a string or a list of parts", &other));
        }
    })
}

fn read_tool_calls(fields: &mut Fields, others: &mut Object) -> Result<Vec<ToolCall>, Error> {
    let mut tool_calls = Vec::new();
    for (i, item) in fields.list("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
        let path = fields.at(&format!("tool_calls[{i}]"));
        tool_calls.extend(read_tool_call(item, path, tool_calls.len(), others)?);
    }
    Ok(tool_calls)
}

/// The member that holds thinking as blocks, as `LiteLLM` names it.
const THINKING: &str = "thinking_blocks";

/// Moves thinking out of a list of parts: it is no part that can be shown.
fn take_thinking(items: &mut Vec<Value>, others: &mut Object) {
    let is_thinking = |item: &mut Value| {
        let kind = item.get("type").and_then(Value::as_str);
        matches!(kind, Some("thinking" | "redacted_thinking"))
    };
    let blocks: Vec<Value> = items.extract_if(.., is_thinking).collect();
    if !blocks.is_empty() {
        others.insert(THINKING, Value::Array(blocks));
    }
}

/// Adds to a list among the other members.
fn keep(others: &mut Object, name: &'static str, item: Object) {
    match others.get_mut(name) {
        Some(Value::Array(items)) => items.push(Value::Object(item)),
        _ => {
            others.insert(name, Value::Array(vec![Value::Object(item)]));
        }
    }
}

/// `None` for a call of a custom tool, which is text and no function: it goes to `others`.
fn read_tool_call(
    value: Value,
    path: String,
    index: usize,
    others: &mut Object,
) -> Result<Option<ToolCall>, Error> {
    let mut fields = Fields::of(value, path)?;
    let id = fields.string("id")?.unwrap_or_default();
    let function = fields.object("function")?;
    if let (None, Some(custom)) = (&function, fields.object("custom")?) {
        let kind = ("type", Value::from("custom"));
        let call = Object::from_iter([("id", id.into()), kind, ("custom", custom.into())]);
        keep(others, "custom_tool_calls", call);
        return Ok(None);
    }
    let Some(function) = function else {
        return Err(fields.missing("function", "an object with name and arguments"));
    };
    let mut function = Fields::new(function, fields.at("function"));
    let Some(name) = function.string("name")? else {
        return Err(function.missing("name", "the name of the function that was called"));
    };
    let arguments = match function.value("arguments") {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(object @ Value::Object(_)) => object.to_string(),
        Some(other) => {
            return Err(wrong(&function.at("arguments"), "a string of JSON, or an object", &other));
        }
    };
    fields.value("type");
    fields.value("index");
    let mut kept = fields.rest();
    for (name, value) in function.rest() {
        kept.insert(format!("function.{name}"), value);
    }
    if !kept.is_empty() {
        let mut call = Object::from_iter([("index", Value::from(index))]);
        if !id.is_empty() {
            call.insert("id", id.as_str());
        }
        call.extend(kept);
        keep(others, "tool_call_fields", call);
    }
    Ok(Some(ToolCall::new(id, name, arguments)))
}

/// Gives calls without an id one that tells them apart, and their results the same: a result
/// without an id answers the first such call that has none yet.
pub(super) fn name_calls(messages: &mut [Message]) -> Result<(), Error> {
    let mut open: VecDeque<String> = VecDeque::new();
    for (i, message) in messages.iter_mut().enumerate() {
        if message.role == Role::Assistant {
            open.clear();
        }
        for (place, call) in message.tool_calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = format!("call_{i}_{place}");
                open.push_back(call.id.clone());
            }
        }
        if message.role == Role::Tool && message.tool_call_id.as_deref().is_none_or(str::is_empty) {
            message.tool_call_id = open.pop_front().or(message.tool_call_id.take());
            if message.tool_call_id.is_none() {
                let path = format!("messages[{i}].tool_call_id");
                let text = format!("{path} is missing: the id of the tool call that this answers");
                return Err(Error::invalid(path, text));
            }
        }
    }
    Ok(())
}

impl Part {
    pub(super) fn read(
        value: Value,
        path: String,
        unknown: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let mut fields = Fields::of(value, path)?;
        let kind = fields.string("type")?;
        let cache_control = fields.value("cache_control");
        let part = match kind.as_deref() {
            Some("text" | "output_text") => match fields.string("text")? {
                Some(text) => Ok(Part::Text { text, cache_control }),
                None => Err(fields.missing("text", "the part's text")),
            },
            Some("image_url") => {
                let (url, detail) = match fields.value("image_url") {
                    Some(Value::String(url)) => (Some(url), None),
                    Some(Value::Object(image)) => {
                        let mut image = Fields::new(image, fields.at("image_url"));
                        let read = (image.string("url")?, image.string("detail")?);
                        image.rest_into(unknown);
                        read
                    }
                    Some(other) => return Err(wrong(&fields.at("image_url"), "an object", &other)),
                    None => (None, None),
                };
                match url {
                    Some(url) => Ok(Part::Image { url, detail, cache_control }),
                    None => {
                        Err(fields.missing("image_url.url", "a URL, or a data: URL with base64"))
                    }
                }
            }
            Some("input_audio") => {
                let Some(audio) = fields.object("input_audio")? else {
                    return Err(fields.missing("input_audio", "an object with data and format"));
                };
                let mut audio = Fields::new(audio, fields.at("input_audio"));
                match (audio.string("data")?, audio.string("format")?) {
                    (Some(data), Some(format)) => {
                        audio.rest_into(unknown);
                        if cache_control.is_some() {
                            unknown.push(fields.at("cache_control"));
                        }
                        Ok(Part::Audio { data, format })
                    }
                    _ => Err(audio.missing("data", "data in base64 and its format, wav or mp3")),
                }
            }
            Some("file") => match fields.object("file")? {
                Some(file) => Ok(Part::File { file, cache_control }),
                None => Err(fields.missing("file", "an object with file_data or file_id")),
            },
            // What an assistant refused to say, handed back as part of the history.
            Some("refusal") => {
                let text = fields.string("refusal")?.unwrap_or_default();
                Ok(Part::Text { text, cache_control: None })
            }
            _ => {
                let path = fields.at("type");
                let message = format!("{path} must be one of text, image_url, input_audio, file");
                Err(Error::invalid(path, message))
            }
        }?;
        fields.rest_into(unknown);
        Ok(part)
    }
}
