//! A provider that failed is asked whether it is back, without callers' requests.

use liter_llm_core::Client;
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until};

use super::say::{answer, refuse, reply_bytes};
use super::world::{Act, World, call, client, header, health, ms, secs};

fn configured(kind: &str) -> Value {
    let api_key = "sk-canary-a-0123456789";
    json!({"providers": {"a": {
        "kind": kind, "api_key": api_key, "health_probe": {"interval_ms": 2_000},
    }}})
}

fn is_probe(head: &str) -> bool {
    head.starts_with("GET ")
}

fn probes(world: &World) -> Vec<u64> {
    let asked = world.asked("a");
    let probes = asked.iter().filter(|ask| is_probe(&ask.head));
    probes.map(|ask| ask.at.as_millis() as u64).collect()
}

async fn open(client: &Client) {
    for _ in 0..5 {
        call(client, "a/m", json!({"retry": false})).await.unwrap_err();
    }
    assert_eq!(health(client, "a/m")["breaker"], "open");
}

#[tokio::test(start_paused = true)]
async fn promise_7_a_health_probe_finds_out_that_a_provider_is_back() {
    let (client, world) = client(configured("compatible"), |ask| match ask.at {
        at if ask.host == "a" && at < secs(5) => refuse(503, "", "overloaded"),
        at if at < secs(9) && is_probe(&ask.head) => refuse(401, "", "invalid_api_key"),
        _ if is_probe(&ask.head) => vec![Act::Send(reply_bytes(200, "", "{\"data\": []}"))],
        _ => answer(ask),
    });
    open(&client).await;
    let fallback = json!({"fallback": ["b/m"]});
    // 2 s and 4 s: failing. 6 s and 8 s: a refused key is no sign of health. 10 s: well.
    for second in [1, 3, 5, 7, 9] {
        sleep_until(tokio::time::Instant::now() + secs(second) - world.now()).await;
        assert_eq!(call(&client, "a/m", fallback.clone()).await.unwrap().provider, "b");
    }
    sleep(ms(1_001)).await;
    assert_eq!(probes(&world), [2_000, 4_000, 6_000, 8_000, 10_000]);
    let state = health(&client, "a/m");
    assert_eq!(
        (&state["breaker"], &state["probes"]),
        (&json!("half_open"), &json!({"asked": 5, "well": 1}))
    );
    let text = String::from_utf8(client.metrics_prometheus()).unwrap();
    for line in [
        "liter_llm_target_breaker{target=\"a/m\",state=\"half_open\"} 1\n",
        "liter_llm_target_breaker{target=\"b/m\",state=\"closed\"} 1\n",
        "liter_llm_target_attempts_total{target=\"a/m\"} 5\n",
        "liter_llm_target_failures_total{target=\"a/m\"} 5\n",
        "liter_llm_target_probes_total{target=\"a/m\"} 5\n",
        "liter_llm_target_in_flight{target=\"a/m\"} 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    // The next call is the one that decides, 20 s before the breaker's own time.
    assert_eq!(call(&client, "a/m", fallback).await.unwrap().provider, "a");
    assert_eq!(health(&client, "a/m")["breaker"], "closed");
    sleep(secs(100)).await;
    assert_eq!(probes(&world).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_was_wrong_is_believed_later() {
    // Its list of models is fine, the model is not.
    let (client, world) = client(configured("compatible"), |ask| match is_probe(&ask.head) {
        true => vec![Act::Send(reply_bytes(200, "", "{}"))],
        false => refuse(503, "", "overloaded"),
    });
    open(&client).await;
    let mut found = Vec::new();
    for _ in 0..3 {
        let before = probes(&world).len();
        while probes(&world).len() == before {
            sleep(ms(100)).await;
        }
        found.push(probes(&world)[before] / 1_000);
        call(&client, "a/m", json!({"retry": false})).await.unwrap_err();
        assert_eq!(health(&client, "a/m")["breaker"], "open");
    }
    assert_eq!(found, [2, 6, 12], "after 2, 4 and 6 s");
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_what_each_wire_format_lists_models_with() {
    for (kind, line, header_name) in [
        ("compatible", "GET /v1/models HTTP/1.1", "authorization"),
        ("anthropic", "GET /v1/v1/models HTTP/1.1", "x-api-key"),
        ("cohere", "GET /v1/v1/models HTTP/1.1", "authorization"),
    ] {
        let (client, world) = client(configured(kind), |_| refuse(503, "", "overloaded"));
        open(&client).await;
        sleep(ms(2_001)).await;
        let probe = world.asked("a").pop().unwrap();
        assert_eq!(probe.head.lines().next(), Some(line));
        assert!(header(&probe.head, header_name).unwrap().contains("canary"));
        assert_eq!(header(&probe.head, "content-type"), None);
        assert_eq!(header(&probe.head, "anthropic-version").is_some(), kind == "anthropic");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_ends_with_its_client() {
    for close in [true, false] {
        let (client, world) = client(configured("compatible"), |ask| match is_probe(&ask.head) {
            true => vec![Act::Hang],
            false => refuse(503, "", "overloaded"),
        });
        open(&client).await;
        sleep(ms(2_500)).await;
        if close {
            client.close(secs(0)).await;
        } else {
            drop(client);
        }
        sleep(secs(60)).await;
        assert_eq!(probes(&world), [2_000]);
        assert_eq!(world.left("a"), [ms(2_500)]);
    }
}

/// A caller's thread drives its runtime only while it waits (ADR 8); in real time, as there are two.
#[test]
fn a_probe_does_not_need_its_caller() {
    let engine = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let lane = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut config = configured("compatible");
    config["providers"]["a"]["health_probe"]["interval_ms"] = json!(100);
    let (client, world) = client(config, |ask| match is_probe(&ask.head) {
        true => vec![Act::Send(reply_bytes(200, "", "{}"))],
        false => refuse(503, "", "overloaded"),
    });
    lane.block_on(open(&client.with_own_connections(engine.handle().clone())));
    engine.block_on(async {
        let seen = async {
            while health(&client, "a/m")["breaker"] != "half_open" {
                sleep(ms(10)).await;
            }
        };
        tokio::time::timeout(secs(20), seen).await.unwrap();
    });
    assert_eq!(probes(&world).len(), 1);
}
