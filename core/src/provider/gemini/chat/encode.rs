//! Encodes a unified request as the body of `generateContent`.

use super::contents;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::provider::gemini::models::path_of_model;
use crate::provider::{Notes, Target, extra, further, rules};
use crate::wire;

/// The request on the wire.
pub(super) fn request(
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let stream = request.stream;
    let body = body(request, target, notes)?;
    let path = path_of_model(target)?;
    Ok(if stream {
        let path = format!("{path}:streamGenerateContent");
        wire::Request { query: "alt=sse".into(), ..wire::Request::post(path, body.to_json()) }
    } else {
        wire::Request::post(format!("{path}:generateContent"), body.to_json())
    })
}

/// The body of a chat. That of a count has the same form.
pub(in crate::provider::gemini) fn body(
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<Object, Error> {
    let extra = extra(&request.extra, target);
    let request = &*rules::adapted(request, &rules::GEMINI, target, &extra, notes)?;
    let mut body = Object::new();
    let (system, contents) = contents::conversation(&request.messages, target, notes)?;
    body.insert("contents", contents);
    if let Some(system) = system {
        body.insert("systemInstruction", system);
    }
    tools(request, &mut body, notes)?;
    let config = config(request, target, notes)?;
    if !config.is_empty() {
        body.insert("generationConfig", config);
    }
    labels(request, target, &mut body, notes)?;
    merge(&mut body, extra);
    Ok(body)
}

/// Adds the members that the caller wants. Those of `generationConfig` and `toolConfig` are merged
/// with ours, in each of Google's spellings.
fn merge(body: &mut Object, extra: Object) {
    for (name, value) in extra {
        let name = match name.as_str() {
            "generation_config" => "generationConfig".into(),
            "tool_config" => "toolConfig".into(),
            "system_instruction" => "systemInstruction".into(),
            _ => name,
        };
        match (name.as_str(), body.get_mut(&name), value) {
            (
                "generationConfig" | "toolConfig",
                Some(Value::Object(ours)),
                Value::Object(theirs),
            ) => ours.extend(theirs),
            (_, _, value) => drop(body.insert(name, value)),
        }
    }
}

/// The functions are one tool; each of the provider's own tools is another.
fn tools(request: &Request, body: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    let mut functions = Vec::new();
    let mut tools = Vec::new();
    for (i, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { name, description, parameters, strict, cache_control } => {
                let path = format!("tools[{i}]");
                if *strict == Some(true) {
                    let text = "Gemini has no strict functions: the schema is sent all the same";
                    notes.unsupported(&format!("{path}.function.strict"), text)?;
                }
                if cache_control.is_some() {
                    let text = "Gemini caches by itself, without marks";
                    notes.unsupported(&format!("{path}.cache_control"), text)?;
                }
                let mut function = Object::new();
                function.insert("name", name.clone());
                if let Some(description) = description {
                    function.insert("description", description.clone());
                }
                if let Some(parameters) = parameters {
                    function.insert("parametersJsonSchema", parameters.clone());
                }
                functions.push(Value::Object(function));
            }
            Tool::Native(native) => tools.push(own_tool(native)),
        }
    }
    if !functions.is_empty() {
        tools.insert(0, json!({ "functionDeclarations": functions }));
    }
    if !tools.is_empty() {
        body.insert("tools", tools);
    }
    if request.parallel_tool_calls == Some(false) {
        let text = "Gemini cannot be asked for one call at a time";
        notes.unsupported("parallel_tool_calls", text)?;
    }
    let calling = match &request.tool_choice {
        None => return Ok(()),
        Some(ToolChoice::Auto) => json!({"mode": "AUTO"}),
        Some(ToolChoice::None) => json!({"mode": "NONE"}),
        Some(ToolChoice::Required) => json!({"mode": "ANY"}),
        Some(ToolChoice::Function(name)) => {
            let names = vec![Value::from(name.as_str())];
            json!({"mode": "ANY", "allowedFunctionNames": names})
        }
    };
    body.insert("toolConfig", json!({ "functionCallingConfig": calling }));
    Ok(())
}

/// A tool of the provider's own: `{"type": "googleSearch"}` is `{"googleSearch": {}}`.
fn own_tool(native: &Object) -> Value {
    let mut members = native.clone();
    match members.shift_remove("type") {
        Some(Value::String(kind)) => {
            Value::Object(Object::from_iter([(kind, Value::Object(members))]))
        }
        _ => Value::Object(members),
    }
}

/// What Google takes of the members that only some providers know [doc].
const FURTHER: further::Takes = &[
    ("logprobs", "responseLogprobs"),
    ("top_logprobs", "logprobs"),
    ("top_k", "topK"),
    ("modalities", "responseModalities"),
    ("audio", SPEECH),
];

/// The member that says how an answer is spoken.
const SPEECH: &str = "speechConfig";

fn config(request: &Request, target: &Target, notes: &mut Notes) -> Result<Object, Error> {
    let mut config = Object::new();
    if let Some(most) = request.max_tokens {
        config.insert("maxOutputTokens", most);
    }
    for (name, value) in [
        ("temperature", &request.temperature),
        ("topP", &request.top_p),
        ("seed", &request.seed),
        ("presencePenalty", &request.presence_penalty),
        ("frequencyPenalty", &request.frequency_penalty),
    ] {
        if let Some(value) = value {
            config.insert(name, value.clone());
        }
    }
    notes.further(request, FURTHER, &target.provider, &mut config)?;
    media(&mut config, notes)?;
    if !request.stop.is_empty() {
        config.insert("stopSequences", request.stop.clone());
    }
    if let Some(n) = request.n {
        config.insert("candidateCount", n);
    }
    match request.response_format.as_deref() {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => {
            config.insert("responseMimeType", "application/json");
        }
        // The schema's name is only a label, and every answer matches.
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            config.insert("responseMimeType", "application/json");
            config.insert("responseJsonSchema", schema.clone());
        }
    }
    if let Some(reasoning) = &request.reasoning
        && let Some(thinking) = thinking(reasoning, target, notes)
    {
        config.insert("thinkingConfig", thinking);
    }
    Ok(config)
}

/// Puts the members of the answer's kinds into Google's words.
fn media(config: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    // Google returns none without this, whatever their number [doc].
    if config.contains_key("logprobs") && !config.contains_key("responseLogprobs") {
        config.insert("responseLogprobs", true);
    }
    if let Some(Value::Array(words)) = config.get_mut("responseModalities") {
        for word in words {
            *word = word.as_str().unwrap_or_default().to_uppercase().into();
        }
    }
    let Some(Value::Object(audio)) = config.shift_remove(SPEECH) else { return Ok(()) };
    for (name, value) in audio {
        match (name.as_str(), value) {
            ("voice", Value::String(voice)) => {
                let voice = json!({ "voiceName": voice });
                let voice = json!({ "prebuiltVoiceConfig": voice });
                config.insert(SPEECH, json!({ "voiceConfig": voice }));
            }
            (name, _) => {
                let text = format!("Gemini takes no audio.{name}: its own form is speechConfig");
                notes.unsupported(&format!("audio.{name}"), text)?;
            }
        }
    }
    Ok(())
}

/// How much the model thinks. Gemini 3 has levels, and the models before it have budgets, for which
/// Google names what an effort is worth [doc].
fn thinking(reasoning: &Reasoning, target: &Target, notes: &mut Notes) -> Option<Value> {
    let mut config = Object::new();
    if let Some(budget) = reasoning.budget_tokens {
        config.insert("thinkingBudget", budget);
        config.insert("includeThoughts", budget > 0);
        return Some(Value::Object(config));
    }
    let effort = reasoning.effort.as_deref()?;
    let name = target.model.rsplit('/').next().unwrap_or(&target.model);
    if name.starts_with("gemini-2") {
        let budget: u64 = match effort {
            "none" => 0,
            "minimal" | "low" => 1_024,
            "medium" => 8_192,
            _ => 24_576,
        };
        config.insert("thinkingBudget", budget);
    } else if effort == "none" {
        let text = "this model always thinks: \"minimal\" is sent";
        notes.warn("adjusted", "reasoning.effort", text);
        config.insert("thinkingLevel", "minimal");
    } else {
        config.insert("thinkingLevel", effort);
    }
    config.insert("includeThoughts", effort != "none");
    Some(Value::Object(config))
}

/// Vertex stores labels with a request; the Gemini API stores nothing.
fn labels(
    request: &Request,
    target: &Target,
    body: &mut Object,
    notes: &mut Notes,
) -> Result<(), Error> {
    if let Some(metadata) = &request.metadata {
        if target.kind == "vertex" {
            body.insert("labels", metadata.clone());
        } else {
            notes.unsupported("metadata", "Gemini stores no metadata")?;
        }
    }
    if request.user.is_some() {
        notes.unsupported("user", "Gemini takes no id of a user")?;
    }
    Ok(())
}
