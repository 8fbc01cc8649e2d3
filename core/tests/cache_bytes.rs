//! `cache.memory_bytes` bounds what stored answers really hold, whatever their form. A program of its
//! own, because it counts what the whole process allocates.
#![allow(clippy::unwrap_used)]

#[expect(dead_code, reason = "shared with the promises of resilience, which use all of it")]
#[path = "promises/say.rs"]
mod say;
#[expect(dead_code, reason = "shared with the promises of resilience, which use all of it")]
#[path = "promises/world.rs"]
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use liter_llm_core::Outcome;
use serde_json::{Value, json};
use world::Act;

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const BOUND: isize = 2 << 20;

/// What the memory of a client holds after answers with these bodies, in bytes.
async fn held(op: &'static str, body: fn() -> Value, calls: usize) -> isize {
    let config = json!({"cache": {"memory_bytes": BOUND}, "retry": false});
    let (client, _world) = world::client(config, move |_| {
        vec![Act::Send(say::reply_bytes(200, "", &body().to_string()))]
    });
    for i in 0..calls {
        let question = format!("question {i}");
        let request = match op {
            "embed" => json!({"op": op, "model": "a/m", "input": [question]}),
            _ => json!({"model": "a/m", "prompt": question, "temperature": 0}),
        };
        let answer = client.answer(request.to_string().as_bytes(), b"").await.unwrap();
        assert!(matches!(answer, Outcome::Answer(_)));
    }
    let before = LIVE.load(Ordering::Relaxed);
    client.answer(br#"{"op": "cache_purge", "tenant": ""}"#, b"").await.unwrap();
    before - LIVE.load(Ordering::Relaxed)
}

fn text() -> Value {
    json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "one, two and three. ".repeat(400)}}]})
}

fn logprobs() -> Value {
    let one = json!({"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [
        {"token": "a", "logprob": -0.5, "bytes": [97]}, {"token": "b", "logprob": -1.5, "bytes": [98]}]});
    json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
        "logprobs": {"content": vec![one; 100]},
        "message": {"role": "assistant", "content": "a".repeat(100)}}]})
}

fn zeros() -> Value {
    json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "a", "numbers": vec![0; 1_000]}}]})
}

fn vector() -> Value {
    json!({"model": "m", "data": [{"index": 0, "embedding": vec![0.25; 1_536]}],
        "usage": {"prompt_tokens": 1, "total_tokens": 1}})
}

#[tokio::test(start_paused = true)]
async fn stored_answers_hold_no_more_than_the_bound() {
    for (name, op, body) in [
        ("text", "chat", text as fn() -> Value),
        ("logprobs", "chat", logprobs),
        ("zeros", "chat", zeros),
        ("vector", "embed", vector),
    ] {
        let held = held(op, body, 600).await;
        assert!(held > BOUND / 8, "{name}: {held} bytes are next to nothing");
        assert!(held <= BOUND + BOUND / 5, "{name}: {held} bytes are more than {BOUND}");
    }
}
