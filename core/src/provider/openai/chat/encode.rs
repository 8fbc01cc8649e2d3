//! Encodes the body of a chat completions request.
//!
//! Members are in the order of OpenAI's documentation, and numbers are as they were received. What
//! the server cannot take is left out and noted. The caller's `extra` for this provider is laid
//! over the body at the end, unchanged.

use std::fmt;

use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Request, ResponseFormat, Tool, ToolChoice};
use crate::provider::openai::dialect::{CompletionTokens, Dialect, Reasoning};
use crate::provider::{Notes, Target, extra, rules};
use crate::wire;

const COMPLETION: &str = "max_completion_tokens";

/// The HTTP request for `request`.
pub(in crate::provider::openai) fn request(
    dialect: &Dialect,
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let extra = extra(&request.extra, target);
    let request = &*rules::adapted(request, dialect.rules, target, &extra, notes)?;
    let mut writer =
        Writer { dialect, target, name: &target.provider, notes, body: Object::with_capacity(16) };
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
    body.extend(extra);
    dialect.post(target, body.to_json())
}

pub(super) struct Writer<'a> {
    pub dialect: &'a Dialect,
    pub target: &'a Target,
    pub name: &'a str,
    pub notes: &'a mut Notes,
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

    pub fn cannot(&mut self, param: &str) -> Result<(), Error> {
        self.notes.unsupported(param, format!("{} takes no {param}", self.name))
    }

    /// The member for `max_tokens`: the server's own, unless the caller or the model names the other
    /// one.
    fn max_tokens(&self, request: &Request) -> &'static str {
        let (dialect, model) = (self.dialect, &self.target.model);
        let asked = request.counts_completion;
        let completion = match dialect.completion {
            // As the caller wrote it.
            _ if !self.notes.adapts() => return if asked { COMPLETION } else { "max_tokens" },
            CompletionTokens::Never => false,
            CompletionTokens::Asked => asked,
            CompletionTokens::AskedOrModel => {
                asked || rules::models::counts_completion(dialect.rules.models, model)
            }
        };
        if completion { COMPLETION } else { dialect.max_tokens }
    }

    fn sampling(&mut self, request: &Request) -> Result<(), Error> {
        let Dialect { sampling: takes, seed, .. } = self.dialect;
        self.put_some(self.max_tokens(request), request.max_tokens);
        self.put_if(takes.temperature, "temperature", request.temperature.clone())?;
        self.put_if(takes.top_p, "top_p", request.top_p.clone())?;
        let stop = (!request.stop.is_empty()).then(|| request.stop.clone());
        self.put_if(takes.stop, "stop", stop)?;
        match &request.seed {
            Some(number) if takes.seed => self.put(seed, number.clone()),
            Some(_) => self.cannot("seed")?,
            None => {}
        }
        // Every server gives one choice.
        let n = request.n.filter(|n| takes.n || *n != 1);
        self.put_if(takes.n, "n", n)?;
        let presence = request.presence_penalty.clone();
        self.put_if(takes.presence_penalty, "presence_penalty", presence)?;
        let frequency = request.frequency_penalty.clone();
        self.put_if(takes.frequency_penalty, "frequency_penalty", frequency)?;
        let takes = self.dialect.further;
        self.notes.further(request, takes, self.name, &mut self.body)
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
            // A server that takes no choice already does `auto` unasked.
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
                // OpenRouter takes one of the two [unverified]; the budget is more exact.
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
}

pub(super) fn insert<T: Into<Value>>(object: &mut Object, name: &'static str, value: Option<T>) {
    if let Some(value) = value {
        object.insert(name, value);
    }
}
