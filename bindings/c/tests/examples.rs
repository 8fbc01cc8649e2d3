//! The examples compile as C99 and as C++11 without a warning, and do what they say.

#![allow(clippy::unwrap_used, reason = "clippy knows only test functions themselves as tests")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{Bench, compile, here, ok};

fn example(name: &str) -> PathBuf {
    here().join(format!("examples/{name}.c"))
}

fn environment(url: &str) -> [(&'static str, String); 3] {
    let config = format!(
        r#"{{"default_provider":"openai","default_model":"sim","providers":{{"openai":{{"base_url":"{url}/v1","api_key":"sk-test"}}}}}}"#
    );
    [
        ("LITER_LLM_CONFIG", config),
        ("LITER_LLM_PROVIDER", "openai".to_owned()),
        ("LITER_LLM_MODEL", "sim".to_owned()),
    ]
}

fn run(name: &str, knobs: &str, args: &[&str]) -> String {
    let program = compile(&example(name), &["-std=c99"]);
    let bench = Bench::start();
    let env = environment(&format!("{}{knobs}", bench.simulator.url()));
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ok(&bench.run(&program, args, &env))
}

#[test]
fn chat_prints_the_document() {
    let out = run("chat", "", &["Say this is a test"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["object"], "chat.completion");
    assert_eq!(document["provider"], "openai");
    assert!(
        document["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .contains("Say this is a test"),
        "{out}"
    );
}

#[test]
fn stream_prints_each_chunk_and_the_result() {
    let out = run("stream", "/sim,chunks=5,interval_ms=5", &["Count to five"]);
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (result, chunks) = lines.split_last().unwrap();
    assert!(chunks.len() >= 5, "{out}");
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"), "{out}");
    let text: String =
        chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(result["object"], "chat.completion");
    assert_eq!(result["choices"][0]["message"]["content"], text.as_str());
}

#[test]
fn many_waits_for_a_hundred_requests_at_once() {
    compile(&example("many"), &["-std=c99"]); // and the library, where it is not there yet
    let start = std::time::Instant::now();
    let out = run("many", "/sim,delay_ms=300", &[]);
    assert!(out.contains("100 answers, 0 errors"), "{out}");
    // One after the other they would take 30 seconds.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn examples_are_also_cpp() {
    for name in ["chat", "stream", "many"] {
        let output = Command::new("c++")
            .args(["-x", "c++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
            .args(["-fsyntax-only", "-I"])
            .arg(here().join("../../include"))
            .arg(example(name))
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Without a key the example says so, and exits with 1.
#[test]
fn chat_reports_an_error() {
    let program = compile(&example("chat"), &["-std=c99"]);
    let bench = Bench::start();
    let url = format!("{}/v1", bench.simulator.url());
    let config = format!(r#"{{"providers":{{"openai":{{"base_url":"{url}"}}}}}}"#);
    let env = [("LITER_LLM_CONFIG", config.as_str()), ("LITER_LLM_PROVIDER", "openai")];
    let output = bench.run(&program, &["hi", "sim"], &env);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("authentication") && text.contains("OPENAI_API_KEY"), "{text}");
}
