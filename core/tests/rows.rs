//! Every row of the registry that speaks OpenAI's form in its own way has a conformance case, and the
//! case sends to the row's own path. `docs/providers.md` says what each provider takes, and
//! `UPDATE=1` writes it again.
#![allow(clippy::unwrap_used)]

#[path = "wire/corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::path::Path;

use liter_llm_core::model::{Options, Request, Unsupported};
use liter_llm_core::provider::Notes;
use liter_llm_core::provider::registry::{ROWS, Row, row};
use serde_json::{Value, json};

/// Rows whose cases lie in other folders, or that have golden pairs.
const ELSEWHERE: [&str; 16] = [
    "openai",
    "anthropic",
    "cohere",
    "gemini",
    "vertex",
    "bedrock",
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
        // A row without a dialect has embeddings and no chats.
        let own = row.dialect().map_or("/embeddings", |dialect| &*dialect.path);
        let path = format!("/{after_host}{own}");
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

/// What a chat may hold that some providers do not take, with the name that the document has for it.
fn probes() -> Vec<(&'static str, Value)> {
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    let part = |part: Value| json!({"messages": [{"role": "user", "content": [part]}]});
    let image = |url: &str| part(json!({"type": "image_url", "image_url": {"url": url}}));
    let schema = json!({"name": "s", "schema": {"type": "object", "properties": {}, "additionalProperties": false}});
    let file = json!({"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="});
    vec![
        ("`seed`", json!({"seed": 1})),
        ("`n`", json!({"n": 2})),
        ("`presence_penalty`", json!({"presence_penalty": 1})),
        ("`frequency_penalty`", json!({"frequency_penalty": 1})),
        ("`metadata`", json!({"metadata": {"k": "v"}})),
        ("`user`", json!({"user": "u"})),
        ("`tool_choice`", json!({"tools": tools, "tool_choice": "required"})),
        ("`parallel_tool_calls`", json!({"tools": tools, "parallel_tool_calls": false})),
        (
            "`json_schema`",
            json!({"response_format": {"type": "json_schema", "json_schema": schema}}),
        ),
        ("images by URL", image("https://example.com/a.png")),
        ("images as data", image("data:image/png;base64,iVBORw0KGgo=")),
        (
            "audio",
            part(json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}})),
        ),
        ("files", part(json!({"type": "file", "file": file}))),
    ]
}

/// What a provider makes of a chat with these members: its body, and whether it took all of them.
fn sent(row: &'static Row, members: &Value) -> Option<(Value, bool)> {
    let mut document = json!({"max_tokens": 9, "messages": [{"role": "user", "content": "q"}]});
    document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let document = document.to_string();
    let (request, _) = Request::parse(document.as_bytes(), Options::default()).unwrap();
    let mut notes = Notes::new(Unsupported::Warn);
    let target = corpus::provider(row.name).target("m");
    let wire = row.chat()?.encode(&request, &target, &mut notes).ok()?;
    Some((serde_json::from_slice(&wire.body).unwrap(), notes.into_warnings().is_empty()))
}

/// The operations besides chat that a provider has.
fn other_operations(row: &'static Row) -> Vec<&'static str> {
    let adapter = row.adapter();
    let has = [
        adapter.embed().map(|_| "embed"),
        adapter.rerank().map(|_| "rerank"),
        adapter.models().map(|_| "models"),
        adapter.count_tokens().map(|_| "count_tokens"),
        adapter.moderate().map(|_| "moderate"),
    ];
    has.into_iter().flatten().collect()
}

/// A line of the document's table.
fn takes(row: &'static Row) -> String {
    let others = other_operations(row);
    if row.chat().is_none() {
        return format!("| `{}` | {} | – | – |\n", row.name, others.join(", "));
    }
    let left = probes().into_iter().filter(|(_, members)| !sent(row, members).is_some_and(|s| s.1));
    let left: Vec<_> = left.map(|(name, _)| name).collect();
    let left = if left.is_empty() { "nothing".to_owned() } else { left.join(", ") };
    let history = json!({"messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a", "reasoning": "why"},
        {"role": "user", "content": "q"},
    ]});
    let goes_back = sent(row, &history).is_some_and(|(_, all)| all);
    let operations = [vec!["chat"], others].concat();
    let back = if goes_back { "yes" } else { "no" };
    format!("| `{}` | {} | {back} | {left} |\n", row.name, operations.join(", "))
}

#[test]
fn the_document_says_what_each_provider_takes() {
    const MARKS: (&str, &str) = ("<!-- takes:begin -->\n", "<!-- takes:end -->");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/providers.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS.0).unwrap();
    let (old, after) = rest.split_once(MARKS.1).unwrap();
    let head = "| name | operations | reasoning goes back | does not take |\n|---|---|---|---|\n";
    let new: String = std::iter::once(head.to_owned()).chain(ROWS.iter().map(takes)).collect();
    if std::env::var_os("UPDATE").is_some() {
        let page = format!("{before}{}{new}{}{after}", MARKS.0, MARKS.1);
        std::fs::write(&path, page).unwrap();
    } else {
        assert!(old == new, "run this test with UPDATE=1 and read the difference");
    }
}
