//! Callers of one question in several processes: one request goes out. Each process is this test
//! program once more.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::fleet::until;
use crate::provider::Provider;
use crate::second::{ask, client, keys, settings, stored, tier};
use crate::server::{Server, cli, needs_redis};

/// What one process does: so many callers ask the same. It is no test of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the tests below"]
async fn a_crowd() {
    let Ok(said) = std::env::var("LITER_LLM_TEST_CROWD") else { return };
    let words: Vec<&str> = said.split_whitespace().collect();
    let [port, url, callers] = words[..] else { panic!("{said}") };
    let client = client(&settings(port.parse().unwrap(), url));
    let callers = (0..callers.parse().unwrap()).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            ask(&client, "Why?", json!({"timeout_ms": 120_000})).await.unwrap().text().to_owned()
        })
    });
    let mut count = 0;
    for caller in callers.collect::<Vec<_>>() {
        assert_eq!(caller.await.unwrap(), "ok");
        count += 1;
    }
    // Nobody waits for the store, so a process that ends now may take it along.
    let port = port.parse().unwrap();
    until(|| !cli(port, &["--scan", "--pattern", "ll:t:c:*"]).is_empty()).await;
    println!("\nanswered {count}.");
}

struct Crowd(Child);

impl Crowd {
    fn start(server: &Server, provider: &Provider, callers: u32) -> Crowd {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "callers::a_crowd", "--ignored", "--nocapture"])
            .env("LITER_LLM_TEST_CROWD", format!("{} {} {callers}", server.port, provider.url))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Crowd(child)
    }

    /// Waits until all of its callers have their answer.
    fn end(mut self) -> String {
        let mut said = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    /// Kills it, as `SIGKILL` does.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_in_four_processes_send_one_request() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    provider.takes(Duration::from_secs(5));
    let crowds: Vec<Crowd> = (0..4).map(|_| Crowd::start(&server, &provider, 250)).collect();
    for crowd in crowds {
        let said = tokio::task::spawn_blocking(|| crowd.end()).await.unwrap();
        assert!(said.contains("answered 250."), "{said}");
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_one_that_asks_is_killed_another_one_asks() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    provider.takes(Duration::from_secs(3_600));
    let first = Crowd::start(&server, &provider, 1);
    until(|| provider.asked() == 1).await;
    provider.takes(Duration::ZERO);
    let others: Vec<Crowd> = (0..2).map(|_| Crowd::start(&server, &provider, 20)).collect();
    first.kill();
    // Its lock ends by itself within 10 s.
    for crowd in others {
        let said = tokio::task::spawn_blocking(|| crowd.end()).await.unwrap();
        assert!(said.contains("answered 20."), "{said}");
    }
    assert_eq!(provider.asked(), 2);
}

/// The one that asks is cancelled, fails, or loses its lock: one more asks at most, and nobody hangs.
#[tokio::test(flavor = "multi_thread")]
async fn when_the_one_that_asks_has_no_answer_another_one_asks() {
    needs_redis!();
    for how in ["cancelled", "failing", "lost"] {
        let server = Server::start(&[]);
        let provider = Provider::start().await;
        provider.takes(Duration::from_secs(5));
        let settings = settings(server.port, &provider.url);
        let (one, other) = (client(&settings), client(&settings));
        if how == "failing" {
            provider.refuses(1);
        }
        let first = tokio::spawn(async move { ask(&one, "Why?", json!({})).await });
        until(|| provider.asked() == 1).await;
        stored(&server, "ll:t:l:*", 1).await;
        let second = tokio::spawn(async move { ask(&other, "Why?", json!({})).await });
        match how {
            "cancelled" => first.abort(),
            "failing" => assert!(first.await.unwrap().is_err()),
            _ => {
                let lock = keys(&server, "ll:t:l:*").remove(0);
                server.cli(&["del", &lock]);
            }
        }
        provider.refuses(0);
        let second = second.await.unwrap().unwrap();
        assert_eq!((second.text(), tier(&second)), ("ok", "none"), "{how}");
        assert_eq!(provider.asked(), 2, "{how}");
        stored(&server, "ll:t:l:*", 0).await;
        stored(&server, "ll:t:c:*", 1).await;
    }
}

/// A stream is not held back for long by another process.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_waits_for_no_other_process_for_long() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    provider.takes(Duration::from_secs(3_600));
    let settings = settings(server.port, &provider.url);
    let (one, other) = (client(&settings), client(&settings));
    let first = tokio::spawn(async move { ask(&one, "Why?", json!({})).await });
    until(|| provider.asked() == 1).await;
    let request = crate::second::question("Why?").to_string();
    let second = tokio::spawn(async move { other.stream(request.as_bytes(), b"").await.map(drop) });
    until(|| provider.asked() == 2).await;
    first.abort();
    second.abort();
}

/// An answer that is kept for failures alone has expired: one process asks anew, the other one waits.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_answer_is_asked_for_by_one_process() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let mut settings = settings(server.port, &provider.url);
    settings["cache"]["stale_if_error_s"] = json!(600);
    ask(&client(&settings), "Why?", json!({})).await.unwrap();
    stored(&server, "ll:t:c:*", 1).await;
    // It lives for 300 + 600 s, so it is 10 s over.
    server.cli(&["pexpire", &keys(&server, "ll:t:c:*")[0], "590000"]);
    provider.takes(Duration::from_secs(3));
    let crowd = (0..4).map(|_| {
        let client = client(&settings);
        tokio::spawn(async move { ask(&client, "Why?", json!({"timeout_ms": 120_000})).await })
    });
    let mut tiers = Vec::new();
    for caller in crowd.collect::<Vec<_>>() {
        tiers.push(tier(&caller.await.unwrap().unwrap()));
    }
    tiers.sort_unstable();
    assert_eq!((provider.asked(), tiers), (2, vec!["none", "redis", "redis", "redis"]));
    stored(&server, "ll:t:l:*", 0).await;
}
