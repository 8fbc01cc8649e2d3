//! Whole answers of each wire format, and JSON of each shape.

use std::sync::Arc;

use http::HeaderMap;
use liter_llm_core::error::Error;
use liter_llm_core::model::{EmbedInput, EmbedRequest, RerankRequest};
use liter_llm_core::provider::Completion;
use liter_llm_core::wire::Reply;
use serde_json::{Value, json};

use crate::{corpus, linear};

const MANY: usize = 600;

/// A kind of text, and one with so many parts.
type Shape = (&'static str, fn(usize) -> String);

fn decode(provider: &str, status: u16, body: &[u8]) -> Result<Completion, Error> {
    let provider = corpus::provider(provider);
    let reply = Reply { status, headers: &HeaderMap::new(), body, received: None };
    provider.row.chat().unwrap().decode(&reply, &provider.target("model"))
}

/// A whole answer with n of a kind.
#[track_caller]
fn answer(provider: &'static str, kind: &str, of: impl Fn(Vec<usize>) -> Value) {
    let make = |n: usize| of((0..n).collect()).to_string();
    linear(&format!("{provider}, {kind}"), MANY, make, |body: &String| {
        std::hint::black_box(decode(provider, 200, body.as_bytes()).unwrap());
    });
}

fn each(numbers: Vec<usize>, of: impl Fn(usize) -> Value) -> Value {
    Value::Array(numbers.into_iter().map(of).collect())
}

fn members(numbers: Vec<usize>) -> Value {
    numbers
        .into_iter()
        .map(|i| (format!("m{i}"), Value::from(i)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn whole_answers() {
    let message = |message: Value| json!({"choices": [{"message": message}]});
    answer(
        "openai",
        "choices",
        |n| json!({"choices": each(n, |i| json!({"index": i, "message": {"content": "x"}}))}),
    );
    answer("openai", "calls", |n| {
        message(json!({"tool_calls": each(n, |i| {
            json!({"id": format!("{i}"), "function": {"name": "f", "arguments": "{}"}, "x": i})
        })}))
    });
    answer("openai", "calls without an id", |n| {
        message(json!({"tool_calls": each(n, |_| json!({"function": {"name": "f"}}))}))
    });
    answer("openai", "custom calls", |n| {
        message(json!({"tool_calls": each(n, |i| json!({"type": "custom", "index": i}))}))
    });
    answer("openai", "parts", |n| {
        message(json!({"content": each(n, |_| json!({"type": "text", "text": "x"}))}))
    });
    answer("openai", "annotations", |n| message(json!({"annotations": each(n, Value::from)})));
    answer("openai", "members at the top", |n| {
        let mut object = members(n);
        object["choices"] = json!([{"message": {"content": "x"}}]);
        object
    });
    answer("openai", "members of a message", |n| message(members(n)));
    answer(
        "openai",
        "members of the usage",
        |n| json!({"choices": [{"message": {}}], "usage": members(n)}),
    );
    answer(
        "anthropic",
        "blocks",
        |n| json!({"type": "message", "content": each(n, |i| json!({"type": "text", "text": "x", "y": i}))}),
    );
    answer(
        "anthropic",
        "calls",
        |n| json!({"type": "message", "content": each(n, |i| json!({"type": "tool_use", "id": i.to_string(), "name": "f", "input": {}}))}),
    );
    answer(
        "cohere",
        "parts",
        |n| json!({"message": {"content": each(n, |_| json!({"type": "text", "text": "x"}))}}),
    );
    answer(
        "cohere",
        "calls",
        |n| json!({"message": {"tool_calls": each(n, |i| json!({"id": i.to_string(), "function": {"name": "f", "arguments": "{}"}}))}}),
    );
    answer("cohere", "citations", |n| json!({"message": {"citations": each(n, Value::from)}}));
    let candidate = |candidate: Value| json!({ "candidates": [candidate] });
    let parts = |parts: Value| candidate(json!({"content": {"parts": parts}}));
    answer("gemini", "parts", |n| parts(each(n, |i| json!({"text": "x", "y": i}))));
    answer("gemini", "texts", |n| parts(each(n, |_| json!({"text": "x"}))));
    answer("gemini", "calls", |n| {
        parts(each(n, |i| json!({"functionCall": {"name": "f", "args": {"a": i}}})))
    });
    answer("gemini", "paths", |n| {
        let pieces =
            |i| json!({"jsonPath": format!("$.a{}.b{}", i / 64, i % 64), "numberValue": i});
        parts(json!([{"functionCall": {"name": "f", "partialArgs": each(n, pieces)}}]))
    });
    answer("gemini", "citations", |n| {
        candidate(json!({"citationMetadata": {"citations": each(n, |i| json!({"startIndex": i}))}}))
    });
    answer("gemini", "announced paths", |n| {
        let call = json!({"name": "f", "args": members(n.clone()), "partialArgs": each(n, |_| json!({"jsonPath": "$"}))});
        parts(json!([{ "functionCall": call }]))
    });
    answer("gemini", "members of a candidate", |n| candidate(members(n)));
    answer(
        "gemini",
        "members of the usage",
        |n| json!({"candidates": [{}], "usageMetadata": members(n)}),
    );
}

#[test]
fn items_of_responses() {
    let response = |item: Value| json!({"id": "r", "status": "completed", "output": [item]});
    let part = |_| json!({"type": "output_text", "text": "x"});
    answer("openai/responses", "parts of an item", |n| {
        response(json!({"type": "message", "content": each(n, part)}))
    });
    answer("openai/responses", "parts of a summary", |n| {
        response(json!({"type": "reasoning", "summary": each(n, part)}))
    });
}

#[test]
fn answers_that_are_errors() {
    for provider in ["openai", "anthropic", "cohere", "gemini"] {
        let shapes: [Shape; 5] = [
            ("text", |n| "word ".repeat(n)),
            ("html", |n| format!("<html>{}</html>", "<p>".repeat(n))),
            ("members", |n| members((0..n).collect()).to_string()),
            ("details", |n| {
                json!({"error": {"message": "x", "details": each((0..n).collect(), |i| json!({"reason": i}))}}).to_string()
            }),
            ("an error inside", |n| {
                let inner = json!({"error": {"message": "word ".repeat(n)}}).to_string();
                json!({"error": {"message": inner}}).to_string()
            }),
        ];
        for (kind, make) in shapes {
            linear(&format!("{provider}, errors, {kind}"), 4 * MANY, make, |body: &String| {
                std::hint::black_box(decode(provider, 429, body.as_bytes()).unwrap_err());
            });
        }
    }
}

/// Reads a successful answer with this body.
fn reply(body: &str, read: &dyn Fn(&Reply<'_>)) {
    let headers = &HeaderMap::new();
    read(&Reply { status: 200, headers, body: body.as_bytes(), received: None });
}

#[test]
fn lists_of_models_and_verdicts() {
    for name in ["openai", "anthropic", "cohere", "gemini"] {
        let provider = corpus::provider(name);
        let (adapter, target) = (provider.row.adapter(), provider.target("model"));
        let make = |n| {
            let models =
                each((0..n).collect(), |i| json!({"id": i.to_string(), "name": i.to_string()}));
            json!({"data": models, "models": models}).to_string()
        };
        linear(&format!("{name}, models"), MANY, make, |body| {
            reply(body, &|reply| {
                std::hint::black_box(adapter.models().unwrap().decode(reply, &target).unwrap());
            });
        });
    }
    let provider = corpus::provider("openai");
    let (adapter, target) = (provider.row.adapter(), provider.target("model"));
    let make = |n| {
        let verdict = |i| json!({"flagged": true, "categories": {format!("m{i}"): true}});
        json!({"id": "a", "model": "m", "results": each((0..n).collect(), verdict)}).to_string()
    };
    linear("openai, verdicts", MANY, make, |body| {
        reply(body, &|reply| {
            std::hint::black_box(adapter.moderate().unwrap().decode(reply, &target).unwrap());
        });
    });
}

#[test]
fn counts() {
    let provider = corpus::provider("cohere");
    let (adapter, target) = (provider.row.adapter(), provider.target("model"));
    let make = |n| {
        let texts = each((0..n).collect(), |i| json!(i.to_string()));
        json!({"tokens": each((0..n).collect(), |i| json!(i)), "token_strings": texts}).to_string()
    };
    linear("cohere, tokens", MANY, make, |body: &String| {
        reply(body, &|reply| {
            let count = adapter.count_tokens().unwrap();
            std::hint::black_box(count.decode(reply, &target).unwrap());
        });
    });
}

#[test]
fn rankings() {
    let provider = corpus::provider("cohere");
    let (adapter, target) = (provider.row.adapter(), provider.target("model"));
    let make = |n| {
        let one = |i| json!({"index": i, "relevance_score": (i * 7) % 100});
        json!({"results": each((0..n).collect(), one)}).to_string()
    };
    linear("cohere, rankings", MANY, make, |body: &String| {
        let documents = vec![String::new(); body.matches("index").count()];
        let request = RerankRequest { documents, ..Default::default() };
        reply(body, &|reply| {
            let rerank = adapter.rerank().unwrap();
            std::hint::black_box(rerank.decode(reply, &request, &target).unwrap());
        });
    });
}

/// Vectors as decimal text, and lists that are no vectors.
#[test]
fn embeddings() {
    let shapes: [Shape; 3] = [
        ("vectors", |n| {
            let one = |i| json!({"index": i, "embedding": [i, 0.5]});
            json!({"data": each((0..n).collect(), one)}).to_string()
        }),
        ("one long vector", |n| format!(r#"{{"data":[{{"embedding":[{}0.5]}}]}}"#, "0,".repeat(n))),
        ("no vectors", |n| {
            format!(r#"{{"data":[{{"embedding":[{}0]}}]}}"#, r#"[0,1,"",0,"#.repeat(n))
        }),
    ];
    let provider = corpus::provider("openai");
    let (adapter, target) = (provider.row.adapter(), provider.target("model"));
    for (name, make) in shapes {
        linear(&format!("openai, {name}"), MANY, make, |body: &String| {
            let count = if name == "vectors" { body.matches("index").count() } else { 1 };
            let inputs = Arc::new(vec![EmbedInput::Text(String::new()); count]);
            let request = EmbedRequest { inputs, part: 0..count, ..Default::default() };
            reply(body, &|reply| {
                let _ =
                    std::hint::black_box(adapter.embed().unwrap().decode(reply, &request, &target));
            });
        });
    }
}

#[test]
fn json_of_each_shape() {
    let shapes: [Shape; 12] = [
        ("numbers", |n| format!("[{}0]", "0,".repeat(n))),
        ("long numbers", |n| format!("[{}]", "1".repeat(n))),
        ("numbers too large", |n| format!("[{}0]", "1e400,".repeat(n))),
        ("lists", |n| format!("[{}0]", "[],".repeat(n))),
        ("objects", |n| format!("[{}0]", "{\"\":0},".repeat(n))),
        ("members", |n| members((0..n).collect()).to_string()),
        ("one name", |n| format!("{{{}\"a\":0}}", "\"a\":0,".repeat(n))),
        ("escapes", |n| format!("\"{}\"", "\\n".repeat(n))),
        ("halves of characters", |n| format!("\"{}\"", "\\ud83c".repeat(n))),
        ("not numbers", |n| format!("[{}0]", "NaN,".repeat(n))),
        ("white space", |n| format!("[{}0]", " ".repeat(n))),
        ("depth", |n| {
            format!("[{}0]", format!("{}{},", "[".repeat(99), "]".repeat(99)).repeat(n / 99))
        }),
    ];
    for (kind, make) in shapes {
        let make = |n| {
            json!({"choices": [{"message": {"content": "x"}}], "x": "VALUE"})
                .to_string()
                .replace("\"VALUE\"", &make(n))
        };
        linear(&format!("json, {kind}"), 20 * MANY, make, |body: &String| {
            std::hint::black_box(decode("openai", 200, body.as_bytes()).unwrap());
        });
    }
}
