//! A fleet of real processes, some of which are killed. Each is this test program once more.
//!
//! `LITER_LLM_LONG=1` runs them for minutes, until the leases of killed ones have ended.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::fleet::{ASK, member, until};
use crate::provider::Provider;
use crate::server::{Server, needs_redis};

/// What one process does: it asks without end. It is no test of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the tests below"]
async fn a_member() {
    let Ok(said) = std::env::var("LITER_LLM_TEST_MEMBER") else { return };
    let words: Vec<&str> = said.split_whitespace().collect();
    let [port, url, limits] = words[..] else { panic!("{said}") };
    let limits = serde_json::from_str(limits).unwrap();
    let client = member(port.parse().unwrap(), url, limits, 8);
    let callers = (0..6).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            loop {
                let _ = client.call(ASK, br#"{"timeout_ms": 30000}"#).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        let _ = caller.await;
    }
}

struct Member(Child);

impl Member {
    fn start(port: u16, url: &str, limits: &serde_json::Value) -> Member {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::a_member", "--ignored", "--nocapture"])
            .env("LITER_LLM_TEST_MEMBER", format!("{port} {url} {limits}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Member(child)
    }

    /// Kills it, as `SIGKILL` does.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_long() -> bool {
    std::env::var_os("LITER_LLM_LONG").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_keep_one_quota_though_two_are_killed() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    let limits = json!({"requests_per_minute": 1_200});
    let start = || Member::start(server.port, &provider.url, &limits);
    let began = Instant::now();
    let mut members: Vec<Member> = (0..8).map(|_| start()).collect();
    until(|| provider.asked() > 0).await;
    let first = Instant::now();
    until(|| provider.asked() > 180).await;
    members.drain(..2).for_each(Member::kill);
    members.push(start());
    let more = provider.asked() + if is_long() { 2_100 } else { 80 };
    let end = Instant::now() + Duration::from_secs(150);
    while provider.asked() < more {
        assert!(Instant::now() < end, "{} of {more}", provider.asked());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (sure, passed, time) = (first.elapsed(), provider.asked(), began.elapsed());
    // A tenth at once, and one more after each 61 s / 1,081.
    let within = |time: Duration| 120.0 + time.as_secs_f64() * 1_081.0 / 61.0;
    let fits = within(time);
    assert!(passed as f64 <= fits + 2.0, "{passed} of {fits}");
    // How near it comes is seen on a machine that does nothing else.
    let least = within(sure) * 0.99;
    assert!(!is_long() || passed as f64 >= least, "{passed} of {least}");
}

#[tokio::test(flavor = "multi_thread")]
async fn places_of_killed_processes_are_never_given_twice() {
    needs_redis!();
    let server = Server::start(&[]);
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(200));
    let limits = json!({"max_in_flight": 12});
    let mut members: Vec<Member> =
        (0..8).map(|_| Member::start(server.port, &provider.url, &limits)).collect();
    until(|| provider.asked() >= 100).await;
    members.drain(..4).for_each(Member::kill);
    let held: u64 = server.cli(&["zcard", "{ll:fleet}:p:c"]).parse().unwrap();
    assert!(held <= 12, "{held}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(provider.most_at_once() <= 12, "{} at once", provider.most_at_once());
    if is_long() {
        // The leases of the killed ones have ended, and the others use all places.
        tokio::time::sleep(Duration::from_secs(40)).await;
        let before = provider.asked();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let passed = provider.asked() - before;
        assert!(passed > 200, "{passed} of 300");
        assert!(provider.most_at_once() <= 12, "{} at once", provider.most_at_once());
    }
}
