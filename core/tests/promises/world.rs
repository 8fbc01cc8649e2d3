//! Providers over pipes, in virtual time: each test says what they do with a request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use liter_llm_core::http::{Connecting, Network, Stream};
use liter_llm_core::{Chunk, Client, Config, Environment, Error, Observer, Response, Step};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, sleep};

/// A request that a provider got.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The provider's name: `http://a.test` is `a`.
    pub(crate) host: String,
    /// How many it had before.
    pub(crate) number: usize,
    /// When, since the beginning.
    pub(crate) at: Duration,
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// What a provider does.
pub(crate) enum Act {
    Wait(Duration),
    Send(Vec<u8>),
    /// Nothing more, for ever.
    Hang,
    Close,
}

/// What becomes of a request.
type Play = Box<dyn Fn(&Ask) -> Vec<Act> + Send + Sync>;

pub(crate) struct World {
    start: Instant,
    play: Play,
    /// By provider.
    asked: Mutex<HashMap<String, Vec<Ask>>>,
    /// When a client left in the middle of an answer.
    left: Mutex<Vec<(String, Duration)>>,
}

impl World {
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// What a provider was asked, in order.
    pub(crate) fn asked(&self, host: &str) -> Vec<Ask> {
        lock(&self.asked).get(host).cloned().unwrap_or_default()
    }

    pub(crate) fn count(&self, host: &str) -> usize {
        lock(&self.asked).get(host).map_or(0, Vec::len)
    }

    /// When clients left a provider's answers unread.
    pub(crate) fn left(&self, host: &str) -> Vec<Duration> {
        lock(&self.left).iter().filter(|(left, _)| left == host).map(|(_, at)| *at).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

struct Net(Arc<World>);

impl Network for Net {
    fn connect<'a>(&'a self, host: &'a str, _port: u16) -> Connecting<'a> {
        Box::pin(async move {
            let host = host.trim_end_matches(".test").to_owned();
            let (near, far) = tokio::io::duplex(1 << 16);
            tokio::spawn(Server { world: Arc::clone(&self.0), host, io: far }.run());
            Ok(Box::new(near) as Box<dyn Stream>)
        })
    }
}

/// The far end of one connection.
struct Server {
    world: Arc<World>,
    host: String,
    io: DuplexStream,
}

impl Server {
    async fn run(mut self) {
        while let Some((head, body)) = self.request().await {
            let ask = {
                let mut asked = lock(&self.world.asked);
                let own = asked.entry(self.host.clone()).or_default();
                let (host, number, at) = (self.host.clone(), own.len(), self.world.now());
                own.push(Ask { host, number, at, head, body });
                own[number].clone()
            };
            for act in (self.world.play)(&ask) {
                let alive = match act {
                    Act::Wait(time) => self.wait(sleep(time)).await,
                    Act::Hang => self.wait(std::future::pending()).await,
                    Act::Send(bytes) => self.io.write_all(&bytes).await.is_ok(),
                    Act::Close => return,
                };
                if !alive {
                    let now = self.world.now();
                    lock(&self.world.left).push((self.host.clone(), now));
                    return;
                }
            }
        }
    }

    /// `false`: the client left meanwhile.
    async fn wait(&mut self, time: impl Future<Output = ()>) -> bool {
        tokio::select! {
            () = time => true,
            read = self.io.read_u8() => read.is_ok(),
        }
    }

    /// The next request; `None`: the client has left.
    async fn request(&mut self) -> Option<(String, Value)> {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let length = header(&head, "content-length").map_or(0, |n| n.parse().unwrap());
                if bytes.len() >= end + 4 + length {
                    let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or_default();
                    return Some((head, body));
                }
            }
            if self.io.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
    }
}

/// A header's value.
pub(crate) fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut found = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.to_owned())
}

/// A client of the providers `a`, `b` and `c`, with this merged into its configuration, and the
/// world in which they live.
pub(crate) fn client(
    config: Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    seeded(1, config, play)
}

/// The same, with observers.
pub(crate) fn observed(
    observers: Vec<Arc<dyn Observer>>,
    config: Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    made(1, observers, config, &json!({}), play)
}

/// The same, in an environment.
pub(crate) fn observed_in(
    environment: &Value,
    observers: Vec<Arc<dyn Observer>>,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    made(1, observers, json!({}), environment, play)
}

pub(crate) fn seeded(
    seed: u64,
    config: Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    made(seed, Vec::new(), config, &json!({}), play)
}

fn made(
    seed: u64,
    observers: Vec<Arc<dyn Observer>>,
    config: Value,
    environment: &Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>) {
    let mut whole = json!({"providers": {}});
    for name in ["a", "b", "c"] {
        whole["providers"][name] = json!({
            "kind": "compatible", "base_url": format!("http://{name}.test/v1"),
            "api_key": format!("sk-canary-{name}-0123456789"),
        });
    }
    merge(&mut whole, config);
    let environment = Environment::parse(environment.to_string().as_bytes()).unwrap();
    let config = Config::parse_in(whole.to_string().as_bytes(), &environment).unwrap();
    let (asked, left) = (Mutex::default(), Mutex::default());
    let world = World { start: Instant::now(), play: Box::new(play), asked, left };
    let world = Arc::new(world);
    (Client::with_network(config, observers, Arc::new(Net(Arc::clone(&world))), seed), world)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

pub(crate) fn request(model: &str) -> Vec<u8> {
    json!({"model": model, "prompt": "Why is the sky blue?"}).to_string().into_bytes()
}

/// A whole answer.
pub(crate) async fn call(client: &Client, model: &str, options: Value) -> Result<Response, Error> {
    client.call(&request(model), options.to_string().as_bytes()).await
}

/// A streamed answer: its text and when its first content came, then how it ended.
pub(crate) async fn stream(client: &Client, model: &str, options: Value) -> Streamed {
    let start = Instant::now();
    let mut streamed = Streamed::default();
    match client.stream(&request(model), options.to_string().as_bytes()).await {
        Err(error) => streamed.end = Some(Err(error)),
        Ok(mut stream) => {
            while streamed.end.is_none() {
                match stream.next().await {
                    Ok(Step::Chunks(chunks)) => {
                        streamed.text.extend(chunks.iter().map(text));
                        if !streamed.text.is_empty() {
                            streamed.ttft.get_or_insert(start.elapsed());
                        }
                    }
                    Ok(Step::Restarted(_)) => streamed.text.clear(),
                    Ok(Step::Done(response)) => streamed.end = Some(Ok(*response)),
                    Err(error) => streamed.end = Some(Err(error)),
                }
            }
        }
    }
    streamed
}

#[derive(Default)]
pub(crate) struct Streamed {
    pub(crate) text: String,
    pub(crate) ttft: Option<Duration>,
    end: Option<Result<Response, Error>>,
}

impl Streamed {
    pub(crate) fn end(self) -> Result<Response, Error> {
        self.end.unwrap()
    }
}

fn text(chunk: &Chunk) -> String {
    chunk.choices.iter().filter_map(|choice| choice.delta.content.as_deref()).collect()
}

/// The client's metrics.
pub(crate) fn metrics(client: &Client) -> Value {
    serde_json::from_slice(&client.metrics_json()).unwrap()
}

/// What the metrics say of a target.
pub(crate) fn health(client: &Client, target: &str) -> Value {
    let metrics = metrics(client);
    let mut targets = metrics["targets"].as_array().unwrap().iter();
    targets.find(|own| own["target"] == target).cloned().unwrap_or_default()
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
