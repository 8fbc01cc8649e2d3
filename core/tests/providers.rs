//! Golden pairs: a unified request and what goes out for it; what comes in and what it becomes.
//!
//! A case is a file `tests/providers/<kind>/<name>.json`. Its inputs are ours; its results stand
//! beside them and are rewritten by `UPDATE=1`, to be read in the diff. Inputs: `request` (with
//! `options` and the provider's `config`), `response` (`status`, `headers`, `body`) or `stream` (the
//! events' data). Results: `sent`, `warnings`, `answer`, `chunks`, `error`.

use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue};
use liter_llm_core::Config;
use liter_llm_core::codec::Object;
use liter_llm_core::config::ProviderConfig;
use liter_llm_core::error::Error;
use liter_llm_core::model::{Options, Request};
use liter_llm_core::provider::{Answer, Notes, Progress, StreamReader, Target};
use serde_json::{Value, json};

const RESULTS: [&str; 5] = ["sent", "warnings", "answer", "chunks", "error"];

#[test]
fn golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers");
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    let mut count = 0;
    for kind in entries(&folder) {
        for path in entries(&kind) {
            count += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let found = run(kind.file_name().unwrap().to_str().unwrap(), &text, &path);
            if found == text {
                continue;
            }
            if update {
                std::fs::write(&path, &found).unwrap();
            } else {
                wrong.push(format!("{}:\n{found}", path.display()));
            }
        }
    }
    assert!(count > 0, "no cases under {}", folder.display());
    assert!(wrong.is_empty(), "UPDATE=1 rewrites the results; found\n{}", wrong.join("\n"));
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The case with its results, as its file should be.
fn run(kind: &str, text: &str, path: &Path) -> String {
    let mut case: Object =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for name in RESULTS {
        case.shift_remove(name);
    }
    let provider = provider(kind, case.get("config").cloned());
    let target = Target { provider: &provider, model: "the-model" };
    let results = if let Some(request) = case.get("request") {
        encoded(request, case.get("options"), &target)
    } else if let Some(response) = case.get("response") {
        answered(response, &target)
    } else {
        streamed(&case["stream"], &target)
    };
    case.extend(results);
    format!("{}\n", serde_json::to_string_pretty(&case).unwrap())
}

fn provider(kind: &str, config: Option<Value>) -> ProviderConfig {
    let mut entry = config.unwrap_or_else(|| json!({}));
    entry["kind"] = kind.into();
    entry["base_url"] = "http://localhost".into();
    let config = json!({"providers": {"mine": entry}}).to_string();
    Config::parse(config.as_bytes()).unwrap().provider("mine").unwrap().clone()
}

fn encoded(request: &Value, options: Option<&Value>, target: &Target<'_>) -> Object {
    let options = options.cloned().unwrap_or_else(|| json!({})).to_string();
    let options = Options::parse(options.as_bytes()).unwrap();
    let (request, options) = Request::parse(request.to_string().as_bytes(), options).unwrap();
    let mut notes = Notes::new(options.unsupported.unwrap_or_default());
    let mut results = Object::new();
    match target.provider.row.adapter().encode(&request, target, &mut notes) {
        Ok(sent) => {
            let headers: Object = sent
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            let body: Value = serde_json::from_slice(&sent.body).unwrap();
            let sent = json!({"path": sent.path, "headers": headers, "body": body});
            results.insert("sent".to_owned(), sent);
            results.insert("warnings".to_owned(), json!(notes.into_warnings()));
        }
        Err(error) => failed(&error, &mut results),
    }
    results
}

fn answered(response: &Value, target: &Target<'_>) -> Object {
    let status = u16::try_from(response["status"].as_u64().unwrap_or(200)).unwrap();
    let body = match &response["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in response.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = HeaderValue::try_from(value.as_str().unwrap()).unwrap();
        headers.append(HeaderName::try_from(name).unwrap(), value);
    }
    let mut results = Object::new();
    match target.provider.row.adapter().decode(status, &headers, body.as_bytes(), target) {
        Ok(answer) => answer_is(answer, &mut results),
        Err(error) => failed(&error, &mut results),
    }
    results
}

fn streamed(events: &Value, target: &Target<'_>) -> Object {
    let adapter = target.provider.row.adapter();
    let mut reader = StreamReader::new(adapter, target, false);
    let mut read = || {
        for event in events.as_array().unwrap() {
            let data = match event {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if reader.push(format!("data: {data}\n\n").as_bytes())? == Progress::Done {
                break;
            }
        }
        reader.end(adapter, &HeaderMap::new(), target)
    };
    let outcome = read();
    let mut results = Object::new();
    results.insert("chunks".to_owned(), json!(reader.take_chunks()));
    match outcome {
        Ok(()) => answer_is(reader.into_answer(), &mut results),
        Err(error) => failed(&error, &mut results),
    }
    results
}

fn answer_is(answer: Answer, results: &mut Object) {
    let mut members = Object::new();
    for (name, value) in [
        ("id", json!(answer.id)),
        ("created", json!(answer.created)),
        ("model", json!(answer.model)),
        ("choices", json!(answer.choices)),
        ("usage", json!(answer.usage)),
        ("usage_raw", json!(answer.usage_raw)),
        ("finish_reason_raw", json!(answer.finish_reason_raw)),
        ("fields", json!(answer.fields)),
        ("warnings", json!(answer.warnings)),
    ] {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    }
    results.insert("answer".to_owned(), members.into());
}

fn failed(error: &Error, results: &mut Object) {
    let document: Value = serde_json::from_slice(&error.to_json()).unwrap();
    results.insert("error".to_owned(), document["error"].clone());
}
