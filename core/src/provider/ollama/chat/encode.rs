//! Encodes a unified request as the body of `POST /api/chat`. The server reads members that it knows
//! and drops the others in silence, so only those that it has are sent.

use super::content::{WHO, cache_mark};
use super::messages;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::provider::{Notes, Target, asked_extra, extra, further, rules};
use crate::wire;

/// The request on the wire.
pub(super) fn request(
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let all = extra(&request.extra, target);
    let request = &*rules::adapted(request, &rules::COMMON, target, &all, notes)?;
    let mut body = Object::new();
    body.insert("model", &*target.model);
    body.insert("messages", messages::conversation(&request.messages, notes)?);
    // Without the member the answer is a stream [doc].
    body.insert("stream", request.stream);
    tools(request, &mut body, notes)?;
    match request.response_format.as_deref() {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => drop(body.insert("format", "json")),
        // The schema's name is only a label, and every answer matches.
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            body.insert("format", schema.clone());
        }
    }
    if let Some(reasoning) = &request.reasoning
        && let Some(think) = think(reasoning, target, notes)?
    {
        body.insert("think", think);
    }
    notes.further(request, FURTHER, WHO, &mut body)?;
    let options = options(request, &mut body);
    if !options.is_empty() {
        body.insert("options", options);
    }
    refused(request, notes)?;
    if let Some(members) = target.body.as_deref() {
        let path = format!("providers.{}.body", target.provider);
        merge(&mut body, members.clone(), &path, notes);
    }
    let path = format!("extra.{}", target.provider);
    merge(&mut body, asked_extra(&request.extra, target), &path, notes);
    Ok(wire::Request::post("/api/chat", body.to_json()))
}

/// What Ollama takes of the members that only some providers know [sdk 0.6].
const FURTHER: further::Takes =
    &[("logprobs", "logprobs"), ("top_logprobs", "top_logprobs"), ("top_k", TOP_K)];

/// This one is an option.
const TOP_K: &str = "top_k";

/// How the model samples, under Ollama's names [sdk 0.6].
fn options(request: &Request, body: &mut Object) -> Object {
    let mut options = Object::new();
    if let Some(most) = request.max_tokens {
        options.insert("num_predict", most);
    }
    for (name, value) in [
        ("temperature", &request.temperature),
        ("top_p", &request.top_p),
        ("seed", &request.seed),
        ("presence_penalty", &request.presence_penalty),
        ("frequency_penalty", &request.frequency_penalty),
    ] {
        if let Some(value) = value {
            options.insert(name, value.clone());
        }
    }
    if let Some(top_k) = body.shift_remove(TOP_K) {
        options.insert(TOP_K, top_k);
    }
    if !request.stop.is_empty() {
        options.insert("stop", request.stop.clone());
    }
    options
}

/// The options [sdk 0.6]; `min_p` [doc].
const OPTIONS: [&str; 31] = [
    "embedding_only",
    "f16_kv",
    "frequency_penalty",
    "logits_all",
    "low_vram",
    "main_gpu",
    "min_p",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_predict",
    "num_thread",
    "numa",
    "penalize_newline",
    "presence_penalty",
    "repeat_last_n",
    "repeat_penalty",
    "seed",
    "stop",
    "temperature",
    "tfs_z",
    "top_k",
    "top_p",
    "typical_p",
    "use_mlock",
    "use_mmap",
    "vocab_only",
];

/// Adds the members that stand at `path` for the body. Those of `options` are merged with the options
/// so far, and win. An option beside them would be dropped in silence, so it goes among them.
fn merge(body: &mut Object, extra: Object, path: &str, notes: &mut Notes) {
    let (options, others): (Object, Object) =
        extra.into_iter().partition(|(name, _)| OPTIONS.contains(&name.as_str()));
    for name in options.keys() {
        let text = format!("{name} is an option: it is sent in options");
        notes.warn("adjusted", &format!("{path}.{name}"), text);
    }
    let named = (!options.is_empty()).then(|| ("options".into(), Value::Object(options)));
    for (name, value) in named.into_iter().chain(others) {
        match (name.as_str(), body.get_mut(&name), value) {
            ("options", Some(Value::Object(ours)), Value::Object(theirs)) => ours.extend(theirs),
            (_, _, value) => drop(body.insert(name, value)),
        }
    }
}

fn tools(request: &Request, body: &mut Object, notes: &mut Notes) -> Result<(), Error> {
    if request.parallel_tool_calls == Some(false) {
        let text = "Ollama cannot be asked for one call at a time";
        notes.unsupported("parallel_tool_calls", text)?;
    }
    match &request.tool_choice {
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::None) => {
            let text = "Ollama has no tool_choice \"none\": the tools are not sent";
            return notes.adjusted("tool_choice", text);
        }
        Some(ToolChoice::Required | ToolChoice::Function(_)) => {
            let text = "Ollama cannot be made to call a tool: say it in the prompt";
            notes.unsupported("tool_choice", text)?;
        }
    }
    let mut tools = Vec::new();
    for (i, tool) in request.tools.iter().enumerate() {
        let path = format!("tools[{i}]");
        let Tool::Function { name, description, parameters, strict, cache_control } = tool else {
            notes.unsupported(&path, "Ollama has no tools of its own in chat")?;
            continue;
        };
        if *strict == Some(true) {
            let text = "Ollama has no strict functions: the schema is sent all the same";
            notes.unsupported(&format!("{path}.function.strict"), text)?;
        }
        if cache_control.is_some() {
            cache_mark(&path, notes)?;
        }
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
    }
    if !tools.is_empty() {
        body.insert("tools", tools);
    }
    Ok(())
}

/// Whether the model thinks. gpt-oss has levels, and takes neither `true` nor `false`; the other
/// models have the two alone [doc]. `extra.ollama.think` is for those that come.
fn think(
    reasoning: &Reasoning,
    target: &Target,
    notes: &mut Notes,
) -> Result<Option<Value>, Error> {
    let effort = reasoning.effort.as_deref();
    if reasoning.budget_tokens.is_some_and(|budget| budget > 0) {
        let text = "Ollama has no budget of reasoning: thinking is on";
        notes.unsupported("reasoning.budget_tokens", text)?;
    }
    let off = match reasoning.budget_tokens {
        Some(budget) => budget == 0,
        None => effort == Some("none"),
    };
    let name = target.model.rsplit('/').next().unwrap_or(&target.model);
    if !name.starts_with("gpt-oss") {
        if !off && reasoning.budget_tokens.is_none() && effort.is_none() {
            return Ok(None);
        }
        if let Some(effort) = effort.filter(|_| !off) {
            let text = format!("this model has no levels of thinking: {effort:?} is on");
            notes.warn("adjusted", "reasoning.effort", text);
        }
        return Ok(Some(Value::from(!off)));
    }
    Ok(match effort {
        _ if off => Some(lowest(notes)),
        Some("minimal") => Some(lowest(notes)),
        Some(effort) => Some(Value::from(effort)),
        None => reasoning.budget_tokens.map(|_| Value::from("medium")),
    })
}

fn lowest(notes: &mut Notes) -> Value {
    let text = "this model always thinks: \"low\" is sent";
    notes.warn("adjusted", "reasoning.effort", text);
    Value::from("low")
}

fn refused(request: &Request, notes: &mut Notes) -> Result<(), Error> {
    if request.n.is_some_and(|n| n > 1) {
        notes.unsupported("n", "Ollama gives one answer a request: send several requests")?;
    }
    for (name, given) in
        [("user", request.user.is_some()), ("metadata", request.metadata.is_some())]
    {
        if given {
            notes.unsupported(name, format!("Ollama has no {name}"))?;
        }
    }
    Ok(())
}
