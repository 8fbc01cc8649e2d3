//! Requests that are passed through: the engine's connections, and nothing of its own opinions. What
//! the bytes look like is in `bindings/conformance/cases/http`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Server, assert_says, call, client, within};
use liter_llm_core::model::HttpEvent;
use liter_llm_core::{Client, ErrorKind, HttpStep, HttpStream, Outcome, Started, Wanted};
use liter_llm_simulator::{Options, Simulator};
use serde_json::json;

fn request(url: &str, stream: bool) -> Vec<u8> {
    let body = json!({"model": "m", "stream": stream,
        "messages": [{"role": "user", "content": "a b c d"}]});
    let request = json!({"op": "http", "url": format!("{url}/chat/completions"), "method": "POST",
        "headers": [["authorization", "Bearer mine"]], "body": body.to_string(), "stream": stream});
    request.to_string().into_bytes()
}

async fn stream(client: &Client, url: &str) -> Box<HttpStream> {
    match within(client.start(client.admit().unwrap(), &request(url, true), b"", Wanted::default()))
        .await
        .unwrap()
    {
        Started::Http(stream) => stream,
        _ => panic!("not a stream"),
    }
}

#[tokio::test]
async fn chats_and_what_is_passed_through_share_connections() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let url = format!("{}/v1", simulator.url());
    let client = client(&url, json!({}));
    for _ in 0..3 {
        call(&client).await.unwrap();
        let answer = within(client.answer(&request(&url, false), b"")).await.unwrap();
        let Outcome::Http(answer) = answer else { panic!("not passed through") };
        assert_eq!(answer.status, 200);
        let mut stream = stream(&client, &url).await;
        let mut events = Vec::new();
        let done = loop {
            match within(stream.next()).await.unwrap() {
                HttpStep::Event(event) => events.push(event),
                HttpStep::Done(answer) => break answer,
            }
        };
        assert!(matches!(events[0], HttpEvent::Head { status: 200, .. }), "{events:?}");
        assert!(events.len() > 1 && done.body.is_none());
        assert!(within(stream.next()).await.is_err());
    }
    assert_eq!(simulator.stats().connections_opened, 1);
    let metrics = String::from_utf8(client.metrics_json()).unwrap();
    assert!(metrics.contains(r#""p":{"calls":9,"errors":{}}"#), "{metrics}");
}

#[tokio::test]
async fn a_dropped_stream_closes_its_socket() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let url = format!("{}/sim,chunks=100,interval_ms=60000,burst=1/v1", simulator.url());
    let client = client(&url, json!({}));
    let mut stream = stream(&client, &url).await;
    for _ in 0..2 {
        assert!(matches!(within(stream.next()).await, Ok(HttpStep::Event(_))));
    }
    drop(stream);
    common::until(|| simulator.stats().streams_aborted == 1).await;
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test]
async fn a_closed_client_ends_what_it_passes_through() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let url = format!("{}/sim,chunks=100,interval_ms=60000,burst=1/v1", simulator.url());
    let client = client(&url, json!({}));
    let mut stream = stream(&client, &url).await;
    assert!(matches!(within(stream.next()).await, Ok(HttpStep::Event(_))));
    client.cancel_all();
    let error = loop {
        match within(stream.next()).await {
            Ok(step) => assert!(matches!(step, HttpStep::Event(_)), "{step:?}"),
            Err(error) => break error,
        }
    };
    assert_says(&error, ErrorKind::Cancelled, "closed");
}

#[tokio::test]
async fn a_chat_is_not_mistaken_for_it() {
    let server = Server::answering(Vec::new()).await;
    let client = client(&server.url, json!({}));
    let error = client.call(&request(&server.url, false), b"").await.unwrap_err();
    assert_says(&error, ErrorKind::InvalidRequest, "op must be \"chat\" here");
}
