//! Encodes a unified request as the body of `POST /v2/chat`. Unknown members are refused with 422,
//! so only members that the API has are sent.

use super::content::{cache_mark, content};
use super::history;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Message, Reasoning, Request, ResponseFormat, Role, Tool, ToolChoice};
use crate::provider::{Notes, Target, extra, further, rules};
use crate::wire;

/// The request on the wire.
pub(super) fn request(
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let extra = extra(&request.extra, target);
    let request = &*rules::adapted(request, &rules::COHERE, target, &extra, notes)?;
    let mut body = Object::new();
    body.insert("model", &*target.model);
    let mut messages = Vec::new();
    for (i, item) in request.messages.iter().enumerate() {
        messages.push(message(item, &format!("messages[{i}]"), notes)?);
    }
    body.insert("messages", messages);
    if let Some(max) = request.max_tokens {
        body.insert("max_tokens", max);
    }
    for (name, value) in [
        ("temperature", &request.temperature),
        ("p", &request.top_p),
        ("seed", &request.seed),
        ("frequency_penalty", &request.frequency_penalty),
        ("presence_penalty", &request.presence_penalty),
    ] {
        if let Some(value) = value {
            body.insert(name, value.clone());
        }
    }
    notes.further(request, FURTHER, "Cohere", &mut body)?;
    if !request.stop.is_empty() {
        body.insert("stop_sequences", request.stop.clone());
    }
    tools(request, &mut body, notes)?;
    if let Some(format) = response_format(request.response_format.as_deref()) {
        body.insert("response_format", format);
    }
    if let Some(reasoning) = &request.reasoning {
        body.insert("thinking", thinking(reasoning, notes)?);
    }
    refused(request, notes)?;
    if request.stream {
        body.insert("stream", true);
    }
    body.extend(extra);
    Ok(wire::Request::post("/v2/chat", body.to_json()))
}

/// What Cohere takes of the members that only some providers know [sdk].
const FURTHER: further::Takes = &[("logprobs", "logprobs"), ("top_k", "k")];

fn message(message: &Message, path: &str, notes: &mut Notes) -> Result<Value, Error> {
    let mut out = Object::new();
    let role = if message.role == Role::Developer { Role::System } else { message.role };
    out.insert("role", role.name());
    // The id of a tool's result already identifies the tool.
    if message.name.is_some() && role != Role::Tool {
        notes.unsupported(&format!("{path}.name"), "Cohere takes no name of a speaker")?;
    }
    if message.is_error.is_some() {
        let text = "Cohere has no mark for a failed tool call: say it in the content";
        notes.unsupported(&format!("{path}.is_error"), text)?;
    }
    if let Some(id) = &message.tool_call_id {
        out.insert("tool_call_id", id.clone());
    }
    if role == Role::Assistant {
        history::assistant(message, path, &mut out, notes)?;
    } else if let Some(content) = content(message, path, notes)? {
        out.insert("content", content);
    }
    Ok(Value::Object(out))
}

fn tools(request: &Request, body: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    let mut tools = Vec::new();
    let mut strict_ones = Vec::new();
    for (i, tool) in request.tools.iter().enumerate() {
        let path = format!("tools[{i}]");
        let Tool::Function { name, description, parameters, strict, cache_control } = tool else {
            notes.unsupported(&path, "Cohere has no tools of its own in chat")?;
            continue;
        };
        let mut function = Object::new();
        function.insert("name", name.clone());
        if let Some(description) = description {
            function.insert("description", description.clone());
        }
        let schema = parameters.clone();
        let schema =
            schema.unwrap_or_else(|| json!({"type": "object", "properties": Object::new()}));
        function.insert("parameters", schema);
        tools.push(json!({"type": "function", "function": function}));
        if *strict == Some(true) {
            strict_ones.push(path.clone());
        }
        if cache_control.is_some() {
            cache_mark(&path, notes)?;
        }
    }
    if !tools.is_empty() {
        // One switch holds for all tools.
        if strict_ones.len() == tools.len() {
            body.insert("strict_tools", true);
        } else {
            for path in strict_ones {
                let text = "Cohere's tools are strict all or none: mark all of them";
                notes.unsupported(&format!("{path}.function.strict"), text)?;
            }
        }
        body.insert("tools", tools);
    }
    let choice = match &request.tool_choice {
        // The model decides by default; there is no word for it [sdk].
        None | Some(ToolChoice::Auto) => return Ok(()),
        Some(ToolChoice::Required) => "REQUIRED",
        Some(ToolChoice::None) => "NONE",
        Some(ToolChoice::Function(_)) => {
            let text = "Cohere cannot be made to call one tool by name: offer that tool alone with \
                        \"required\"";
            return notes.unsupported("tool_choice", text);
        }
    };
    body.insert("tool_choice", choice);
    Ok(())
}

/// The form of the answer. There is no type `json_schema`: a schema is a member of `json_object`
/// [sdk].
fn response_format(format: Option<&ResponseFormat>) -> Option<Value> {
    match format? {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(json!({"type": "json_object"})),
        ResponseFormat::JsonSchema { schema, .. } => {
            Some(json!({"type": "json_object", "json_schema": schema}))
        }
    }
}

/// Thinking is on or off, with an optional budget.
fn thinking(reasoning: &Reasoning, notes: &mut Notes) -> Result<Value, Error> {
    let word = reasoning.effort.as_deref();
    if reasoning.budget_tokens == Some(0)
        || (reasoning.budget_tokens.is_none() && word == Some("none"))
    {
        return Ok(json!({"type": "disabled"}));
    }
    if word.is_some() {
        let text = "Cohere has no levels of effort: thinking is on; bound it by budget_tokens";
        notes.unsupported("reasoning.effort", text)?;
    }
    Ok(match reasoning.budget_tokens {
        Some(budget) => json!({"type": "enabled", "token_budget": budget}),
        None => json!({"type": "enabled"}),
    })
}

fn refused(request: &Request, notes: &mut Notes) -> Result<(), Error> {
    if request.n.is_some_and(|n| n > 1) {
        notes.unsupported("n", "Cohere gives one answer a request: send several requests")?;
    }
    if request.parallel_tool_calls == Some(false) {
        notes.unsupported("parallel_tool_calls", "Cohere cannot be held to one tool call")?;
    }
    for (name, given) in
        [("user", request.user.is_some()), ("metadata", request.metadata.is_some())]
    {
        if given {
            notes.unsupported(name, format!("Cohere has no {name}"))?;
        }
    }
    Ok(())
}
