//! Recorded requests, there and back: what a client once sent to Anthropic or Cohere, written as a
//! request of ours, has to become the same body again.
//!
//! The way back is made here, without the adapters. What has no form of ours (`container_upload`,
//! citations on a user's text, …) leaves a record out, and so does a body that the provider refused
//! for its form; how many is counted, so that the test cannot go quiet.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use liter_llm_core::Config;
use liter_llm_core::model::{Options, Request};
use liter_llm_core::provider::Notes;
use serde_json::{Value, json};

type Object = serde_json::Map<String, Value>;

#[test]
fn anthropic() {
    // The recorded clients speak the older version, which has sampling parameters.
    let settings = r#"{"providers":{"anthropic":{"api_version":"2023-06-01"}}}"#;
    check("anthropic__messages.jsonl", settings, "anthropic", from_anthropic, 350);
}

#[test]
fn cohere() {
    check("cohere__v2-chat.jsonl", "{}", "cohere", from_cohere, 55);
}

fn check(file: &str, settings: &str, kind: &str, ours: fn(&Object) -> Option<Value>, least: usize) {
    let Some(bodies) = bodies(file) else { return };
    let config = Config::parse(settings.as_bytes()).unwrap();
    let provider = &config.providers[config.index(kind).unwrap()];
    let (mut same, mut without, mut wrong) = (0, 0, Vec::new());
    for (id, body) in bodies {
        let Some(request) = ours(&body) else {
            without += 1;
            continue;
        };
        let parsed = Request::parse(request.to_string().as_bytes(), Options::default());
        let (request, _) = parsed.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(request.unknown.is_empty(), "{id}: {:?}", request.unknown);
        let model = request.model.clone().unwrap_or_default();
        let target = provider.target(&model);
        let mut notes = Notes::new(Default::default());
        let sent = provider.row.chat().unwrap().encode(&request, &target, &mut notes);
        let sent = sent.unwrap_or_else(|error| panic!("{id}: {error}"));
        let sent: Object = serde_json::from_slice(&sent.body).unwrap();
        let (wanted, found) = (normal(body), normal(sent));
        if wanted == found && notes.into_warnings().is_empty() {
            same += 1;
        } else {
            wrong.push(format!("{id}\n  wanted {wanted}\n  found  {found}"));
        }
    }
    eprintln!("requests: {file}: {same} are the same, {without} have no form of ours");
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
    assert!(same >= least, "only {same}");
}

/// The request bodies of a file; `None`, said in one line, where there is no corpus.
fn bodies(file: &str) -> Option<Vec<(String, Object)>> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let given = std::env::var_os("LITER_LLM_WIRE").map(PathBuf::from);
    let near = ["../../shared/wire", "../../../shared/wire"].map(|path| here.join(path));
    let Some(folder) = given.into_iter().chain(near).find(|path| path.is_dir()) else {
        eprintln!("requests: {file}: NOT RUN, there is no corpus");
        return None;
    };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let mut bodies = Vec::new();
    for line in text.lines() {
        let mut record: Object = serde_json::from_str(line).unwrap();
        let id = record["id"].as_str().unwrap().to_owned();
        if let (Some(Value::Object(body)), Some(200)) =
            (record.shift_remove("request_body"), record["status"].as_u64())
        {
            bodies.push((id, body));
        }
    }
    Some(bodies)
}

/// The same body in one of its several spellings.
fn normal(mut body: Object) -> Value {
    if body.get("stream") == Some(&Value::Bool(false)) {
        body.shift_remove("stream");
    }
    if let Some(system) = body.get_mut("system") {
        blocks(system);
    }
    body.retain(|_, value| !says_nothing(value));
    for tool in body.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        tool.as_object_mut().unwrap().retain(|_, value| !value.is_null() && value != "custom");
    }
    if let Some(Value::Object(choice)) = body.get_mut("tool_choice") {
        choice.retain(|_, value| value != &Value::Bool(false));
    }
    let mut messages: Vec<Value> = Vec::new();
    for mut message in body["messages"].as_array().unwrap().iter().cloned() {
        blocks(&mut message["content"]);
        message.as_object_mut().unwrap().retain(|_, value| !says_nothing(value));
        // Messages of one speaker in a row are one turn.
        match messages.last_mut().filter(|last| message["role"] == "user" && last["role"] == "user")
        {
            Some(last) => {
                let more = message["content"].as_array().unwrap().clone();
                last["content"].as_array_mut().unwrap().extend(more);
            }
            None => messages.push(message),
        }
    }
    body.insert("messages".to_owned(), messages.into());
    sorted(Value::Object(body))
}

fn says_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// A content as a list of blocks, those inside tool results too.
fn blocks(content: &mut Value) {
    if let Value::String(text) = content {
        *content =
            if text.is_empty() { json!([]) } else { json!([{"type": "text", "text": text}]) };
    }
    for block in content.as_array_mut().into_iter().flatten() {
        if block["type"] == "tool_result" {
            blocks(&mut block["content"]);
        }
        if let Some(block) = block.as_object_mut() {
            block.retain(|_, value| !value.is_null());
        }
    }
}

/// Members in one order, numbers by value.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other,
    }
}

fn from_anthropic(body: &Object) -> Option<Value> {
    let conversation = body.get("messages")?.as_array()?;
    let mut request = Object::new();
    let mut extra = Object::new();
    let mut messages = Vec::new();
    if let Some(system) = body.get("system") {
        messages.push(json!({"role": "system", "content": system}));
    }
    for message in conversation {
        match (message["role"].as_str()?, &message["content"]) {
            ("user", Value::String(text)) => {
                messages.push(json!({"role": "user", "content": text}));
            }
            ("user", Value::Array(content)) => user(content, &mut messages)?,
            ("assistant", Value::String(text)) => {
                messages.push(json!({"role": "assistant", "content": text}));
            }
            ("assistant", Value::Array(content)) => messages.push(assistant(content)),
            _ => return None,
        }
    }
    request.insert("messages".to_owned(), messages.into());
    for (name, value) in body {
        let value = value.clone();
        let (name, value) = match (name.as_str(), value) {
            ("system" | "messages", _) | (_, Value::Null) => continue,
            ("model" | "max_tokens" | "temperature" | "top_p" | "stream", value) => {
                (name.as_str(), value)
            }
            ("stop_sequences", value) => ("stop", value),
            ("tools", Value::Array(tools)) => ("tools", tools.iter().map(tool).collect()),
            ("tool_choice", choice) => {
                if let Some(alone) = choice.get("disable_parallel_tool_use") {
                    let parallel = json!(alone != &Value::Bool(true));
                    request.insert("parallel_tool_calls".to_owned(), parallel);
                }
                let choice = match choice["type"].as_str()? {
                    "any" => json!("required"),
                    "tool" => json!({"type": "function", "function": {"name": choice["name"]}}),
                    word => json!(word),
                };
                ("tool_choice", choice)
            }
            ("thinking", thinking)
                if thinking["type"] == "enabled" && thinking.get("display").is_none() =>
            {
                ("reasoning", json!({"budget_tokens": thinking["budget_tokens"]}))
            }
            ("thinking", thinking) if thinking["type"] == "disabled" => {
                ("reasoning", json!({"effort": "none"}))
            }
            ("output_config", config)
                if config.as_object()?.len() == 1 && config.get("format").is_some() =>
            {
                let schema = config["format"]["schema"].clone();
                let schema = json!({"name": "n", "schema": schema});
                ("response_format", json!({"type": "json_schema", "json_schema": schema}))
            }
            ("metadata", metadata) => ("metadata", metadata),
            (_, value) => {
                extra.insert(name.clone(), value);
                continue;
            }
        };
        request.insert(name.to_owned(), value);
    }
    request.insert("extra".to_owned(), json!({"anthropic": extra}));
    Some(request.into())
}

fn tool(tool: &Value) -> Value {
    let known = ["name", "description", "input_schema", "strict", "cache_control", "type"];
    let object = tool.as_object().unwrap();
    if !object.contains_key("input_schema")
        || object.keys().any(|name| !known.contains(&name.as_str()))
    {
        // What is to be sent as it is has a type, which Anthropic calls `custom` where it may be
        // left out.
        let mut native = tool.clone();
        native.as_object_mut().unwrap().entry("type").or_insert("custom".into());
        return native;
    }
    let function = json!({
        "name": tool["name"],
        "description": tool.get("description"),
        "parameters": tool["input_schema"],
        "strict": tool.get("strict"),
    });
    json!({"type": "function", "function": function, "cache_control": tool.get("cache_control")})
}

fn user(content: &[Value], messages: &mut Vec<Value>) -> Option<()> {
    let mut parts = Vec::new();
    for block in content {
        if block["type"] != "tool_result" {
            parts.push(part(block)?);
            continue;
        }
        if !parts.is_empty() {
            messages.push(json!({"role": "user", "content": std::mem::take(&mut parts)}));
        }
        let mut content = match &block["content"] {
            Value::String(text) => vec![json!({"type": "text", "text": text})],
            Value::Array(content) => content.iter().map(part).collect::<Option<_>>()?,
            _ => return None,
        };
        if let Some(mark) = block.get("cache_control") {
            content.last_mut()?["cache_control"] = mark.clone();
        }
        messages.push(json!({
            "role": "tool",
            "tool_call_id": block["tool_use_id"],
            "content": content,
            "is_error": block.get("is_error"),
        }));
    }
    if !parts.is_empty() {
        messages.push(json!({"role": "user", "content": parts}));
    }
    Some(())
}

fn part(block: &Value) -> Option<Value> {
    let source = &block["source"];
    let data = || {
        let (kind, data) = (source["media_type"].as_str()?, source["data"].as_str()?);
        Some(format!("data:{kind};base64,{data}"))
    };
    let mut part = match (block["type"].as_str()?, source["type"].as_str()) {
        ("text", _) if block.get("citations").is_none_or(Value::is_null) => {
            json!({"type": "text", "text": block["text"]})
        }
        ("image", Some("url")) => json!({"type": "image_url", "image_url": {"url": source["url"]}}),
        ("image", Some("base64")) => json!({"type": "image_url", "image_url": {"url": data()?}}),
        ("document", Some(kind)) => {
            let mut file = match kind {
                "url" => json!({"file_url": source["url"]}),
                "file" => json!({"file_id": source["file_id"]}),
                "base64" => json!({"file_data": data()?}),
                "text" => {
                    use base64::Engine;
                    let text = source["data"].as_str()?;
                    let data = base64::engine::general_purpose::STANDARD.encode(text);
                    json!({"file_data": format!("data:text/plain;base64,{data}")})
                }
                _ => return None,
            };
            for name in ["title", "citations", "context"] {
                if let Some(value) = block.get(name) {
                    file[name] = value.clone();
                }
            }
            json!({"type": "file", "file": file})
        }
        _ => return None,
    };
    if let Some(mark) = block.get("cache_control") {
        part["cache_control"] = mark.clone();
    }
    Some(part)
}

fn assistant(content: &[Value]) -> Value {
    let plain = |block: &Value| {
        let members = block.as_object().unwrap().len();
        (block["type"] == "text" && members == 2) || (block["type"] == "tool_use" && members == 4)
    };
    let calls_last = content.is_sorted_by_key(|block| block["type"] == "tool_use");
    if !calls_last || !content.iter().all(plain) {
        let fields = json!({"anthropic_content": content});
        return json!({"role": "assistant", "provider_fields": fields});
    }
    let of = |kind: &'static str| content.iter().filter(move |block| block["type"] == kind);
    let calls = of("tool_use").map(|block| {
        let function = json!({"name": block["name"], "arguments": block["input"].to_string()});
        json!({"id": block["id"], "type": "function", "function": function})
    });
    let calls: Vec<Value> = calls.collect();
    let texts: Vec<&Value> = of("text").collect();
    json!({"role": "assistant", "content": texts, "tool_calls": calls})
}

fn from_cohere(body: &Object) -> Option<Value> {
    body.get("messages")?;
    let mut request = Object::new();
    let mut extra = Object::new();
    for (name, value) in body {
        let (name, value) = match (name.as_str(), value.clone()) {
            ("p", value) => ("top_p", value),
            ("stop_sequences", value) => ("stop", value),
            ("tool_choice", word) => ("tool_choice", word.as_str()?.to_lowercase().into()),
            ("messages", Value::Array(messages)) => {
                let messages: Option<Vec<Value>> =
                    messages.into_iter().map(cohere_message).collect();
                ("messages", messages?.into())
            }
            ("response_format", format) if format.as_object()?.len() > 1 => return None,
            ("thinking", thinking) if thinking.as_object()?.len() == 1 => {
                extra.insert("thinking".to_owned(), thinking);
                continue;
            }
            ("strict_tools" | "documents" | "k", value) => {
                extra.insert(name.clone(), value);
                continue;
            }
            (_, value) => (name.as_str(), value),
        };
        request.insert(name.to_owned(), value);
    }
    request.insert("extra".to_owned(), json!({"cohere": extra}));
    Some(request.into())
}

fn cohere_message(mut message: Value) -> Option<Value> {
    let object = message.as_object_mut()?;
    if let Some(plan) = object.shift_remove("tool_plan").filter(|plan| !plan.is_null()) {
        object.insert("provider_fields".to_owned(), json!({ "tool_plan": plan }));
    }
    if object
        .get("citations")
        .is_some_and(|list| list.as_array().is_none_or(|list| !list.is_empty()))
    {
        return None;
    }
    let mut texts = Vec::new();
    for block in object.get("content").and_then(Value::as_array).into_iter().flatten() {
        match block["type"].as_str()? {
            "document" => return None,
            "thinking" => {
                let text = block["thinking"].clone();
                texts.push(text);
            }
            _ => {}
        }
    }
    if let Some(text) = texts.pop() {
        let content = object["content"].as_array_mut()?;
        content.retain(|block| block["type"] != "thinking");
        object.insert("reasoning".to_owned(), text);
    }
    Some(message)
}
