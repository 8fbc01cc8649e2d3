//! The counters by model, in Prometheus' text: they are those of the calls that were made, their
//! labels have a bound, and no name breaks the text.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use liter_llm_core::Client;
use serde_json::{Value, json};

use super::say::{self, answer, refuse};
use super::world::{Act, Ask, call, client, ms, secs, stream};

fn text(client: &Client) -> String {
    String::from_utf8(client.metrics_prometheus()).unwrap()
}

/// The value of a series, by its name and labels as the text has them.
fn value(text: &str, series: &str) -> Option<f64> {
    let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let mut found = lines.filter(|(own, _)| *own == series);
    let value = found.next()?.1.parse().unwrap();
    assert!(found.next().is_none(), "{series} is there twice");
    Some(value)
}

fn assert_values(text: &str, wanted: &[(&str, f64)]) {
    for (series, wanted) in wanted {
        let found = value(text, series);
        assert!(found.is_some_and(|found| (found - wanted).abs() < 1e-9), "{series}: {found:?}");
    }
}

/// The values of a label.
fn labels(text: &str, label: &str) -> BTreeSet<String> {
    let begin = format!("{label}=\"");
    let values = text.lines().filter_map(|line| line.split_once(&begin));
    values.filter_map(|(_, rest)| rest.split_once('"')).map(|(own, _)| own.to_owned()).collect()
}

/// What promtool says of a text: nothing, if all is well.
fn promtool(text: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus: make setup-system");
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    format!("{}{}", String::from_utf8_lossy(&said), if output.status.success() { "" } else { "!" })
}

/// An answer with this usage, as a provider gives it.
fn with_usage(usage: &Value) -> Vec<Act> {
    let body = json!({"choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "one"}}], "usage": usage});
    vec![Act::Wait(ms(300)), Act::Send(say::reply_bytes(200, "", &body.to_string()))]
}

#[tokio::test(start_paused = true)]
async fn counters_are_those_of_the_calls_that_were_made() {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107,
        "prompt_tokens_details": {"cached_tokens": 40},
        "completion_tokens_details": {"reasoning_tokens": 3}});
    let prices = json!({"a/m": {"input": "2", "output": "10", "cache_read": "1"}});
    let (client, _) = client(json!({"prices": prices}), move |ask| match ask.number {
        0..2 => with_usage(&usage),
        2 => refuse(400, "", "bad"),
        _ => answer(ask),
    });
    for _ in 0..2 {
        call(&client, "a/m", json!({})).await.unwrap();
    }
    call(&client, "a/m", json!({})).await.unwrap_err();
    stream(&client, "a/n", json!({})).await.end().unwrap();
    client.call(b"{", b"").await.unwrap_err();
    call(&client, "nobody/m", json!({})).await.unwrap_err();
    let text = text(&client);
    let of =
        |name: &str, more: &str| format!("liter_llm_{name}{{provider=\"a\",model=\"m\"{more}}}");
    let wanted = [
        (of("requests_total", ",operation=\"chat\""), 3.0),
        (of("errors_total", ",operation=\"chat\",kind=\"invalid_request\""), 1.0),
        (of("tokens_total", ",type=\"input\""), 200.0),
        (of("tokens_total", ",type=\"output\""), 14.0),
        (of("tokens_total", ",type=\"cache_read\""), 80.0),
        (of("tokens_total", ",type=\"cache_write\""), 0.0),
        (of("tokens_total", ",type=\"reasoning\""), 6.0),
        // (60 · 2 + 40 · 1 + 7 · 10) · 2 millionths.
        (of("cost_usd_total", ""), 0.00046),
        (of("unpriced_total", ""), 0.0),
        (of("latency_seconds_count", ""), 3.0),
        (of("latency_seconds_sum", ""), 0.6),
        (of("latency_seconds_bucket", ",le=\"0.16\""), 1.0),
        (of("latency_seconds_bucket", ",le=\"0.32\""), 3.0),
        (of("latency_seconds_bucket", ",le=\"+Inf\""), 3.0),
        (of("time_to_first_token_seconds_count", ""), 0.0),
        (of("queue_seconds_count", ""), 2.0),
    ];
    for (series, wanted) in &wanted {
        assert_values(&text, &[(series, *wanted)]);
    }
    assert_values(
        &text,
        &[
            ("liter_llm_requests_total{provider=\"a\",model=\"n\",operation=\"chat\"}", 1.0),
            ("liter_llm_unpriced_total{provider=\"a\",model=\"n\"}", 1.0),
            ("liter_llm_time_to_first_token_seconds_count{provider=\"a\",model=\"n\"}", 1.0),
            ("liter_llm_requests_total{provider=\"\",model=\"\",operation=\"\"}", 2.0),
            ("liter_llm_calls_total{provider=\"a\",outcome=\"ok\"}", 3.0),
            ("liter_llm_calls_total{provider=\"a\",outcome=\"invalid_request\"}", 1.0),
            ("liter_llm_queue_depth{reason=\"concurrency\"}", 0.0),
            ("liter_llm_in_flight", 0.0),
        ],
    );
    assert_eq!(promtool(&text), "");
}

/// A call counts at the target that answered, with the waits on its way.
#[tokio::test(start_paused = true)]
async fn retries_fallbacks_and_hits() {
    let play = |ask: &Ask| match (ask.host.as_str(), ask.number) {
        ("a", 0) => refuse(503, "", "busy"),
        ("a", 2..) => refuse(401, "", "invalid_api_key"),
        _ => answer(ask),
    };
    let (client, _) = client(json!({"cache": {}}), play);
    call(&client, "a/m", json!({})).await.unwrap();
    let asked = json!({"model": "b/m", "prompt": "Why?", "temperature": 0}).to_string();
    for _ in 0..3 {
        client.answer(asked.as_bytes(), b"").await.unwrap();
    }
    call(&client, "a/n", json!({"fallback": ["c/n"]})).await.unwrap();
    let text = text(&client);
    assert_values(
        &text,
        &[
            ("liter_llm_retries_total{target=\"a/m\"}", 1.0),
            ("liter_llm_fallbacks_total{target=\"a/n\"}", 1.0),
            ("liter_llm_hedges_total{target=\"a/m\"}", 0.0),
            ("liter_llm_requests_total{provider=\"a\",model=\"m\",operation=\"chat\"}", 1.0),
            ("liter_llm_requests_total{provider=\"c\",model=\"n\",operation=\"chat\"}", 1.0),
            ("liter_llm_requests_total{provider=\"b\",model=\"m\",operation=\"chat\"}", 3.0),
            // A hit asks no provider.
            ("liter_llm_latency_seconds_count{provider=\"b\",model=\"m\"}", 1.0),
            ("liter_llm_cache_total{tier=\"memory\",result=\"hit\"}", 2.0),
        ],
    );
    let failed = "liter_llm_requests_total{provider=\"a\",model=\"n\",operation=\"chat\"}";
    assert_eq!(value(&text, failed), None);
    assert_eq!(promtool(&text), "");
}

/// While a call waits for a limit it is in the queue's depth, and not after it was given up.
#[tokio::test(start_paused = true)]
async fn a_call_that_waits_is_in_the_queue() {
    let depth = "liter_llm_queue_depth{reason=\"rate_limit\"}";
    let config = json!({"providers": {"a": {"limits": {"max_in_flight": 1}}}});
    let slow = |ask: &Ask| [vec![Act::Wait(secs(5))], answer(ask)].into_iter().flatten().collect();
    let (client, _) = client(config, slow);
    let (first, second) = (call(&client, "a/m", json!({})), call(&client, "a/m", json!({})));
    let looks = async {
        tokio::time::sleep(secs(1)).await;
        assert_eq!(value(&text(&client), depth), Some(1.0));
    };
    let (first, second, ()) = tokio::join!(first, second, looks);
    first.and(second).unwrap();
    assert_eq!(value(&text(&client), depth), Some(0.0));
    let (first, given_up) = (call(&client, "a/m", json!({})), call(&client, "a/m", json!({})));
    let given_up = tokio::time::timeout(secs(1), given_up);
    let (first, given_up) = tokio::join!(first, given_up);
    assert!(first.is_ok() && given_up.is_err());
    assert_eq!(value(&text(&client), depth), Some(0.0));
}

/// Callers name models: 10⁵ names leave 201 labels, and those that the configuration names.
#[tokio::test(start_paused = true)]
async fn the_number_of_labels_has_a_bound() {
    let config = json!({"providers": {"a": {"models": {"mine": {}}}}});
    let (client, _) = client(config, |_| refuse(400, "", "bad"));
    // A failure before anything is sent counts, too, and is quick.
    for number in 0..100_000 {
        let model = format!("a/made-up-{number}");
        call(&client, &model, json!({"cache": {"mode": "only"}})).await.unwrap_err();
    }
    call(&client, "a/mine", json!({})).await.unwrap_err();
    call(&client, "a/other", json!({})).await.unwrap_err();
    call(&client, &format!("a/{}", "x".repeat(10 << 10)), json!({})).await.unwrap_err();
    let text = text(&client);
    let models: Vec<_> =
        text.lines().filter(|line| line.starts_with("liter_llm_requests")).collect();
    let names = labels(&models.join("\n"), "model");
    let named: BTreeSet<_> = (0..200).map(|number| format!("made-up-{number}")).collect();
    let rest: Vec<_> = names.difference(&named).collect();
    // A name of 10 KiB is refused before it names a model.
    assert_eq!(rest, ["", "mine", "other"]);
    assert_eq!(names.len(), 203);
    assert!(names.contains("mine") && names.contains("other"));
    let other = "liter_llm_requests_total{provider=\"a\",model=\"other\",operation=\"chat\"}";
    assert_values(&text, &[(other, 99_801.0)]);
    assert!(text.len() < 2 << 20, "{}", text.len());
}

/// No name breaks the text: quotes, line feeds, backslashes, and a whole series as a name.
#[tokio::test(start_paused = true)]
async fn hostile_names_stay_labels() {
    let (client, _) = client(json!({}), answer);
    let hostile = [
        "a\"b",
        "a\nliter_llm_forged_total 1",
        "a\\",
        "a\r\n\t\u{0}\u{7f}\u{2028}",
        "\"} 1\nliter_llm_forged_total{x=\"",
        "\u{1f600}",
        "{}=,# HELP",
    ];
    for name in hostile {
        let asked = json!({"model": name, "prompt": "Why?", "options": {"provider": "a"}});
        client.call(asked.to_string().as_bytes(), b"").await.unwrap();
    }
    let text = text(&client);
    assert_eq!(promtool(&text), "");
    assert!(!text.lines().any(|line| line.starts_with("liter_llm_forged")), "{text}");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("liter_llm_requests_total{")) {
        *kinds.entry(line.rsplit_once(' ').unwrap().1).or_default() += 1;
    }
    assert_eq!(kinds, BTreeMap::from([("1", hostile.len())]));
}
