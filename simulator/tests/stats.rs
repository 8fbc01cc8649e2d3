//! Counters, above all that a peer that goes away is noticed whatever the simulator is doing.

mod common;

use std::time::Duration;

use common::{connect, get, post, start_reply};
use liter_llm_simulator::{Simulator, Stats};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

/// Lets the simulator's tasks run until the counters look so; a hanging test fails by its time limit.
async fn until(simulator: &Simulator, wanted: impl Fn(Stats) -> bool) {
    let seen = async {
        while !wanted(simulator.stats()) {
            tokio::task::yield_now().await;
        }
    };
    let limit = tokio::time::timeout(Duration::from_secs(60), seen).await;
    assert!(limit.is_ok(), "{:?}", simulator.stats());
}

#[tokio::test]
async fn a_peer_that_leaves_is_noticed_while_waiting() {
    let minute = 60_000;
    for reply in [
        json!({"never": true}),
        json!({"body": "abc", "delay_ms": minute}),
        json!({"body": "abc", "stall_at": 1, "stall_ms": minute}),
        json!({"body": "abc", "stall_at": 0, "stall_ms": null}),
        json!({"endless": "body"}),
        json!({"endless": "headers"}),
        json!({"body": "x".repeat(20 << 20)}),
    ] {
        let simulator = start_reply(reply);
        let mut socket = connect(&simulator).await;
        socket.write_all(&post("/case/r/t~case/", "", "")).await.unwrap();
        until(&simulator, |stats| stats.requests_open == 1).await;
        drop(socket);
        until(&simulator, |stats| stats.requests_open == 0 && stats.connections_open == 0).await;
        assert_eq!(simulator.stats().streams_aborted, 1);
    }
}

#[tokio::test]
async fn a_paced_stream_that_is_left() {
    let simulator = common::start(&[]);
    let mut socket = connect(&simulator).await;
    let ask = r#"{"model":"m","stream":true,"messages":[]}"#;
    let target = "/sim,chunks=100,interval_ms=60000/v1/chat/completions";
    socket.write_all(&post(target, "authorization: x\r\n", ask)).await.unwrap();
    until(&simulator, |stats| stats.requests_open == 1).await;
    drop(socket);
    until(&simulator, |stats| stats.streams_aborted == 1).await;
}

#[tokio::test]
async fn a_complete_answer_is_no_abort_and_a_reset_clears() {
    let simulator = start_reply(json!({"sse": ["a", "[DONE]"], "split": {"every": 1}}));
    common::ask_whole(&simulator, &get("/case/r/t~case/")).await;
    until(&simulator, |stats| stats.connections_open == 0).await;
    let wanted = Stats { requests: 1, connections_opened: 1, ..Stats::default() };
    assert_eq!(simulator.stats(), wanted);

    let answer = common::ask_whole(&simulator, &get("/_sim/stats")).await;
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(common::body(&answer)).unwrap()["requests"],
        1
    );
    common::ask_whole(&simulator, &post("/_sim/stats/reset", "connection: close\r\n", "")).await;
    until(&simulator, |stats| stats == Stats::default()).await;
}

#[tokio::test]
async fn dropping_the_simulator_closes_its_connections() {
    let simulator = start_reply(json!({"never": true}));
    let mut socket = connect(&simulator).await;
    socket.write_all(&get("/case/r/t~case/")).await.unwrap();
    until(&simulator, |stats| stats.requests_open == 1).await;
    drop(simulator);
    assert!(!matches!(tokio::io::AsyncReadExt::read(&mut socket, &mut [0; 8]).await, Ok(1..)));
}
