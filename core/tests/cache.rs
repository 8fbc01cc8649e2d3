//! The promises of `docs/cache.md` that concern one process, in virtual time.
#![allow(clippy::unwrap_used)]

#[path = "cache/flights.rs"]
mod flights;
#[path = "cache/freshness.rs"]
mod freshness;
#[path = "cache/kept.rs"]
mod kept;
#[path = "cache/keys.rs"]
mod keys;
#[path = "promises/say.rs"]
mod say;
#[expect(dead_code, reason = "shared with the promises of resilience, which use all of it")]
#[path = "promises/world.rs"]
mod world;

use std::sync::Arc;

use liter_llm_core::{Client, Error, Response, Step};
use serde_json::{Value, json};
use world::{Act, Ask, World};

/// A client with a cache of these settings.
fn cached(
    cache: &Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    world::client(json!({"cache": cache, "retry": false}), play)
}

/// A request whose answer does not change.
fn question() -> Value {
    json!({"model": "a/m", "prompt": "Why is the sky blue?", "temperature": 0})
}

async fn ask(client: &Client, request: &Value, options: &Value) -> Result<Response, Error> {
    client.call(request.to_string().as_bytes(), options.to_string().as_bytes()).await
}

/// Where the answer came from.
fn tier(response: &Response) -> &'static str {
    response.liter.cache.as_ref().map_or("none", |cached| cached.tier.name())
}

/// A stream's text, and its end.
async fn read(
    client: &Client,
    request: &Value,
    options: &Value,
) -> Result<(String, Response), Error> {
    let (request, options) = (request.to_string(), options.to_string());
    let mut stream = client.stream(request.as_bytes(), options.as_bytes()).await?;
    let mut text = String::new();
    loop {
        match stream.next().await? {
            Step::Chunks(chunks) => {
                for choice in chunks.iter().flat_map(|chunk| &chunk.choices) {
                    text.extend(choice.delta.content.as_deref());
                }
            }
            Step::Restarted(_) => text.clear(),
            Step::Done(response) => return Ok((text, *response)),
        }
    }
}
