//! Recorded requests, there and back: what a client once sent to Anthropic or Cohere, written as a
//! request of ours, has to become the same body again.
//!
//! The way back is made here, without the adapters. What has no form of ours (`container_upload`,
//! citations on a user's text, …) leaves a record out, and so does a body that the provider refused
//! for its form; how many is counted, so that the test cannot go quiet.
#![allow(clippy::unwrap_used)]

#[path = "requests/anthropic.rs"]
mod anthropic;
#[path = "requests/counts.rs"]
mod counts;

use std::path::PathBuf;

use liter_llm_core::Config;
use liter_llm_core::model::{Options, Request};
use liter_llm_core::provider::Notes;
use serde_json::{Value, json};

use anthropic::from_anthropic;

type Object = serde_json::Map<String, Value>;

#[test]
fn anthropics() {
    // The recorded clients speak the older version, which has sampling parameters.
    let settings = r#"{"providers":{"anthropic":{"api_version":"2023-06-01"}}}"#;
    check("anthropic__messages.jsonl", settings, "anthropic", from_anthropic, 350);
}

#[test]
fn coheres() {
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

/// The request bodies of a file that were answered.
fn bodies(file: &str) -> Option<Vec<(String, Object)>> {
    let mut bodies = Vec::new();
    for mut record in records(file)? {
        let id = record["id"].as_str().unwrap().to_owned();
        if let (Some(Value::Object(body)), Some(200)) =
            (record.shift_remove("request_body"), record["status"].as_u64())
        {
            bodies.push((id, body));
        }
    }
    Some(bodies)
}

/// The records of a file; `None`, said in one line, where there is no corpus.
fn records(file: &str) -> Option<Vec<Object>> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let given = std::env::var_os("LITER_LLM_WIRE").map(PathBuf::from);
    let near = ["../../shared/wire", "../../../shared/wire"].map(|path| here.join(path));
    let Some(folder) = given.into_iter().chain(near).find(|path| path.is_dir()) else {
        eprintln!("requests: {file}: NOT RUN, there is no corpus");
        return None;
    };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
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
