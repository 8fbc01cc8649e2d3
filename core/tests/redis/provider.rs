//! A provider that counts what it is asked, and how much of that at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Provider {
    pub(crate) url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    asked: AtomicU64,
    now: AtomicU64,
    most: AtomicU64,
    takes_ms: AtomicU64,
    /// `retry-after` of refusals; 0 means that it answers.
    refuses_s: AtomicU64,
    /// The text of its answers.
    says: Mutex<Option<String>>,
}

impl Provider {
    pub(crate) async fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen: Arc<Seen> = Arc::default();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&kept)));
            }
        });
        Provider { url, seen }
    }

    pub(crate) fn asked(&self) -> u64 {
        self.seen.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn most_at_once(&self) -> u64 {
        self.seen.most.load(Ordering::SeqCst)
    }

    pub(crate) fn takes(&self, time: Duration) {
        self.seen.takes_ms.store(time.as_millis() as u64, Ordering::SeqCst);
    }

    /// What it answers from now on: no quotes and no backslashes.
    pub(crate) fn says(&self, text: &str) {
        *self.seen.says.lock().unwrap() = Some(text.to_owned());
    }

    pub(crate) fn refuses(&self, seconds: u64) {
        self.seen.refuses_s.store(seconds, Ordering::SeqCst);
    }
}

async fn serve(mut socket: TcpStream, seen: Arc<Seen>) {
    let mut bytes = Vec::new();
    let mut part = vec![0; 1 << 14];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let end = text.split_once("\r\n\r\n").and_then(|(head, _)| {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1)?.lines().next()?.parse::<usize>();
            Some(head.len() + 4 + length.ok()?)
        });
        let Some(end) = end.filter(|end| bytes.len() >= *end) else {
            let Ok(length @ 1..) = socket.read(&mut part).await else { return };
            bytes.extend_from_slice(&part[..length]);
            continue;
        };
        bytes.drain(..end);
        // Who sees that it was asked may change how long the next answer takes.
        let takes = Duration::from_millis(seen.takes_ms.load(Ordering::SeqCst));
        seen.asked.fetch_add(1, Ordering::SeqCst);
        let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(takes).await;
        seen.now.fetch_sub(1, Ordering::SeqCst);
        let refuses = seen.refuses_s.load(Ordering::SeqCst);
        let says = seen.says.lock().unwrap().clone().unwrap_or_else(|| "ok".to_owned());
        let (status, more, body) = match refuses {
            0 => ("200 OK", String::new(), ANSWER.replace("$TEXT", &says)),
            seconds => {
                let more = format!("retry-after: {seconds}\r\n");
                ("429 Too Many Requests", more, "{}".to_owned())
            }
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n\
             {body}",
            body.len()
        );
        if socket.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

const ANSWER: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"$TEXT"}}],"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25}}"#;
