//! Whatever providers and callers do: nothing stays reserved, nothing is counted twice, and a provider
//! never bills more than a strict budget has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use liter_llm_core::{Client, ErrorKind};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::say::{HEAD, delta, end, event, piece, refuse, reply_bytes};
use super::world::{Act, Ask, ms, seeded};
use super::{nano, stands, state};

/// What a provider of this schedule bills for an answer: so many tokens of the answer, at 400.
const PER_TOKEN: u64 = 400;
const PROMPT: u64 = 3 * 200;

/// An answer of any kind, and what its provider bills.
fn play(ask: &Ask, rng: &mut Rng) -> (Vec<Act>, u64) {
    let most = ask.body["max_tokens"].as_u64().unwrap();
    let tokens = rng.u64(0..=most);
    let bill = PROMPT + tokens * PER_TOKEN;
    let usage =
        json!({"prompt_tokens": 3, "completion_tokens": tokens, "total_tokens": 3 + tokens});
    let wait = Act::Wait(ms(rng.u64(0..4_000)));
    let (acts, bill) = match rng.u8(..10) {
        0 => (refuse(500, "", "server_error"), 0),
        1 => (refuse(429, "", "rate_limit_exceeded"), 0),
        // It works and bills, and nobody hears of it.
        2 => (vec![Act::Hang], bill),
        3 => (vec![Act::Close], bill),
        4 => (vec![Act::Send(reply_bytes(200, "", "[]"))], bill),
        _ if ask.body["stream"] == true => {
            let usage = json!({"id": "x", "object": "chat.completion.chunk", "created": 1,
                "model": "m", "choices": [], "usage": usage});
            let finish = delta(json!({}), json!("stop"));
            let done = finish + &event(&usage.to_string()) + &event("[DONE]") + "0\r\n\r\n";
            let begin = vec![Act::Send([HEAD, &piece("one ")].concat().into())];
            let rest = match rng.u8(..4) {
                0 => vec![Act::Wait(ms(rng.u64(0..2_000))), Act::Close],
                1 => vec![Act::Hang],
                // No usage.
                2 => vec![Act::Send(end().into())],
                _ => vec![Act::Wait(ms(rng.u64(0..2_000))), Act::Send(done.into())],
            };
            (begin.into_iter().chain(rest).collect(), bill)
        }
        _ => {
            let body = json!({"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": "one two"}}], "usage": usage});
            (vec![Act::Send(reply_bytes(200, "", &body.to_string()))], bill)
        }
    };
    (std::iter::once(wait).chain(acts).collect(), bill)
}

/// One call of any kind, which its caller may give up.
async fn one(client: Client, seed: u64) -> Option<ErrorKind> {
    let mut rng = Rng::with_seed(seed);
    let mut options = json!({
        "timeout_ms": rng.u64(500..8_000),
        "retry": {"max_attempts": rng.u64(1..4), "base_ms": 100},
        "on_break": if rng.bool() { "restart" } else { "error" },
    });
    if rng.bool() {
        options["hedge"] = json!({"after_ms": rng.u64(100..2_000), "max": 2});
    }
    let model = if rng.bool() { "r" } else { "a/m" };
    let request = json!({"model": model, "prompt": "Why?", "max_tokens": rng.u64(1..2_000)});
    let (request, options) = (request.to_string(), options.to_string());
    let streams = rng.bool();
    let work = async {
        if !streams {
            return client.call(request.as_bytes(), options.as_bytes()).await.map(|_| ());
        }
        let mut stream = client.stream(request.as_bytes(), options.as_bytes()).await?;
        loop {
            if let liter_llm_core::Step::Done(_) = stream.next().await? {
                return Ok(());
            }
        }
    };
    let patience = ms(rng.u64(10..12_000));
    timeout(patience, work).await.ok()?.err().map(|error| error.kind())
}

async fn schedule(seed: u64) -> u64 {
    let mut rng = Rng::with_seed(seed);
    let limit = rng.u64(4_000_000..20_000_000);
    let usd = format!("0.{limit:09}");
    let config = json!({
        "budgets": {
            "strict": {"usd": usd, "window": "total", "enforce": "strict"},
            "hard": {"usd": "100", "window": "total"},
        },
        "prices": {"a/m": {"input": "0.2", "output": "0.4"}, "b/m": {"input": "0.2", "output": "0.4"}},
        "routes": {"r": {"targets": ["a/m", "b/m"]}},
        "providers": {"a": {"limits": {"max_in_flight": 8}}},
    });
    let billed = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&billed);
    let (client, _world) = seeded(seed, config, move |ask| {
        let host = u64::from(ask.host.as_bytes()[0]);
        let mut rng = Rng::with_seed(seed ^ host << 40 ^ (ask.number as u64) << 8);
        let (acts, bill) = play(ask, &mut rng);
        own.fetch_add(bill, Ordering::Relaxed);
        acts
    });
    let (mut calls, mut refused) = (JoinSet::new(), 0);
    for call in 0..60 {
        calls.spawn(one(client.clone(), seed << 20 | call));
        sleep(ms(rng.u64(0..400))).await;
        let (spent, held) = stands(&client, "strict", "").await;
        assert!(spent + held <= limit, "seed {seed}: {spent} and {held} of {limit}");
    }
    while let Some(outcome) = calls.join_next().await {
        refused += usize::from(outcome.unwrap() == Some(ErrorKind::Quota));
    }
    let (spent, held) = stands(&client, "strict", "").await;
    let billed = billed.load(Ordering::Relaxed);
    assert_eq!(held, 0, "seed {seed}");
    assert_eq!(stands(&client, "hard", "").await.1, 0, "seed {seed}");
    assert!(billed <= spent && spent <= limit, "seed {seed}: {billed}, {spent} of {limit}");
    let left: Value = state(&client, "strict", "").await["left_usd"].clone();
    assert_eq!(nano(left.as_str().unwrap()), limit - spent, "seed {seed}");
    u64::try_from(refused).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_strict_budget_is_never_passed() {
    let mut refused = 0;
    for seed in 0..40 {
        refused += schedule(seed).await;
    }
    // The limit was met.
    assert!(refused > 100, "{refused}");
}
