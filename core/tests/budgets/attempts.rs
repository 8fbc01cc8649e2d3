//! Each attempt reserves for itself, and what it may have cost stays counted however it ends.

use liter_llm_core::{ErrorKind, Step};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::say::{HEAD, answer, piece, refuse, reply_bytes};
use super::world::{Act, Ask, ms, secs};
use super::{COST, ask, ask_of, client, stands, with};

/// What a hard budget reserves for `ask`, within the few bytes that a body may change by.
fn is_estimate(nano: u64) -> bool {
    (8_000..9_000).contains(&nano)
}

#[tokio::test(start_paused = true)]
async fn a_refused_attempt_costs_nothing() {
    let more =
        json!({"retry": {"max_attempts": 3}, "budgets": {"all": {"usd": "1", "window": "day"}}});
    let (client, world) = with(more, |ask| match ask.number {
        0 => refuse(500, "", "server_error"),
        1 => refuse(429, "", "rate_limit_exceeded"),
        _ => answer(ask),
    });
    ask(&client, json!({})).await.unwrap();
    assert_eq!(world.count("a"), 3);
    assert_eq!(stands(&client, "all", "").await, (COST, 0));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_be_billed_counts_as_it_was_estimated() {
    let (client, _) = client(json!({"usd": "1", "window": "day"}), |ask| match ask.number {
        0 => vec![Act::Hang],
        1 => vec![Act::Wait(secs(1)), Act::Close],
        _ => vec![Act::Send(reply_bytes(200, "", "{}"))],
    });
    let error = ask(&client, json!({"timeout_ms": 5_000})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let (first, held) = stands(&client, "all", "").await;
    assert!(is_estimate(first) && held == 0, "{first} {held}");
    for n in 2..=3 {
        ask(&client, json!({})).await.unwrap_err();
        assert_eq!(stands(&client, "all", "").await, (n * first, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_costs_nothing() {
    let more = json!({
        "budgets": {"all": {"usd": "1", "window": "day"}},
        "providers": {"a": {"limits": {"max_in_flight": 1}, "api_key": "env:NOBODY_HAS_THIS"}},
    });
    let (client, world) = with(more, |_| vec![Act::Hang]);
    let error = ask(&client, json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(stands(&client, "all", "").await, (0, 0));
    assert_eq!(world.count("a"), 0);
}

/// The money of a call that waits for a limit is free for others.
#[tokio::test(start_paused = true)]
async fn a_call_that_waits_reserves_nothing() {
    let more = json!({
        "budgets": {"all": {"usd": "0.000012", "window": "day"}},
        "providers": {"a": {"limits": {"max_in_flight": 1}}},
    });
    let (client, _) = with(more, |ask| {
        let mut acts = vec![Act::Wait(secs(2))];
        acts.extend(answer(ask));
        acts
    });
    let both = async || tokio::join!(ask(&client, json!({})), ask(&client, json!({})));
    let (first, second) = both().await;
    // At once only one of them would have had room.
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(stands(&client, "all", "").await, (2 * COST, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hedge_reserves_for_itself() {
    const BEFORE: usize = 100;
    let (client, world) = client(json!({"usd": "1", "window": "total"}), |ask| match ask.number {
        BEFORE => vec![Act::Hang],
        101.. => [vec![Act::Wait(secs(5))], answer(ask)].into_iter().flatten().collect(),
        _ => answer(ask),
    });
    // Hedges are a share of the calls.
    for _ in 0..BEFORE {
        ask(&client, json!({})).await.unwrap();
    }
    let (before, _) = stands(&client, "all", "").await;
    assert_eq!(before, BEFORE as u64 * COST);
    let hedge = json!({"hedge": {"after_ms": 1_000}, "timeout_ms": 60_000});
    let running = tokio::spawn({
        let client = client.clone();
        async move { ask(&client, hedge).await }
    });
    sleep(ms(500)).await;
    let (_, one) = stands(&client, "all", "").await;
    sleep(secs(2)).await;
    assert_eq!(stands(&client, "all", "").await, (before, 2 * one));
    running.await.unwrap().unwrap();
    assert_eq!(world.count("a"), BEFORE + 2);
    // The one that lost may be billed.
    assert_eq!(stands(&client, "all", "").await, (before + one + COST, 0));
    assert!(is_estimate(one), "{one}");
}

/// A kept connection dies after it has taken the request, which goes out a second time. Both may be
/// billed.
#[tokio::test(start_paused = true)]
async fn a_request_that_goes_out_twice_counts_twice() {
    let budget = |usd: &str| json!({"usd": usd, "window": "total", "enforce": "strict"});
    let play = |ask: &Ask| match ask.number {
        1 => vec![Act::Close],
        _ => answer(ask),
    };
    let (roomy, world) = client(budget("1"), play);
    ask(&roomy, json!({})).await.unwrap();
    ask(&roomy, json!({})).await.unwrap();
    assert_eq!(world.count("a"), 3);
    let (spent, held) = stands(&roomy, "all", "").await;
    assert!((530_000..550_000).contains(&(spent - 2 * COST)) && held == 0, "{spent} {held}");
    // Without room for both, it does not go again.
    let (narrow, world) = client(budget("0.0008"), play);
    ask(&narrow, json!({})).await.unwrap();
    let error = ask(&narrow, json!({})).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("budget_exceeded"));
    assert_eq!(world.count("a"), 2);
    let (spent, held) = stands(&narrow, "all", "").await;
    assert!((530_000..550_000).contains(&(spent - COST)) && held == 0, "{spent} {held}");
}

/// Without the member that was refused, the answer may have any length.
#[tokio::test(start_paused = true)]
async fn a_strict_budget_does_not_ask_without_a_refused_limit() {
    let budget = json!({"usd": "1", "window": "day", "enforce": "strict"});
    let refused = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported.",
        "type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#;
    let (client, world) = client(budget, move |ask| match ask.number {
        0 => vec![Act::Send(reply_bytes(400, "", refused))],
        _ => answer(ask),
    });
    let error = ask(&client, json!({"drop_refused": true})).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("unbounded"), "{}", error.message);
    assert_eq!(error.param.as_deref(), Some("options.drop_refused"));
    assert_eq!(world.count("a"), 1);
    assert_eq!(stands(&client, "all", "").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cheaper_target_that_fits_is_asked() {
    let more = json!({
        "budgets": {"all": {"usd": "0.00002", "window": "day"}},
        "routes": {"r": {"targets": ["a/dear", "b/m"]}},
    });
    let (client, world) = with(more, answer);
    let response = ask_of(&client, "r", json!({})).await.unwrap();
    assert_eq!(response.provider, "b");
    assert_eq!((world.count("a"), world.count("b")), (0, 1));
    assert_eq!(stands(&client, "all", "").await, (COST, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stored_answer_costs_nothing() {
    let budget = json!({"usd": "1", "window": "day"});
    let (client, world) = with(json!({"budgets": {"all": budget}, "cache": {}}), answer);
    let options = json!({"cache": {"mode": "always"}});
    for _ in 0..3 {
        ask(&client, options.clone()).await.unwrap();
    }
    assert_eq!(world.count("a"), 1);
    assert_eq!(stands(&client, "all", "").await, (COST, 0));
}

/// A stream's cost comes at its end, and one that is given up counts by what had come.
#[tokio::test(start_paused = true)]
async fn streams_count_at_their_end() {
    let budget = |enforce: &str| json!({"usd": "1", "window": "day", "enforce": enforce});
    let budgets = json!({"budgets": {"hard": budget("hard"), "strict": budget("strict")}});
    let (client, _) = with(budgets, |ask| match ask.number {
        0 => answer(ask),
        _ => vec![Act::Send([HEAD, &piece("one "), &piece("two")].concat().into()), Act::Hang],
    });
    let request = json!({"model": "a/m", "prompt": "Why is the sky blue?", "max_tokens": 1_000});
    let request = request.to_string();
    let mut stream = client.stream(request.as_bytes(), b"").await.unwrap();
    let (spent, held) = stands(&client, "hard", "").await;
    assert!(spent == 0 && held > 0);
    while !matches!(stream.next().await.unwrap(), Step::Done(_)) {}
    // The provider has not said what it used.
    let (unknown, held) = stands(&client, "hard", "").await;
    assert!((400_000..410_000).contains(&unknown) && held == 0, "{unknown} {held}");
    let (bound, _) = stands(&client, "strict", "").await;
    let mut stream = client.stream(request.as_bytes(), b"").await.unwrap();
    timeout(secs(5), async { while stream.next().await.is_ok() {} }).await.unwrap_err();
    drop(stream);
    // Seven bytes and 256 tokens at 400, and the prompt.
    let (spent, held) = stands(&client, "hard", "").await;
    assert_eq!((spent - unknown, held), (unknown - 1_000 * 400 + 263 * 400, 0));
    assert_eq!(stands(&client, "strict", "").await, (2 * bound, 0));
}

#[tokio::test(start_paused = true)]
async fn vectors_and_rankings_count() {
    let more = json!({
        "budgets": {"all": {"usd": "1", "window": "day", "enforce": "strict"}},
        "prices": {"a/v": {"input": "0.2"}, "co/r": {"rerank_searches": "2"}},
        "providers": {"co": {"kind": "cohere", "base_url": "http://c.test", "api_key": "k"}},
    });
    let (client, _) = with(more, |ask| {
        let body = match ask.host.as_str() {
            "a" => {
                json!({"object": "list", "model": "v", "data": [{"index": 0, "object": "embedding",
                "embedding": [0.5, 0.25]}], "usage": {"prompt_tokens": 4, "total_tokens": 4}})
            }
            _ => json!({"id": "x", "results": [{"index": 0, "relevance_score": 0.5}],
                "meta": {"billed_units": {"search_units": 1}}}),
        };
        vec![Act::Send(reply_bytes(200, "", &body.to_string()))]
    });
    for request in [
        json!({"op": "embed", "model": "a/v", "input": "Hello"}),
        json!({"op": "rerank", "model": "co/r", "query": "Who?", "documents": ["I"]}),
    ] {
        client.answer(request.to_string().as_bytes(), b"").await.map(|_| ()).unwrap();
    }
    // 4 tokens at 200, and one search of 2 USD for a thousand.
    assert_eq!(stands(&client, "all", "").await, (800 + 2_000_000, 0));
}
