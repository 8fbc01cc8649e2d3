//! A library that was built without a format says so, and which cargo feature has it. These tests hold
//! for every set of features. `make rust` runs them for the largest and for the smallest one.
#![allow(clippy::unwrap_used)]

use liter_llm_core::provider::registry::row;
use liter_llm_core::{Client, Config, Environment, Error, ErrorKind};
use serde_json::{Value, json};

/// The rows of formats that have a feature: name, feature, whether this library has it.
const ROWS: [(&str, &str, bool); 4] = [
    ("bedrock", "bedrock", cfg!(feature = "bedrock")),
    ("gemini", "gemini", cfg!(feature = "gemini")),
    ("ollama", "ollama", cfg!(feature = "ollama")),
    ("vertex", "gemini", cfg!(feature = "gemini")),
];

/// What says where Bedrock and Vertex are.
const VARIABLES: &str = r#"{"AWS_REGION":"us-east-1","GOOGLE_CLOUD_PROJECT":"p",
    "GOOGLE_CLOUD_LOCATION":"eu","OPENAI_API_KEY":"sk-test"}"#;

fn config(document: &Value) -> Result<Config, Error> {
    let environment = Environment::parse(VARIABLES.as_bytes()).unwrap();
    Config::parse_in(document.to_string().as_bytes(), &environment)
}

/// The error names the feature, and what needs it.
fn assert_not_built(error: &Error, param: &str, feature: &str) {
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.message);
    assert_eq!(error.param.as_deref(), Some(param), "{}", error.message);
    let says = format!("needs the cargo feature {feature}, which this library was built without");
    assert!(error.message.ends_with(&says), "{}", error.message);
}

#[test]
fn the_formats_without_a_feature_are_always_there() {
    for name in ["openai", "anthropic", "cohere", "groq", "azure", "compatible"] {
        assert!(row(name).unwrap().chat().is_some(), "{name}");
    }
    for (name, _, built) in ROWS {
        assert_eq!(row(name).is_some(), built, "{name}");
    }
}

#[test]
fn an_entry_of_a_format_that_is_not_built_names_the_feature() {
    for (name, feature, built) in ROWS {
        let of_kind = config(&json!({"providers": {"own": {"kind": name}}}));
        let of_name = config(&json!({"providers": {name: {}}}));
        let default = config(&json!({"default_provider": name}));
        let target = config(&json!({"routes": {"r": {"targets": [format!("{name}/m")]}}}));
        for (config, param) in [
            (of_kind, "providers.own.kind".to_owned()),
            (of_name, format!("providers.{name}.kind")),
            (default, "default_provider".to_owned()),
            (target, "routes.r.targets[0]".to_owned()),
        ] {
            match config {
                Ok(_) => assert!(built, "{name} at {param}"),
                Err(error) if built => panic!("{name} at {param}: {}", error.message),
                Err(error) => assert_not_built(&error, &param, feature),
            }
        }
    }
}

/// An entry may have the name of a format that is not built, if its kind is another.
#[test]
fn a_name_alone_needs_no_feature() {
    for (name, ..) in ROWS {
        let entry = json!({"kind": "compatible", "base_url": "http://localhost:1/v1"});
        let config = config(&json!({"providers": {name: entry}})).unwrap();
        assert_eq!(config.providers[config.index(name).unwrap()].row.name, "compatible");
    }
}

/// The request of a caller who never heard of features. Nothing is sent: a default provider is not
/// asked in the place of the one that was named.
#[tokio::test]
async fn a_request_to_a_format_that_is_not_built_names_the_feature() {
    for (name, feature, _) in ROWS.into_iter().filter(|(_, _, built)| !built) {
        for document in [json!({}), json!({"default_provider": "openai"})] {
            let client = Client::new(config(&document).unwrap());
            let model = format!("{name}/m");
            for (request, options, param) in [
                (json!({"model": model, "prompt": "Hi"}), json!({}), "model"),
                (json!({"model": "m", "prompt": "Hi"}), json!({"provider": name}), "provider"),
            ] {
                let (request, options) = (request.to_string(), options.to_string());
                let asked = client.call(request.as_bytes(), options.as_bytes()).await;
                assert_not_built(&asked.unwrap_err(), param, feature);
            }
        }
    }
}

#[tokio::test]
async fn responses_and_its_counts_name_their_feature() {
    let entry = json!({"kind": "compatible", "base_url": "http://localhost:1/v1",
        "api": "responses"});
    let responses = config(&json!({"providers": {"own": entry}}));
    if cfg!(feature = "responses") {
        responses.unwrap();
        return;
    }
    assert_not_built(&responses.unwrap_err(), "providers.own.api", "responses");
    let client = Client::new(config(&json!({})).unwrap());
    let request = json!({"op": "count_tokens", "model": "openai/m", "prompt": "Hi"}).to_string();
    let counted = client.answer(request.as_bytes(), b"").await.map(drop);
    assert_not_built(&counted.unwrap_err(), "op", "responses");
}

/// Credentials have features of their own, and the same error.
#[test]
fn credentials_that_are_not_built_name_their_feature() {
    if cfg!(feature = "azure") {
        return;
    }
    let entry = json!({"resource": "r", "entra": {}});
    let azure = config(&json!({"providers": {"azure": entry}}));
    assert_not_built(&azure.unwrap_err(), "providers.azure.entra", "azure");
}

/// Redis, and what processes share there.
#[test]
fn redis_and_the_fleet_name_their_feature() {
    if cfg!(feature = "redis") {
        return;
    }
    let redis = config(&json!({"redis": {"url": "redis://localhost"}}));
    assert_not_built(&redis.unwrap_err(), "redis", "redis");
    let fleet = config(&json!({"fleet": {"limits": true}}));
    assert_not_built(&fleet.unwrap_err(), "fleet", "redis");
}
