//! The body of a chat completions request.
//!
//! Members in the order of OpenAI's documentation, numbers as they were received. What the server
//! cannot take is left out and noted; what the caller put under `extra` for this provider is laid
//! over the body at the end, as it is.

use std::fmt;

use super::decode::CALL_FIELDS;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part, Request, ResponseFormat, Role, Tool, ToolChoice};
use crate::provider::openai::dialect::{Dialect, Reasoning, ReasoningBack};
use crate::provider::{Notes, Target, extra};
use crate::wire;

/// The HTTP request for `request`.
pub(super) fn request(
    dialect: &Dialect,
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let mut writer =
        Writer { dialect, name: &target.provider, notes, body: Object::with_capacity(16) };
    writer.put("model", Value::from(&*target.model));
    let messages = request.messages.iter().enumerate();
    let messages = messages
        .map(|(i, message)| writer.message(message, format_args!("messages[{i}]")))
        .collect::<Result<Vec<_>, _>>()?;
    writer.put("messages", Value::Array(messages));
    writer.sampling(request)?;
    writer.tools(request)?;
    writer.reasoning(request)?;
    writer.answer_form(request)?;
    let Writer { mut body, .. } = writer;
    body.extend(extra(&request.extra, target));
    Ok(wire::Request::post("/chat/completions", body.to_json()))
}

struct Writer<'a> {
    dialect: &'a Dialect,
    name: &'a str,
    notes: &'a mut Notes,
    body: Object,
}

impl Writer<'_> {
    fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        self.body.insert(name, value);
    }

    fn put_some(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Writes a member that only some servers take.
    fn put_if(
        &mut self,
        taken: bool,
        name: &'static str,
        value: Option<impl Into<Value>>,
    ) -> Result<(), Error> {
        match value {
            Some(value) if taken => self.put(name, value),
            Some(_) => self.cannot(name)?,
            None => {}
        }
        Ok(())
    }

    fn cannot(&mut self, param: &str) -> Result<(), Error> {
        self.notes.unsupported(param, format!("{} takes no {param}", self.name))
    }

    fn sampling(&mut self, request: &Request) -> Result<(), Error> {
        let dialect = self.dialect;
        self.put_some(dialect.max_tokens, request.max_tokens);
        self.put_some("temperature", request.temperature.clone());
        self.put_some("top_p", request.top_p.clone());
        if !request.stop.is_empty() {
            self.put("stop", request.stop.clone());
        }
        match &request.seed {
            Some(seed) if !dialect.seed.is_empty() => self.put(dialect.seed, seed.clone()),
            Some(_) => self.cannot("seed")?,
            None => {}
        }
        // One choice is what every server gives.
        let n = request.n.filter(|n| dialect.many_choices || *n != 1);
        self.put_if(dialect.many_choices, "n", n)?;
        let presence = request.presence_penalty.clone();
        self.put_if(dialect.penalties, "presence_penalty", presence)?;
        let frequency = request.frequency_penalty.clone();
        self.put_if(dialect.penalties, "frequency_penalty", frequency)
    }

    fn tools(&mut self, request: &Request) -> Result<(), Error> {
        let dialect = self.dialect;
        let mut tools = Vec::new();
        for (i, tool) in request.tools.iter().enumerate() {
            tools.push(self.tool(tool, format_args!("tools[{i}]"))?);
        }
        if !tools.is_empty() {
            self.put("tools", tools);
        }
        let choice = match &request.tool_choice {
            // What a server does unasked need not be asked of one that takes no choice.
            Some(ToolChoice::Auto) => dialect.tool_choice.then(|| Value::from("auto")),
            Some(ToolChoice::None) => Some(Value::from("none")),
            Some(ToolChoice::Required) => Some(Value::from(dialect.any_tool)),
            Some(ToolChoice::Function(name)) => {
                Some(json!({"type": "function", "function": json!({"name": name})}))
            }
            None => None,
        };
        self.put_if(dialect.tool_choice, "tool_choice", choice)?;
        let parallel = request.parallel_tool_calls;
        self.put_if(dialect.parallel_tool_calls, "parallel_tool_calls", parallel)
    }

    fn tool(&mut self, tool: &Tool, path: fmt::Arguments<'_>) -> Result<Value, Error> {
        let Tool::Function { name, description, parameters, strict, cache_control } = tool else {
            let Tool::Native(native) = tool else { return Ok(Value::Null) };
            return Ok(Value::Object(native.clone()));
        };
        let mut function = Object::from_iter([("name", Value::from(name.as_str()))]);
        insert(&mut function, "description", description.clone());
        insert(&mut function, "parameters", parameters.clone());
        insert(&mut function, "strict", *strict);
        let mut out = Object::from_iter([
            ("type", Value::from("function")),
            ("function", Value::Object(function)),
        ]);
        self.cache_mark(&mut out, cache_control.as_ref(), path)?;
        Ok(Value::Object(out))
    }

    fn reasoning(&mut self, request: &Request) -> Result<(), Error> {
        let Some(asked) = &request.reasoning else { return Ok(()) };
        let effort = asked.effort.as_deref();
        match self.dialect.reasoning {
            Reasoning::Object => {
                // OpenRouter takes one of the two [unverified]; the budget is the more exact.
                let reasoning = match (asked.budget_tokens, effort) {
                    (Some(budget), None) => json!({"max_tokens": budget}),
                    (Some(budget), Some(_)) => {
                        self.notes.unsupported(
                            "reasoning.effort",
                            "effort and budget_tokens exclude each other here; the budget counts",
                        )?;
                        json!({"max_tokens": budget})
                    }
                    (None, effort) => json!({"effort": effort}),
                };
                self.put("reasoning", reasoning);
                return Ok(());
            }
            Reasoning::Thinking if effort == Some("none") => {
                self.put("thinking", json!({"type": "disabled"}));
            }
            Reasoning::Thinking => {
                self.put("thinking", json!({"type": "enabled"}));
                self.put_some("reasoning_effort", effort);
            }
            Reasoning::Effort => self.put_some("reasoning_effort", effort),
        }
        if asked.budget_tokens.is_some() {
            self.cannot("reasoning.budget_tokens")?;
        }
        Ok(())
    }

    fn answer_form(&mut self, request: &Request) -> Result<(), Error> {
        let dialect = self.dialect;
        match request.response_format.as_deref() {
            None => {}
            Some(ResponseFormat::Text) => self.put("response_format", json!({"type": "text"})),
            Some(ResponseFormat::JsonObject) => {
                self.put("response_format", json!({"type": "json_object"}));
            }
            Some(ResponseFormat::JsonSchema { .. }) if !dialect.json_schema => {
                self.cannot("response_format.json_schema")?;
            }
            Some(ResponseFormat::JsonSchema { name, description, schema, strict }) => {
                let mut inner = Object::from_iter([("name", name.as_str().into())]);
                insert(&mut inner, "description", description.clone());
                insert(&mut inner, "schema", Some(schema.clone()));
                insert(&mut inner, "strict", *strict);
                self.put("response_format", json!({"type": "json_schema", "json_schema": inner}));
            }
        }
        self.put_if(dialect.metadata, "metadata", request.metadata.clone())?;
        self.put_if(dialect.user, "user", request.user.clone())?;
        if request.stream {
            self.put("stream", true);
            if dialect.stream_options {
                self.put("stream_options", json!({"include_usage": true}));
            }
        }
        Ok(())
    }

    fn message(&mut self, message: &Message, path: fmt::Arguments<'_>) -> Result<Value, Error> {
        let dialect = self.dialect;
        let role = match message.role {
            Role::Developer if !dialect.developer_role => Role::System,
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
            // A tool's name is known from the call that its result answers.
            Some(_) if role != Role::Tool => self.cannot(&format!("{path}.name"))?,
            _ => {}
        }
        if role == Role::Assistant {
            self.assistant(message, &mut out);
        }
        if let Some(id) = &message.tool_call_id {
            out.insert("tool_call_id", self.call_id(id));
        }
        if message.is_error == Some(true) {
            self.cannot(&format!("{path}.is_error"))?;
        }
        Ok(Value::Object(out))
    }

    /// What only an assistant's message has.
    fn assistant(&mut self, message: &Message, out: &mut Object) {
        match &message.refusal {
            Some(refusal) if self.dialect.refusals => {
                insert(out, "refusal", Some(refusal.as_str()));
            }
            Some(refusal) if !out.contains_key("content") => {
                insert(out, "content", Some(refusal.as_str()));
            }
            _ => {}
        }
        self.reasoning_back(message, out);
        if !message.tool_calls.is_empty() {
            let calls = message.tool_calls.iter().enumerate();
            let calls = calls.map(|(i, call)| {
                let mut members = call_fields(message, i as u64);
                // Nothing at all is no JSON; servers that parse it want an empty object.
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                let function = json!({"name": &call.name, "arguments": arguments});
                insert(&mut members, "id", Some(self.call_id(&call.id)));
                insert(&mut members, "type", Some("function"));
                insert(&mut members, "function", Some(function));
                Value::Object(members)
            });
            let calls: Vec<Value> = calls.collect();
            insert(out, "tool_calls", Some(calls));
        }
        if !out.contains_key("content") {
            out.insert("content", Value::Null);
        }
    }

    fn reasoning_back(&self, message: &Message, out: &mut Object) {
        let Some(reasoning) = message.reasoning.as_deref() else {
            // Encrypted reasoning has no text, but has to come back.
            if self.dialect.reasoning_back == ReasoningBack::Details {
                insert(out, "reasoning_details", details(message));
            }
            return;
        };
        match self.dialect.reasoning_back {
            ReasoningBack::No => {}
            ReasoningBack::Content => insert(out, "reasoning_content", Some(reasoning)),
            ReasoningBack::Details => match details(message) {
                Some(details) => insert(out, "reasoning_details", Some(details)),
                None => insert(out, "reasoning", Some(reasoning)),
            },
        }
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
            Part::Audio { data, format } => {
                let audio = json!({"data": data, "format": format});
                (json!({"type": "input_audio", "input_audio": audio}), None)
            }
            Part::File { file, cache_control } => {
                (json!({"type": "file", "file": file}), cache_control.as_ref())
            }
        };
        let Value::Object(mut value) = value else { return Ok(None) };
        self.cache_mark(&mut value, mark, path)?;
        Ok(Some(Value::Object(value)))
    }

    fn cache_mark(
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

    /// The id of a tool call as this server wants it. A foreign id becomes nine characters of its
    /// hash, the same for the call and for its result.
    fn call_id(&self, id: &str) -> String {
        let fits = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !self.dialect.short_call_ids || fits {
            return id.to_owned();
        }
        const LETTERS: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        // FNV-1a: small, stable between versions, and no one attacks it here.
        let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut short = String::with_capacity(9);
        for _ in 0..9 {
            short.push(char::from(LETTERS[(hash % 62) as usize]));
            hash /= 62;
        }
        short
    }
}

/// The members of a call that the server gave and wants back (Gemini's `extra_content`).
fn call_fields(message: &Message, index: u64) -> Object {
    let kept = message.provider_fields.get(CALL_FIELDS).and_then(Value::as_array);
    let kept = kept.into_iter().flatten().filter_map(Value::as_object);
    let mut found = Object::new();
    for fields in kept.filter(|f| f.get("index").and_then(Value::as_u64) == Some(index)) {
        found.extend(fields.clone());
    }
    found.shift_remove("index");
    found
}

fn details(message: &Message) -> Option<Value> {
    message.provider_fields.get("reasoning_details").cloned()
}

fn insert<T: Into<Value>>(object: &mut Object, name: &'static str, value: Option<T>) {
    if let Some(value) = value {
        object.insert(name, value);
    }
}
