//! Encodes the messages of a chat completions request, with everything that an earlier answer
//! carries.

use std::fmt;

use super::encode::{Writer, insert};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part, Role, says_nothing};
use crate::provider::history::{self, CALL_FIELDS, CUSTOM_CALLS, CallFields, THINKING_BLOCKS};
use crate::provider::ids;
use crate::provider::openai::dialect::{Media, ReasoningBack};

/// `OpenRouter`'s reasoning, with signatures.
const DETAILS: &str = "reasoning_details";

/// What Google's endpoints add to a message and to a call, and want back: a signed thought.
const EXTENSION: &str = "extra_content";

impl Writer<'_> {
    pub fn message(&mut self, message: &Message, path: fmt::Arguments<'_>) -> Result<Value, Error> {
        let dialect = self.dialect;
        let role = match message.role {
            Role::Developer if !dialect.developer_role && self.notes.adapts() => Role::System,
            role => role,
        };
        let mut out = Object::with_capacity(4);
        out.insert("role", role.name());
        if let Some(content) = &message.content {
            let content = self.content(content, format_args!("{path}.content"))?;
            out.insert("content", content);
        }
        match &message.name {
            Some(name) if dialect.names => insert(&mut out, "name", Some(name.as_str())),
            // The call that a tool's result answers already gives the tool's name.
            Some(_) if role != Role::Tool => self.cannot(&format!("{path}.name"))?,
            _ => {}
        }
        if role == Role::Assistant {
            self.assistant(message, &path.to_string(), &mut out)?;
        }
        if let Some(id) = &message.tool_call_id {
            out.insert("tool_call_id", self.call_id(id));
        }
        if message.is_error == Some(true) {
            self.cannot(&format!("{path}.is_error"))?;
        }
        Ok(Value::Object(out))
    }

    /// Writes the members that only an assistant's message has.
    fn assistant(&mut self, message: &Message, path: &str, out: &mut Object) -> Result<(), Error> {
        self.refusal(message, out);
        self.reasoning_back(message, path, out);
        let calls = self.calls(message, path);
        if !calls.is_empty() {
            insert(out, "tool_calls", Some(calls));
        }
        self.audio(message, path, out);
        let mut sent = vec![CALL_FIELDS, CUSTOM_CALLS, DETAILS, "audio"];
        if self.dialect.prefix {
            insert(out, PREFIX, message.member(PREFIX).cloned());
            sent.push(PREFIX);
        }
        if self.dialect.extensions_back {
            insert(out, EXTENSION, message.member(EXTENSION).cloned());
            sent.push(EXTENSION);
        }
        // The text of these blocks is already in the reasoning.
        if message.others.contains_key(THINKING_BLOCKS) && message.reasoning.is_some() {
            sent.push(THINKING_BLOCKS);
        }
        history::rest(message, &sent, self.name, path, self.notes);
        if !out.contains_key("content") {
            out.insert("content", Value::Null);
        }
        Ok(())
    }

    /// Writes a refusal as a refusal, or else as text behind the other text.
    fn refusal(&self, message: &Message, out: &mut Object) {
        let Some(refusal) = message.refusal.as_deref().filter(|text| !text.is_empty()) else {
            return;
        };
        if self.dialect.refusals {
            return insert(out, "refusal", Some(refusal));
        }
        let content = match out.get_mut("content").map(Value::take) {
            Some(Value::Array(mut parts)) => {
                parts.push(json!({"type": "text", "text": refusal}));
                Value::Array(parts)
            }
            Some(Value::String(text)) if !text.is_empty() => format!("{text}\n\n{refusal}").into(),
            _ => refusal.into(),
        };
        out.insert("content", content);
    }

    fn calls(&mut self, message: &Message, path: &str) -> Vec<Value> {
        let mut calls = Vec::new();
        let mut fields = CallFields::of(message);
        for (i, call) in message.tool_calls.iter().enumerate() {
            let mut members = fields.take(i, &call.id);
            let path = format!("{path}.tool_calls[{i}]");
            let mut unsent = Object::new();
            members.retain(|name, value| {
                // A member that another library adds inside the function belongs to that library.
                let sent = self.dialect.extensions_back && !name.starts_with("function.");
                if !sent {
                    unsent.insert(name.clone(), value.take());
                }
                sent
            });
            history::call_rest(&unsent, self.name, &path, self.notes);
            // An empty text is no JSON; servers that parse it want an empty object.
            let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
            let function = json!({"name": &call.name, "arguments": arguments});
            insert(&mut members, "id", Some(self.call_id(&call.id)));
            insert(&mut members, "type", Some("function"));
            insert(&mut members, "function", Some(function));
            calls.push(Value::Object(members));
        }
        for call in history::custom_calls(message) {
            let id = self.call_id(call.id);
            calls.push(if self.dialect.custom_tools {
                let custom = json!({"name": call.name, "input": call.input});
                json!({"id": id, "type": "custom", "custom": custom})
            } else {
                let input = history::custom_as_function(&call, self.name, path, self.notes);
                let arguments = Value::Object(input).to_string();
                let function = json!({"name": call.name, "arguments": arguments});
                json!({"id": id, "type": "function", "function": function})
            });
        }
        calls
    }

    /// Names an audio answer by its id. For other servers its transcript is sent as text.
    fn audio(&mut self, message: &Message, path: &str, out: &mut Object) {
        let Some(audio) = message.member("audio") else { return };
        let member = |name: &str| audio.get(name).and_then(Value::as_str);
        let id = member("id").filter(|id| !id.is_empty());
        if let (true, Some(id)) = (self.dialect.audio_back, id) {
            return insert(out, "audio", Some(json!({ "id": id })));
        }
        let silent = out.get("content").is_none_or(says_nothing);
        let said = history::transcript(message, silent, self.name, path, self.notes);
        insert(out, "content", said);
    }

    fn reasoning_back(&mut self, message: &Message, path: &str, out: &mut Object) {
        let reasoning = message.reasoning.as_deref().filter(|text| !text.is_empty());
        let details = message.member(DETAILS);
        let back = &self.dialect.reasoning_back;
        if let (ReasoningBack::Details, Some(details)) = (back, details) {
            // Details hold more than the text: signatures and encrypted parts. They are sent if
            // their text is unchanged.
            let theirs = detail_text(details);
            if reasoning.is_none() || theirs.is_empty() || same_text(&theirs, reasoning) {
                return insert(out, DETAILS, Some(details.clone()));
            }
            let text = "the reasoning is not that of reasoning_details any more: it is sent alone, \
                        without their signatures";
            history::left_out(self.notes, &format!("{path}.{DETAILS}"), text);
        } else if details.is_some() {
            let text = format!("{} takes no {DETAILS} of an earlier answer back", self.name);
            history::left_out(self.notes, &format!("{path}.{DETAILS}"), text);
        }
        let Some(reasoning) = reasoning else { return };
        let name = match back {
            ReasoningBack::Content => "reasoning_content",
            ReasoningBack::Plain => "reasoning",
            ReasoningBack::PlainFor(models)
                if models.iter().any(|part| self.target.model.contains(part)) =>
            {
                "reasoning"
            }
            ReasoningBack::Details => "reasoning",
            ReasoningBack::PlainFor(_) | ReasoningBack::No => {
                let text = format!("{} takes no reasoning of an earlier answer back", self.name);
                return history::left_out(self.notes, &format!("{path}.reasoning"), text);
            }
        };
        insert(out, name, Some(reasoning));
    }

    fn content(&mut self, content: &Content, path: fmt::Arguments<'_>) -> Result<Value, Error> {
        let parts = match content {
            Content::Text(text) => return Ok(Value::from(text.as_str())),
            Content::Parts(parts) => parts,
        };
        let mut out = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            out.extend(self.part(part, format_args!("{path}[{i}]"))?);
        }
        Ok(Value::Array(out))
    }

    fn part(&mut self, part: &Part, path: fmt::Arguments<'_>) -> Result<Option<Value>, Error> {
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
            self.notes.unsupported(&path.to_string(), message)?;
            return Ok(None);
        }
        let (value, mark) = match part {
            Part::Text { text, cache_control } => {
                (json!({"type": "text", "text": text}), cache_control.as_ref())
            }
            Part::Image { url, detail, cache_control } => {
                let mut image = Object::from_iter([("url", url.as_str().into())]);
                insert(&mut image, "detail", detail.clone());
                (json!({"type": "image_url", "image_url": image}), cache_control.as_ref())
            }
            Part::Audio { data, .. } if self.dialect.media == Media::Mistral => {
                (json!({"type": "input_audio", "input_audio": data}), None)
            }
            Part::Audio { data, format } => {
                let audio = json!({"data": data, "format": format});
                (json!({"type": "input_audio", "input_audio": audio}), None)
            }
            Part::File { file, cache_control } if self.dialect.media == Media::Mistral => {
                (document(file, &path.to_string())?, cache_control.as_ref())
            }
            Part::File { file, cache_control } => {
                (json!({"type": "file", "file": file}), cache_control.as_ref())
            }
        };
        let Value::Object(mut value) = value else { return Ok(None) };
        self.cache_mark(&mut value, mark, path)?;
        Ok(Some(Value::Object(value)))
    }

    pub fn cache_mark(
        &mut self,
        out: &mut Object,
        mark: Option<&Value>,
        path: fmt::Arguments<'_>,
    ) -> Result<(), Error> {
        match mark {
            Some(mark) if self.dialect.cache_control => {
                insert(out, "cache_control", Some(mark.clone()))
            }
            Some(_) => self.cannot(&format!("{path}.cache_control"))?,
            None => {}
        }
        Ok(())
    }

    /// The id of a tool call in this server's form. A foreign id becomes nine characters of its
    /// hash, the same for the call and for its result.
    fn call_id(&self, id: &str) -> String {
        let fits = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !self.dialect.short_call_ids || fits {
            return id.to_owned();
        }
        ids::short(id)
    }
}

/// The member that makes an answer begin with a message's text.
const PREFIX: &str = "prefix";

/// A file in Mistral's form: by its address or its data as an address, or by its id [sdk 3.7].
fn document(file: &Object, path: &str) -> Result<Value, Error> {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    if let Some(id) = text("file_id") {
        return Ok(json!({"type": "file", "file_id": id}));
    }
    let url = match (text("file_data"), text("file_url")) {
        (Some(data), _) if !data.starts_with("data:") => {
            let path = format!("{path}.file.file_data");
            let message = format!("{path} must be a data: URL, data:application/pdf;base64,…");
            return Err(Error::invalid(path, message));
        }
        (Some(url), _) | (None, Some(url)) => url,
        (None, None) => {
            let path = format!("{path}.file");
            let message = format!("{path} needs file_data, file_id or file_url");
            return Err(Error::invalid(path, message));
        }
    };
    let mut document = json!({"type": "document_url", "document_url": url});
    if let Some(name) = text("filename") {
        document.set("document_name", name);
    }
    Ok(document)
}

/// The text that `reasoning_details` show.
fn detail_text(details: &Value) -> String {
    let items = details.as_array().into_iter().flatten();
    let text = |item: &Value| -> Option<String> {
        let text = item.get("text").or_else(|| item.get("summary"))?;
        Some(text.as_str()?.to_owned())
    };
    items.filter_map(text).collect()
}

/// Whether the words are the same: servers put a line end between the parts of one text, or none.
fn same_text(theirs: &str, ours: Option<&str>) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<String>();
    ours.is_some_and(|ours| words(theirs) == words(ours))
}
