//! Golden pairs of the adapters: `providers/<name>/*.json`, each about one thing that is peculiar.
//!
//! A case holds either a `request` of ours, with the `wire` body and the `warnings` that it becomes,
//! or a `reply` (with `status` and `headers`) or the events of a stream (`sse`, `frames` for AWS's event
//! streams, or `lines` of JSON), with the `outcome`
//! that they become. `config` holds settings of the provider, which is then called `mine`.
//! `UPDATE=1` writes what the adapters do now; read the difference.
#![allow(clippy::unwrap_used)]

#[path = "wire/corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue};
use liter_llm_core::Config;
use liter_llm_core::config::ProviderConfig;
use liter_llm_core::error::Error;
use liter_llm_core::model::{Options, Request};
use liter_llm_core::provider::{Completion, Notes, StreamReader};
use liter_llm_core::wire::Reply;
use serde_json::{Value, json};

use corpus::{Object, seen};

#[test]
fn golden_pairs() {
    let update = std::env::var_os("UPDATE").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers");
    let mut cases = 0;
    let mut failures = Vec::new();
    for folder in list(&root) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for path in list(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let case: Object = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let found = run(&name, &case);
            cases += 1;
            if found == case {
                continue;
            }
            if update {
                let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
                std::fs::write(&path, text).unwrap();
            } else {
                let found = serde_json::to_string(&found).unwrap();
                failures.push(format!("{}:\n  found {found}", path.display()));
            }
        }
    }
    assert!(cases > 0, "no cases in {}", root.display());
    assert!(failures.is_empty(), "{}\n(UPDATE=1 rewrites)", failures.join("\n"));
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The case with what the adapter really does in it.
fn run(name: &str, case: &Object) -> Object {
    const MEMBERS: [&str; 13] = [
        "about",
        "config",
        "request",
        "wire",
        "headers_sent",
        "warnings",
        "status",
        "headers",
        "reply",
        "sse",
        "frames",
        "lines",
        "outcome",
    ];
    for member in case.keys() {
        assert!(MEMBERS.contains(&member.as_str()), "{name}: unknown member {member}");
    }
    let provider = match case.get("config") {
        Some(settings) => configured(name, settings),
        None => corpus::provider(name),
    };
    let adapter = provider.row.chat().unwrap();
    let mut found = case.clone();
    if let Some(request) = case.get("request") {
        let bytes = serde_json::to_vec(request).unwrap();
        let (request, options) = Request::parse(&bytes, Options::default()).unwrap();
        let model = request.model.clone().unwrap_or_else(|| "model-1".to_owned());
        let target = provider.target(&model);
        let mut notes = Notes::new(options.unsupported.unwrap_or_default());
        if options.adapt == Some(false) {
            notes = notes.as_it_is();
        }
        match adapter.encode(&request, &target, &mut notes) {
            Ok(http) => {
                let wire: Value = serde_json::from_slice(&http.body).unwrap();
                found.insert("wire".into(), json!({"path": http.path, "body": wire}));
                if !http.headers.is_empty() {
                    let pair = |(name, value): &(HeaderName, HeaderValue)| {
                        json!([name.as_str(), value.to_str().unwrap()])
                    };
                    let pairs: Vec<Value> = http.headers.iter().map(pair).collect();
                    found.insert("headers_sent".into(), json!(pairs));
                }
            }
            Err(error) => {
                found.insert("outcome".into(), seen(&error));
            }
        }
        found.insert("warnings".into(), seen(&notes.into_warnings()));
        return found;
    }
    let target = provider.target("model-1");
    let mut headers = HeaderMap::new();
    for (name, value) in case.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = HeaderValue::try_from(value.as_str().unwrap()).unwrap();
        headers.append(HeaderName::try_from(name).unwrap(), value);
    }
    let framed = case.get("frames").and_then(Value::as_array);
    let lines = case.get("lines").and_then(Value::as_array);
    let outcome = match case.get("sse") {
        _ if framed.is_some() => {
            let body: Vec<u8> = framed.unwrap().iter().flat_map(frame).collect();
            let mut reader = StreamReader::new(adapter, &target, false);
            let read = reader.push(&body).and_then(|_| reader.end(&headers));
            read.map(|()| reader.into_completion())
        }
        _ if lines.is_some() => {
            let line = |line: &Value| match line {
                Value::String(text) => text.clone(),
                line => format!("{line}\n"),
            };
            let body: String = lines.unwrap().iter().map(line).collect();
            let mut reader = StreamReader::new(adapter, &target, false);
            let read = reader.push(body.as_bytes()).and_then(|_| reader.end(&headers));
            read.map(|()| reader.into_completion())
        }
        Some(Value::Array(events)) => {
            let mut body = String::new();
            for event in events {
                match event {
                    Value::String(text) => body.push_str(text),
                    event => body.push_str(&format!("data: {event}")),
                }
                body.push_str("\n\n");
            }
            let mut reader = StreamReader::new(adapter, &target, false);
            let read = reader.push(body.as_bytes());
            let read = read.and_then(|_| reader.end(&headers));
            read.map(|()| reader.into_completion())
        }
        _ => {
            let status = case.get("status").and_then(Value::as_u64).unwrap_or(200);
            let body = match &case["reply"] {
                Value::String(text) => text.clone().into_bytes(),
                reply => serde_json::to_vec(reply).unwrap(),
            };
            adapter.decode(
                &Reply {
                    status: u16::try_from(status).unwrap(),
                    headers: &headers,
                    body: &body,
                    received: None,
                },
                &target,
            )
        }
    };
    found.insert("outcome".into(), shown(outcome));
    found
}

/// A provider of this kind with settings of its own, called `mine`.
fn configured(kind: &str, settings: &Value) -> ProviderConfig {
    let mut settings = settings.clone();
    settings["kind"] = kind.into();
    if settings.get("base_url").is_none() {
        settings["base_url"] = "http://localhost".into();
    }
    let document = json!({"providers": {"mine": settings}}).to_string();
    let config = Config::parse(document.as_bytes()).unwrap();
    config.providers[config.index("mine").unwrap()].clone()
}

fn shown(outcome: Result<Completion, Error>) -> Value {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => return seen(&error),
    };
    let mut out = Object::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Object::is_empty);
        if !empty {
            out.insert(name.to_owned(), value);
        }
    };
    put("id", seen(&answer.id));
    put("created", seen(&answer.created));
    put("model", seen(&answer.model));
    put("choices", seen(&answer.choices));
    put("usage", seen(&answer.usage));
    put("usage_raw", seen(&answer.usage_raw));
    put("finish_reason_raw", seen(&answer.finish_reason_raw));
    put("fields", seen(&answer.fields));
    put("warnings", seen(&answer.warnings));
    Value::Object(out)
}

/// A frame of AWS's event streams: `{"event": name, "data": …}` or `{"exception": name, …}`.
fn frame(event: &Value) -> Vec<u8> {
    let kind = if event.get("event").is_some() { "event" } else { "exception" };
    let name = event[kind].as_str().unwrap();
    liter_llm_simulator::frames::frame(kind, name, event["data"].to_string().as_bytes())
}
