//! Embeddings of long lists: what goes out in parts comes back as one answer. The wire formats are in
//! `bindings/conformance/cases/embed`.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Peer, Server, assert_says, client, ok, within};
use liter_llm_core::{Client, Config, Error, ErrorKind, Outcome};
use liter_llm_simulator::{Options, Simulator};
use serde_json::{Value, json};
use tokio::sync::Notify;

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
    (serde_json::from_slice(&answer.to_json()).unwrap(), simulator)
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

/// A client of `p` that asks about two inputs at a time, and members of the client's configuration.
fn in_twos(url: &str, more: Value) -> Client {
    let entry = json!({
        "kind": "openai", "base_url": url, "api_key": "k", "idempotency_header": "x-part",
        "models": {"m": {"max_inputs": 2}, "n": {"max_inputs": 2}},
    });
    let mut config = json!({"providers": {"p": entry}, "retry": false});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Client::new(Config::parse(config.to_string().as_bytes()).unwrap())
}

/// The options of a call whose parts go out one after the other, each with its number as a key.
fn in_turn(more: Value) -> Vec<u8> {
    let mut options = json!({"limit": {"wait": false}, "idempotency_key": "k"});
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options.to_string().into_bytes()
}

async fn failure(client: &Client, request: Value, options: &[u8]) -> Error {
    let request = request.to_string();
    match within(client.answer(request.as_bytes(), options)).await {
        Err(error) => error,
        Ok(_) => panic!("an answer"),
    }
}

const TWO: &[u8] = br#"{"data":[{"embedding":"AAAAPw=="},{"embedding":"AAAAPw=="}]}"#;

/// Answers the parts of a request before the one of this number. Returns when that one has come.
async fn until_part(peer: &mut Peer, part: usize) -> bool {
    while let Some(head) = peer.request().await {
        if head.contains(&format!("x-part: k-{part}")) {
            return true;
        }
        peer.send(&ok("", TWO)).await;
    }
    false
}

#[tokio::test]
async fn what_cannot_be_embedded_is_found_before_anything_is_sent() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let client = in_twos(&format!("{}/v1", simulator.url()), json!({}));
    let image = json!({"type": "image_url", "image_url": "https://example.com/a.png"});
    let request = json!({"op": "embed", "model": "p/m", "input": ["a", "b", "c", "d", image]});
    let error = failure(&client, request, b"").await;
    assert_says(&error, ErrorKind::Unsupported, "input[4]: p embeds no images");
    assert_eq!(error.param.as_deref(), Some("input[4]"));
    assert_eq!((simulator.stats().requests, error.attempts.len()), (0, 0));
}

#[tokio::test]
async fn a_target_that_cannot_embed_each_input_is_not_asked() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let url = format!("{}/v1", simulator.url());
    let models = json!({"m": {"max_inputs": 1}});
    let config = json!({"providers": {
        "texts": {"kind": "together", "base_url": url, "api_key": "k", "models": models},
        "tokens": {"kind": "openai", "base_url": url, "api_key": "k", "models": models},
    }});
    let client = Client::new(Config::parse(config.to_string().as_bytes()).unwrap());
    let request = json!({"op": "embed", "model": "texts/m", "input": ["a", [1, 2]]}).to_string();
    let options = json!({"fallback": ["tokens/m"]}).to_string();
    let answer = within(client.answer(request.as_bytes(), options.as_bytes())).await.unwrap();
    let Outcome::Answer(answer) = answer else { panic!("no answer") };
    assert_eq!(answer.provider(), "tokens");
    assert_eq!(simulator.stats().requests, 2);
}

/// Each answer has a quarter of the room, so that one would always fit if the others were given back.
#[tokio::test]
async fn the_room_of_parts_is_held_until_they_are_one() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let url = format!("{}/v1", simulator.url());
    let request = |texts| {
        let texts: Vec<String> = (0..texts).map(|i| format!("text {i}")).collect();
        json!({"op": "embed", "model": "p/m", "input": texts, "dimensions": 4096})
    };
    let entry = json!({
        "kind": "openai", "base_url": url, "api_key": "k", "models": {"m": {"max_inputs": 64}},
    });
    let room = json!({"providers": {"p": entry}, "retry": false, "max_bytes_in_flight": 6 << 20});
    let client = Client::new(Config::parse(room.to_string().as_bytes()).unwrap());
    let wait = json!({"limit": {"wait": false}}).to_string();
    let error = failure(&client, request(8 * 64), wait.as_bytes()).await;
    assert_says(&error, ErrorKind::RateLimit, "max_bytes_in_flight is 6291456");
    // What the failed call held is free again.
    for _ in 0..3 {
        let request = request(3 * 64).to_string();
        within(client.answer(request.as_bytes(), wait.as_bytes())).await.unwrap();
    }
}

#[tokio::test]
async fn closing_says_what_was_done_and_tried() {
    let third = Arc::new(Notify::new());
    let begun = Arc::clone(&third);
    let server = Server::start(move |_, mut peer| {
        let begun = Arc::clone(&begun);
        async move {
            if until_part(&mut peer, 2).await {
                begun.notify_one();
                peer.closed().await;
            }
        }
    })
    .await;
    let client = in_twos(&server.url, json!({}));
    let request = json!({"op": "embed", "model": "p/m", "input": ["a", "b", "c", "d", "e"]});
    let options = in_turn(json!({}));
    let waited = failure(&client, request, &options);
    let closed = async {
        within(third.notified()).await;
        client.cancel_all();
    };
    let (error, ()) = tokio::join!(waited, closed);
    assert_says(&error, ErrorKind::Cancelled, "the client is closed");
    let document: Value = serde_json::from_slice(&error.to_json()).unwrap();
    let done = json!([{"from": 0, "to": 2}, {"from": 2, "to": 4}]);
    assert_eq!(document["error"]["partial"]["inputs"], done);
    let kinds: Vec<_> = error.attempts.iter().map(|attempt| attempt.kind).collect();
    assert_eq!(kinds, [None, None, Some(ErrorKind::Cancelled)]);
}

/// A fan-out's error has the attempts at all parts of all targets.
#[tokio::test]
async fn a_fan_out_says_what_its_parts_tried() {
    let server = Server::start(|_, mut peer| async move {
        while until_part(&mut peer, 1).await {
            let refusal = r#"{"error":{"message":"no","param":"input[1]"}}"#;
            let head = format!(
                "HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                refusal.len()
            );
            peer.send(&[head.as_bytes(), refusal.as_bytes()].concat()).await;
        }
    })
    .await;
    let client = in_twos(&server.url, json!({}));
    let request = json!({"op": "embed", "model": "p/m", "input": ["a", "b", "c", "d"]});
    let fanout = json!({"fanout": {"targets": ["p/m", "p/n"], "first": 1}});
    let error = failure(&client, request, &in_turn(fanout)).await;
    assert_says(&error, ErrorKind::InvalidRequest, "input[2] to input[3]: no");
    assert_eq!(error.param.as_deref(), Some("input[3]"));
    let tried: Vec<_> = error.attempts.iter().map(|one| (&*one.target, one.status)).collect();
    let (done, refused) = (Some(200), Some(400));
    assert_eq!(tried, [("p/m", done), ("p/m", refused), ("p/n", done), ("p/n", refused)]);
    let done = error.partial.as_ref().unwrap().inputs.iter().map(|done| (done.from, done.to));
    assert_eq!(done.collect::<Vec<_>>(), [(0, 2)]);
}

/// Each input has a warning of its own: what compares each with each takes minutes.
#[tokio::test]
async fn a_warning_for_each_input_takes_no_time() {
    let one = r#"{"embeddings":{"values":[1],"statistics":{"truncated":true,"token_count":1}}}"#;
    let inputs = 40_000;
    let body = format!(r#"{{"predictions":[{}]}}"#, vec![one; 250].join(","));
    let server = Server::start(move |_, mut peer| {
        let body = ok("", body.as_bytes());
        async move {
            while peer.request().await.is_some() {
                peer.send(&body).await;
            }
        }
    })
    .await;
    let entry = json!({"kind": "vertex", "base_url": server.url, "api_key": "k"});
    let config = json!({"providers": {"p": entry}, "retry": false});
    let client = Client::new(Config::parse(config.to_string().as_bytes()).unwrap());
    let request = json!({"op": "embed", "model": "p/m", "input": vec!["a"; inputs]}).to_string();
    let answer = within(client.answer(request.as_bytes(), b"")).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.to_json()).unwrap();
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), inputs);
    assert_eq!(warnings[inputs - 1]["param"], "input[39999]");
}
