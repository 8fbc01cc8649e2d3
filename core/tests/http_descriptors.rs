//! File descriptors: what happens when none is left, and that a closed client holds none. The limit
//! is the process's, so each check runs in a process of its own: this binary, started again.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use common::{Server, answer, assert_says, call, client, events, failure, ok, open};
use liter_llm_core::{ErrorKind, Step};
use serde_json::json;
use tokio::sync::mpsc;

/// Runs a check in a process that may have this many descriptors.
/// The server is this process's, so that each connection costs the child one.
#[track_caller]
fn run(check: &str, descriptors: usize) {
    let runtime = runtime();
    let server = runtime.block_on(Server::answering(ok("", answer("good").as_bytes())));
    let program = std::env::current_exe().unwrap();
    let script = format!("ulimit -n {descriptors} && exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(program).args(["--exact", check, "--nocapture"]);
    let output =
        command.env("LITER_TEST_CHILD", check).env("LITER_TEST_URL", &server.url).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn is_child(check: &str) -> bool {
    std::env::var("LITER_TEST_CHILD").is_ok_and(|name| name == check)
}

fn url() -> String {
    std::env::var("LITER_TEST_URL").unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Takes all descriptors that are left.
fn take_all() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn where_no_descriptor_is_left_the_error_says_so() {
    let check = "where_no_descriptor_is_left_the_error_says_so";
    if !is_child(check) {
        return run(check, 64);
    }
    runtime().block_on(async {
        for url in [url(), url().replace("127.0.0.1", "localhost")] {
            let client = client(&url, json!({}));
            let taken = take_all();
            let error = failure(&client).await;
            assert_says(&error, ErrorKind::Connection, "no file descriptor is left");
            assert_says(&error, ErrorKind::Connection, "ulimit -n");
            drop(taken);
            call(&client).await.unwrap();
        }
    });
}

#[test]
fn idle_connections_give_way() {
    let check = "idle_connections_give_way";
    if !is_child(check) {
        return run(check, 64);
    }
    runtime().block_on(async {
        let (idle, other) = (client(&url(), json!({})), client(&url(), json!({})));
        call(&idle).await.unwrap();
        let _taken = take_all();
        call(&other).await.unwrap();
        // And the other way round.
        call(&idle).await.unwrap();
    });
}

/// The sockets of this process.
fn sockets() -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let targets = entries.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

#[test]
fn a_closed_client_holds_no_socket() {
    let check = "a_closed_client_holds_no_socket";
    if !is_child(check) {
        return run(check, 256);
    }
    runtime().block_on(async {
        // A stream whose body does not end after its last event: its socket is drained.
        let (told, mut left) = mpsc::unbounded_channel();
        let server = Server::start(move |_, mut peer| {
            let told = told.clone();
            async move {
                peer.request().await;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                            content-length: 100000\r\n\r\n";
                peer.send((head.to_owned() + &events("good")).as_bytes()).await;
                peer.closed().await;
                told.send(()).unwrap();
            }
        })
        .await;
        let before = sockets();
        let client_of_streams = client(&server.url, json!({}));
        let mut stream = open(&client_of_streams).await.unwrap();
        while !matches!(stream.next().await.unwrap(), Step::Done(_)) {}
        drop(stream);
        let other = client(&url(), json!({}));
        call(&other).await.unwrap();
        assert!(sockets() > before);
        let closed = std::time::Instant::now();
        client_of_streams.close(Duration::from_secs(5)).await;
        other.close(Duration::from_secs(5)).await;
        left.recv().await.unwrap();
        // A drained socket would be given back after a second anyway.
        assert!(closed.elapsed() < Duration::from_millis(500), "{:?}", closed.elapsed());
        common::until(|| sockets() == before).await;
        // The client is closed, not dropped.
        assert!(client_of_streams.is_closed() && other.is_closed());
    });
}
