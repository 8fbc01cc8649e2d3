//! The engine over a network of the test's own, in virtual time.
#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use liter_llm_core::http::{Connecting, Network, Stream};
use liter_llm_core::{Client, Config, ErrorKind, Step};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, sleep};

const CONFIG: &[u8] =
    br#"{"providers": {"p": {"kind": "compatible", "base_url": "http://p.test/v1"},
    "q": {"kind": "compatible", "base_url": "http://hangs.test/v1"}}}"#;
const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n\
    data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"slow\"}}]}\n\n";
const END: &str = "data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\
    \"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
const WHOLE: &str = r#"{"id":"x","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"content":"whole"}}]}"#;

/// A provider that takes its time.
struct Slow;

impl Network for Slow {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> Connecting<'a> {
        Box::pin(async move {
            assert_eq!(port, 80);
            sleep(Duration::from_secs(1)).await;
            if host == "hangs.test" {
                std::future::pending::<()>().await;
            }
            if host != "p.test" {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (near, far) = tokio::io::duplex(1 << 16);
            tokio::spawn(answer(far));
            Ok(Box::new(near) as Box<dyn Stream>)
        })
    }
}

async fn answer(mut io: DuplexStream) {
    let mut asked = [0; 4096];
    let n = io.read(&mut asked).await.unwrap();
    let streamed = String::from_utf8_lossy(&asked[..n]).contains(r#""stream":true"#);
    sleep(Duration::from_secs(30)).await;
    if !streamed {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", WHOLE.len());
        io.write_all((head + WHOLE).as_bytes()).await.unwrap();
        return;
    }
    io.write_all(STREAM.as_bytes()).await.unwrap();
    sleep(Duration::from_secs(30)).await;
    io.write_all(END.as_bytes()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_take_virtual_time() {
    let client = Client::with_network(Config::parse(CONFIG).unwrap(), Arc::new(Slow), 1);
    let ask = |model: &str| format!(r#"{{"model":"{model}","prompt":"hi"}}"#).into_bytes();
    let start = Instant::now();
    let whole = client.call(&ask("p/m"), b"").await.unwrap();
    assert_eq!((whole.text.as_str(), start.elapsed().as_secs()), ("whole", 31));
    let mut stream = client.stream(&ask("p/m"), b"").await.unwrap();
    let Step::Chunks(chunks) = stream.next().await.unwrap() else { panic!("no chunk") };
    assert_eq!((chunks.len(), start.elapsed().as_secs()), (1, 62));
    let streamed = loop {
        if let Step::Done(response) = stream.next().await.unwrap() {
            break response;
        }
    };
    assert_eq!((streamed.text.as_str(), start.elapsed().as_secs()), ("slow", 92));
    let error = client.call(&ask("q/m"), b"").await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::Timeout, 97));
}
