//! The promises of `docs/cost.md` that concern budgets, in virtual time.
#![allow(clippy::unwrap_used)]

#[path = "budgets/attempts.rs"]
mod attempts;
#[path = "budgets/modes.rs"]
mod modes;
#[path = "promises/say.rs"]
mod say;
#[path = "budgets/schedules.rs"]
mod schedules;
#[expect(dead_code, reason = "shared with the promises of resilience, which use all of it")]
#[path = "promises/world.rs"]
mod world;

use std::sync::Arc;

use liter_llm_core::{Client, Error, Response};
use serde_json::{Value, json};
use world::{Act, Ask, World};

/// A client whose answers cost 2,600 nano-dollars: 3 tokens of the prompt at 0.2, and 5 at 0.4, in USD
/// for a million.
fn client(
    budget: Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    with(json!({"budgets": {"all": budget}}), play)
}

/// What such an answer costs, in nano-dollars.
const COST: u64 = 2_600;

/// The same, with more of a configuration.
fn with(
    config: Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    let price = || json!({"input": "0.2", "output": "0.4"});
    let prices =
        json!({"a/m": price(), "b/m": price(), "a/dear": {"input": "200", "output": "400"}});
    let mut whole = json!({"retry": false, "prices": prices});
    for (name, value) in config.as_object().unwrap() {
        whole[name] = value.clone();
    }
    world::client(whole, play)
}

/// A request whose answer has 10 tokens at most. A hard budget reserves 8,400 nano-dollars or so, and a
/// strict one 540,000.
async fn ask(client: &Client, options: Value) -> Result<Response, Error> {
    ask_of(client, "a/m", options).await
}

async fn ask_of(client: &Client, model: &str, options: Value) -> Result<Response, Error> {
    let request = json!({"model": model, "prompt": "Why is the sky blue?", "max_tokens": 10});
    client.call(request.to_string().as_bytes(), options.to_string().as_bytes()).await
}

/// What stands in a budget: spent and held, in nano-dollars.
async fn stands(client: &Client, name: &str, value: &str) -> (u64, u64) {
    let state = state(client, name, value).await;
    let nano = |name: &str| nano(state[name].as_str().unwrap());
    assert_eq!(
        nano("left_usd"),
        nano("limit_usd").saturating_sub(nano("spent_usd") + nano("held_usd"))
    );
    (nano("spent_usd"), nano("held_usd"))
}

async fn state(client: &Client, name: &str, value: &str) -> Value {
    let request = json!({"op": "budget", "name": name, "value": value});
    let outcome = client.answer(request.to_string().as_bytes(), b"").await.unwrap();
    serde_json::from_slice(&outcome.to_json()).unwrap()
}

/// Decimal text in USD as nano-dollars.
fn nano(usd: &str) -> u64 {
    let (whole, decimals) = usd.split_once('.').unwrap_or((usd, ""));
    format!("{whole}{decimals:0<9}").parse().unwrap()
}

fn codes(response: &Response) -> Vec<&str> {
    response.warnings.iter().map(|warning| warning.code).collect()
}
