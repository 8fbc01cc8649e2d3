//! What each kind of budget reserves and refuses.

use liter_llm_core::ErrorKind;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::say::answer;
use super::world::{Act, secs};
use super::{COST, ask, ask_of, client, codes, stands, state, with};

const HOUR: u64 = 3_600;

#[tokio::test(start_paused = true)]
async fn a_hard_budget_refuses_what_is_likely_to_pass_it() {
    let (client, world) = client(json!({"usd": "0.00002", "window": "hour"}), answer);
    for n in 1..=5 {
        let response = ask(&client, json!({})).await.unwrap();
        assert_eq!(codes(&response), [] as [&str; 0]);
        assert_eq!(stands(&client, "all", "").await, (n * COST, 0));
    }
    let error = ask(&client, json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(error.code.as_deref(), Some("budget_exceeded"));
    assert_eq!(error.param.as_deref(), Some("budgets.all"));
    assert_eq!((error.provider.as_deref(), error.status), (Some("a"), None));
    assert!(error.retry_after_ms.is_some_and(|ms| ms > 0 && ms <= HOUR * 1_000));
    assert!(error.message.contains("0.000007 of 0.00002 USD left"), "{}", error.message);
    assert_eq!(world.count("a"), 5);
    // A new window has new money.
    sleep(secs(HOUR)).await;
    ask(&client, json!({})).await.unwrap();
    assert_eq!(stands(&client, "all", "").await, (COST, 0));
}

#[tokio::test(start_paused = true)]
async fn sixty_four_calls_at_once_pass_no_strict_limit() {
    let budget = |usd: &str| json!({"usd": usd, "window": "total", "enforce": "strict"});
    // How much one call reserves.
    let (one, _) = client(budget("1"), |_| vec![Act::Hang]);
    let running = tokio::spawn({
        let one = one.clone();
        async move { ask(&one, json!({})).await }
    });
    sleep(secs(1)).await;
    let (_, held) = stands(&one, "all", "").await;
    running.abort();
    assert!((530_000..550_000).contains(&held), "{held}");
    // There is room for one and a half.
    let usd = format!("0.{:09}", held * 3 / 2);
    let (client, world) = client(budget(&usd), |ask| {
        let mut acts = vec![Act::Wait(secs(3))];
        acts.extend(answer(ask));
        acts
    });
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        calls.spawn(async move { ask(&client, json!({})).await });
    }
    let outcomes = calls.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let error = outcomes.into_iter().find_map(Result::err).unwrap();
    // It has no end, so nobody knows when.
    assert_eq!((error.kind(), error.retry_after_ms), (ErrorKind::Quota, None));
    assert_eq!(world.count("a"), 1);
    assert_eq!(stands(&client, "all", "").await, (COST, 0));
}

#[tokio::test(start_paused = true)]
async fn a_strict_budget_refuses_what_nobody_can_bound() {
    let strict = json!({"usd": "1", "window": "day", "enforce": "strict"});
    let (client, world) = client(strict, answer);
    let file = json!([{"role": "user", "content": [
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,QQ=="}},
    ]}]);
    for (more, code, param) in [
        (json!({"max_tokens": null}), "unbounded", "max_tokens"),
        (json!({"tools": [{"type": "web_search"}]}), "unbounded", "tools"),
        (json!({"extra": {"a": {"store": true}}}), "unbounded", "extra"),
        (json!({"prompt": null, "messages": file}), "unbounded", "messages"),
        (json!({"model": "a/unknown"}), "price_unknown", "model"),
    ] {
        let mut request = json!({"model": "a/m", "prompt": "Hello", "max_tokens": 10});
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        let error = client.call(request.to_string().as_bytes(), b"").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{more}: {}", error.message);
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some(code), Some(param)));
        assert!(error.message.contains("budget all is strict"), "{}", error.message);
    }
    assert_eq!(world.count("a"), 0);
    assert_eq!(stands(&client, "all", "").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_soft_budget_warns() {
    let soft = json!({"usd": "0.00001", "window": "day", "enforce": "soft"});
    let (client, _) = client(soft, answer);
    ask(&client, json!({})).await.unwrap();
    for n in 2..5 {
        let response = ask(&client, json!({})).await.unwrap();
        assert_eq!(codes(&response), ["budget_exceeded"]);
        assert_eq!(response.warnings[0].param.as_deref(), Some("budgets.all"));
        assert_eq!(stands(&client, "all", "").await, (n * COST, 0));
    }
    assert_eq!(state(&client, "all", "").await["left_usd"], "0");
}

#[tokio::test(start_paused = true)]
async fn each_user_has_money_of_his_own() {
    let budgets = json!({"budgets": {
        "users": {"per": "tag:user", "usd": "0.00001", "window": "day"},
        "blue": {"when": {"tenant": "blue"}, "usd": "1", "window": "month"},
        "b": {"when": {"provider": "b"}, "usd": "1", "window": "week"},
    }});
    let (client, world) = with(budgets, answer);
    let of = |user: &str, tenant: &str| json!({"tags": {"user": user}, "tenant": tenant});
    ask(&client, of("ann", "blue")).await.unwrap();
    let error = ask(&client, of("ann", "red")).await.unwrap_err();
    assert_eq!(error.param.as_deref(), Some("budgets.users"));
    ask(&client, of("bob", "red")).await.unwrap();
    ask_of(&client, "b/m", json!({})).await.unwrap();
    for (name, value, spent) in [
        ("users", "ann", COST),
        ("users", "bob", COST),
        ("users", "", COST),
        ("users", "carl", 0),
        ("blue", "", COST),
        ("b", "", COST),
    ] {
        assert_eq!(stands(&client, name, value).await, (spent, 0), "{name} {value}");
    }
    assert_eq!(world.count("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_model_without_a_price_is_not_counted_in_silence() {
    let (client, _) = client(json!({"usd": "0.00001", "window": "day"}), answer);
    let response = ask_of(&client, "c/m", json!({})).await.unwrap();
    assert_eq!(codes(&response), ["price_unknown"]);
    assert_eq!(stands(&client, "all", "").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_read_by_its_name() {
    let (client, world) = client(json!({"usd": "50", "window": "30d"}), answer);
    ask(&client, json!({})).await.unwrap();
    let state = state(&client, "all", "").await;
    let (since, until) = (state["since"].as_u64().unwrap(), state["until"].as_u64().unwrap());
    assert_eq!((since % (30 * 86_400), until - since), (0, 30 * 86_400));
    let wanted = json!({
        "object": "budget", "name": "all", "value": "", "limit_usd": "50",
        "spent_usd": "0.0000026", "held_usd": "0", "left_usd": "49.9999974",
        "since": since, "until": until,
    });
    assert_eq!(state, wanted);
    let read = async |request: Value| {
        client.answer(request.to_string().as_bytes(), b"").await.err().unwrap()
    };
    let error = read(json!({"op": "budget", "name": "al"})).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message.contains("did you mean 'all'?"), "{}", error.message);
    let error = read(json!({"op": "budget"})).await;
    assert_eq!((error.kind(), error.param.as_deref()), (ErrorKind::InvalidRequest, Some("name")));
    assert_eq!(world.count("a"), 1);
}
