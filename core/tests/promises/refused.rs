//! A request that is refused for one parameter goes again without it (`options.drop_refused`).

use liter_llm_core::ErrorKind;
use serde_json::{Value, json};

use super::say::{answer, reply_bytes};
use super::world::{Act, Ask, call, client, ms, stream};

/// Refuses a member of the body, as OpenAI does.
fn refuses(ask: &Ask, member: &str) -> Option<Vec<Act>> {
    ask.body.get(member)?;
    let message = format!("Unsupported parameter: '{member}' is not supported with this model.");
    let error = json!({"message": message, "param": member, "code": "unsupported_parameter"});
    Some(vec![Act::Send(reply_bytes(400, "", &json!({ "error": error }).to_string()))])
}

/// Each request asks for this beside its prompt.
fn asking() -> Value {
    let body = json!({"top_k": 5, "min_p": 0.1});
    json!({"providers": {"a": {"body": body}, "b": {"body": body}}})
}

#[tokio::test(start_paused = true)]
async fn it_follows_at_once_and_without_the_retry_budget() {
    let budget = json!({"retry_budget": {"percent": 0, "per_second": 0}});
    let mut config = asking();
    config["retry_budget"] = budget["retry_budget"].clone();
    let (client, world) =
        client(config, |ask| refuses(ask, "top_k").unwrap_or_else(|| answer(ask)));
    let options = json!({"drop_refused": true, "retry": false});
    let response = call(&client, "a/m", options.clone()).await.unwrap();
    assert_eq!((response.liter.attempts.len(), world.now()), (2, ms(0)));
    let warning = &response.warnings[0];
    assert_eq!((warning.code, warning.param.as_deref()), ("unsupported_parameter", Some("top_k")));
    // Only that member is gone.
    let asked = world.asked("a");
    assert_eq!(asked[1].body.get("top_k"), None);
    assert_eq!(asked[1].body["min_p"], asked[0].body["min_p"]);
    // A stream's request goes again in the same way.
    let streamed = stream(&client, "a/m", options).await;
    assert_eq!(streamed.end().unwrap().liter.attempts.len(), 2);
    assert_eq!(world.count("a"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_retry_leaves_it_out_from_the_beginning() {
    let (client, world) = client(asking(), |ask| match ask.number {
        1 => vec![Act::Send(reply_bytes(503, "", "busy"))],
        _ => refuses(ask, "top_k").unwrap_or_else(|| answer(ask)),
    });
    let response = call(&client, "a/m", json!({"drop_refused": true})).await.unwrap();
    let statuses: Vec<_> = response.liter.attempts.iter().map(|a| a.status.unwrap()).collect();
    assert_eq!(statuses, [400, 503, 200]);
    assert_eq!(world.asked("a")[2].body.get("top_k"), None);
    assert_eq!(response.warnings.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_target_has_its_own_refusal() {
    let (client, world) = client(asking(), |ask| match ask.host.as_str() {
        "a" => vec![Act::Send(reply_bytes(503, "", "busy"))],
        _ => refuses(ask, "min_p").unwrap_or_else(|| answer(ask)),
    });
    let options = json!({"drop_refused": true, "fallback": ["b/m"]});
    let response = call(&client, "a/m", options).await.unwrap();
    assert_eq!((response.provider.as_str(), world.count("a"), world.count("b")), ("b", 1, 2));
    let asked = world.asked("b");
    assert!(asked[1].body.get("min_p").is_none() && asked[1].body.get("top_k").is_some());
}

#[tokio::test(start_paused = true)]
async fn it_goes_again_once_and_within_the_calls_time() {
    let refuse_both = |ask: &Ask| {
        let refused = refuses(ask, "top_k").or_else(|| refuses(ask, "min_p"));
        refused.unwrap_or_else(|| answer(ask))
    };
    let (one, world) = client(asking(), refuse_both);
    let error = call(&one, "a/m", json!({"drop_refused": true})).await.unwrap_err();
    assert_eq!((error.kind(), error.param.as_deref()), (ErrorKind::Unsupported, Some("min_p")));
    assert_eq!((error.attempts.len(), world.count("a")), (2, 2));
    // No time is left for a second attempt.
    let (late, world) = client(asking(), |ask| {
        let mut acts = vec![Act::Wait(ms(95))];
        acts.extend(refuses(ask, "top_k").unwrap_or_else(|| answer(ask)));
        acts
    });
    let options = json!({"drop_refused": true, "timeout_ms": 100});
    let error = call(&late, "a/m", options).await.unwrap_err();
    assert_eq!((error.kind(), world.count("a")), (ErrorKind::Unsupported, 1));
}
