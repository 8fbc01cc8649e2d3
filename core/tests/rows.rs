//! Every row of the registry that speaks OpenAI's form in its own way has a conformance case, and the
//! case sends to the row's own path.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use liter_llm_core::provider::registry::{ROWS, row};
use serde_json::Value;

/// Rows whose cases lie in other folders, or that have golden pairs.
const ELSEWHERE: [&str; 15] = [
    "openai",
    "anthropic",
    "cohere",
    "gemini",
    "vertex",
    "groq",
    "mistral",
    "deepseek",
    "xai",
    "openrouter",
    "together",
    "fireworks",
    "ollama",
    "vllm",
    "compatible",
];

#[test]
fn each_row_has_a_case_that_sends_through_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/conformance/cases/rows");
    for row in ROWS.iter().filter(|row| !ELSEWHERE.contains(&row.name)) {
        let name = row.name;
        let text = std::fs::read(folder.join(format!("{name}.json"))).expect(name);
        let case: Value = serde_json::from_slice(&text).unwrap();
        let after_host = row.url_like().splitn(4, '/').nth(3).unwrap();
        let entry = &case["config"]["providers"][name];
        assert_eq!(entry["base_url"], format!("$SIM/{after_host}"), "{name}");
        let expect = &case["exchanges"][0]["expect"];
        let path = format!("/{after_host}{}", row.dialect().unwrap().path);
        assert_eq!(expect["path"], path, "{name}");
        assert!(expect["body"].is_object() && expect["headers"].is_object(), "{name}");
    }
}

#[test]
fn rows_are_whole() {
    for (i, one) in ROWS.iter().enumerate() {
        assert!(std::ptr::eq(row(one.name).unwrap(), &raw const ROWS[i]), "{} twice", one.name);
        assert!(one.url_like().starts_with("http"), "{}: no form of its URL", one.name);
        assert_eq!(one.base_url.is_empty(), !one.base_url_like.is_empty(), "{}", one.name);
        let local = one.base_url.starts_with("http://localhost:");
        assert!(local || one.url_like().starts_with("https://") || one.name == "compatible");
        // No key of the environment goes to whatever listens on this machine.
        assert!(!local || one.key_env.is_empty(), "{}", one.name);
    }
}
