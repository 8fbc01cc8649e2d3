//! Name look-ups: a resolver that hangs or fails for one host holds up no other.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use common::{ASK, Server, answer, assert_says, ok, within};
use liter_llm_core::http::Lookups;
use liter_llm_core::{Client, Config, ErrorKind};
use serde_json::json;
use tokio::task::JoinSet;

/// A resolver that the test opens, shuts and breaks. Every name is that of this machine.
#[derive(Default)]
struct Names {
    state: Mutex<State>,
    changed: Condvar,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most: AtomicUsize,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Well,
    Hangs,
    Fails,
}

impl Names {
    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn resolve(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        if host.starts_with("healthy") {
            return Ok(vec![([127, 0, 0, 1], 0).into()]);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let state = self.state.lock().unwrap();
        let state = *self.changed.wait_while(state, |state| *state == State::Hangs).unwrap();
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        match state {
            State::Fails => Err(io::Error::other("no such name")),
            _ => Ok(vec![([127, 0, 0, 1], 0).into()]),
        }
    }
}

/// Lets the look-ups end with the test, also one that fails: its runtime waits for their threads.
struct Ends(Arc<Names>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.set(State::Well);
    }
}

/// A client of providers at these hosts, each with a connection for every call.
fn client(names: &Arc<Names>, server: &Server, hosts: &[&str], connect_ms: u64) -> Client {
    let port = server.url.rsplit_once(':').unwrap().1;
    let entry = |host: &&str| {
        let url = format!("http://{host}.test:{port}");
        let timeouts = json!({"connect_ms": connect_ms});
        let entry =
            json!({"kind": "openai", "base_url": url, "api_key": "k", "timeouts": timeouts});
        ((*host).to_owned(), entry)
    };
    let providers: serde_json::Map<_, _> = hosts.iter().map(entry).collect();
    let config = json!({"providers": providers, "retry": false, "breaker": false});
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    let names = Arc::clone(names);
    Client::with_lookups(config, Lookups::new(move |host| names.resolve(host)))
}

async fn ask(client: &Client, host: &str) -> Result<String, liter_llm_core::Error> {
    let options = json!({"provider": host}).to_string();
    let request = String::from_utf8_lossy(ASK).replace("p/m", "m");
    Ok(within(client.call(request.as_bytes(), options.as_bytes())).await?.text().to_owned())
}

async fn server() -> Server {
    Server::closing(ok("connection: close\r\n", answer("good").as_bytes())).await
}

#[tokio::test]
async fn a_slow_resolver_holds_up_no_other_host() {
    let (names, server) = (Arc::new(Names::default()), server().await);
    let _ends = Ends(Arc::clone(&names));
    names.set(State::Hangs);
    let client = client(&names, &server, &["slow", "slow2", "slow3", "healthy"], 300);
    let mut tasks = JoinSet::new();
    for host in ["slow", "slow2", "slow3", "slow", "slow", "slow"] {
        let client = client.clone();
        tasks.spawn(async move { ask(&client, host).await.unwrap_err() });
    }
    while let Some(error) = tasks.join_next().await {
        let error = error.unwrap();
        assert_says(&error, ErrorKind::Timeout, "the look-up of the name slow");
        // Their look-ups are still running.
        assert_eq!(ask(&client, "healthy").await.unwrap(), "good");
    }
    assert_eq!(names.most.load(Ordering::SeqCst), 3, "one for each host");
    assert_eq!(names.asked.load(Ordering::SeqCst), 3);
    names.set(State::Well);
    for host in ["slow", "slow2", "slow3"] {
        assert_eq!(ask(&client, host).await.unwrap(), "good");
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 3, "late results are used");
}

#[tokio::test]
async fn connections_share_a_look_up_and_soon_ones_its_result() {
    let (names, server) = (Arc::new(Names::default()), server().await);
    let _ends = Ends(Arc::clone(&names));
    names.set(State::Hangs);
    let client = client(&names, &server, &["a"], 5_000);
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let client = client.clone();
        tasks.spawn(async move { ask(&client, "a").await.unwrap() });
    }
    common::until(|| names.asked.load(Ordering::SeqCst) > 0).await;
    names.set(State::Well);
    tasks.join_all().await;
    ask(&client, "a").await.unwrap();
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failed_look_up_is_not_kept() {
    let (names, server) = (Arc::new(Names::default()), server().await);
    names.set(State::Fails);
    let client = client(&names, &server, &["a"], 5_000);
    let error = ask(&client, "a").await.unwrap_err();
    assert_says(&error, ErrorKind::Connection, "no such name");
    names.set(State::Well);
    ask(&client, "a").await.unwrap();
}

#[tokio::test]
async fn old_addresses_serve_where_a_look_up_fails_or_hangs() {
    let (names, server) = (Arc::new(Names::default()), server().await);
    let client = client(&names, &server, &["a"], 5_000);
    ask(&client, "a").await.unwrap();
    for (state, asked) in [(State::Fails, 2), (State::Hangs, 3)] {
        names.set(state);
        // The addresses are fresh for 5 s.
        tokio::time::pause();
        tokio::time::advance(std::time::Duration::from_secs(6)).await;
        tokio::time::resume();
        ask(&client, "a").await.unwrap();
        assert_eq!(names.asked.load(Ordering::SeqCst), asked);
    }
    names.set(State::Well);
}

#[tokio::test]
async fn addresses_that_answer_nobody_are_looked_up_again() {
    let (names, server) = (Arc::new(Names::default()), server().await);
    let client = client(&names, &server, &["a"], 5_000);
    ask(&client, "a").await.unwrap();
    drop(server);
    common::until(|| true).await;
    for asked in [1, 2, 3] {
        let error = ask(&client, "a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(names.asked.load(Ordering::SeqCst), asked);
    }
}
