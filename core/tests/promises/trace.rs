//! What a call's document says for a span, where somebody asks for it, and the trace context that
//! goes to providers.

use liter_llm_core::{Client, Error, Response};
use serde_json::{Value, json};

use super::say::{HEAD, answer, piece, refuse};
use super::world::{Act, Ask, call, client, header, ms, secs, stream};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn document(answer: &Result<Response, Error>) -> Value {
    let bytes = match answer {
        Ok(response) => response.to_json(),
        Err(error) => error.to_json(),
    };
    serde_json::from_slice(&bytes).unwrap()
}

fn trace(answer: &Result<Response, Error>) -> Value {
    let document = document(answer);
    match answer {
        Ok(_) => document["liter"]["trace"].clone(),
        Err(_) => document["error"]["trace"].clone(),
    }
}

/// A provider that takes its time, refuses twice where that is asked, and answers.
fn slow(ask: &Ask) -> Vec<Act> {
    let act = match (ask.host.as_str(), ask.number) {
        ("a", 0) => refuse(503, "", "busy"),
        _ => answer(ask),
    };
    [vec![Act::Wait(ms(40))], act].into_iter().flatten().collect()
}

#[tokio::test(start_paused = true)]
async fn without_being_asked_no_document_has_a_trace() {
    let (client, world) = client(json!({"cache": {}}), slow);
    for options in [json!({}), json!({"telemetry": false}), json!({"traceparent": PARENT})] {
        let whole = call(&client, "a/m", options.clone()).await;
        let streamed = stream(&client, "a/m", options.clone()).await.end();
        let failed = call(&client, "nobody/m", options).await;
        for answer in [whole, streamed, failed] {
            assert!(!document(&answer).to_string().contains("\"trace\""));
        }
    }
    assert!(world.asked("a").iter().any(|ask| header(&ask.head, "traceparent").is_some()));
}

#[tokio::test(start_paused = true)]
async fn the_trace_has_the_times_of_the_attempts() {
    let (client, _) = client(json!({}), slow);
    let answered = call(&client, "a/m", json!({"telemetry": true, "fallback": ["b/n"]})).await;
    let found = trace(&answered);
    assert_eq!((&found["provider"], &found["operation"]), (&json!("b"), &json!("chat")));
    assert_eq!((&found["model"], &found["server"]), (&json!("n"), &json!("b.test:80")));
    assert_eq!(found["kind"], "compatible");
    let attempts = found["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), answered.unwrap().liter.attempts.len());
    assert_eq!(attempts[0]["server"], "a.test:80");
    assert_eq!(attempts[1]["server"], "b.test:80");
    let time = |i: usize, name: &str| attempts[i][name].as_f64().unwrap();
    assert!((time(0, "end_ms") - time(0, "start_ms") - 40.0).abs() < 2.0, "{found}");
    assert!(time(1, "start_ms") >= time(0, "end_ms"), "{found}");
    assert!(time(1, "first_ms") >= time(1, "sent_ms"), "{found}");
    assert!(found["total_ms"].as_f64().unwrap() >= time(1, "end_ms"), "{found}");
    let years = found["start_unix_ns"].as_u64().unwrap() / 1_000_000_000 / 31_536_000;
    assert!((55..200).contains(&years), "{found}");
}

#[tokio::test(start_paused = true)]
async fn errors_broken_streams_and_fan_outs_have_one_too() {
    let broken = |_: &Ask| {
        let sent = [HEAD, &piece("one")].concat().into_bytes();
        vec![Act::Send(sent), Act::Wait(ms(5)), Act::Close]
    };
    let (client, _) = client(json!({}), broken);
    let failed = stream(&client, "a/m", json!({"telemetry": true})).await.end();
    assert_eq!(trace(&failed)["attempts"].as_array().unwrap().len(), 1);
    assert!(trace(&failed)["attempts"][0]["first_ms"].as_f64().is_some());

    let (client, _) = super::world::client(json!({}), |_| refuse(400, "", "bad"));
    let failed = call(&client, "a/m", json!({"telemetry": true})).await;
    assert_eq!(trace(&failed)["server"], "a.test:80");
    let fanout = json!({"targets": ["a/m", "b/m"], "first": 1});
    let failed = fan(&client, json!({"telemetry": true, "fanout": fanout})).await;
    assert_eq!(trace(&failed)["attempts"].as_array().unwrap().len(), 2);
}

async fn fan(client: &Client, options: Value) -> Result<Response, Error> {
    let request = super::world::request("ignored");
    let mut stream = client.stream(&request, options.to_string().as_bytes()).await?;
    loop {
        if let liter_llm_core::Step::Done(response) = stream.next().await? {
            return Ok(*response);
        }
    }
}

/// The winner of a fan-out has the times of all, in the order of its list of attempts.
#[tokio::test(start_paused = true)]
async fn the_winner_of_a_fan_out_has_the_times_of_all() {
    let (client, _) = client(json!({}), |ask| match ask.host.as_str() {
        "a" => vec![Act::Wait(secs(9)), Act::Hang],
        _ => answer(ask),
    });
    let fanout = json!({"targets": ["a/m", "b/m", "c/m"], "first": 1});
    let won = fan(&client, json!({"telemetry": true, "fanout": fanout})).await;
    let found = trace(&won);
    let attempts = won.unwrap().liter.attempts;
    assert_eq!(found["attempts"].as_array().unwrap().len(), attempts.len());
    for (times, attempt) in found["attempts"].as_array().unwrap().iter().zip(&attempts) {
        let host = times["server"].as_str().unwrap();
        assert_eq!(host.split('.').next(), attempt.target.split('/').next());
    }
}

/// A hit has a trace of its own, and none of the call that asked.
#[tokio::test(start_paused = true)]
async fn a_hit_has_no_attempts() {
    let (client, _) = client(json!({"cache": {}}), answer);
    let ask = async |telemetry: bool| {
        let request = json!({"model": "a/m", "prompt": "Why?", "temperature": 0, "max_tokens": 9,
            "options": {"telemetry": telemetry}});
        client.call(request.to_string().as_bytes(), b"").await
    };
    let first = trace(&ask(true).await);
    assert_eq!(first["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(first["request"], json!({"max_tokens": 9, "temperature": 0}));
    let hit = trace(&ask(true).await);
    assert_eq!((&hit["attempts"], &hit["provider"]), (&json!([]), &json!("a")));
    assert_eq!(trace(&ask(false).await), Value::Null);
}

/// One failure that two callers share has a trace for the one that asks.
#[tokio::test(start_paused = true)]
async fn a_shared_failure_keeps_no_trace_of_another_call() {
    let play = |_: &Ask| [vec![Act::Wait(ms(40))], refuse(400, "", "bad")].into_iter().flatten();
    let (client, _) = client(json!({"cache": {}}), move |ask| play(ask).collect());
    let request = json!({"model": "a/m", "prompt": "Why?", "temperature": 0}).to_string();
    let asked = client.call(request.as_bytes(), br#"{"telemetry":true}"#);
    let quiet = client.call(request.as_bytes(), b"");
    let (asked, quiet) = tokio::join!(asked, quiet);
    assert!(trace(&asked).is_object());
    assert_eq!(trace(&quiet), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn the_context_goes_to_providers_unless_they_get_none() {
    let config = json!({"providers": {"b": {"trace_context": false},
        "c": {"headers": {"traceparent": "mine"}}}});
    let (client, world) = client(config, answer);
    let options = json!({"traceparent": PARENT, "tracestate": "a=1"});
    for model in ["a/m", "b/m", "c/m"] {
        let response = call(&client, model, options.clone()).await.unwrap();
        assert!(response.warnings.is_empty());
    }
    let sent = |host: &str, name: &str| header(&world.asked(host)[0].head, name);
    assert_eq!(sent("a", "traceparent").as_deref(), Some(PARENT));
    assert_eq!(sent("a", "tracestate").as_deref(), Some("a=1"));
    assert_eq!((sent("b", "traceparent"), sent("b", "tracestate")), (None, None));
    assert_eq!(sent("c", "traceparent").as_deref(), Some("mine"));

    let zeros = PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
    for (parent, state, param) in [
        ("00-1", "a=1", "options.traceparent"),
        (&zeros, "", "options.traceparent"),
        (PARENT, &vec!["a=b"; 600].join(","), "options.tracestate"),
    ] {
        let options = json!({"traceparent": parent, "tracestate": state});
        let response = call(&client, "a/m", options).await.unwrap();
        assert_eq!(response.warnings[0].code, "trace_context");
        assert_eq!(response.warnings[0].param.as_deref(), Some(param));
    }
    let heads: Vec<_> = world.asked("a").iter().map(|ask| ask.head.clone()).collect();
    assert!(heads[1..3].iter().all(|head| header(head, "traceparent").is_none()));
    assert!(heads[1..4].iter().all(|head| header(head, "tracestate").is_none()));
}

/// A request that is passed through gets the context, too, unless it has its own.
#[tokio::test(start_paused = true)]
async fn a_request_of_the_callers_own_wins() {
    let (client, world) = client(json!({}), answer);
    for headers in [json!([]), json!([["traceparent", "mine"]])] {
        let http = json!({"op": "http", "method": "GET", "url": "http://a.test/v1/models",
            "headers": headers, "options": {"traceparent": PARENT, "telemetry": true}});
        let outcome = client.answer(http.to_string().as_bytes(), b"").await.unwrap();
        let liter_llm_core::Outcome::Http(answer) = outcome else { panic!("no answer of HTTP") };
        let document: Value = serde_json::from_slice(&answer.to_json()).unwrap();
        assert_eq!(document["liter"]["trace"]["server"], "a.test:80");
    }
    let sent: Vec<_> =
        world.asked("a").iter().map(|ask| header(&ask.head, "traceparent").unwrap()).collect();
    assert_eq!(sent, [PARENT, "mine"]);
}
