//! Lists in pages: each page is asked for within the call's one deadline, and however a server counts
//! its pages, the list has an end. The wire formats are in `bindings/conformance/cases/models`.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::fake::{Ask, Fake};
use common::within;
use liter_llm_core::{Client, Config, Error, ErrorKind, Outcome};
use serde_json::{Value, json};

fn client(url: &str, more: Value) -> Client {
    let entry = json!({"base_url": url, "api_key": "sk-canary-1"});
    let mut config = json!({"providers": {"anthropic": entry}, "retry": false});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Client::new(Config::parse(config.to_string().as_bytes()).unwrap())
}

async fn models(client: &Client, options: Value) -> Result<Value, Error> {
    let mut own = json!({"provider": "anthropic"});
    own.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let request = json!({"op": "models", "options": own}).to_string();
    let Outcome::Answer(answer) = within(client.answer(request.as_bytes(), b"")).await? else {
        panic!("no answer")
    };
    Ok(serde_json::from_slice(&answer.to_json()).unwrap())
}

/// A page of `size` models, whose last one is `last`. `next` says whether more follow.
fn page(last: &str, size: usize, next: bool) -> (u16, String) {
    let mut data: Vec<Value> = (1..size).map(|i| json!({"id": format!("{last}.{i}")})).collect();
    data.push(json!({ "id": last }));
    (200, json!({"data": data, "has_more": next, "last_id": last}).to_string())
}

/// The number of the page that is asked for, from 0: the servers here name each by its number.
fn number(ask: &Ask) -> usize {
    let after =
        ask.target.split_once("after_id=p").map(|(_, after)| after.parse::<usize>().unwrap());
    after.map_or(0, |after| after + 1)
}

fn truncated(list: &Value) -> &str {
    let [warning] = &list["warnings"].as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!(warning["code"], "truncated");
    warning["message"].as_str().unwrap()
}

#[tokio::test]
async fn pages_are_one_list_in_their_order() {
    let fake = Fake::new(|_, ask| page(&format!("p{}", number(ask)), 2, number(ask) < 2));
    let list = models(&client(&fake.url, json!({})), json!({})).await.unwrap();
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["p0.1", "p0", "p1.1", "p1", "p2.1", "p2"]);
    assert_eq!(list["warnings"], json!([]));
    let attempts = list["liter"]["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), fake.count()), (3, 3));
}

#[tokio::test]
async fn a_page_is_tried_again_like_any_request() {
    let fake = Fake::new(|n, ask| match n {
        1 => (503, r#"{"error":{"type":"api_error","message":"Try again"}}"#.to_owned()),
        _ => page(&format!("p{}", number(ask)), 1, number(ask) < 1),
    });
    let retries = json!({"retry": {"max_attempts": 2, "base_ms": 1}});
    let list = models(&client(&fake.url, retries), json!({})).await.unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    let statuses: Vec<_> = list["liter"]["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 503, 200]);
}

/// The error of a page is that of the call, and what was asked before is known.
#[tokio::test]
async fn a_page_that_fails_fails_the_call() {
    let fake = Fake::new(|_, ask| match number(ask) {
        2 => (500, r#"{"error":{"type":"api_error","message":"Broken"}}"#.to_owned()),
        n => page(&format!("p{n}"), 1, true),
    });
    let error = models(&client(&fake.url, json!({})), json!({})).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts.len()), (ErrorKind::Unavailable, 3));
    assert!(error.partial.is_none(), "{error:?}");
}

/// A server that answers each page with the same next one has no end of its own.
#[tokio::test]
async fn a_page_that_is_named_twice_ends_the_list() {
    let fake = Fake::new(|_, _| page("p0", 1, true));
    let list = models(&client(&fake.url, json!({})), json!({})).await.unwrap();
    assert!(truncated(&list).contains("the same page twice"), "{list}");
    assert_eq!(fake.count(), 2);
}

#[tokio::test]
async fn an_endless_list_ends_after_a_hundred_pages() {
    let fake = Fake::new(|_, ask| page(&format!("p{}", number(ask)), 1, true));
    let list = models(&client(&fake.url, json!({})), json!({})).await.unwrap();
    assert!(truncated(&list).contains("100 pages"), "{list}");
    assert_eq!((list["data"].as_array().unwrap().len(), fake.count()), (100, 100));
}

#[tokio::test]
async fn an_endless_list_ends_after_ten_thousand_models() {
    let fake = Fake::new(|_, ask| page(&format!("p{}", number(ask)), 1_000, true));
    let list = models(&client(&fake.url, json!({})), json!({})).await.unwrap();
    assert!(truncated(&list).contains("10000"), "{list}");
    assert_eq!((list["data"].as_array().unwrap().len(), fake.count()), (10_000, 10));
}

#[tokio::test]
async fn all_pages_have_one_deadline() {
    let fake = Fake::new(|_, ask| {
        std::thread::sleep(Duration::from_millis(20));
        page(&format!("p{}", number(ask)), 1, true)
    });
    let error =
        models(&client(&fake.url, json!({})), json!({"timeout_ms": 150})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!((2..20).contains(&fake.count()), "{} pages", fake.count());
}
