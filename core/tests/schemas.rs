//! The documents' JSON Schemas in `bindings/conformance/schemas/`, and the error table, are what
//! the code says.
//!
//! `UPDATE=1 cargo test -p liter-llm-core --features schema --test schemas` rewrites the schemas.
#![cfg(feature = "schema")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use liter_llm_core::error::ErrorKind;
use liter_llm_core::model::near::{CHAT_NAMES, OPTION_NAMES};
use liter_llm_core::model::schema::{
    AnnotationDocument, AnswerAudioDocument, BudgetAskDocument, CachePurgeDocument, ConfigDocument,
    CountTokensRequestDocument, EmbedRequestDocument, ErrorDocument, HttpEventDocument,
    HttpRequestDocument, HttpResponseDocument, ModelsRequestDocument, ModerateRequestDocument,
    OptionsDocument, RequestDocument, RerankRequestDocument,
};
use liter_llm_core::model::{
    BudgetState, CachePurged, CountTokensResponse, EmbedResponse, ModelsResponse, ModerateResponse,
    RerankResponse, Unit,
};
use liter_llm_core::{Chunk, Many, Options, Request, Reset, Response};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/conformance")
}

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    relax(&mut schema);
    schema
}

/// A member that may be null may be absent, and the widths of Rust's numbers are nobody's business.
fn relax(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("format").is_some_and(Value::is_string) {
                object.shift_remove("format");
            }
            let optional: Vec<String> = object
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter(|(_, property)| takes_null(property))
                .map(|(name, _)| name.clone())
                .collect();
            if let Some(Value::Array(required)) = object.get_mut("required") {
                required.retain(|name| !optional.iter().any(|other| name == other));
            }
            if object.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
                object.shift_remove("required");
            }
            object.values_mut().for_each(relax);
        }
        Value::Array(items) => items.iter_mut().for_each(relax),
        _ => {}
    }
}

fn takes_null(property: &Value) -> bool {
    let null = |value: &Value| value == "null";
    let narrow = ["type", "anyOf", "oneOf", "$ref", "enum", "const"];
    property.as_bool() == Some(true)
        || !narrow.iter().any(|name| property.get(name).is_some())
        || property["type"].as_array().is_some_and(|types| types.iter().any(null))
        || property["anyOf"]
            .as_array()
            .is_some_and(|forms| forms.iter().any(|form| null(&form["type"])))
}

fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("request", schema::<RequestDocument>()),
        ("options", schema::<OptionsDocument>()),
        ("config", schema::<ConfigDocument>()),
        ("response", schema::<Response>()),
        ("chunk", schema::<Chunk>()),
        ("error", schema::<ErrorDocument>()),
        ("reset", schema::<Reset>()),
        ("many", schema::<Many>()),
        ("embed_request", schema::<EmbedRequestDocument>()),
        ("embed_response", schema::<EmbedResponse>()),
        ("models_request", schema::<ModelsRequestDocument>()),
        ("models_response", schema::<ModelsResponse>()),
        ("rerank_request", schema::<RerankRequestDocument>()),
        ("rerank_response", schema::<RerankResponse>()),
        ("count_tokens_request", schema::<CountTokensRequestDocument>()),
        ("count_tokens_response", schema::<CountTokensResponse>()),
        ("moderate_request", schema::<ModerateRequestDocument>()),
        ("moderate_response", schema::<ModerateResponse>()),
        ("budget_request", schema::<BudgetAskDocument>()),
        ("budget_response", schema::<BudgetState>()),
        ("cache_purge_request", schema::<CachePurgeDocument>()),
        ("cache_purge_response", schema::<CachePurged>()),
        ("http_request", schema::<HttpRequestDocument>()),
        ("http_response", schema::<HttpResponseDocument>()),
        ("http_event", schema::<HttpEventDocument>()),
    ]
}

#[test]
fn schemas_are_up_to_date() {
    let folder = conformance().join("schemas");
    for (name, schema) in all() {
        let path = folder.join(format!("{name}.json"));
        let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{} is out of date: run with UPDATE=1", path.display());
    }
}

/// Every name under `properties`, at any depth.
fn properties(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Object(members)) = object.get("properties") {
                names.extend(members.keys().cloned());
            }
            object.values().for_each(|value| properties(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, names)),
        _ => {}
    }
}

/// The names that a reader asks `Fields` for, from its source.
fn asked(source: &str) -> BTreeSet<String> {
    const READERS: [&str; 13] = [
        "string",
        "name",
        "bool",
        "number",
        "whole",
        "list",
        "object",
        "word",
        "value",
        "timer",
        "switch",
        "millis",
        "object_or_false",
    ];
    let mut names = BTreeSet::new();
    for reader in READERS {
        let call = format!("{reader}(\"");
        for (at, _) in source.match_indices(&call) {
            let rest = &source[at + call.len()..];
            names.insert(rest.split('"').next().unwrap_or_default().to_owned());
        }
    }
    names
}

#[test]
fn schemas_name_what_the_readers_know() {
    let request = concat!(
        include_str!("../src/model/read.rs"),
        include_str!("../src/model/read_message.rs"),
        include_str!("../src/model/further.rs"),
    );
    let policy = include_str!("../src/model/policy.rs");
    let options = concat!(
        include_str!("../src/model/options.rs"),
        include_str!("../src/model/policy.rs"),
        include_str!("../src/model/header_map.rs"),
        include_str!("../src/model/caching.rs"),
        include_str!("../src/model/tags.rs"),
        include_str!("../src/model/traits.rs"),
    );
    // A target's reasoning is read as a request's.
    let reasoning = r#"object("reasoning") string("effort") whole("budget_tokens")
        string("reasoning_effort")"#;
    let config = concat!(
        include_str!("../src/config/mod.rs"),
        include_str!("../src/config/provider.rs"),
        include_str!("../src/config/api.rs"),
        include_str!("../src/config/base_url.rs"),
        include_str!("../src/config/control.rs"),
        include_str!("../src/config/aws.rs"),
        include_str!("../src/config/azure.rs"),
        include_str!("../src/config/budgets.rs"),
        include_str!("../src/config/cache.rs"),
        include_str!("../src/config/entra.rs"),
        include_str!("../src/config/google.rs"),
        include_str!("../src/config/identity.rs"),
        include_str!("../src/config/proxies.rs"),
        include_str!("../src/config/redis.rs"),
        include_str!("../src/config/route.rs"),
        include_str!("../src/config/rules.rs"),
        include_str!("../src/model/traits.rs"),
        include_str!("../src/model/parameters.rs"),
        include_str!("../src/config/limits.rs"),
        include_str!("../src/config/looked_at.rs"),
        include_str!("../src/config/models.rs"),
        include_str!("../src/config/extras.rs"),
        include_str!("../src/provider/openai/switches.rs"),
        include_str!("../src/model/header_map.rs"),
        include_str!("../src/config/prices.rs"),
        include_str!("../src/config/price_list.rs"),
        include_str!("../src/price/entry.rs"),
    );
    // Prices are read by the names of their units, and conditions as an object of words.
    let units: String = Unit::ALL.map(|unit| format!("value(\"{}\") ", unit.name())).concat();
    let words = r#"string("service_tier") string("speed")"#;
    let config = format!("{config}{policy}{reasoning}{units}{words}");
    // A request's operation and options are read by their own readers.
    let common = format!("{options}{}", include_str!("../src/operation/asked.rs"));
    let request = format!("{request}{common}");
    let http = format!("{}{common}", include_str!("../src/model/http.rs"));
    // Read as a chat's.
    let extra = r#"object("extra")"#;
    let models = format!("{}{common}", include_str!("../src/model/models.rs"));
    let embed = format!("{}{extra}{common}", include_str!("../src/model/embed.rs"));
    let rerank = format!("{}{extra}{common}", include_str!("../src/model/rerank.rs"));
    let moderate = format!("{}{extra}{common}", include_str!("../src/model/moderate.rs"));
    // What an earlier answer cites, shows and speaks is handed on, and nothing of it is read.
    let mut handed_on = BTreeSet::new();
    properties(&schema::<AnnotationDocument>(), &mut handed_on);
    properties(&schema::<AnswerAudioDocument>(), &mut handed_on);
    for (name, schema, source) in [
        ("embed_request", schema::<EmbedRequestDocument>(), embed.as_str()),
        ("models_request", schema::<ModelsRequestDocument>(), models.as_str()),
        ("rerank_request", schema::<RerankRequestDocument>(), rerank.as_str()),
        ("moderate_request", schema::<ModerateRequestDocument>(), moderate.as_str()),
        ("request", schema::<RequestDocument>(), request.as_str()),
        ("count_tokens_request", schema::<CountTokensRequestDocument>(), request.as_str()),
        ("http_request", schema::<HttpRequestDocument>(), http.as_str()),
        ("options", schema::<OptionsDocument>(), options),
        ("config", schema::<ConfigDocument>(), config.as_str()),
    ] {
        let mut known = BTreeSet::new();
        properties(&schema, &mut known);
        let mut asked = asked(source);
        // Read of an earlier answer as other libraries keep it; nobody has to write them.
        asked.retain(|name| !["custom", "index"].contains(&name.as_str()));
        if ["request", "count_tokens_request"].contains(&name) {
            known.retain(|name| asked.contains(name) || !handed_on.contains(name));
        }
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).cloned().collect::<Vec<_>>()
        };
        let (schema_only, reader_only) = (only(&known, &asked), only(&asked, &known));
        assert!(
            schema_only.is_empty() && reader_only.is_empty(),
            "{name}: only the schema knows {schema_only:?}, only the reader {reader_only:?}"
        );
    }
}

#[test]
fn every_member_of_the_schema_is_known_to_the_reader() {
    let document = br#"{"op": "chat", "messages": [{"role": "user", "content": "x", "name": "n"}],
        "model": "m", "max_tokens": 1, "max_completion_tokens": 1, "temperature": 0, "top_p": 1,
        "stop": "x", "seed": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0,
        "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto",
        "parallel_tool_calls": true, "response_format": {"type": "text"},
        "reasoning": {"effort": "low", "budget_tokens": 1}, "reasoning_effort": "low",
        "stream": false, "stream_options": {}, "metadata": {}, "user": "u", "logprobs": true,
        "top_logprobs": 1, "top_k": 1, "prediction": {}, "service_tier": "x", "verbosity": "low",
        "prompt_cache_key": "x", "safety_identifier": "x", "modalities": ["text"], "audio": {},
        "extra": {}, "options": {}, "nobody": 1}"#;
    let object: serde_json::Map<String, Value> = serde_json::from_slice(document).unwrap();
    let schema = schema::<RequestDocument>();
    let members = schema["properties"].as_object().unwrap();
    let missing: Vec<_> =
        members.keys().filter(|name| *name != "prompt" && !object.contains_key(*name)).collect();
    assert!(missing.is_empty(), "say these in the document above: {missing:?}");
    let (request, _) = Request::parse(document, Options::default()).unwrap();
    assert_eq!(request.unknown, ["nobody"]);
}

#[test]
fn the_names_that_advice_is_taken_from_are_those_of_the_schemas() {
    fn names<T: JsonSchema>() -> Vec<String> {
        schema::<T>()["properties"].as_object().unwrap().keys().cloned().collect()
    }
    assert_eq!(sorted(names::<RequestDocument>()), CHAT_NAMES);
    assert_eq!(sorted(names::<OptionsDocument>()), OPTION_NAMES);
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn the_error_table_is_the_codes() {
    const MEMBERS: [&str; 8] =
        ["kind", "number", "retryable", "python", "node", "go", "meaning", "do"];
    let text = std::fs::read_to_string(conformance().join("errors.json")).unwrap();
    let table: Vec<Value> = serde_json::from_str(&text).unwrap();
    let found: Vec<_> = table
        .iter()
        .map(|row| (row["number"].as_u64(), row["kind"].as_str(), row["retryable"].as_bool()))
        .collect();
    let wanted: Vec<_> = ErrorKind::ALL
        .iter()
        .map(|kind| (Some(*kind as u64), Some(kind.name()), Some(kind.retryable())))
        .collect();
    assert_eq!(found, wanted);
    for row in &table {
        let members: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, MEMBERS, "{}", row["kind"]);
    }
}
