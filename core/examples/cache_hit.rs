//! What a hit costs: a question of 8 KiB whose answer has 8 KiB, from memory and from Redis.
//!
//! `cargo run --release -p liter-llm-core --example cache_hit` starts a `redis-server` of its own,
//! where there is one, and prints the median and the 99th percentile in microseconds. What is measured
//! is a whole call, from the document that asks to the document that is answered.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use liter_llm_core::{Client, Config};

/// The questions. Each is asked of Redis once.
const QUESTIONS: usize = 2_000;
const ROUNDS: usize = 20_000;
const SIZE: usize = 8 << 10;

fn main() {
    let provider = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", provider.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for socket in provider.incoming().flatten() {
            std::thread::spawn(move || answer(socket));
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let redis = Server::start();
    runtime.block_on(async {
        let one = client(&url, None);
        let first = question(0);
        ask(&one, &first, "none").await;
        report("memory", &many(&one, || &first, "memory", ROUNDS).await);
        let Some(redis) = &redis else { return println!("there is no redis-server") };
        let (one, other) = (client(&url, Some(redis.port)), client(&url, Some(redis.port)));
        let questions: Vec<String> = (0..QUESTIONS).map(question).collect();
        for question in &questions {
            ask(&one, question, "none").await;
        }
        ask(&other, &question(QUESTIONS), "none").await;
        let mut each = questions.iter();
        report("redis", &many(&other, || each.next().expect("one"), "redis", QUESTIONS).await);
    });
}

fn client(url: &str, redis: Option<u16>) -> Client {
    let shared = redis.map_or(String::from(r#""cache": {}"#), |port| {
        format!(
            r#""redis": {{"url": "redis://127.0.0.1:{port}", "timeout_ms": 5000}},
               "cache": {{"redis": true, "secret": "a secret of the example"}}"#
        )
    });
    let provider = format!(r#"{{"kind": "openai", "base_url": "{url}", "api_key": "sk"}}"#);
    let config = format!(r#"{{{shared}, "providers": {{"p": {provider}}}}}"#);
    Client::new(Config::parse(config.as_bytes()).expect("a configuration"))
}

fn question(number: usize) -> String {
    let prompt = "Why is the sky blue? ".repeat(SIZE / 21);
    format!(r#"{{"model": "p/m", "temperature": 0, "prompt": "{number} {prompt}"}}"#)
}

async fn ask(client: &Client, question: &str, tier: &str) -> usize {
    let outcome = client.answer(question.as_bytes(), b"").await.expect("an answer");
    let document = outcome.to_json();
    let text = String::from_utf8_lossy(&document);
    let from = text
        .split_once(r#""tier":""#)
        .map_or("none", |(_, rest)| &rest[..rest.find('"').unwrap_or(0)]);
    assert_eq!(from, tier);
    document.len()
}

async fn many<'a>(
    client: &Client,
    mut next: impl FnMut() -> &'a String,
    tier: &str,
    count: usize,
) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let question = next();
        let began = Instant::now();
        let outcome = client.answer(question.as_bytes(), b"").await.expect("an answer");
        let document = outcome.to_json();
        times.push(began.elapsed());
        let wanted = format!(r#""tier":"{tier}""#);
        assert!(String::from_utf8_lossy(&document).contains(&wanted));
    }
    times
}

fn report(name: &str, times: &[Duration]) {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_nanos() as f64 / 1e3;
    println!("{name:8} p50 {:8.1} µs  p99 {:8.1} µs", at(50), at(99));
}

/// A provider: it answers each request of a connection with 8 KiB.
fn answer(mut socket: TcpStream) {
    let text = "The sky scatters blue light. ".repeat(SIZE / 29);
    let body = format!(
        r#"{{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"finish_reason":"stop","message":{{"role":"assistant","content":"{text}"}}}}],"usage":{{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25}}}}"#
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (mut bytes, mut part) = (Vec::new(), [0; 1 << 14]);
    while let Ok(length @ 1..) = socket.read(&mut part) {
        bytes.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        let wanted = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if wanted.and_then(|wanted| wanted.parse().ok()) == Some(rest.len()) {
            bytes.clear();
            if socket.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// A `redis-server` of this program's own.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Option<Server> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port"]).arg(port.to_string());
        let child = command.stdout(Stdio::null()).spawn().ok()?;
        let server = Server { child, port };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
