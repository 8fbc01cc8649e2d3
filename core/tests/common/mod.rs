//! What the tests of HTTP share: clients, and a server whose every byte a test decides.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "clippy knows only test functions themselves as tests")]

pub(crate) mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use liter_llm_core::{ChatStream, Client, Config, Error, ErrorKind, Response, Step};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) const ASK: &[u8] = br#"{"model":"p/m","messages":[{"role":"user","content":"hi"}]}"#;

/// A client of one provider `p`; `more` are further members of its settings.
pub(crate) fn client(base_url: &str, more: Value) -> Client {
    let mut entry = json!({"kind": "openai", "base_url": base_url, "api_key": "sk-canary-123"});
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    // These tests are of one exchange; what is tried again is the business of others.
    let config = json!({"providers": {"p": entry}, "retry": false});
    Client::new(Config::parse(config.to_string().as_bytes()).unwrap())
}

pub(crate) async fn call(client: &Client) -> Result<Response, Error> {
    within(client.call(ASK, b"")).await
}

pub(crate) async fn failure(client: &Client) -> Error {
    call(client).await.expect_err("a failure")
}

pub(crate) async fn open(client: &Client) -> Result<ChatStream, Error> {
    within(client.stream(ASK, b"")).await
}

/// A stream's text, or what ended it.
pub(crate) async fn read(mut stream: ChatStream) -> Result<String, Error> {
    loop {
        if let Step::Done(response) = within(stream.next()).await? {
            return Ok(response.text().to_owned());
        }
    }
}

/// No test may hang.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("in time")
}

/// Lets the other side's tasks run until it looks so.
pub(crate) async fn until(mut wanted: impl FnMut() -> bool) {
    within(async {
        while !wanted() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[track_caller]
pub(crate) fn assert_says(error: &Error, kind: ErrorKind, words: &str) {
    assert!(error.kind() == kind && error.message.contains(words), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

pub(crate) fn answer(text: &str) -> String {
    json!({
        "id": "x", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{
            "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}
        }],
    })
    .to_string()
}

/// A whole answer with a length; `headers` are whole lines.
pub(crate) fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A stream whose body is this gzip data.
pub(crate) fn stream_of_gzip(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The events of a stream with this text.
pub(crate) fn events(text: &str) -> String {
    let chunk = |delta: Value, finish: Value| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        let chunk = json!({
            "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": choices,
        });
        format!("data: {chunk}\n\n")
    };
    chunk(json!({"role": "assistant", "content": text}), Value::Null)
        + &chunk(json!({}), json!("stop"))
        + "data: [DONE]\n\n"
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A server that does with each connection what the test says.
pub(crate) struct Server {
    pub(crate) url: String,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    /// `play` gets each connection with its number, from 0.
    pub(crate) async fn start<F, P>(play: F) -> Server
    where
        F: Fn(usize, Peer) -> P + Send + 'static,
        P: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let n = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(play(n, Peer { socket, buffer: Vec::new() }));
            }
        });
        Server { url, accepted, task }
    }

    /// Answers each request on each connection with these bytes and leaves it open.
    pub(crate) async fn answering(bytes: impl Into<Vec<u8>>) -> Server {
        let bytes: Arc<[u8]> = bytes.into().into();
        Server::start(move |_, mut peer| {
            let bytes = Arc::clone(&bytes);
            async move {
                while peer.request().await.is_some() {
                    peer.send(&bytes).await;
                }
            }
        })
        .await
    }

    /// The same, closing after each.
    pub(crate) async fn closing(bytes: impl Into<Vec<u8>>) -> Server {
        let bytes: Arc<[u8]> = bytes.into().into();
        Server::start(move |_, mut peer| {
            let bytes = Arc::clone(&bytes);
            async move {
                if peer.request().await.is_some() {
                    peer.send(&bytes).await;
                }
            }
        })
        .await
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection of a [`Server`].
pub(crate) struct Peer {
    pub(crate) socket: TcpStream,
    buffer: Vec<u8>,
}

impl Peer {
    /// The next request's head; `None` when the client has left.
    pub(crate) async fn request(&mut self) -> Option<String> {
        loop {
            let text = String::from_utf8_lossy(&self.buffer).into_owned();
            if let Some(end) = text.find("\r\n\r\n") {
                let head = text[..end].to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1);
                let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
                let whole = end + 4 + length.unwrap_or(0usize);
                if self.buffer.len() >= whole {
                    self.buffer.drain(..whole);
                    return Some(text[..end].to_owned());
                }
            }
            let read = self.socket.read_buf(&mut self.buffer).await;
            if !matches!(read, Ok(n) if n > 0) {
                return None;
            }
        }
    }

    /// Errors are the client's business.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes).await;
    }

    /// Waits until the client has closed the connection.
    pub(crate) async fn closed(&mut self) {
        while self.request().await.is_some() {}
    }
}
