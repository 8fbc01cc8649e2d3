//! Encodes a unified request as the body of `POST /model/ID/converse`.

use super::{media, messages};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::provider::bedrock::path;
use crate::provider::{Notes, Target, extra, rules};
use crate::wire;

/// The request on the wire.
pub(super) fn request(
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let operation = if request.stream { "converse-stream" } else { "converse" };
    let body = body(request, target, notes)?;
    Ok(wire::Request::post(path(&target.model, operation)?, body.to_json()))
}

/// The body of a chat. That of a count has some of its members.
pub(in crate::provider::bedrock) fn body(
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<Object, Error> {
    let extra = extra(&request.extra, target);
    let claude = target.model.contains("anthropic");
    let rules = if claude { &rules::BEDROCK_CLAUDE } else { &rules::BEDROCK };
    let request = &*rules::adapted(request, rules, target, &extra, notes)?;
    let mut body = Object::new();
    let (system, messages) = messages::conversation(&request.messages, target, notes)?;
    body.insert("messages", messages);
    if !system.is_empty() {
        body.insert("system", system);
    }
    let config = inference(request);
    if !config.is_empty() {
        body.insert("inferenceConfig", config);
    }
    tools(request, &mut body, notes)?;
    output(request, target, &mut body, notes)?;
    if let Some(metadata) = &request.metadata {
        body.insert("requestMetadata", metadata.clone());
    }
    refused(request, notes)?;
    merge(&mut body, extra);
    Ok(body)
}

/// Adds the members that the caller wants. Objects are merged with ours.
fn merge(body: &mut Object, extra: Object) {
    for (name, value) in extra {
        match (name.as_str(), body.get_mut(&name), value) {
            (
                "inferenceConfig"
                | "toolConfig"
                | "outputConfig"
                | "additionalModelRequestFields"
                | "requestMetadata",
                Some(Value::Object(ours)),
                Value::Object(theirs),
            ) => ours.extend(theirs),
            (_, _, value) => drop(body.insert(name, value)),
        }
    }
}

fn inference(request: &Request) -> Object {
    let mut config = Object::new();
    if let Some(most) = request.max_tokens {
        config.insert("maxTokens", most);
    }
    for (name, value) in [("temperature", &request.temperature), ("topP", &request.top_p)] {
        if let Some(value) = value {
            config.insert(name, value.clone());
        }
    }
    if !request.stop.is_empty() {
        config.insert("stopSequences", request.stop.clone());
    }
    config
}

fn tools(request: &Request, body: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    if request.parallel_tool_calls == Some(false) {
        let text = "Bedrock cannot be asked for one call at a time";
        notes.unsupported("parallel_tool_calls", text)?;
    }
    let mut tools = Vec::new();
    for (i, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { cache_control, .. } => {
                tools.push(json!({ "toolSpec": function(tool) }));
                let path = format!("tools[{i}].cache_control");
                tools.extend(media::cache_point(cache_control.as_ref(), &path, notes));
            }
            // `{"systemTool": {"name": "nova_grounding"}}`, as it is.
            Tool::Native(native) => tools.push(Value::Object(native.clone())),
        }
    }
    if tools.is_empty() {
        return Ok(());
    }
    let choice = match &request.tool_choice {
        None => None,
        Some(ToolChoice::Auto) => Some(json!({ "auto": Object::new() })),
        Some(ToolChoice::Required) => Some(json!({ "any": Object::new() })),
        Some(ToolChoice::Function(name)) => {
            let tool = json!({ "name": name });
            Some(json!({ "tool": tool }))
        }
        Some(ToolChoice::None) if calls(request) => {
            // Without its tools a conversation with calls is refused [doc].
            let text = "Bedrock has no tool_choice \"none\": the model may call a tool";
            notes.unsupported("tool_choice", text)?;
            None
        }
        Some(ToolChoice::None) => {
            let text = "Bedrock has no tool_choice \"none\": the tools are not sent";
            notes.adjusted("tool_choice", text)?;
            return Ok(());
        }
    };
    let mut config = Object::from_iter([("tools", Value::Array(tools))]);
    if let Some(choice) = choice {
        config.insert("toolChoice", choice);
    }
    body.insert("toolConfig", config);
    Ok(())
}

/// Whether the conversation has calls of tools.
fn calls(request: &Request) -> bool {
    request.messages.iter().any(|message| !message.tool_calls.is_empty())
}

fn function(tool: &Tool) -> Value {
    let Tool::Function { name, description, parameters, strict, .. } = tool else {
        return Value::Null;
    };
    let mut spec = Object::from_iter([("name", Value::from(name.as_str()))]);
    // An empty description is refused [sdk].
    if let Some(description) = description.as_deref().filter(|text| !text.is_empty()) {
        spec.insert("description", description);
    }
    // A schema is required, also for a function without arguments.
    let schema = parameters
        .clone()
        .unwrap_or_else(|| json!({"type": "object", "properties": Object::new()}));
    spec.insert("inputSchema", json!({ "json": schema }));
    if let Some(strict) = strict {
        spec.insert("strict", *strict);
    }
    Value::Object(spec)
}

/// Writes the form of the answer, the effort and the thinking.
fn output(
    request: &Request,
    target: &Target,
    body: &mut Object,
    notes: &mut Notes,
) -> Result<(), Error> {
    let mut config = Object::new();
    match request.response_format.as_deref() {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => {
            let text = "Bedrock has no JSON mode without a schema: ask for json_schema";
            notes.unsupported("response_format", text)?;
        }
        // Every answer matches exactly, so `strict` has no effect here. The schema is a text [sdk].
        Some(ResponseFormat::JsonSchema { name, description, schema, strict: _ }) => {
            let mut schema = json!({"schema": schema.to_string(), "name": name});
            if let Some(description) = description {
                schema.set("description", description.as_str());
            }
            let structure = json!({ "jsonSchema": schema });
            let format = json!({"type": "json_schema", "structure": structure});
            config.insert("textFormat", format);
        }
    }
    if let Some(reasoning) = &request.reasoning {
        let (effort, fields) = thinking(reasoning, request.tool_choice.as_ref(), target, notes)?;
        if let Some(effort) = effort {
            config.insert("effort", effort);
        }
        if !fields.is_empty() {
            body.insert("additionalModelRequestFields", fields);
        }
    }
    if !config.is_empty() {
        body.insert("outputConfig", config);
    }
    Ok(())
}

/// The effort, and the model's own members for its thinking. Converse has a place for the effort
/// alone [sdk]; the rest differs by the family of the model.
fn thinking(
    reasoning: &Reasoning,
    choice: Option<&ToolChoice>,
    target: &Target,
    notes: &mut Notes,
) -> Result<(Option<String>, Object), Error> {
    let effort = reasoning.effort.as_deref();
    let off = reasoning.budget_tokens == Some(0) || effort == Some("none");
    let mut fields = Object::new();
    if target.model.contains("anthropic") {
        match (reasoning.budget_tokens, effort) {
            _ if off => drop(fields.insert("thinking", json!({"type": "disabled"}))),
            (Some(budget), _) => {
                let thinking = json!({"type": "enabled", "budget_tokens": budget});
                fields.insert("thinking", thinking);
            }
            // A forced call excludes thinking [doc], so the effort is then sent alone.
            (None, Some(_))
                if !matches!(choice, Some(ToolChoice::Required | ToolChoice::Function(_))) =>
            {
                fields.insert("thinking", json!({"type": "adaptive"}));
            }
            _ => {}
        }
    } else if let Some(budget) = reasoning.budget_tokens.filter(|budget| *budget > 0) {
        let text = format!(
            "Converse has no budget of {budget} tokens for the reasoning of this model: give an \
             effort, or the model's own member in extra.{}.additionalModelRequestFields",
            target.kind
        );
        notes.unsupported("reasoning.budget_tokens", text)?;
    } else if off {
        let text = "Converse cannot turn off the reasoning of this model";
        notes.unsupported("reasoning", text)?;
    }
    let effort = match effort.filter(|_| !off) {
        // The lowest level is low [sdk].
        Some("minimal") => {
            let text = "Bedrock has no effort \"minimal\": \"low\" is sent";
            notes.warn("adjusted", "reasoning.effort", text);
            Some("low")
        }
        effort => effort,
    };
    Ok((effort.map(str::to_owned), fields))
}

fn refused(request: &Request, notes: &mut Notes) -> Result<(), Error> {
    if request.n.is_some_and(|n| n > 1) {
        notes.unsupported("n", "Bedrock gives one answer a request: send several requests")?;
    }
    if request.user.is_some() {
        notes.unsupported("user", "Bedrock takes no id of a user: give it in metadata")?;
    }
    notes.further(request, &[], "Bedrock", &mut Object::new())?;
    for (name, given) in [
        ("seed", request.seed.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("frequency_penalty", request.frequency_penalty.is_some()),
    ] {
        if given {
            notes.unsupported(name, format!("Bedrock's Converse has no {name}"))?;
        }
    }
    Ok(())
}
