//! Reads a request document: everything but its messages, which `read_message` reads.
//!
//! By hand, not derived: a message about a wrong member has to name its path and must not quote its
//! value, which may be a prompt. Members that nobody knows are listed, at any depth.

use std::sync::Arc;

use super::further;
use super::options::Options;
use super::read_message::name_calls;
use super::request::{Message, Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::codec::{Fields, Object, Path, type_name, wrong};
use crate::error::Error;
use crate::json::Value;

impl Request {
    /// Reads the members of a chat request.
    pub(crate) fn read(mut fields: Fields, options: &Options) -> Result<Request, Error> {
        let mut unknown = Vec::new();
        let messages = read_conversation(&mut fields, &mut unknown)?;
        let max_tokens = fields.whole("max_tokens", 1)?;
        let max_completion_tokens = fields.whole("max_completion_tokens", 1)?;
        let request = Request {
            messages: Arc::new(messages),
            model: fields.name("model")?,
            max_tokens: max_completion_tokens.or(max_tokens),
            counts_completion: max_completion_tokens.is_some(),
            temperature: fields.number("temperature")?,
            top_p: fields.number("top_p")?,
            stop: read_stop(&mut fields)?,
            seed: fields.number("seed")?,
            n: fields.whole("n", 1)?,
            presence_penalty: fields.number("presence_penalty")?,
            frequency_penalty: fields.number("frequency_penalty")?,
            tools: Arc::new(read_tools(&mut fields, &mut unknown)?),
            tool_choice: read_tool_choice(&mut fields)?,
            parallel_tool_calls: fields.bool("parallel_tool_calls")?,
            response_format: read_response_format(&mut fields, &mut unknown)?.map(Box::new),
            reasoning: read_reasoning(&mut fields, &mut unknown)?,
            stream: fields.bool("stream")?.unwrap_or(false),
            metadata: fields.object("metadata")?,
            user: fields.string("user")?,
            further: further::read(&mut fields)?,
            extra: read_extra(&mut fields)?,
            unknown: Vec::new(),
        };
        // A usage chunk is always asked for; OpenAI's member says nothing that we do not do.
        fields.value("stream_options");
        Ok(Request { unknown: known_only(fields, unknown, options)?, ..request })
    }
}

/// Reads `extra`: members for one provider's body only.
pub(super) fn read_extra(fields: &mut Fields) -> Result<Object, Error> {
    let extra = fields.object("extra")?.unwrap_or_default();
    for (provider, members) in &extra {
        if !members.is_object() && !members.is_null() {
            return Err(wrong(&format!("extra.{provider}"), "an object", members));
        }
    }
    Ok(extra)
}

/// The paths of the members that nobody has read, after those already found; an error under
/// `options.strict`.
pub(super) fn known_only(
    fields: Fields,
    mut unknown: Vec<String>,
    options: &Options,
) -> Result<Vec<String>, Error> {
    fields.rest_into(&mut unknown);
    match unknown.first().filter(|_| options.strict == Some(true)) {
        None => Ok(unknown),
        Some(name) => Err(Error::invalid(
            name.as_str(),
            format!(
                "{name} is not a member of a request (options.strict is on); members for one \
                     provider go under extra.<provider>"
            ),
        )),
    }
}

fn read_conversation(
    fields: &mut Fields,
    unknown: &mut Vec<String>,
) -> Result<Vec<Message>, Error> {
    let prompt = fields.string("prompt")?;
    let messages = match fields.value("messages") {
        Some(Value::String(_)) => {
            let message = "messages must be a list, not a string: one text goes into prompt";
            return Err(Error::invalid("messages", message));
        }
        Some(Value::Array(items)) => Some(items),
        Some(other) => return Err(wrong("messages", "a list", &other)),
        None => None,
    };
    match (prompt, messages) {
        (Some(_), Some(_)) => Err(Error::invalid(
            "prompt",
            "prompt and messages exclude each other: give one of them",
        )),
        (Some(text), None) => Ok(vec![Message::user(text)]),
        (None, Some(items)) if items.is_empty() => {
            Err(Error::invalid("messages", "messages is empty: give at least one message"))
        }
        (None, Some(items)) => {
            let items = items.into_iter().enumerate();
            let read =
                items.map(|(i, item)| Message::read(item, Path::Item("messages", i), unknown));
            let mut messages = read.collect::<Result<Vec<_>, _>>()?;
            name_calls(&mut messages)?;
            Ok(messages)
        }
        (None, None) => {
            Err(fields.missing("messages", "give messages, or prompt for a single one"))
        }
    }
}

fn read_stop(fields: &mut Fields) -> Result<Vec<String>, Error> {
    match fields.value("stop") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(i, item)| match item {
                Value::String(text) => Ok(text),
                other => Err(wrong(&format!("stop[{i}]"), "a string", &other)),
            })
            .collect(),
        Some(other) => Err(wrong("stop", "a string or a list of strings", &other)),
    }
}

fn read_tools(fields: &mut Fields, unknown: &mut Vec<String>) -> Result<Vec<Tool>, Error> {
    let mut tools = Vec::new();
    for (i, item) in fields.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        let mut tool = Fields::of(item, Path::Item("tools", i))?;
        let kind = tool.string("type")?;
        if kind.as_deref() != Some("function") {
            let Some(kind) = kind else {
                return Err(
                    tool.missing("type", "\"function\", or the type of a provider's own tool")
                );
            };
            let mut native = Object::new();
            native.insert("type", Value::String(kind));
            native.extend(tool.rest());
            tools.push(Tool::Native(native));
            continue;
        }
        let Some(function) = tool.object("function")? else {
            return Err(tool.missing("function", "an object with name and parameters"));
        };
        let cache_control = tool.value("cache_control");
        let mut function = Fields::new(function, tool.at("function"));
        let Some(name) = function.string("name")? else {
            return Err(function.missing("name", "the function's name"));
        };
        let parameters = function.value("parameters");
        if let Some(other) = parameters.as_ref().filter(|value| !value.is_object()) {
            return Err(wrong(&function.at("parameters"), "an object (a JSON Schema)", other));
        }
        tools.push(Tool::Function {
            name,
            description: function.string("description")?,
            parameters,
            strict: function.bool("strict")?,
            cache_control,
        });
        function.rest_into(unknown);
        tool.rest_into(unknown);
    }
    Ok(tools)
}

fn read_tool_choice(fields: &mut Fields) -> Result<Option<ToolChoice>, Error> {
    let hint = "tool_choice must be auto, none, required, or \
                {\"type\":\"function\",\"function\":{\"name\":…}}";
    match fields.value("tool_choice") {
        None => Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" | "any" => Ok(Some(ToolChoice::Required)),
            _ => Err(Error::invalid("tool_choice", hint)),
        },
        Some(value) => {
            let name = value.get("function").and_then(|function| function.get("name"));
            let name = name.or_else(|| value.get("name"));
            match name.and_then(Value::as_str) {
                Some(name) => Ok(Some(ToolChoice::Function(name.to_owned()))),
                None => Err(Error::invalid("tool_choice", hint)),
            }
        }
    }
}

fn read_response_format(
    fields: &mut Fields,
    unknown: &mut Vec<String>,
) -> Result<Option<ResponseFormat>, Error> {
    let Some(object) = fields.object("response_format")? else { return Ok(None) };
    let mut format = Fields::new(object, "response_format");
    let words = ["text", "json_object", "json_schema"];
    match format.word("type", &words)? {
        Some(word @ ("text" | "json_object")) => {
            format.rest_into(unknown);
            Ok(Some(if word == "text" { ResponseFormat::Text } else { ResponseFormat::JsonObject }))
        }
        Some(_) => {
            let Some(inner) = format.object("json_schema")? else {
                return Err(format.missing("json_schema", "an object with name and schema"));
            };
            let mut inner = Fields::new(inner, "response_format.json_schema");
            let Some(schema) = inner.value("schema") else {
                return Err(inner.missing("schema", "a JSON Schema"));
            };
            if !schema.is_object() {
                let path = inner.at("schema");
                let message = format!("{path} must be an object, not {}", type_name(&schema));
                return Err(Error::invalid(path, message));
            }
            let read = ResponseFormat::JsonSchema {
                name: inner.string("name")?.unwrap_or_else(|| "response".to_owned()),
                description: inner.string("description")?,
                schema,
                strict: inner.bool("strict")?,
            };
            inner.rest_into(unknown);
            format.rest_into(unknown);
            Ok(Some(read))
        }
        None => Err(format.missing("type", "text, json_object or json_schema")),
    }
}

pub(crate) fn read_reasoning(
    fields: &mut Fields,
    unknown: &mut Vec<String>,
) -> Result<Option<Reasoning>, Error> {
    let alias = fields.string("reasoning_effort")?;
    let Some(object) = fields.object("reasoning")? else {
        return Ok(alias.map(|effort| Reasoning { effort: Some(effort), budget_tokens: None }));
    };
    let mut reasoning = Fields::new(object, "reasoning");
    let read = Reasoning {
        effort: reasoning.string("effort")?.or(alias),
        budget_tokens: reasoning.whole("budget_tokens", 0)?,
    };
    reasoning.rest_into(unknown);
    Ok(Some(read).filter(|r| r.effort.is_some() || r.budget_tokens.is_some()))
}
