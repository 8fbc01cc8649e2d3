//! Which requests are the same question.

use serde_json::{Value, json};

use super::say::answer;
use super::{ask, cached, question, tier};

/// Any change of a member that reaches the wire makes another question.
#[tokio::test(start_paused = true)]
async fn whatever_reaches_the_provider_is_part_of_the_question() {
    let changes = [
        json!({"model": "a/other"}),
        json!({"model": "b/m"}),
        json!({"prompt": "Why is the sky blue"}),
        json!({"prompt": null, "messages": [{"role": "system", "content": "Why is the sky blue?"}]}),
        json!({"temperature": 0.0}),
        json!({"temperature": null, "seed": 1}),
        json!({"seed": 2}),
        json!({"top_p": 0.5}),
        json!({"max_tokens": 9}),
        json!({"max_tokens": 10}),
        json!({"stop": ["a"]}),
        json!({"stop": ["a", "b"]}),
        json!({"n": 2}),
        json!({"presence_penalty": 1}),
        json!({"frequency_penalty": 1}),
        json!({"user": "one"}),
        json!({"user": "two"}),
        json!({"metadata": {"a": "b"}}),
        json!({"response_format": {"type": "json_object"}}),
        json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
        json!({"tools": [{"type": "function", "function": {"name": "g"}}]}),
        json!({"tools": [{"type": "function", "function": {"name": "g"}}], "tool_choice": "none"}),
        json!({"logprobs": true}),
        json!({"extra": {"a": {"min_p": 0.1}}}),
        json!({"extra": {"a": {"min_p": 0.2}}}),
    ];
    let (client, world) = cached(&json!({}), answer);
    ask(&client, &question(), &json!({})).await.unwrap();
    let asked = || world.count("a") + world.count("b");
    for (i, change) in changes.iter().enumerate() {
        let mut request = question();
        for (name, value) in change.as_object().unwrap() {
            request[name] = value.clone();
        }
        assert_eq!(tier(&ask(&client, &request, &json!({})).await.unwrap()), "none", "{change}");
        assert_eq!(asked(), i + 2, "{change}");
        assert_eq!(tier(&ask(&client, &request, &json!({})).await.unwrap()), "memory", "{change}");
        assert_eq!(asked(), i + 2, "{change}");
    }
}

/// Options say how a question is asked. Only what they send is part of it.
#[tokio::test(start_paused = true)]
async fn options_are_no_part_of_the_question_unless_they_are_sent() {
    let (client, world) = cached(&json!({}), answer);
    ask(&client, &question(), &json!({})).await.unwrap();
    for options in [
        json!({"timeout_ms": 9_000}),
        json!({"retry": {"max_attempts": 2}}),
        json!({"fallback": ["b/m"]}),
        json!({"idempotency_key": "k"}),
        json!({"cache": {"ttl_s": 9}}),
        json!({"limit": {"wait": false}}),
    ] {
        assert_eq!(
            tier(&ask(&client, &question(), &options).await.unwrap()),
            "memory",
            "{options}"
        );
    }
    let headers = |value: &str| json!({"headers": {"x-team": value}});
    for (options, found) in [
        (headers("blue"), "none"),
        (headers("blue"), "memory"),
        (headers("red"), "none"),
        (json!({"tenant": "t"}), "none"),
        (json!({"tenant": "t"}), "memory"),
        (json!({"tenant": "T"}), "none"),
    ] {
        assert_eq!(tier(&ask(&client, &question(), &options).await.unwrap()), found, "{options}");
    }
    assert_eq!(world.count("a"), 5);
}

/// Two entries of the configuration that reach the same server are not the same provider: the answer
/// names one of them, and their keys may see different things.
#[tokio::test(start_paused = true)]
async fn settings_are_part_of_the_question() {
    let twin = json!({"kind": "compatible", "base_url": "http://a.test/v1", "api_key": "sk-x"});
    let with = |more: Value| {
        let mut twin = twin.clone();
        for (name, value) in more.as_object().unwrap() {
            twin[name] = value.clone();
        }
        twin
    };
    let config = json!({"cache": {}, "retry": false, "providers": {
        "twin": twin,
        "headed": with(json!({"headers": {"x-org": "1"}})),
        "queried": with(json!({"query": {"v": "1"}})),
        "bodied": with(json!({"body": {"min_p": 0.1}})),
        "moved": with(json!({"base_url": "http://a.test/v2"})),
    }, "routes": {"cold": {"targets": [{"target": "a/m", "parameters": {"max_tokens": 3}}]}}});
    let (client, world) = super::world::client(config, answer);
    for (i, model) in
        ["a/m", "twin/m", "headed/m", "queried/m", "bodied/m", "moved/m", "cold"].iter().enumerate()
    {
        let mut request = question();
        request["model"] = json!(model);
        assert_eq!(tier(&ask(&client, &request, &json!({})).await.unwrap()), "none", "{model}");
        assert_eq!(tier(&ask(&client, &request, &json!({})).await.unwrap()), "memory", "{model}");
        assert_eq!(world.count("a"), i + 1);
    }
}

/// An embedding's form is made here, so the body does not say it.
#[tokio::test(start_paused = true)]
async fn the_form_of_an_embedding_is_part_of_the_question() {
    let (client, world) = cached(&json!({}), |_| {
        let body = json!({"model": "m", "data": [{"index": 0, "embedding": [0.5, 1.5]}],
            "usage": {"prompt_tokens": 1, "total_tokens": 1}});
        vec![super::world::Act::Send(super::say::reply_bytes(200, "", &body.to_string()))]
    });
    let mut asked = 0;
    for encoding in ["float", "base64"] {
        let request = json!({"op": "embed", "model": "a/m", "input": ["x"], "encoding": encoding});
        let mut answers = Vec::new();
        for _ in 0..2 {
            let outcome = client.answer(request.to_string().as_bytes(), b"").await.unwrap();
            let document: Value = serde_json::from_slice(&outcome.to_json()).unwrap();
            answers.push(document["data"].clone());
        }
        asked += 1;
        assert_eq!(world.count("a"), asked, "{encoding}");
        assert_eq!(answers[0], answers[1]);
    }
}
