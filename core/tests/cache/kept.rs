//! What is kept, for whom, and what a hit looks like.

use std::sync::{Arc, Mutex};

use liter_llm_core::Outcome;
use liter_llm_core::error::ErrorKind;
use liter_llm_core::observe::log::{Level, Log, Sink};
use serde_json::{Value, json};

use super::say::{HEAD, answer, end, piece, refuse, reply_bytes};
use super::world::{Act, metrics};
use super::{ask, cached, question, read, tier};

#[tokio::test(start_paused = true)]
async fn the_second_call_is_answered_from_memory() {
    let (client, world) = cached(&json!({}), answer);
    let first = ask(&client, &question(), &json!({})).await.unwrap();
    assert_eq!((tier(&first), first.liter.attempts.len()), ("none", 1));
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let second = ask(&client, &question(), &json!({})).await.unwrap();
    assert_eq!(world.count("a"), 1);
    assert_eq!((tier(&second), second.liter.attempts.len()), ("memory", 0));
    assert_eq!(second.liter.cache.as_ref().unwrap().age_ms, 1_500);
    assert_ne!(second.liter.request_id, first.liter.request_id);
    // All else is as the provider said it.
    let plain = |mut response: liter_llm_core::Response| {
        let liter = &mut response.liter;
        (liter.request_id, liter.cache) = (String::new(), None);
        (liter.attempts, liter.timing) = (Vec::new(), Default::default());
        String::from_utf8(response.to_json()).unwrap()
    };
    assert_eq!(plain(first), plain(second));
}

#[tokio::test(start_paused = true)]
async fn streams_and_whole_answers_share_entries() {
    let (client, world) = cached(&json!({}), answer);
    let whole = ask(&client, &question(), &json!({})).await.unwrap();
    let (text, streamed) = read(&client, &question(), &json!({})).await.unwrap();
    assert_eq!((text.as_str(), tier(&streamed)), (whole.text(), "memory"));
    let other = json!({"model": "a/m", "prompt": "Another one", "seed": 7});
    let (text, streamed) = read(&client, &other, &json!({})).await.unwrap();
    assert_eq!((text.as_str(), tier(&streamed)), ("one two three", "none"));
    let whole = ask(&client, &other, &json!({})).await.unwrap();
    assert_eq!((whole.text(), tier(&whole)), ("one two three", "memory"));
    assert_eq!(world.count("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_long_text_is_replayed_in_pieces_that_end_at_characters() {
    let text = "é😀x".repeat(400);
    let said = text.clone();
    let (client, _) = cached(&json!({}), move |_| {
        let body = json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": said, "tool_calls": [{"id": "1", "type": "function",
            "function": {"name": "f", "arguments": "{\"a\":1}"}}]}}]});
        vec![Act::Send(reply_bytes(200, "", &body.to_string()))]
    });
    ask(&client, &question(), &json!({})).await.unwrap();
    let bytes = question().to_string();
    let mut stream = client.stream(bytes.as_bytes(), b"").await.unwrap();
    let (mut joined, mut calls) = (String::new(), Vec::new());
    while let liter_llm_core::Step::Chunks(chunks) = stream.next().await.unwrap() {
        for delta in chunks.iter().flat_map(|chunk| &chunk.choices).map(|choice| &choice.delta) {
            let piece = delta.content.as_deref().unwrap_or_default();
            assert!(piece.chars().count() <= 256);
            joined.push_str(piece);
            calls.extend(delta.tool_calls.iter().cloned());
        }
    }
    assert_eq!(joined, text);
    // A tool call is not cut.
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].function.arguments.as_deref(), Some("{\"a\":1}"));
}

/// What must not be given to the next caller.
#[tokio::test(start_paused = true)]
async fn what_may_differ_next_time_is_not_kept() {
    let whole = |finish: Value| {
        let body = json!({"choices": [{"index": 0, "finish_reason": finish,
            "message": {"role": "assistant", "content": "x"}}]});
        vec![Act::Send(reply_bytes(200, "", &body.to_string()))]
    };
    for (finish, kept) in [
        (json!("stop"), true),
        (json!("length"), true),
        (json!("content_filter"), false),
        (Value::Null, false),
        (json!("who_knows"), false),
    ] {
        let said = finish.clone();
        let (client, world) = cached(&json!({}), move |_| whole(said.clone()));
        for _ in 0..2 {
            ask(&client, &question(), &json!({})).await.unwrap();
        }
        assert_eq!(world.count("a"), if kept { 1 } else { 2 }, "{finish}");
    }
    for other in [
        json!({"model": "a/m", "prompt": "x"}),
        json!({"model": "a/m", "prompt": "x", "temperature": 0.1}),
        json!({"model": "a/m", "prompt": "x", "seed": 1, "extra": {"a": {"store": true}}}),
        json!({"model": "a/m", "prompt": "x", "temperature": 0, "extra": {"a": {"temperature": 1}}}),
        json!({"model": "a/m", "seed": 1, "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]}]}),
        json!({"model": "a/m", "seed": 1, "messages": [{"role": "user", "content": [
            {"type": "file", "file": {"file_id": "f"}}]}]}),
        json!({"model": "a/m", "seed": 1, "prompt": "x", "tools": [{"type": "web_search"}]}),
    ] {
        let (client, world) = cached(&json!({}), answer);
        for _ in 0..2 {
            ask(&client, &other, &json!({})).await.unwrap();
        }
        assert_eq!(world.count("a"), 2, "{other}");
        // Unless the caller wants it.
        for _ in 0..2 {
            ask(&client, &other, &json!({"cache": {"mode": "always"}})).await.unwrap();
        }
        assert_eq!(world.count("a"), 3, "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_and_broken_streams_are_not_kept() {
    let (client, world) = cached(&json!({}), |_| refuse(400, "", "bad"));
    for _ in 0..2 {
        ask(&client, &question(), &json!({})).await.unwrap_err();
    }
    assert_eq!(world.count("a"), 2);
    let (client, world) = cached(&json!({}), |_| {
        let start = [HEAD, &piece("one "), &piece("two ")].concat();
        vec![Act::Send(start.into_bytes()), Act::Close]
    });
    for _ in 0..2 {
        let error = read(&client, &question(), &json!({})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StreamBroken);
        assert_eq!(error.partial.as_ref().unwrap().text, "one two ");
    }
    assert_eq!(world.count("a"), 2);
    // A stream that its reader leaves is none.
    let (client, world) = cached(&json!({}), |_| {
        let start = [HEAD, &piece("one ")].concat();
        let rest = [piece("two"), end()].concat();
        let wait = Act::Wait(std::time::Duration::from_secs(1));
        vec![Act::Send(start.into_bytes()), wait, Act::Send(rest.into_bytes())]
    });
    let bytes = question().to_string();
    drop(client.stream(bytes.as_bytes(), b"").await.unwrap());
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "none");
    assert_eq!(world.count("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn modes() {
    let (client, world) = cached(&json!({}), answer);
    let mode = |mode: &str| json!({"cache": {"mode": mode}});
    let error = ask(&client, &question(), &mode("only")).await.unwrap_err();
    assert_eq!((error.kind(), error.code.as_deref()), (ErrorKind::NotFound, Some("cache_miss")));
    assert_eq!(read(&client, &question(), &mode("only")).await.unwrap_err().kind(), error.kind());
    assert_eq!(world.count("a"), 0);
    ask(&client, &question(), &mode("bypass")).await.unwrap();
    ask(&client, &question(), &mode("only")).await.unwrap_err();
    assert_eq!(tier(&ask(&client, &question(), &mode("refresh")).await.unwrap()), "none");
    assert_eq!(tier(&ask(&client, &question(), &mode("only")).await.unwrap()), "memory");
    assert_eq!(tier(&ask(&client, &question(), &mode("bypass")).await.unwrap()), "none");
    assert_eq!(tier(&ask(&client, &question(), &mode("refresh")).await.unwrap()), "none");
    assert_eq!(tier(&ask(&client, &question(), &mode("always")).await.unwrap()), "memory");
    assert_eq!(world.count("a"), 4);
    let (text, _) = read(&client, &question(), &mode("refresh")).await.unwrap();
    assert_eq!((text.as_str(), world.count("a")), ("one two three", 5));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_refreshes_is_kept() {
    let (client, world) = cached(&json!({}), answer);
    let refresh = json!({"cache": {"mode": "refresh"}});
    read(&client, &question(), &refresh).await.unwrap();
    assert_eq!(tier(&ask(&client, &question(), &json!({})).await.unwrap()), "memory");
    assert_eq!(world.count("a"), 1);
}

/// A client without a cache says so where one was wanted, and `only` finds nothing.
#[tokio::test(start_paused = true)]
async fn without_a_cache() {
    let (client, world) = super::world::client(json!({}), answer);
    let always = ask(&client, &question(), &json!({"cache": {"mode": "always"}})).await.unwrap();
    assert_eq!(always.warnings[0].code, "no_cache");
    for options in [json!({"cache": {"mode": "bypass"}}), json!({"cache": {}, "tenant": "t"})] {
        assert!(ask(&client, &question(), &options).await.unwrap().warnings.is_empty());
    }
    let only = ask(&client, &question(), &json!({"cache": {"mode": "only"}})).await.unwrap_err();
    assert_eq!((only.kind(), world.count("a")), (ErrorKind::NotFound, 3));
    let purge = client.answer(br#"{"op": "cache_purge", "tenant": ""}"#, b"").await;
    assert_eq!(purge.err().unwrap().kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn warnings_are_those_of_the_caller() {
    let (client, world) = cached(&json!({}), answer);
    let mut odd = question();
    odd["colour"] = json!("blue");
    let first = ask(&client, &odd, &json!({})).await.unwrap();
    assert_eq!(first.warnings[0].param.as_deref(), Some("colour"));
    let second = ask(&client, &question(), &json!({})).await.unwrap();
    assert_eq!((tier(&second), second.warnings.len()), ("memory", 0));
    odd["smell"] = json!("none");
    let third = ask(&client, &odd, &json!({})).await.unwrap();
    assert_eq!((tier(&third), third.warnings.len()), ("memory", 2));
    assert_eq!(world.count("a"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_purge_forgets_one_tenant() {
    let (client, world) = cached(&json!({}), answer);
    let of = |tenant: &str| json!({"tenant": tenant});
    for tenant in ["", "one", "two"] {
        ask(&client, &question(), &of(tenant)).await.unwrap();
        let again = ask(&client, &question(), &of(tenant)).await.unwrap();
        assert_eq!(tier(&again), "memory");
    }
    assert_eq!(world.count("a"), 3);
    let purge = client.answer(br#"{"op": "cache_purge", "tenant": "one"}"#, b"").await.unwrap();
    let Outcome::Purged(purged) = &purge else { panic!("an answer of a purge") };
    assert_eq!(purged.removed.memory, 1);
    let document: Value = serde_json::from_slice(&purge.to_json()).unwrap();
    let wanted = json!({"object": "cache.purge", "tenant": "one", "removed": {"memory": 1}});
    assert_eq!(document, wanted);
    for (tenant, found) in [("", "memory"), ("one", "none"), ("two", "memory")] {
        let response = ask(&client, &question(), &of(tenant)).await.unwrap();
        assert_eq!(tier(&response), found, "{tenant}");
    }
    assert_eq!(metrics(&client)["cache"]["entries"], 3);
}

/// An answer that was on its way when its tenant was forgotten is not kept.
#[tokio::test(start_paused = true)]
async fn a_purge_reaches_what_is_on_its_way() {
    let (client, world) = cached(&json!({}), |ask| {
        let mut acts = vec![Act::Wait(std::time::Duration::from_secs(1))];
        acts.extend(answer(ask));
        acts
    });
    let (one, nothing) = (question(), json!({}));
    let purge = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        client.answer(br#"{"op": "cache_purge", "tenant": ""}"#, b"").await.unwrap();
    };
    let (first, ()) = tokio::join!(ask(&client, &one, &nothing), purge);
    first.unwrap();
    assert_eq!(metrics(&client)["cache"]["entries"], 0);
    assert_eq!(tier(&ask(&client, &one, &nothing).await.unwrap()), "none");
    assert_eq!(world.count("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn bad_options_are_named() {
    let (client, world) = cached(&json!({"max_ttl_s": 600}), answer);
    let (long, longest) = ("x".repeat(129), "x".repeat(128));
    for (options, param) in [
        (json!({"cache": {"ttl_s": 0}}), "options.cache.ttl_s"),
        (json!({"cache": {"ttl_s": -1}}), "options.cache.ttl_s"),
        (json!({"cache": {"ttl_s": 1.5}}), "options.cache.ttl_s"),
        (json!({"cache": {"ttl_s": 601}}), "options.cache.ttl_s"),
        (json!({"cache": {"ttl_s": 9_007_199_254_740_991_u64}}), "options.cache.ttl_s"),
        (json!({"cache": {"max_age_s": -1}}), "options.cache.max_age_s"),
        (json!({"cache": {"mode": "on"}}), "options.cache.mode"),
        (json!({"cache": {"mode": "Default"}}), "options.cache.mode"),
        (json!({"cache": {"key": "x"}}), "options.cache.key"),
        (json!({"cache": true}), "options.cache"),
        (json!({"tenant": long}), "options.tenant"),
        (json!({"tenant": 1}), "options.tenant"),
        (
            json!({"cache": {"mode": "always"}, "fanout": {"targets": ["a/m", "b/m"]}}),
            "options.cache",
        ),
    ] {
        let bytes = (question().to_string(), options.to_string());
        let error = client.answer(bytes.0.as_bytes(), bytes.1.as_bytes()).await.err().unwrap();
        let found = (error.kind(), error.param.as_deref());
        assert_eq!(found, (ErrorKind::InvalidRequest, Some(param)), "{options}");
    }
    assert_eq!(world.count("a"), 0);
    let invalid = client.answer(question().to_string().as_bytes(), b"{\"tenant\": \"\xff\"}").await;
    assert_eq!(invalid.err().unwrap().kind(), ErrorKind::InvalidRequest);
    for tenant in ["", &longest] {
        ask(&client, &question(), &json!({"tenant": tenant})).await.unwrap();
    }
    for purge in [&b"{\"op\": \"cache_purge\"}"[..], b"{\"op\": \"cache_purge\", \"tenant\": 1}"] {
        let error = client.answer(purge, b"").await.err().unwrap();
        assert_eq!(error.param.as_deref(), Some("tenant"));
    }
    let wide = json!({"op": "cache_purge", "tenant": "x".repeat(129)}).to_string();
    assert_eq!(
        client.answer(wide.as_bytes(), b"").await.err().unwrap().param.as_deref(),
        Some("tenant")
    );
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_wants_tenants_keeps_nothing_without_one() {
    let (client, world) = cached(&json!({"require_tenant": true}), answer);
    for _ in 0..2 {
        ask(&client, &question(), &json!({})).await.unwrap();
    }
    assert_eq!(world.count("a"), 2);
    for _ in 0..2 {
        ask(&client, &question(), &json!({"tenant": "t"})).await.unwrap();
    }
    assert_eq!(world.count("a"), 3);
}

/// An answer of a fallback is not the first target's.
#[tokio::test(start_paused = true)]
async fn a_fallbacks_answer_is_kept_for_the_fallback() {
    let (client, world) = cached(&json!({}), |ask| match (ask.host.as_str(), ask.number) {
        ("a", 0) => refuse(503, "", "down"),
        _ => answer(ask),
    });
    let options = json!({"fallback": ["b/m"]});
    let first = ask(&client, &question(), &options).await.unwrap();
    assert_eq!((first.provider.as_str(), tier(&first)), ("b", "none"));
    let second = ask(&client, &question(), &json!({})).await.unwrap();
    assert_eq!((second.provider.as_str(), tier(&second)), ("a", "none"));
    let mut other = question();
    other["model"] = json!("b/m");
    let third = ask(&client, &other, &json!({})).await.unwrap();
    assert_eq!((third.provider.as_str(), tier(&third)), ("b", "memory"));
    assert_eq!((world.count("a"), world.count("b")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn metrics_count_what_the_cache_had() {
    let (client, _) = cached(&json!({}), answer);
    for _ in 0..3 {
        ask(&client, &question(), &json!({})).await.unwrap();
    }
    ask(&client, &question(), &json!({"cache": {"mode": "bypass"}})).await.unwrap();
    let found = metrics(&client)["cache"].clone();
    assert_eq!(
        (&found["hit"], &found["miss"], &found["bypass"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(found["entries"], 1);
    assert!(found["bytes"].as_u64().unwrap() > 200, "{found}");
    let text = String::from_utf8(client.metrics_prometheus()).unwrap();
    for line in [
        "liter_llm_cache_total{tier=\"memory\",result=\"hit\"} 2",
        "liter_llm_cache_total{tier=\"flight\",result=\"joined\"} 0",
        "liter_llm_cache_entries{tier=\"memory\"} 1",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
    // A client without a cache has no such series.
    let (client, _) = super::world::client(json!({}), answer);
    assert!(!String::from_utf8(client.metrics_prometheus()).unwrap().contains("cache"));
    assert!(metrics(&client).get("cache").is_none());
}

struct Kept(Arc<Mutex<Vec<u8>>>);

impl Sink for Kept {
    fn wants(&self, _: Level) -> bool {
        true
    }

    fn take(&self, _: Level, record: Vec<u8>) {
        self.0.lock().unwrap().extend(record);
    }
}

/// No prompt, no answer and no tenant of the cache is in a log record or in a metric.
#[tokio::test(start_paused = true)]
async fn no_text_is_in_logs_or_metrics() {
    let lines: Arc<Mutex<Vec<u8>>> = Arc::default();
    let log = Log(Kept(Arc::clone(&lines)));
    let config = json!({"cache": {}});
    let (client, _) = super::world::observed(vec![Arc::new(log)], config, |_| {
        let body = json!({"choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "canary-answer"}}]});
        vec![Act::Send(reply_bytes(200, "", &body.to_string()))]
    });
    let request = json!({"model": "a/m", "prompt": "canary-prompt", "temperature": 0});
    for _ in 0..2 {
        ask(&client, &request, &json!({"tenant": "canary-tenant"})).await.unwrap();
    }
    client.answer(br#"{"op": "cache_purge", "tenant": "canary-tenant"}"#, b"").await.unwrap();
    let mut said = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
    assert!(said.contains("\"cache\":\"memory\""), "{said}");
    said += &String::from_utf8(client.metrics_prometheus()).unwrap();
    said += &String::from_utf8(client.metrics_json()).unwrap();
    assert!(!said.contains("canary-"), "{said}");
}
