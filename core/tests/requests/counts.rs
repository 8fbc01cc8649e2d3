//! Recorded requests to count tokens, there and back: each becomes the same body again, up to the
//! spellings that `normal` of each provider names.

use liter_llm_core::Config;
use liter_llm_core::model::{Options, Request};
use liter_llm_core::provider::Notes;
use serde_json::{Value, json};

use crate::anthropic::from_anthropic;
use crate::{Object, records, says_nothing, sorted};

/// How the requests of a provider are read and compared.
struct Way {
    file: &'static str,
    kind: &'static str,
    /// The end of the path.
    path: &'static str,
    /// `None`: it has no form of ours (Anthropic's `tool_reference`).
    ours: fn(&Object) -> Option<Value>,
    normal: fn(Object) -> Value,
    count: usize,
}

const WAYS: [Way; 6] = [
    Way {
        file: "anthropic__count_tokens.jsonl",
        kind: "anthropic",
        path: "/count_tokens",
        ours: from_anthropic,
        normal: crate::normal,
        count: 8,
    },
    Way {
        file: "openai__responses-get.jsonl",
        kind: "openai",
        path: "/input_tokens",
        ours: |body| Some(from_responses(body)),
        normal: responses,
        count: 6,
    },
    Way {
        file: "gemini__countTokens.jsonl",
        kind: "gemini",
        path: ":countTokens",
        ours: |body| Some(from_google(body)),
        normal: google,
        count: 5,
    },
    Way {
        file: "vertex__countTokens.jsonl",
        kind: "vertex",
        path: ":countTokens",
        ours: |body| Some(from_google(body)),
        normal: google,
        count: 2,
    },
    Way {
        file: "bedrock__count-tokens.jsonl",
        kind: "bedrock",
        path: "/count-tokens",
        ours: |body| Some(from_bedrock(body)),
        normal: bedrock,
        count: 2,
    },
    Way {
        file: "cohere__tokenize.jsonl",
        kind: "cohere",
        path: "/tokenize",
        ours: |body| Some(json!({"prompt": body["text"]})),
        normal: |body| sorted(body.into()),
        count: 1,
    },
];

#[test]
fn requests_to_count_tokens() {
    let base = "http://localhost/v1";
    let settings = json!({"providers": {
        "anthropic": {"api_version": "2023-06-01"},
        "vertex": {"base_url": base},
        "bedrock": {"base_url": base},
    }});
    let config = Config::parse(settings.to_string().as_bytes()).unwrap();
    for way in &WAYS {
        let Some(records) = records(way.file) else { return };
        let mut wrong = Vec::new();
        let mut count = 0;
        for record in &records {
            let path = record["url_path"].as_str().unwrap();
            let Some(body) =
                record["request_body"].as_object().filter(|_| path.ends_with(way.path))
            else {
                continue;
            };
            let Some(request) = (way.ours)(body) else { continue };
            count += 1;
            let request = request.to_string();
            let (request, _) = Request::parse(request.as_bytes(), Options::default()).unwrap();
            assert!(request.unknown.is_empty(), "{:?}", request.unknown);
            let provider = &config.providers[config.index(way.kind).unwrap()];
            let target = provider.target(&model(path, body));
            let adapter = provider.row.adapter().count_tokens().unwrap();
            let mut notes = Notes::new(Default::default());
            let sent = adapter.encode(&request.counted(), &target, &mut notes).unwrap();
            assert!(sent.path.ends_with(way.path), "{}", sent.path);
            let found = (way.normal)(serde_json::from_slice(&sent.body).unwrap());
            let wanted = (way.normal)(body.clone());
            if wanted != found {
                wrong.push(format!("{}\n  wanted {wanted}\n  found  {found}", record["id"]));
            }
        }
        eprintln!("requests: {}: {count} to count tokens, {} wrong", way.file, wrong.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(count, way.count, "{}", way.file);
    }
}

/// The model of the body, or of the path.
fn model(path: &str, body: &Object) -> String {
    let of_path = path.rsplit_once("models/").and_then(|(_, rest)| rest.split(':').next());
    let of_path = of_path.or_else(|| path.strip_prefix("/model/")?.split('/').next());
    let model = body.get("model").and_then(Value::as_str).or(of_path);
    model.unwrap().replace("%3A", ":")
}

/// The text of parts or of a single one.
fn text(parts: &Value) -> String {
    match parts {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text).collect(),
        Value::Object(part) => part.get("text").map(text).unwrap_or_default(),
        _ => String::new(),
    }
}

fn message(role: &str, content: &Value) -> Value {
    json!({"role": role, "content": text(content)})
}

fn from_responses(body: &Object) -> Value {
    let mut messages = Vec::new();
    if let Some(text) = body.get("instructions") {
        messages.push(message("system", text));
    }
    match &body["input"] {
        Value::Array(items) => {
            let item = |item: &Value| message(item["role"].as_str().unwrap(), &item["content"]);
            messages.extend(items.iter().map(item));
        }
        one => messages.push(message("user", one)),
    }
    let tool = |tool: &Value| {
        let mut function = tool.clone();
        function.as_object_mut().unwrap().shift_remove("type");
        json!({"type": "function", "function": function})
    };
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten().map(tool);
    let tools: Vec<Value> = tools.collect();
    json!({"messages": messages, "tools": tools, "tool_choice": body.get("tool_choice")})
}

/// An input may be a text or items, a content a text or parts, and instructions may be the first
/// item.
fn responses(mut body: Object) -> Value {
    let mut items = match body.shift_remove("input").unwrap() {
        Value::Array(items) => items,
        one => vec![json!({"role": "user", "content": one})],
    };
    for item in &mut items {
        item["content"] = text(&item["content"]).into();
    }
    if let Some(text) = body.shift_remove("instructions") {
        items.insert(0, message("system", &text));
    }
    body.insert("input".to_owned(), items.into());
    sorted(body.into())
}

fn from_google(body: &Object) -> Value {
    let inner = body.get("generateContentRequest").and_then(Value::as_object).unwrap_or(body);
    let mut messages = Vec::new();
    if let Some(system) = inner.get("systemInstruction") {
        messages.push(message("system", &system["parts"]));
    }
    for content in inner["contents"].as_array().unwrap() {
        messages.push(message("user", &content["parts"]));
    }
    let mut tools = Vec::new();
    for tool in inner.get("tools").and_then(Value::as_array).into_iter().flatten() {
        match tool["functionDeclarations"].as_array() {
            Some(functions) => {
                tools.extend(functions.iter().map(
                    |function| json!({"type": "function", "function": small(function.clone())}),
                ));
            }
            None => {
                let (name, _) = tool.as_object().unwrap().iter().next().unwrap();
                tools.push(json!({ "type": name }));
            }
        }
    }
    let schema = inner.get("generationConfig").and_then(|config| config.get("response_schema"));
    let format = schema.map(|schema| {
        let schema = json!({"name": "n", "schema": schema});
        json!({"type": "json_schema", "json_schema": schema})
    });
    json!({"messages": messages, "tools": tools, "response_format": format})
}

/// Types in small letters.
fn small(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(word) if name == "type" => (name, word.to_lowercase().into()),
                value => (name, small(value)),
            })
            .collect(),
        other => other,
    }
}

/// Google has two names for a schema and two spellings of a member. Parts may be one part. An empty
/// text, or an empty list or object, says nothing, and neither does the role of instructions.
fn google(mut body: Object) -> Value {
    if let Some(Value::Object(inner)) = body.shift_remove("generateContentRequest") {
        body = inner;
    }
    body.shift_remove("model");
    if let Some(system) = body.shift_remove("systemInstruction") {
        let text = text(&system["parts"]);
        if !text.is_empty() {
            body.insert("systemInstruction".to_owned(), text.into());
        }
    }
    if let Some(Value::Object(config)) = body.shift_remove("generationConfig") {
        let known = |name: &str| match name {
            "response_schema" | "responseJsonSchema" => Some("schema"),
            _ => None,
        };
        for (name, value) in config {
            if let Some(name) = known(&name) {
                body.insert(name.to_owned(), value);
            }
        }
    }
    for tool in body.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        let functions = tool.get_mut("functionDeclarations").and_then(Value::as_array_mut);
        for function in functions.into_iter().flatten() {
            let function = function.as_object_mut().unwrap();
            if let Some(schema) = function.shift_remove("parametersJsonSchema") {
                function.insert("parameters".to_owned(), schema);
            }
            function.insert("parameters".to_owned(), small(function["parameters"].clone()));
        }
    }
    sorted(body.into())
}

fn from_bedrock(body: &Object) -> Value {
    let messages = body["input"]["converse"]["messages"].as_array().unwrap().iter();
    let messages = messages.map(|one| message(one["role"].as_str().unwrap(), &one["content"]));
    json!({"messages": messages.collect::<Vec<_>>()})
}

/// Empty instructions are none.
fn bedrock(mut body: Object) -> Value {
    let converse = body["input"]["converse"].as_object_mut().unwrap();
    converse.retain(|_, value| !says_nothing(value));
    sorted(body.into())
}
