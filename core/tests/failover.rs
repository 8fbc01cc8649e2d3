//! Several calls of one client over real sockets, where one call alone shows nothing: a provider that
//! flaps, hedges that are earned. What one call shows is in `bindings/conformance/cases/faults`.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Server, answer, events, ok, within};
use liter_llm_core::{Client, Config, Response, Step};
use serde_json::{Value, json};

const ASK: &[u8] = br#"{"model":"a/m","prompt":"hi"}"#;

/// What a server does with a request.
enum Act {
    Say(Vec<u8>),
    Nothing,
}

/// A server that plays by the number of the request, from 0, and counts them.
async fn playing(
    play: impl Fn(usize) -> Act + Send + Sync + 'static,
) -> (Server, Arc<AtomicUsize>) {
    let (play, asked) = (Arc::new(play), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let server = Server::start(move |_, mut peer| {
        let (play, count) = (Arc::clone(&play), Arc::clone(&count));
        async move {
            while peer.request().await.is_some() {
                match play(count.fetch_add(1, Ordering::SeqCst)) {
                    Act::Say(bytes) => peer.send(&bytes).await,
                    Act::Nothing => peer.closed().await,
                }
            }
        }
    })
    .await;
    (server, asked)
}

fn says(text: &str) -> Act {
    Act::Say(ok("", answer(text).as_bytes()))
}

fn busy() -> Act {
    Act::Say(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec())
}

fn client(a: &Server, b: &Server, more: Value) -> Client {
    let entry = |server: &Server| json!({"kind": "openai", "base_url": server.url, "api_key": "k"});
    let mut config = json!({"providers": {"a": entry(a), "b": entry(b)}});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Client::new(Config::parse(config.to_string().as_bytes()).unwrap())
}

async fn ask(client: &Client, options: &Value) -> Response {
    within(client.call(ASK, options.to_string().as_bytes())).await.unwrap()
}

#[tokio::test]
async fn a_flapping_provider_under_twenty_calls() {
    // Down, up, and down for good.
    let (a, asked_a) = playing(|n| if (3..5).contains(&n) { says("a") } else { busy() }).await;
    let (b, asked_b) = playing(|_| says("b")).await;
    let client = client(&a, &b, json!({}));
    let mut served = String::new();
    for _ in 0..20 {
        let response = ask(&client, &json!({"fallback": ["b/n"]})).await;
        served += response.text();
    }
    // No call fails; and of the second time it is down, the fifth failure is the last.
    assert_eq!(served, "bbbaabbbbbbbbbbbbbbb");
    assert_eq!((asked_a.load(Ordering::SeqCst), asked_b.load(Ordering::SeqCst)), (10, 18));
}

#[tokio::test]
async fn a_hedge_that_was_earned_goes_to_the_fallback() {
    let (a, asked_a) = playing(|n| if n < 20 { says("a") } else { Act::Nothing }).await;
    let (b, asked_b) = playing(|_| says("b")).await;
    let client = client(&a, &b, json!({}));
    for _ in 0..20 {
        ask(&client, &json!({})).await;
    }
    let response = ask(&client, &json!({"fallback": ["b/n"], "hedge": {"after_ms": 20}})).await;
    let attempts = serde_json::to_value(&response).unwrap()["liter"]["attempts"].clone();
    assert_eq!(response.text(), "b");
    assert_eq!(
        (&attempts[0]["kind"], &attempts[0]["may_be_billed"]),
        (&json!("cancelled"), &json!(true))
    );
    assert_eq!((&attempts[1]["target"], &attempts[1]["hedge"]), (&json!("b/n"), &json!(true)));
    assert_eq!((asked_a.load(Ordering::SeqCst), asked_b.load(Ordering::SeqCst)), (21, 1));
}

#[tokio::test]
async fn an_answer_that_begins_anew_waits_as_a_repetition_does() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let whole = head.to_owned() + &events("whole");
    let (cut, _) = whole.split_once("data: [DONE]").unwrap();
    let first = cut.split_inclusive("\n\n").take(2).collect::<String>();
    let server = Server::start(move |n, mut peer| {
        let bytes = if n < 5 { first.clone() } else { whole.clone() };
        async move {
            peer.request().await;
            peer.send(bytes.as_bytes()).await;
        }
    })
    .await;
    let client = client(&server, &server, json!({"breaker": false}));
    let retry = json!({"max_attempts": 6, "base_ms": 100});
    let options = json!({"on_break": "restart", "retry": retry}).to_string();
    let begun = Instant::now();
    let mut stream = within(client.stream(ASK, options.as_bytes())).await.unwrap();
    let mut restarts = 0;
    let response = loop {
        match within(stream.next()).await.unwrap() {
            Step::Restarted(_) => restarts += 1,
            Step::Chunks(_) => {}
            Step::Done(response) => break response,
        }
    };
    assert_eq!((response.text(), restarts), ("whole", 5));
    // Five random waits of up to 0.1, 0.2, … 1.6 s: less than this together in one of millions.
    assert!(begun.elapsed() > Duration::from_millis(50), "{:?}", begun.elapsed());
}
