//! Before the first content everything is tried again; after it nothing is made up. And what
//! providers must not say twice.

use liter_llm_core::{ErrorKind, Step};
use serde_json::{Value, json};

use super::say::{HEAD, answer, delta, end, event, piece, refuse, reply_bytes, stream as good};
use super::world::{Act, Ask, call, client, metrics, ms, request, secs, stream};

fn role() -> String {
    delta(json!({"role": "assistant", "content": ""}), Value::Null)
}

#[tokio::test(start_paused = true)]
async fn promise_5_before_the_first_content_a_failure_is_unseen() {
    let error = json!({"error": {"message": "overloaded", "code": "server_error"}}).to_string();
    let fails: [Vec<Act>; 4] = [
        vec![Act::Send([HEAD, &role(), &event(&error)].concat().into_bytes()), Act::Close],
        vec![Act::Send([HEAD, &role()].concat().into_bytes()), Act::Close],
        vec![Act::Send([HEAD, &role(), "0\r\n\r\n"].concat().into_bytes())],
        vec![Act::Close],
    ];
    for fail in fails {
        let fail = std::sync::Mutex::new(Some(fail));
        let (client, world) = client(json!({}), move |ask| {
            fail.lock().unwrap().take().unwrap_or_else(|| answer(ask))
        });
        let streamed = stream(&client, "a/m", json!({})).await;
        assert_eq!(streamed.text, "one two three");
        let attempts = streamed.end().unwrap().liter.attempts;
        assert_eq!((attempts.len(), world.count("a")), (2, 2));
        // Nobody refused it: it may well have been answered, and billed.
        assert!(attempts[0].may_be_billed && !attempts[1].may_be_billed);
    }
}

/// A server that never comes to its content must not fill the memory: what it sends is handed on.
#[tokio::test(start_paused = true)]
async fn promise_5_a_flood_without_content_is_not_kept() {
    let (client, _) = client(json!({}), |_| {
        let mut acts = vec![Act::Send([HEAD, &role().repeat(5_000)].concat().into_bytes())];
        acts.extend([Act::Wait(secs(7)), Act::Close]);
        acts
    });
    let mut stream = client.stream(&request("a/m"), b"").await.unwrap();
    let mut most = 0;
    let error = loop {
        match stream.next().await {
            Ok(Step::Chunks(chunks)) => most = most.max(chunks.len()),
            Ok(_) => panic!("there is no end"),
            Err(error) => break error,
        }
    };
    // What it kept, and what one read of the socket brought.
    assert!((1_024..2_048).contains(&most), "{most} chunks at once");
    assert_eq!((error.kind(), error.attempts.len()), (ErrorKind::StreamBroken, 1));
}

#[tokio::test(start_paused = true)]
async fn promise_5_after_it_nothing_is_spliced() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        0 => {
            let sent = [HEAD, &role(), &piece("one "), &piece("two ")].concat();
            vec![Act::Send(sent.into_bytes()), Act::Wait(ms(100)), Act::Close]
        }
        _ => answer(ask),
    });
    let streamed = stream(&client, "a/m", json!({"fallback": ["b/m"]})).await;
    assert_eq!(streamed.text, "one two ");
    let error = streamed.end().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamBroken);
    assert_eq!(error.partial.as_ref().unwrap().text, "one two ");
    assert!(error.attempts[0].may_be_billed);
    assert_eq!((world.count("a"), world.count("b")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn promise_6_a_cut_at_any_byte_is_no_success() {
    let whole = good(&["one ", "zwölf ", "空 "]);
    // A `compatible` server may leave out what follows its finish reason.
    let complete = whole.find("\"stop\"").unwrap();
    for cut in 0..whole.len() {
        let sent = whole.as_bytes()[..cut].to_vec();
        let (client, _) =
            client(json!({"retry": false}), move |_| vec![Act::Send(sent.clone()), Act::Close]);
        let streamed = stream(&client, "a/m", json!({})).await;
        assert!("one zwölf 空 ".starts_with(&streamed.text), "{cut}: {}", streamed.text);
        let text = streamed.text.clone();
        match streamed.end() {
            Ok(answer) => {
                assert!(cut > complete, "cut at {cut} and said to be complete");
                assert_eq!(answer.text(), "one zwölf 空 ");
            }
            Err(error) => {
                let partial = error.partial.as_ref().map_or("", |partial| &partial.text);
                assert_eq!(partial, text, "{cut}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn promise_12_bad_input_is_a_clear_error() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "<!doctype html>", "null", "\u{feff}{}", &deep] {
        let body = body.to_owned();
        let (client, _) =
            client(json!({"retry": false}), move |_| vec![Act::Send(reply_bytes(200, "", &body))]);
        let error = call(&client, "a/m", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse, "{error}");
    }
    // Requests of callers, before anything is sent.
    let (client, world) = client(json!({}), answer);
    let huge = format!("{{\"model\": \"a/m\", \"prompt\": {deep}}}");
    for request in ["", "[]", "{\"prompt\"", "{\"model\": \"a/m\"}", "\u{0}", &huge] {
        let error = client.call(request.as_bytes(), b"").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    }
    assert_eq!((world.count("a"), client.in_flight()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn promise_12_a_stream_of_nothing_ends() {
    // Comments for ever: not a hang, but the call's deadline.
    let (client, world) = client(json!({}), |_| {
        let mut acts = vec![Act::Send(HEAD.into())];
        for _ in 0..1_000 {
            acts.extend([Act::Send(b"7\r\n: ping\n\r\n".to_vec()), Act::Wait(secs(1))]);
        }
        acts
    });
    let streamed = stream(&client, "a/m", json!({"timeout_ms": 30_000})).await;
    assert_eq!(streamed.end().unwrap_err().kind(), ErrorKind::Timeout);
    assert!(world.now() <= ms(30_100), "{:?}", world.now());
}

#[tokio::test(start_paused = true)]
async fn promise_13_secrets_are_nowhere() {
    let leak = "sk-canary-a-0123456789";
    let broken = [HEAD, &piece("one "), &event(&format!("{{{leak}"))].concat();
    let plays: [Vec<Act>; 4] = [
        refuse(401, "", leak),
        refuse(500, &format!("x-request-id: {leak}\r\n"), "server_error"),
        vec![Act::Send(reply_bytes(400, "", &format!("No such key: {leak}")))],
        vec![Act::Send(broken.into_bytes()), Act::Close],
    ];
    for (i, play) in plays.into_iter().enumerate() {
        let play = std::sync::Mutex::new(Some(play));
        let (client, _) = client(json!({"retry": false}), move |_| {
            play.lock().unwrap().take().unwrap_or_else(|| vec![Act::Close])
        });
        let error = stream(&client, "a/m", json!({})).await.end().unwrap_err();
        let mut said = format!("{error} {error:?} {}", metrics(&client));
        said += &String::from_utf8_lossy(&error.to_json());
        said += &String::from_utf8_lossy(&client.metrics_prometheus());
        assert!(!said.contains("canary"), "{i}: {said}");
        assert!(!said.contains("sky"), "the prompt: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn promise_6_a_stream_may_begin_anew_where_that_is_asked_for() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        0 => vec![
            Act::Send([HEAD, &piece("one ")].concat().into_bytes()),
            Act::Wait(ms(9)),
            Act::Close,
        ],
        _ => vec![Act::Send([HEAD, &piece("anew"), &end()].concat().into_bytes())],
    });
    let streamed = stream(&client, "a/m", json!({"on_break": "restart"})).await;
    assert_eq!(streamed.text, "anew");
    let answer = streamed.end().unwrap();
    assert_eq!((answer.text(), answer.liter.attempts.len()), ("anew", 2));
    assert_eq!(world.count("a"), 2);
}

/// Another target is asked before the one that broke is asked again, and without a wait; also where
/// that one may be asked once only.
#[tokio::test(start_paused = true)]
async fn promise_5_a_stream_that_broke_begins_anew_elsewhere() {
    let breaks = || {
        vec![Act::Send([HEAD, &piece("one ")].concat().into_bytes()), Act::Wait(ms(9)), Act::Close]
    };
    for retry in [json!({"base_ms": 1_000}), json!(false), json!({"max_attempts": 1})] {
        // The first one breaks for ever, and would be asked for ever.
        let play = move |ask: &Ask| match ask.host.as_str() {
            "a" => breaks(),
            _ => vec![Act::Send([HEAD, &piece("anew"), &end()].concat().into_bytes())],
        };
        let (client, world) = client(json!({}), play);
        let options = json!({"on_break": "restart", "fallback": ["b/m"], "retry": retry});
        let streamed = stream(&client, "a/m", options).await;
        assert_eq!(streamed.text, "anew", "{retry}");
        assert_eq!(streamed.end().unwrap().provider, "b");
        assert_eq!((world.count("a"), world.count("b"), world.now()), (1, 1, ms(9)), "{retry}");
    }
    // Where all have broken the first is asked again, as often as a failed attempt may be repeated.
    let play = move |ask: &Ask| match (ask.host.as_str(), ask.number) {
        ("a", 1) => vec![Act::Send([HEAD, &piece("anew"), &end()].concat().into_bytes())],
        _ => breaks(),
    };
    let (client, world) = client(json!({}), play);
    let options = json!({"on_break": "restart", "fallback": ["b/m"]});
    assert_eq!(stream(&client, "a/m", options).await.end().unwrap().provider, "a");
    assert_eq!((world.count("a"), world.count("b")), (2, 1));
}

/// Nor with few chunks that are large.
#[tokio::test(start_paused = true)]
async fn promise_5_large_chunks_without_content_are_not_kept() {
    let large = delta(json!({"unknown": "x".repeat(1 << 20)}), Value::Null);
    let (client, _) = client(json!({}), move |_| {
        let mut acts = vec![Act::Send(HEAD.as_bytes().to_vec())];
        acts.extend((0..20).map(|_| Act::Send(large.clone().into_bytes())));
        acts.push(Act::Close);
        acts
    });
    let mut stream = client.stream(&request("a/m"), b"").await.unwrap();
    let mut most = 0;
    let error = loop {
        match stream.next().await {
            Ok(Step::Chunks(chunks)) => most = most.max(chunks.len()),
            Ok(_) => panic!("there is no end"),
            Err(error) => break error,
        }
    };
    assert!((1..=5).contains(&most), "{most} large chunks at once");
    assert_eq!(error.kind(), ErrorKind::StreamBroken);
}

/// Names of models come from callers: what is longer than any is not kept, what is far longer is
/// refused.
#[tokio::test(start_paused = true)]
async fn promise_12_a_long_name_is_not_kept() {
    let (client, _) = client(json!({}), answer);
    for (i, kept) in [(400, true), (1_000, false)] {
        let model = "x".repeat(i);
        call(&client, &format!("a/{model}"), json!({})).await.unwrap();
        assert_eq!(metrics(&client).to_string().contains(&model), kept);
    }
    let longer = format!("a/{}", "x".repeat(1 << 20));
    let error = call(&client, &longer, json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(client.metrics_prometheus().len() < 16 << 10);
    assert_eq!(metrics(&client)["providers"]["a"]["calls"], 2);
}

/// A server that is killed in the middle of an answer and started again: it refuses for a while.
#[tokio::test(start_paused = true)]
async fn promise_5_a_stream_outlasts_its_servers_restart() {
    let (client, world) = client(json!({}), |ask| match ask.number {
        0 => {
            let sent = [HEAD, &piece("one ")].concat().into_bytes();
            vec![Act::Send(sent), Act::Wait(ms(9)), Act::Close]
        }
        1..4 => refuse(503, "", "Loading model"),
        _ => vec![Act::Send([HEAD, &piece("anew"), &end()].concat().into_bytes())],
    });
    let streamed = stream(&client, "a/m", json!({"on_break": "restart"})).await;
    assert_eq!(streamed.text, "anew");
    let attempts = streamed.end().unwrap().liter.attempts;
    let statuses: Vec<_> = attempts.iter().filter_map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [200, 503, 503, 503, 200]);
    assert!(world.now() <= secs(6), "{:?}", world.now());
}

/// A caller who only collects the answer has seen nothing of it.
#[tokio::test(start_paused = true)]
async fn promise_5_a_collected_stream_begins_anew_by_default() {
    let play = |ask: &Ask| match ask.number {
        0 | 1 => {
            let sent = [HEAD, &piece("one ")].concat().into_bytes();
            vec![Act::Send(sent), Act::Wait(ms(9)), Act::Close]
        }
        _ => vec![Act::Send([HEAD, &piece("anew"), &end()].concat().into_bytes())],
    };
    let (client, _) = client(json!({}), play);
    let answer = client.stream(&request("a/m"), b"").await.unwrap().collect().await.unwrap();
    assert_eq!((answer.text(), answer.liter.attempts.len()), ("anew", 3));
    let (client, world) = super::world::client(json!({}), play);
    let options = br#"{"on_break": "error"}"#;
    let error = client.stream(&request("a/m"), options).await.unwrap().collect().await.unwrap_err();
    assert_eq!((error.kind(), world.count("a")), (ErrorKind::StreamBroken, 1));
    assert_eq!(error.partial.as_ref().unwrap().text, "one ");
}

/// The fallback alone may be unable to take the request's form: the first target took it.
#[tokio::test(start_paused = true)]
async fn promise_5_a_fallbacks_refusal_does_not_end_a_stream_that_begins_anew() {
    let (client, world) = client(json!({}), |ask| match (ask.host.as_str(), ask.number) {
        ("a", 0) => {
            let sent = [HEAD, &piece("one ")].concat().into_bytes();
            vec![Act::Send(sent), Act::Wait(ms(9)), Act::Close]
        }
        ("a", _) => vec![Act::Send([HEAD, &piece("anew"), &end()].concat().into_bytes())],
        _ => refuse(422, "", "invalid_value"),
    });
    let options = json!({"on_break": "restart", "fallback": ["b/m"]});
    let streamed = stream(&client, "a/m", options).await;
    assert_eq!((streamed.text.as_str(), world.count("b")), ("anew", 1));
    assert_eq!(streamed.end().unwrap().provider, "a");
}
