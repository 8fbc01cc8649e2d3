//! The corpus of recorded exchanges: where it lies, and its records as the adapters see them.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use liter_llm_core::Config;
use liter_llm_core::config::ProviderConfig;
use liter_llm_core::provider::registry;
use serde_json::Value;

pub type Object = serde_json::Map<String, Value>;

/// One recorded exchange.
pub struct Record {
    pub id: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub streaming: bool,
    pub model: String,
    pub facts: Object,
    /// The conversation, and the place in it.
    pub case: String,
    pub seq: u64,
    /// The path that was asked.
    pub path: String,
    /// The body of the request; `null` where it was not recorded.
    pub request: Value,
}

/// Where the corpus lies: `LITER_LLM_WIRE`, or `shared/wire` beside the repository or beside the
/// folder of its worktrees.
fn folder() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("LITER_LLM_WIRE") {
        return Some(PathBuf::from(path)).filter(|path| path.is_dir());
    }
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    ["../../shared/wire", "../../../shared/wire"]
        .iter()
        .map(|path| here.join(path))
        .find(|path| path.is_dir())
}

/// The records of one file; `None`, said in one line, where there is no corpus. A corpus without
/// this file is a failure: it would pass silently otherwise.
pub fn records(file: &str) -> Option<Vec<Record>> {
    let Some(folder) = folder() else {
        eprintln!("wire: {file}: NOT RUN, there is no corpus (set LITER_LLM_WIRE to its folder)");
        return None;
    };
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let records: Vec<Record> = text.lines().map(read).collect();
    assert!(!records.is_empty(), "{} is empty", path.display());
    Some(records)
}

fn read(line: &str) -> Record {
    let Ok(Value::Object(mut record)) = serde_json::from_str(line) else {
        panic!("a line of the corpus is no object");
    };
    let mut headers = HeaderMap::new();
    if let Some(Value::Object(recorded)) = record.get("response_headers") {
        for (name, value) in recorded {
            let name = HeaderName::try_from(name);
            let value = value.as_str().map(HeaderValue::try_from);
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                headers.append(name, value);
            }
        }
    }
    let request = record.get("request_body").cloned().unwrap_or_default();
    // Gemini's paths name the model: `/v1beta/models/gemini-2.5-flash:generateContent`.
    let path = record["url_path"].as_str().unwrap_or_default().to_owned();
    let of_path = path.rsplit_once("models/").and_then(|(_, rest)| rest.split(':').next());
    // Bedrock's do, too: `/model/us.amazon.nova-lite-v1%3A0/converse`.
    let of_path = of_path.or_else(|| path.strip_prefix("/model/")?.split('/').next());
    let model = request.get("model").and_then(Value::as_str).or(of_path);
    Record {
        case: record["case"].as_str().unwrap_or_default().to_owned(),
        seq: record["seq"].as_u64().unwrap_or_default(),
        id: record["id"].as_str().unwrap().to_owned(),
        status: u16::try_from(record["status"].as_u64().unwrap()).unwrap(),
        headers,
        body: body(&record),
        streaming: record["streaming"].as_bool().unwrap(),
        model: model.unwrap_or("model").to_owned(),
        facts: match record.shift_remove("facts") {
            Some(Value::Object(facts)) => facts,
            // Nobody has read it.
            Some(Value::Null) => Object::new(),
            _ => panic!("a record without facts"),
        },
        path,
        request,
    }
}

/// The recorded body: text, or bytes in base64.
fn body(record: &Object) -> Vec<u8> {
    match record.get("response_body").and_then(Value::as_str) {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(record["response_body_b64"].as_str().unwrap()).unwrap(),
    }
}

/// A value of the engine's as the tests read it: by way of its JSON, so that numbers keep their text.
pub fn seen<T: serde::Serialize + ?Sized>(document: &T) -> Value {
    serde_json::from_slice(&liter_llm_core::json::to_vec(document, 0)).unwrap()
}

/// The settings of a provider of this kind; `openai/responses` is one with Responses as its format.
pub fn provider(kind: &str) -> ProviderConfig {
    if let Some((kind, api)) = kind.split_once('/') {
        let entry =
            serde_json::json!({"kind": kind, "api": api, "base_url": "http://localhost/v1"});
        let document = serde_json::json!({"providers": {"mine": entry}}).to_string();
        let config = Config::parse(document.as_bytes()).unwrap();
        return config.providers[config.index("mine").unwrap()].clone();
    }
    let own = registry::row(kind).unwrap().base_url;
    let document = if own.is_empty() {
        format!(
            r#"{{"providers":{{"{kind}":{{"kind":"{kind}","base_url":"http://localhost/v1"}}}}}}"#
        )
    } else {
        "{}".to_owned()
    };
    let config = Config::parse(document.as_bytes()).unwrap();
    config.providers[config.index(kind).unwrap()].clone()
}
