//! Log records: what each event says, in which order, at which level, and what never stands in one.

use std::sync::{Arc, Mutex};

use liter_llm_core::Client;
use liter_llm_core::observe::log::{Level, Log, Sink};
use serde_json::{Value, json};

use super::say::{HEAD, answer, answer_with, piece, refuse};
use super::world::{Act, Ask, call, observed, observed_in, request, secs, stream};

/// Every member, in the order of `docs/logs.md`.
const ORDER: [&str; 26] = [
    "ts",
    "level",
    "event",
    "records",
    "request_id",
    "provider",
    "model",
    "route",
    "outcome",
    "status",
    "code",
    "latency_ms",
    "ttft_ms",
    "queue_ms",
    "attempts",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
    "cost_usd",
    "cache",
    "prompt_bytes",
    "stream",
    "trace_id",
    "span_id",
    "message",
    "request",
];

#[derive(Clone)]
struct Kept(Arc<Mutex<Vec<String>>>, Level);

impl Sink for Kept {
    fn wants(&self, level: Level) -> bool {
        level <= self.1
    }

    fn take(&self, level: Level, record: Vec<u8>) {
        let text = String::from_utf8(record).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(record["level"], level.name());
        self.0.lock().unwrap().push(text);
    }
}

impl Kept {
    fn new(level: Level) -> Self {
        Kept(Arc::default(), level)
    }

    /// The records since the last time, without times.
    fn take_all(&self) -> Vec<Value> {
        let all = std::mem::take(&mut *self.0.lock().unwrap());
        all.iter().map(|text| checked(text)).collect()
    }
}

/// A record whose members are in order, without those that vary.
fn checked(text: &str) -> Value {
    let mut record: Value = serde_json::from_str(text).unwrap();
    let members: Vec<_> = record.as_object().unwrap().keys().cloned().collect();
    let known = ORDER.into_iter().chain(["answer"]);
    let expected: Vec<_> = known.filter(|name| record.get(*name).is_some()).collect();
    assert_eq!(members, expected, "{text}");
    let ts = record["ts"].as_str().unwrap();
    assert!(ts.len() == 24 && ts.ends_with('Z') && &ts[10..11] == "T", "{ts}");
    let members = record.as_object_mut().unwrap();
    for name in ["ts", "latency_ms", "ttft_ms", "prompt_bytes"] {
        members.remove(name);
    }
    record
}

fn logged(
    level: Level,
    config: Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Kept) {
    let kept = Kept::new(level);
    let (client, _) = observed(vec![Arc::new(Log(kept.clone()))], config, play);
    (client, kept)
}

#[tokio::test(start_paused = true)]
async fn a_call_is_one_record() {
    let (client, kept) = logged(Level::Info, json!({}), answer);
    let response = call(&client, "a/m", json!({})).await.unwrap();
    let id = &response.liter.request_id;
    let whole = json!({
        "level": "info", "event": "call", "request_id": id, "provider": "a", "model": "m",
        "outcome": "ok", "status": 200, "queue_ms": 0.0, "attempts": 1, "tokens_in": 3,
        "tokens_out": 5, "stream": false,
    });
    assert_eq!(kept.take_all(), [whole]);
    stream(&client, "a/m", json!({})).await.end().unwrap();
    let text = kept.0.lock().unwrap()[0].clone();
    for member in ["\"ttft_ms\":", "\"prompt_bytes\":47,", "\"stream\":true"] {
        assert!(text.contains(member), "{text}");
    }
}

/// A record says what the answer cost, and to which trace the call belongs.
#[tokio::test(start_paused = true)]
async fn a_call_names_its_cost_and_its_trace() {
    let prices = json!({"prices": {"a/m": {"input": "2", "output": "10"}}});
    let (client, kept) = logged(Level::Info, prices, answer);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    call(&client, "a/m", json!({"traceparent": parent})).await.unwrap();
    let record = kept.take_all().remove(0);
    assert_eq!(record["cost_usd"], "0.000056");
    assert_eq!(record["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(record["span_id"], "00f067aa0ba902b7");
    call(&client, "a/m", json!({"traceparent": "00-\"forged"})).await.unwrap();
    assert!(kept.take_all()[0].get("trace_id").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_an_error_and_a_cancelled_one_is_none() {
    let (client, kept) = logged(Level::Info, json!({}), |ask| match ask.number {
        0 => refuse(400, "", "bad code\nof sk-canary"),
        _ => vec![Act::Hang],
    });
    call(&client, "a/m", json!({})).await.unwrap_err();
    let mut failed = kept.take_all().remove(0);
    assert!(failed["request_id"].as_str().unwrap().starts_with("llm_"));
    failed.as_object_mut().unwrap().remove("request_id");
    let expected = json!({
        "level": "error", "event": "call", "provider": "a", "model": "m",
        "outcome": "invalid_request", "status": 400, "code": "bad", "attempts": 1,
        "stream": false, "message": "a/m 400",
    });
    assert_eq!(failed, expected);
    tokio::select! {
        _ = call(&client, "a/m", json!({})) => panic!("answered"),
        () = tokio::time::sleep(secs(1)) => {}
    }
    let cancelled = kept.take_all().remove(0);
    assert_eq!((&cancelled["level"], &cancelled["outcome"]), (&json!("info"), &json!("cancelled")));
    client.call(b"{", b"").await.unwrap_err();
    let unread = kept.take_all().remove(0);
    assert_eq!((&unread["outcome"], &unread["attempts"]), (&json!("invalid_request"), &json!(0)));
}

/// Waits, fallbacks and breakers are warnings that say why and how long. All records of a call have
/// its id.
#[tokio::test(start_paused = true)]
async fn what_a_call_meets_is_a_warning() {
    let (client, kept) =
        logged(Level::Debug, json!({}), |ask| match (ask.host.as_str(), ask.number) {
            ("a", 0) => refuse(429, "retry-after: 2\r\n", "too_many"),
            ("b", _) => refuse(503, "", "busy"),
            _ => answer(ask),
        });
    let response = call(&client, "a/m", json!({})).await.unwrap();
    let all = kept.take_all();
    let events: Vec<_> = all.iter().map(|record| record["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["attempt", "retry", "attempt", "call"]);
    let ids = all.iter().all(|record| record["request_id"] == *response.liter.request_id);
    assert!(ids, "{all:?}");
    assert_eq!(all[1]["level"], "warn");
    assert_eq!(all[1]["code"], "too_many");
    let message = all[1]["message"].as_str().unwrap();
    assert!(message.starts_with("asks the same target again in 2"), "{message}");
    assert!(message.ends_with(" ms, after rate_limit (429)"), "{message}");
    assert!(all[1]["queue_ms"].as_u64().unwrap() >= 2_000);
    assert_eq!(all[3]["message"], "a/m 429, a/m 200");

    let options = json!({"fallback": ["c/m"], "retry": {"max_attempts": 1}});
    for round in 1..=5 {
        call(&client, "b/m", options.clone()).await.unwrap();
        let all = kept.take_all();
        let warns = all.iter().filter(|record| record["level"] == "warn");
        let warns: Vec<_> = warns.map(|record| record["message"].as_str().unwrap()).collect();
        let to_a = "goes on to c/m, after unavailable (503)";
        let shut = "the target is passed over for 30000 ms, after unavailable (503)";
        let expected = if round == 5 { vec![shut, to_a] } else { vec![to_a] };
        assert_eq!(warns, expected, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_limit_says_which() {
    let config = json!({"providers": {"a": {"limits": {"max_in_flight": 1}}}});
    let (client, kept) = logged(Level::Warn, config, |ask| {
        [vec![Act::Wait(secs(1))], answer_with("")(ask)].into_iter().flatten().collect()
    });
    let (one, two) = tokio::join!(call(&client, "a/m", json!({})), call(&client, "a/m", json!({})));
    one.unwrap();
    two.unwrap();
    let all = kept.take_all();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["event"], "limit");
    assert_eq!(all[0]["message"], "waits for room under a limit: max_in_flight");
}

#[tokio::test(start_paused = true)]
async fn a_route_is_named() {
    let config = json!({"routes": {"fast": {"targets": ["a/m"]}}});
    let (client, kept) = logged(Level::Info, config, answer);
    call(&client, "fast", json!({})).await.unwrap();
    assert_eq!(kept.take_all()[0]["route"], "fast");
}

#[tokio::test(start_paused = true)]
async fn every_target_of_a_fan_out_has_its_record() {
    let (client, kept) = logged(Level::Info, json!({}), |ask| match ask.host.as_str() {
        "b" => refuse(400, "", "bad"),
        _ => answer(ask),
    });
    let options = json!({"fanout": {"targets": ["a/m", "b/m"], "first": 2}}).to_string();
    client.answer(&request("x"), options.as_bytes()).await.unwrap();
    let all = kept.take_all();
    let how: Vec<_> = all.iter().map(|r| (r["provider"].as_str(), r["level"].as_str())).collect();
    assert_eq!(how, [(Some("a"), Some("info")), (Some("b"), Some("error"))]);
}

/// Without `LITER_LLM_LOG_BODIES` no level shows a text; with it `debug` does, and never a key.
#[tokio::test(start_paused = true)]
async fn contents_only_where_they_are_asked_for() {
    let play = |ask: &Ask| match ask.number {
        0 => refuse(500, "", "It_fails"),
        1 => {
            let said = piece("sk-canary-a-0123456789 fell");
            vec![Act::Send([HEAD, &said].concat().into_bytes()), Act::Close]
        }
        _ => answer(ask),
    };
    for (bodies, level) in [("0", Level::Debug), ("1", Level::Info), ("1", Level::Debug)] {
        let kept = Kept::new(level);
        let environment = json!({"LITER_LLM_LOG_BODIES": bodies});
        let (client, _) = observed_in(&environment, vec![Arc::new(Log(kept.clone()))], play);
        call(&client, "a/m", json!({"retry": false})).await.unwrap_err();
        stream(&client, "a/m", json!({"retry": false})).await.end().unwrap_err();
        stream(&client, "a/m", json!({})).await.end().unwrap();
        let own = r#"{"prompt": "Why is the sky blue?", "model": "a/m",
            "options": {"headers": {"x-own": "canary"}}}"#;
        client.call(own.as_bytes(), b"").await.unwrap();
        let all = kept.0.lock().unwrap().join("\n");
        let is_asked = bodies == "1" && level == Level::Debug;
        for text in ["sky blue", "one two three"] {
            assert_eq!(all.contains(text), is_asked, "{text} in {all}");
        }
        assert_eq!(all.contains("It fails"), is_asked, "{all}");
        assert!(!all.contains("canary"), "{all}");
        kept.take_all();
    }
}

/// The keys that sign are no more shown than one that is sent, also in the first request, and in an
/// answer that repeats them.
#[cfg(feature = "aws")]
#[tokio::test(start_paused = true)]
async fn contents_have_nothing_of_keys_that_sign() {
    let keys = ["AKID-canary-0123456789", "secret/canary+0123456789", "token-canary-0123456789"];
    let kept = Kept::new(Level::Debug);
    let environment = json!({
        "LITER_LLM_LOG_BODIES": "1", "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://a.test", "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1], "AWS_SESSION_TOKEN": keys[2],
    });
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": keys.join(" or ")}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1},
    });
    let play = move |_: &Ask| vec![Act::Send(super::say::reply_bytes(200, "", &body.to_string()))];
    let (client, _) = observed_in(&environment, vec![Arc::new(Log(kept.clone()))], play);
    let request = json!({"model": "bedrock/m", "prompt": format!("shown: {}", keys.join(", "))});
    for _ in 0..2 {
        client.call(request.to_string().as_bytes(), b"").await.unwrap();
    }
    let all = kept.0.lock().unwrap().join("\n");
    assert_eq!(all.matches("shown: [key], [key], [key]").count(), 2, "{all}");
    assert_eq!(all.matches("[key] or [key] or [key]").count(), 2, "{all}");
    assert!(!all.contains("canary"), "{all}");
}
