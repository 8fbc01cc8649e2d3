//! Embeddings of long lists: what goes out in parts comes back as one answer. The wire formats are in
//! `bindings/conformance/cases/embed`.
#![allow(clippy::unwrap_used)]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{client, within};
use liter_llm_core::Outcome;
use liter_llm_simulator::{Options, Simulator};
use serde_json::{Value, json};

/// The sum of a text's bytes and their number, as the simulator's vectors have it.
fn facts(text: &str) -> [f32; 2] {
    [text.bytes().map(f32::from).sum(), text.len() as f32]
}

/// The first two numbers of a vector.
fn first_two(embedding: &Value) -> [f32; 2] {
    let bytes = STANDARD.decode(embedding.as_str().unwrap()).unwrap();
    [0, 4].map(|at| f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()))
}

async fn asked(settings: Value, texts: &[String]) -> (Value, Simulator) {
    let simulator = Simulator::start(Options::default()).unwrap();
    let client = client(&format!("{}/v1", simulator.url()), settings);
    let request = json!({"op": "embed", "model": "p/m", "input": texts}).to_string();
    let answer = within(client.answer(request.as_bytes(), b"")).await.unwrap();
    let Outcome::Answer(answer) = answer else { panic!("no answer") };
    assert_eq!(client.in_flight(), 0);
    (serde_json::from_slice(&answer.to_json_behind(0)).unwrap(), simulator)
}

#[tokio::test]
async fn ten_thousand_texts_keep_their_order() {
    let texts: Vec<String> = (0..10_000).map(|i| "x".repeat(i % 7) + &i.to_string()).collect();
    let (answer, simulator) = asked(json!({}), &texts).await;
    let data = answer["data"].as_array().unwrap();
    assert_eq!(data.len(), texts.len());
    for (i, (one, text)) in data.iter().zip(&texts).enumerate() {
        assert_eq!(one["index"], i);
        assert_eq!(first_two(&one["embedding"]), facts(text), "{text}");
    }
    assert_eq!(answer["usage"]["total_tokens"], 10_000);
    // 1,024 vectors of an unknown length have room in one answer.
    assert_eq!(answer["liter"]["attempts"].as_array().unwrap().len(), 10);
    // Parts go out at once, over at most eight connections.
    let opened = simulator.stats().connections_opened;
    assert!((2..=8).contains(&opened), "{opened} connections");
}

#[tokio::test]
async fn a_limit_of_one_request_keeps_the_parts_one_after_the_other() {
    let texts: Vec<String> = (0..20).map(|i| i.to_string()).collect();
    let settings = json!({"limits": {"max_in_flight": 1}, "models": {"m": {"max_inputs": 3}}});
    let (answer, simulator) = asked(settings, &texts).await;
    assert_eq!(answer["liter"]["attempts"].as_array().unwrap().len(), 7);
    assert_eq!(simulator.stats().connections_opened, 1);
    let found = answer["data"].as_array().unwrap().iter().map(|one| first_two(&one["embedding"]));
    assert!(found.eq(texts.iter().map(|text| facts(text))));
}
