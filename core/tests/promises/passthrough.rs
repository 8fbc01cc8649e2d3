//! What holds of resilience for requests that are passed through: the provider's own limits.

use liter_llm_core::{Client, Error, ErrorKind, Outcome};
use serde_json::{Value, json};

use super::say::answer;
use super::world::{call, client, secs};

async fn pass(client: &Client, options: Value) -> Result<Outcome, Error> {
    let request = json!({
        "op": "http", "method": "POST", "url": "http://a.test/v1/chat/completions",
        "body": "{\"model\": \"m\"}",
    });
    client.answer(request.to_string().as_bytes(), options.to_string().as_bytes()).await
}

#[tokio::test(start_paused = true)]
async fn options_that_would_change_nothing_are_refused() {
    let (client, world) = client(json!({}), answer);
    for (name, value) in [
        ("retry", json!({"max_attempts": 2})),
        ("fallback", json!(["b/m"])),
        ("fanout", json!({"targets": ["b/m"]})),
        ("hedge", json!({"after_ms": 5})),
        ("region", json!("eu")),
        ("sticky_key", json!("me")),
        ("idempotency_key", json!("me")),
        ("on_break", json!("restart")),
        ("merge_deltas", json!(true)),
        ("unsupported", json!("error")),
        ("strict", json!(true)),
        ("adapt", json!(true)),
        ("drop_refused", json!(true)),
        ("headers", json!({"x-a": "1"})),
    ] {
        let error = pass(&client, json!({name: value})).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.param.as_deref(), Some(format!("options.{name}").as_str()));
        assert!(error.message.contains(name), "{error}");
    }
    assert_eq!(world.count("a"), 0);
    // What is off anyway may be said to be off.
    let off = json!({"retry": false, "hedge": false, "on_break": "error", "strict": false,
        "adapt": false, "drop_refused": false, "headers": {}});
    pass(&client, off).await.unwrap();
    assert_eq!(world.count("a"), 1);
}

#[tokio::test(start_paused = true)]
async fn promise_9_a_providers_limits_hold_for_what_is_passed_through() {
    let config = json!({"providers": {"a": {"limits": {"requests_per_minute": 10}}}});
    let (client, world) = client(config, answer);
    // One quota for both.
    call(&client, "a/m", json!({})).await.unwrap();
    let error = pass(&client, json!({"limit": {"wait": false}})).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::RateLimit);
    assert_eq!((error.provider.as_deref(), error.attempts.len()), (Some("a"), 0));
    assert!(error.retry_after_ms.unwrap() > 0);
    pass(&client, json!({})).await.unwrap();
    assert!((secs(5)..secs(8)).contains(&world.now()), "{:?}", world.now());
    assert_eq!(world.count("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn promise_4_what_is_passed_through_is_not_sent_too_late() {
    let config = json!({"providers": {"a": {"limits": {"requests_per_minute": 10}}}});
    let (client, world) = client(config, answer);
    pass(&client, json!({})).await.unwrap();
    // The next may go after 6.1 s.
    let error = pass(&client, json!({"timeout_ms": 6_110})).await.err().unwrap();
    assert_eq!((error.kind(), world.now(), world.count("a")), (ErrorKind::RateLimit, secs(0), 1));
    pass(&client, json!({"timeout_ms": 6_130})).await.unwrap();
    assert_eq!(world.count("a"), 2);
}
