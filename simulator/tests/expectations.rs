//! Requests against their expectation, and the report.

mod common;

use common::{ask_whole, body, get, post, start};
use serde_json::{Value, json};

fn messages(simulator: &liter_llm_simulator::Simulator) -> Vec<String> {
    simulator.report().failures.into_iter().map(|failure| failure.message).collect()
}

fn case() -> Value {
    json!({"about": "x", "config": {}, "provider": "openai", "request": {}, "via": ["call"], "outcome": {}, "exchanges": [
        {"expect": {"method": "POST", "path": "/v1/chat?a=1", "headers": {"X-Key": "k", "x-none": null},
                    "body": {"n": 1, "list": [{"a": null}], "t": "ü"}}},
        {}]})
}

#[tokio::test]
async fn a_request_as_expected_leaves_no_failure() {
    let simulator = start(&[("chat/a", case())]);
    let request = post(
        "/case/py.call/chat~a/v1/chat?a=1",
        "x-key: k\r\nconnection: close\r\n",
        "{\"t\":\"\\u00fc\",\"n\":1.0,\"list\":[{\"a\":null}]}",
    );
    let answer = ask_whole(&simulator, &request).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    let report = simulator.report();
    assert_eq!(report.failures, []);
    assert_eq!((report.unused[0].run.as_str(), report.unused[0].exchanges_left), ("py.call", 1));
}

#[tokio::test]
async fn every_difference_is_named_with_both_values() {
    let simulator = start(&[("chat/a", case())]);
    let request = post(
        "/case/r/chat~a/v1/chat",
        "x-none: 1\r\nconnection: close\r\n",
        r#"{"n":2,"list":[{"b":1}],"t":"ü"}"#,
    );
    let answer = ask_whole(&simulator, &request).await;
    assert!(answer.starts_with(b"HTTP/1.1 599 "));
    // In which order members are compared depends on how serde_json keeps them.
    let mut found = messages(&simulator);
    found.sort();
    assert_eq!(
        found,
        [
            "request 1: body.list[0].a: expected null, got nothing",
            "request 1: body.list[0].b: expected nothing, got 1",
            "request 1: body.n: expected 1, got 2",
            "request 1: header `X-Key`: expected \"k\", got no such header",
            "request 1: header `x-none`: expected no such header, got \"1\"",
            "request 1: path: expected \"/v1/chat?a=1\", got \"/v1/chat\"",
        ]
    );
}

#[tokio::test]
async fn one_request_too_many_and_unknown_cases() {
    let simulator = start(&[("chat/a", json!({"exchanges": [{}]}))]);
    ask_whole(&simulator, &get("/case/r/chat~a/x")).await;
    ask_whole(&simulator, &get("/case/r/chat~a/x?y")).await;
    ask_whole(&simulator, &get("/case/other/chat~a/x")).await;
    ask_whole(&simulator, &get("/case/r/chat~b/x")).await;
    assert_eq!(
        messages(&simulator),
        [
            "request 2: unexpected GET /x?y, the case has 1 exchange(s)",
            "there is no case \"chat/b\""
        ]
    );
    let answer = ask_whole(&simulator, &get("/_sim/report")).await;
    let report: Value = serde_json::from_slice(body(&answer)).unwrap();
    assert_eq!(report["failures"][1]["case"], "chat/b");
    assert_eq!(report["unused"], json!([]));

    let answer = ask_whole(&simulator, &post("/_sim/reset", "connection: close\r\n", "")).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(simulator.report(), liter_llm_simulator::Report::default());
    let answer = ask_whole(&simulator, &get("/case/r/chat~a/x")).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "the case begins anew");
}

#[tokio::test]
async fn percent_encoded_ids() {
    let simulator = start(&[("größe/a b%", json!({"exchanges": [{}, {}]}))]);
    let url = simulator.case_url("node.submit", "größe/a b%");
    let path = url.strip_prefix(&simulator.url()).unwrap();
    assert_eq!(path, "/case/node.submit/gr%C3%B6%C3%9Fe~a%20b%25");
    assert!(ask_whole(&simulator, &get(path)).await.starts_with(b"HTTP/1.1 200"));
    let path = path.replace('~', "%7E");
    assert!(ask_whole(&simulator, &get(&path)).await.starts_with(b"HTTP/1.1 200"));
    assert_eq!(simulator.report(), liter_llm_simulator::Report::default());
}

#[tokio::test]
async fn a_body_that_is_not_json() {
    let simulator = start(&[("a", json!({"exchanges": [{"expect": {"body": {}}}]}))]);
    ask_whole(&simulator, &post("/case/r/a/", "connection: close\r\n", "{")).await;
    assert!(
        messages(&simulator)[0]
            .starts_with("request 1: body: expected {}, got bytes that are not JSON")
    );
}

#[tokio::test]
async fn requests_that_go_out_at_once_find_their_exchange_by_path() {
    let at = |path: &str| json!({"expect": {"path": path}, "reply": {"body": path}});
    let exchanges = json!([at("/a"), at("/b"), at("/a")]);
    let simulator = start(&[("chat/a", json!({"by_path": true, "exchanges": exchanges}))]);
    for path in ["/b", "/a", "/a"] {
        let request = get(&format!("/case/r/chat~a{path}"));
        let answer = ask_whole(&simulator, &request).await;
        assert!(answer.ends_with(path.as_bytes()), "{path}");
    }
    assert_eq!((simulator.report().failures, simulator.report().unused), (vec![], vec![]));
    ask_whole(&simulator, &get("/case/r/chat~a/b")).await;
    assert_eq!(
        messages(&simulator),
        ["request 4: unexpected GET /b, the case has 3 exchange(s), none of this path is left"]
    );
}

#[tokio::test]
async fn a_request_that_comes_too_early_is_a_failure() {
    let soon = json!({"exchanges": [{}, {"expect": {"after_ms": 60_000}}]});
    let first = json!({"exchanges": [{"expect": {"after_ms": 1}}]});
    let late = json!({"exchanges": [{}, {"expect": {"after_ms": 1}}]});
    let simulator = start(&[("soon", soon), ("first", first), ("late", late)]);
    let ask = async |path: &str| {
        ask_whole(&simulator, &get(path)).await;
    };
    ask("/case/r/late").await;
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    for path in ["/case/r/late", "/case/r/soon", "/case/r/soon", "/case/r/first"] {
        ask(path).await;
    }
    let found = messages(&simulator);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("request 2: came after "), "{found:?}");
    assert!(found[0].ends_with(" ms, expected 60000 ms or more"), "{found:?}");
    assert_eq!(found[1], "request 1: is the first, expected 1 ms or more after another");
}
