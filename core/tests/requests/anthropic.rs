//! A recorded request to Anthropic as one of ours.

use serde_json::{Value, json};

use crate::Object;

pub fn from_anthropic(body: &Object) -> Option<Value> {
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
