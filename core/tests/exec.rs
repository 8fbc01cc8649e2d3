//! Keys that programs print (`exec:`), by real programs: shell scripts, which run without a shell of
//! ours.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use common::fake::{Fake, Folder};
use common::{ASK, answer, assert_says, until, within};
use liter_llm_core::config::Environment;
use liter_llm_core::{Client, Config, Error, ErrorKind, Response};
use serde_json::{Value, json};

/// The last part of a list for `exec:`, by a script of `sh` with these arguments.
fn script(text: &str, arguments: &[&str]) -> String {
    let mut list = vec!["/bin/sh", "-c", text, "sh"];
    list.extend(arguments);
    format!("exec:{}", json!(list))
}

fn config(key: &str, url: &str, variables: Value) -> Result<Config, Error> {
    let entry = json!({"kind": "openai", "base_url": url, "api_key": key});
    let config = json!({"providers": {"p": entry}, "retry": false}).to_string();
    let environment = Environment::parse(variables.to_string().as_bytes()).unwrap();
    Config::parse_in(config.as_bytes(), &environment)
}

fn client(key: &str, server: &Fake) -> Client {
    Client::new(config(key, &server.url, json!({"PATH": "/usr/bin:/bin"})).unwrap())
}

async fn call(client: &Client) -> Result<Response, Error> {
    tokio::time::timeout(Duration::from_secs(40), client.call(ASK, b"")).await.unwrap()
}

fn server() -> Fake {
    Fake::saying(&answer("Hi"))
}

fn keys(server: &Fake) -> Vec<String> {
    let key = |ask: common::fake::Ask| ask.header("authorization").to_owned();
    server.asked().into_iter().map(key).collect()
}

fn lines(path: &std::path::Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_program_prints_text_or_json() {
    let server = server();
    for (text, arguments, key) in [
        ("printf ' k-1 \n'", &[][..], "k-1"),
        // Arguments are no words of a shell.
        ("echo \"$1\"", &["$(k) ;-2'"], "$(k) ;-2'"),
        ("echo '{\"value\": \"k-3\", \"ttl_s\": 60, \"more\": []}'", &[], "k-3"),
        ("echo k-4; echo noise >&2", &[], "k-4"),
        // What it leaves behind is not waited for, though it holds the pipe.
        ("sleep 60 & echo k-5", &[], "k-5"),
        ("echo k-6; exec >&-; sleep 0.05", &[], "k-6"),
        // It has nothing to read.
        ("cat; echo k-7", &[], "k-7"),
    ] {
        let began = Instant::now();
        call(&client(&script(text, arguments), &server)).await.unwrap();
        assert_eq!(keys(&server).last().unwrap(), &format!("Bearer {key}"));
        assert!(began.elapsed() < Duration::from_secs(8), "{text}");
    }
}

#[tokio::test]
async fn a_program_has_the_environment_of_the_configuration() {
    let server = server();
    let key = "exec:[\"sh\",\"-c\",\"echo $MINE-$HOME-$LITER_OTHER\"]";
    let variables = json!({"PATH": "/nowhere:/usr/bin:/bin", "MINE": "of-mine"});
    let client = Client::new(config(key, &server.url, variables).unwrap());
    call(&client).await.unwrap();
    assert_eq!(keys(&server), ["Bearer of-mine--"]);
}

#[tokio::test]
async fn a_program_runs_once_for_many_calls() {
    let (server, folder) = (server(), Folder::new());
    let log = folder.path().join("log");
    let text = "echo x >> \"$1\"; sleep 0.2; echo key";
    let client = client(&script(text, &[log.to_str().unwrap()]), &server);
    // The one that started it is cancelled.
    let first = client.clone();
    let first = tokio::spawn(async move { call(&first).await });
    until(|| lines(&log) == 1).await;
    first.abort();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!((lines(&log), server.count()), (1, 20));
}

#[tokio::test]
async fn a_program_runs_again_when_its_key_ends_and_the_key_serves_on_if_it_fails() {
    let (server, folder) = (server(), Folder::new());
    let log = folder.path().join("log");
    let text = "echo x >> \"$1\"; n=$(grep -c x \"$1\"); \
                [ $n -lt 3 ] || exit 1; echo \"{\\\"value\\\":\\\"k-$n\\\",\\\"ttl_s\\\":0.5}\"";
    let client = client(&script(text, &[log.to_str().unwrap()]), &server);
    within(async {
        while lines(&log) < 3 {
            call(&client).await.unwrap();
        }
    })
    .await;
    // The third run failed: the key of the second one serves on.
    call(&client).await.unwrap();
    let keys = keys(&server);
    assert_eq!(
        (keys.first().unwrap().as_str(), keys.last().unwrap().as_str()),
        ("Bearer k-1", "Bearer k-2")
    );
}

#[tokio::test]
async fn a_refused_key_is_printed_again_once() {
    let folder = Folder::new();
    let log = folder.path().join("log");
    let text = "echo x >> \"$1\"; echo k-$(grep -c x \"$1\")";
    let key = script(text, &[log.to_str().unwrap()]);
    let refusal = || (401, json!({"error": {"message": "k-1 and k-2 are old"}}).to_string());
    let server = Fake::new(move |_, ask| match ask.header("authorization") {
        "Bearer k-2" => (200, answer("Hi")),
        _ => refusal(),
    });
    call(&client(&key, &server)).await.unwrap();
    assert_eq!(keys(&server), ["Bearer k-1", "Bearer k-2"]);
    // One that stays refused is asked for once, and not for each call.
    let strict = Fake::new(move |_, _| refusal());
    let client = client(&key, &strict);
    for _ in 0..3 {
        assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Authentication);
    }
    assert_eq!((strict.count(), lines(&log)), (4, 4));
    // A program that prints the same key again has not helped.
    let same = self::client(&script("echo same", &[]), &strict);
    call(&same).await.unwrap_err();
    assert_eq!(strict.count(), 5);
}

#[tokio::test]
async fn a_program_that_fails_is_named_and_says_nothing_else() {
    let (server, folder) = (server(), Folder::new());
    let plain = folder.file("plain", "#!/bin/sh\necho key\n");
    let plain = json!([plain]).to_string();
    for (key, words) in [
        ("exec:[\"no-such-program\"]".to_owned(), "it is not there"),
        ("exec:[\"/nowhere/program\"]".to_owned(), "it is not there"),
        (format!("exec:{plain}"), "it is not executable"),
        (format!("exec:{}", json!([folder.path()])), "it is not executable"),
        (script("echo canary; echo canary >&2; exit 3", &[]), "exit code 3"),
        (script("echo canary; kill -9 $$", &[]), "signal 9"),
        (script("", &["canary"]), "printed nothing"),
        (script("echo ' '", &["canary"]), "printed nothing"),
        (script("printf '\\377'", &[]), "no UTF-8"),
        (script("echo '{\"key\": \"canary\"}'", &[]), "no text in value"),
        (script("echo '{\"value\": 1}'", &[]), "no text in value"),
        (script("echo '{\"value\": \"canary\", \"ttl_s\": 0}'", &[]), "ttl_s"),
        (script("echo '{\"value\": \"canary'", &[]), "JSON"),
        (script("head -c 65537 /dev/zero | tr '\\0' x", &[]), "more than 64 KiB"),
        (script("exec cat /dev/zero", &[]), "more than 64 KiB"),
    ] {
        let error = call(&client(&key, &server)).await.unwrap_err();
        assert_says(&error, ErrorKind::Authentication, words);
        assert!(error.message.contains("no key for p from the program"), "{}", error.message);
    }
    // As many bytes as it may have.
    call(&client(
        &script("head -c 65536 /dev/zero | tr '\\0' ' ' | sed 's/  $/ k/'", &[]),
        &server,
    ))
    .await
    .unwrap();
    assert_eq!(keys(&server), ["Bearer k"]);
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let (server, folder) = (server(), Folder::new());
    let pids = folder.path().join("pids");
    let text = "echo $$ >> \"$1\"; sleep 1000 & echo $! >> \"$1\"; sleep 1000";
    let client = client(&script(text, &[pids.to_str().unwrap()]), &server);
    let began = Instant::now();
    let error = call(&client).await.unwrap_err();
    assert_says(&error, ErrorKind::Authentication, "more than 10 s");
    assert!(began.elapsed() < Duration::from_secs(20));
    // Neither runs any more, and the child is no zombie.
    until(|| {
        let pids = std::fs::read_to_string(&pids).unwrap();
        let pid: Vec<_> = pids.lines().collect();
        let child_is_gone = !std::path::Path::new(&format!("/proc/{}", pid[0])).exists();
        // Its parent is gone, so that another process waits for it, or nobody.
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid[1])).unwrap_or_default();
        child_is_gone && (state.is_empty() || state.contains(") Z "))
    })
    .await;
    assert_eq!(server.count(), 0);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_program_inherits_no_descriptor_but_its_output() {
    let (server, folder) = (server(), Folder::new());
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = "ls /proc/$$/fd > \"$1\"; ps -o pgid= -p $$ | tr -d ' ' > \"$2\"; echo $$";
    // What this process has of its parent's, each child has, too.
    let (ours, group) = (place("ours"), place("group"));
    let status =
        std::process::Command::new("/bin/sh").args(["-c", text, "sh", &ours, &group]).output();
    assert!(status.unwrap().status.success());
    // A client that has a connection, its pool and its runtime.
    let other = client(&script("echo key", &[]), &server);
    call(&other).await.unwrap();
    let log = place("log");
    call(&client(&script(text, &[&log, &group]), &server)).await.unwrap();
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&log), read(&ours));
    let group = read(&group);
    assert_eq!(keys(&server).last().unwrap(), &format!("Bearer {}", group.trim()));
}

#[tokio::test]
async fn a_script_is_found_in_path_behind_one_that_may_not_run() {
    let (server, first, second) = (server(), Folder::new(), Folder::new());
    first.file("print-key", "#!/bin/sh\necho wrong\n");
    let right = second.file("print-key", "#!/bin/sh\necho right\n");
    std::fs::set_permissions(&right, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", first.path().display(), second.path().display());
    let config = config("exec:[\"print-key\"]", &server.url, json!({"PATH": path})).unwrap();
    call(&Client::new(config)).await.unwrap();
    assert_eq!(keys(&server), ["Bearer right"]);
}

#[test]
fn a_list_that_is_none_is_refused_and_not_repeated() {
    for key in [
        "exec:",
        "exec:canary key",
        "exec:[]",
        "exec:[\"\"]",
        "exec:[\"canary\", 1]",
        "exec:{\"canary\": []}",
        "exec:[\"canary\\u0000\"]",
        "exec:[\"canary\"",
    ] {
        let error = config(key, "http://127.0.0.1:1", json!({})).unwrap_err();
        assert_says(&error, ErrorKind::InvalidRequest, "exec: is followed by");
        assert_eq!(error.param.as_deref(), Some("providers.p.api_key"));
    }
    let config = config("exec:[\"p\",\"canary\"]", "http://127.0.0.1:1", json!({"A": "canary"}));
    assert!(!format!("{:?}", config.unwrap()).contains("canary"));
}
