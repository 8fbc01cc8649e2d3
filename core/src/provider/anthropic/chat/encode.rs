//! Encodes a unified request as the body of `POST /v1/messages`, which is that of Vertex's
//! `rawPredict`, too.

use super::messages;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::provider::anthropic::{Anthropic, VERSION, VERSION_HEADER, VERTEX_VERSION, version};
use crate::provider::{Notes, Target, extra, further, model_list, rules};
use crate::wire;

/// The default for the required `max_tokens`. Every served model accepts it, beside the tokens of
/// thinking [doc].
const MAX_TOKENS: u64 = 4096;

/// The member that says where the model may run [sdk].
const GEO: &str = "inference_geo";

/// The request on the wire.
pub(super) fn request(
    api: Anthropic,
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let extra = extra(&request.extra, target);
    let request = &*rules::adapted(request, &rules::ANTHROPIC, target, &extra, notes)?;
    let mut body = Object::new();
    match api {
        Anthropic::Api => body.insert("model", &*target.model),
        Anthropic::Vertex => body.insert("anthropic_version", VERTEX_VERSION),
    };
    if !extra.contains_key("max_tokens") {
        body.insert("max_tokens", max_tokens(request, notes));
    }
    conversation(request, &mut body, notes)?;
    if !request.stop.is_empty() {
        body.insert("stop_sequences", request.stop.clone());
    }
    sampling(request, api.samples(target), &mut body, notes)?;
    notes.further(request, FURTHER, "Anthropic", &mut body)?;
    tools(request, &mut body);
    output(request, &mut body, notes)?;
    metadata(request, &mut body, notes)?;
    region(api, target, &extra, &mut body)?;
    refused(request, notes)?;
    if request.stream {
        body.insert("stream", true);
    }
    body.extend(extra);
    if api == Anthropic::Vertex {
        let path = model_list::path_of_one("", target)?;
        let method = if request.stream { "streamRawPredict" } else { "rawPredict" };
        return Ok(wire::Request::post(format!("{path}:{method}"), body.to_json()));
    }
    let mut out = wire::Request::post("/v1/messages", body.to_json());
    out.header(VERSION_HEADER, version(target))?;
    Ok(out)
}

/// The body of a count of tokens: the members of a chat's that count [sdk].
pub(in crate::provider::anthropic) fn counted(
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<Object, Error> {
    let extra = extra(&request.extra, target);
    let request = &*rules::adapted(request, &rules::ANTHROPIC, target, &extra, notes)?;
    let mut body = Object::new();
    body.insert("model", &*target.model);
    conversation(request, &mut body, notes)?;
    tools(request, &mut body);
    output(request, &mut body, notes)?;
    body.extend(extra);
    Ok(body)
}

fn conversation(request: &Request, body: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    let (system, messages) = messages::conversation(&request.messages, notes)?;
    if let Some(system) = system {
        body.insert("system", system);
    }
    body.insert("messages", Value::Array(messages));
    Ok(())
}

/// What Anthropic takes of the members that only some providers know [sdk].
const FURTHER: further::Takes = &[("top_k", "top_k"), ("service_tier", "service_tier")];

fn max_tokens(request: &Request, notes: &mut Notes) -> u64 {
    if let Some(given) = request.max_tokens {
        return given;
    }
    // Thinking counts as output, and its budget must be less than max_tokens [doc].
    let budget = request.reasoning.as_ref().and_then(|reasoning| reasoning.budget_tokens);
    let default = MAX_TOKENS.saturating_add(budget.unwrap_or(0));
    let message =
        format!("Anthropic needs max_tokens and the request gives none: {default} is sent");
    notes.warn("default_applied", "max_tokens", message);
    default
}

fn sampling(
    request: &Request,
    taken: bool,
    body: &mut Object,
    notes: &mut Notes,
) -> Result<(), Error> {
    for (name, value) in [("temperature", &request.temperature), ("top_p", &request.top_p)] {
        let Some(value) = value else { continue };
        if taken {
            body.insert(name, value.clone());
        } else {
            let message = format!(
                "Anthropic has no {name} since API version {VERSION}: leave it out, or configure \
                 api_version 2023-06-01 for an older model"
            );
            notes.unsupported(name, message)?;
        }
    }
    Ok(())
}

fn tools(request: &Request, body: &mut Object) {
    if !request.tools.is_empty() {
        body.insert("tools", Value::from_iter(request.tools.iter().map(tool)));
    }
    let alone = request.parallel_tool_calls == Some(false);
    let mut choice = match &request.tool_choice {
        None if alone => json!({"type": "auto"}),
        None => return,
        Some(ToolChoice::Auto) => json!({"type": "auto"}),
        Some(ToolChoice::Required) => json!({"type": "any"}),
        Some(ToolChoice::None) => json!({"type": "none"}),
        Some(ToolChoice::Function(name)) => json!({"type": "tool", "name": name}),
    };
    // The choice `none` has no such member [sdk].
    if alone && request.tool_choice != Some(ToolChoice::None) {
        choice.set("disable_parallel_tool_use", true);
    }
    body.insert("tool_choice", choice);
}

fn tool(tool: &Tool) -> Value {
    let Tool::Function { name, description, parameters, strict, cache_control } = tool else {
        let Tool::Native(native) = tool else { return Value::Null };
        return Value::Object(native.clone());
    };
    let mut out = Object::new();
    out.insert("name", name.clone());
    if let Some(description) = description {
        out.insert("description", description.clone());
    }
    // A schema is required, also for a function without arguments [rec].
    let schema = parameters
        .clone()
        .unwrap_or_else(|| json!({"type": "object", "properties": Object::new()}));
    out.insert("input_schema", schema);
    if let Some(strict) = strict {
        out.insert("strict", *strict);
    }
    if let Some(mark) = cache_control {
        out.insert("cache_control", mark.clone());
    }
    Value::Object(out)
}

/// Writes thinking, effort and the form of the answer.
fn output(request: &Request, body: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    let mut config = Object::new();
    if let Some(reasoning) = &request.reasoning {
        if let Some(thinking) = thinking(reasoning, request.tool_choice.as_ref()) {
            body.insert("thinking", thinking);
        }
        match reasoning.effort.as_deref() {
            None | Some("none") => {}
            // The lowest level is low [sdk].
            Some("minimal") => {
                let message = "Anthropic has no effort \"minimal\": \"low\" is sent";
                notes.warn("adjusted", "reasoning.effort", message);
                config.insert("effort", "low");
            }
            Some(word) => {
                config.insert("effort", word);
            }
        }
    }
    match request.response_format.as_deref() {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => {
            let message = "Anthropic has no JSON mode without a schema: ask for json_schema";
            notes.unsupported("response_format", message)?;
        }
        // The schema's name is only a label, and every answer matches exactly. So `name` and
        // `strict` have no effect here.
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            config.insert("format", json!({"type": "json_schema", "schema": schema}));
        }
    }
    if !config.is_empty() {
        body.insert("output_config", Value::Object(config));
    }
    Ok(())
}

/// A budget asks for thinking of that size. `none` or a budget of 0 asks for no thinking. An effort
/// asks for as much thinking as the model finds fit (`adaptive`). A forced tool call excludes
/// thinking [doc], so the effort is then sent alone.
fn thinking(reasoning: &Reasoning, choice: Option<&ToolChoice>) -> Option<Value> {
    match (reasoning.budget_tokens, reasoning.effort.as_deref()) {
        (Some(0), _) | (None, Some("none")) => Some(json!({"type": "disabled"})),
        (Some(budget), _) => Some(json!({"type": "enabled", "budget_tokens": budget})),
        (None, Some(_)) => match choice {
            Some(ToolChoice::Required | ToolChoice::Function(_)) => None,
            _ => Some(json!({"type": "adaptive"})),
        },
        (None, None) => None,
    }
}

fn metadata(request: &Request, body: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    let mut user = request.user.clone().map(Value::String);
    for (name, value) in request.metadata.iter().flatten() {
        if name == "user_id" {
            user.get_or_insert_with(|| value.clone());
        } else {
            let message = "Anthropic stores no metadata but user_id";
            notes.unsupported(&format!("metadata.{name}"), message)?;
        }
    }
    if let Some(user) = user {
        body.insert("metadata", json!({ "user_id": user }));
    }
    Ok(())
}

/// Where the model may run. At Vertex the host says it.
fn region(api: Anthropic, target: &Target, extra: &Object, body: &mut Object) -> Result<(), Error> {
    let Some(region) = target.region.as_deref().filter(|_| api == Anthropic::Api) else {
        return Ok(());
    };
    match extra.get(GEO) {
        Some(other) if other.as_str() != Some(region) => {
            let path = format!("extra.{}.{GEO}", target.provider);
            let message = format!("{path} is another one than the provider's region, {region}");
            Err(Error::invalid(path, message))
        }
        _ => {
            body.insert(GEO, region);
            Ok(())
        }
    }
}

fn refused(request: &Request, notes: &mut Notes) -> Result<(), Error> {
    if request.n.is_some_and(|n| n > 1) {
        notes.unsupported("n", "Anthropic gives one answer a request: send several requests")?;
    }
    for (name, given) in [
        ("seed", request.seed.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("frequency_penalty", request.frequency_penalty.is_some()),
    ] {
        if given {
            notes.unsupported(name, format!("Anthropic has no {name}"))?;
        }
    }
    Ok(())
}
