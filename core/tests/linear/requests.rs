//! Requests of the caller, as each provider gets them.

use liter_llm_core::provider::Notes;
use liter_llm_core::{Config, Options, Request};
use serde_json::{Value, json};

use crate::{corpus, linear};

const MANY: usize = 200;

/// A request with n of a kind is read and written for each wire format.
#[track_caller]
fn request(kind: &str, of: impl Fn(Vec<usize>) -> Value) {
    let every = ["openai", "mistral", "openrouter", "anthropic", "cohere", "gemini", "bedrock"];
    request_to(&every, kind, of);
}

/// The same for some wire formats.
#[track_caller]
fn request_to(names: &[&str], kind: &str, of: impl Fn(Vec<usize>) -> Value) {
    for name in names {
        let provider = corpus::provider(name);
        let (chat, target) = (provider.row.chat().unwrap(), provider.target("model"));
        let make = |n: usize| of((0..n).collect()).to_string();
        linear(&format!("{name}, {kind}"), MANY, make, |document: &String| {
            let options = Options::default();
            let (request, options) = Request::parse(document.as_bytes(), options).unwrap();
            let mut notes = Notes::new(options.unsupported.unwrap_or_default());
            std::hint::black_box(chat.encode(&request, &target, &mut notes).unwrap());
        });
    }
}

fn each(numbers: &[usize], of: impl Fn(usize) -> Value) -> Vec<Value> {
    numbers.iter().map(|i| of(*i)).collect()
}

fn members(numbers: &[usize]) -> Value {
    let members = numbers.iter().map(|i| (format!("m{i}"), Value::from(*i)));
    members.collect::<serde_json::Map<_, _>>().into()
}

fn turn(assistant: Value, results: Vec<Value>) -> Value {
    let user = json!({"role": "user", "content": "x"});
    let mut messages = vec![user.clone(), assistant];
    messages.extend(results);
    messages.push(user);
    json!({ "messages": messages })
}

#[test]
fn conversations() {
    request("messages", |n| {
        let role = |i: usize| if i.is_multiple_of(2) { "user" } else { "assistant" };
        let mut messages = each(&n, |i| json!({"role": role(i), "content": "x"}));
        messages.push(json!({"role": "user", "content": "x"}));
        json!({ "messages": messages })
    });
    request(
        "messages of one role",
        |n| json!({"messages": each(&n, |_| json!({"role": "user", "content": "x"}))}),
    );
    request("parts", |n| {
        let parts = each(&n, |_| json!({"type": "text", "text": "x"}));
        json!({"messages": [{"role": "user", "content": parts}]})
    });
    let call = |i: usize| json!({"id": format!("c{i}"), "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let result =
        |i: usize| json!({"role": "tool", "tool_call_id": format!("c{i}"), "content": "x"});
    request("calls and results", |n| {
        turn(
            json!({"role": "assistant", "content": null, "tool_calls": each(&n, call)}),
            each(&n, result),
        )
    });
    request("members of calls", |n| {
        let fields = each(&n, |i| json!({"index": i, "id": format!("c{i}"), "x": i}));
        let assistant = json!({
            "role": "assistant", "content": null, "tool_calls": each(&n, call),
            "provider_fields": {"tool_call_fields": fields},
        });
        turn(assistant, each(&n, result))
    });
    request("custom calls", |n| {
        let calls = each(
            &n,
            |i| json!({"id": format!("c{i}"), "type": "custom", "custom": {"name": "f", "input": "x"}}),
        );
        turn(
            json!({"role": "assistant", "content": "x", "provider_fields": {"custom_tool_calls": calls}}),
            Vec::new(),
        )
    });
    request("anthropic's blocks", |n| {
        let blocks = each(
            &n,
            |i| json!({"type": "tool_use", "id": format!("c{i}"), "name": "f", "input": {}}),
        );
        let assistant = json!({
            "role": "assistant", "content": null, "tool_calls": each(&n, call),
            "provider_fields": {"anthropic_content": blocks},
        });
        turn(assistant, each(&n, result))
    });
    let native = |call: Value, i: usize| {
        let call = json!({"functionCall": call, "thoughtSignature": format!("s{i}")});
        [call, json!({"text": "x"}), json!({"text": "y", "thought": true})]
    };
    let gemini = |parts: Vec<[Value; 3]>, calls: Vec<Value>| {
        json!({
            "role": "assistant", "content": "x".repeat(parts.len()),
            "reasoning": "y".repeat(parts.len()), "tool_calls": calls,
            "provider_fields": {"gemini_parts": parts.into_iter().flatten().collect::<Vec<_>>()},
        })
    };
    request("gemini's parts with ids", |n| {
        let part = |i: &usize| native(json!({"id": format!("c{i}"), "name": "f", "args": {}}), *i);
        let calls = each(&n, call);
        turn(gemini(n.iter().map(part).collect(), calls), each(&n, result))
    });
    // In each order, and with other arguments.
    for (kind, changed) in [("gemini's parts", false), ("gemini's parts, changed", true)] {
        request(kind, |n| {
            let part = |i: &usize| native(json!({"name": "f", "args": {"a": i, "b": i}}), *i);
            let arguments = |i: usize| json!({"b": i, "a": if changed { n.len() + i } else { i }});
            let call = |i: usize| json!({"id": format!("c{i}"), "type": "function", "function": {"name": "f", "arguments": arguments(i).to_string()}});
            let backwards: Vec<usize> = n.iter().rev().copied().collect();
            let calls = each(&backwards, call);
            turn(gemini(n.iter().map(part).collect(), calls), each(&backwards, result))
        });
    }
    request("turns of calls", |n| {
        let turn = |i: &usize| {
            let assistant = json!({"role": "assistant", "content": null, "tool_calls": [call(*i)]});
            [assistant, result(*i)]
        };
        let mut messages = vec![json!({"role": "user", "content": "x"})];
        messages.extend(n.iter().flat_map(turn));
        json!({ "messages": messages })
    });
    request("results at the end", |n| {
        let mut messages = vec![json!({"role": "user", "content": "x"})];
        messages.extend(
            n.iter()
                .map(|i| json!({"role": "assistant", "content": null, "tool_calls": [call(*i)]})),
        );
        messages.extend(n.iter().map(|i| result(*i)));
        json!({ "messages": messages })
    });
    request("thinking blocks and reasoning details", |n| {
        let blocks = each(&n, |_| json!({"type": "thinking", "thinking": "x", "signature": "s"}));
        let details = each(&n, |i| json!({"type": "reasoning.text", "index": i, "text": "x"}));
        let fields = json!({"thinking_blocks": blocks, "reasoning_details": details});
        turn(json!({"role": "assistant", "content": "x", "provider_fields": fields}), Vec::new())
    });
    request("unknown members of an answer", |n| {
        turn(
            json!({"role": "assistant", "content": "x", "provider_fields": members(&n)}),
            Vec::new(),
        )
    });
}

#[test]
fn documents() {
    let file = |name: String| {
        let file = json!({"filename": name, "file_data": "data:application/pdf;base64,eA=="});
        json!({"type": "file", "file": file})
    };
    // Bedrock wants a name for each, and no name twice.
    for (kind, name) in [
        ("documents of one name", (|_| "report.pdf".to_owned()) as fn(usize) -> String),
        ("documents with numbers", |i| format!("report ({}).pdf", i / 2 + 2)),
    ] {
        request_to(&["bedrock"], kind, |n| {
            let parts = each(&n, |i| file(name(i)));
            json!({"messages": [{"role": "user", "content": parts}]})
        });
        request_to(&["bedrock"], &format!("{kind}, sent back"), |n| {
            let messages = each(&n, |i| json!({"role": "assistant", "content": [file(name(i))]}));
            json!({ "messages": messages })
        });
    }
}

#[test]
fn parameters() {
    let with = |name: &str, value: Value| json!({"prompt": "x", name: value});
    request("tools", |n| {
        let tool = |i| json!({"type": "function", "function": {"name": format!("f{i}"), "parameters": {"type": "object"}}});
        with("tools", each(&n, tool).into())
    });
    request("stops", |n| with("stop", each(&n, |i| format!("{i}").into()).into()));
    request("unknown members", |n| {
        let mut request = members(&n);
        request["prompt"] = "x".into();
        request
    });
    request("metadata", |n| {
        let entry = |i: &usize| (format!("m{i}"), Value::from("x"));
        with("metadata", n.iter().map(entry).collect::<serde_json::Map<_, _>>().into())
    });
    request("members of a schema", |n| {
        let names = n.iter().map(|i| (format!("m{i}"), json!({"type": "string", "minLength": 1})));
        let schema =
            json!({"type": "object", "properties": names.collect::<serde_json::Map<_, _>>()});
        with(
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}),
        )
    });
    request("required members of a schema", |n| {
        let names = n.iter().map(|i| (format!("m{i}"), json!({"type": "string"})));
        let required = each(&n, |i| format!("m{i}").into());
        let schema = json!({"type": "object", "properties": names.collect::<serde_json::Map<_, _>>(), "required": required});
        with(
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}),
        )
    });
}

#[test]
fn configurations() {
    let make = |n: usize| {
        let provider = |i| {
            (
                format!("p{i}"),
                json!({"kind": "compatible", "base_url": "http://localhost/v1", "headers": {"x-a": "b"}}),
            )
        };
        let target = |i| json!({"target": format!("p{i}/m")});
        let providers: serde_json::Map<_, _> = (0..n).map(provider).collect();
        let targets: Vec<Value> = (0..n).map(target).collect();
        json!({"providers": providers, "routes": {"r": {"targets": targets}}}).to_string()
    };
    linear("configuration, providers and targets", MANY, make, |document| {
        std::hint::black_box(Config::parse(document.as_bytes()).unwrap());
    });
}
