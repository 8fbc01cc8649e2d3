//! Connections between calls, over pipes and in virtual time.

use ::http::Request;
use bytes::Bytes;
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::config::Config;

fn pool() -> Pool {
    let config = Config::parse(br#"{"providers":{"p":{"kind":"openai","base_url":"http://x"}}}"#);
    let config = config.unwrap();
    Pool::new(
        config.providers[config.index("p").unwrap()].http.clone(),
        2,
        None,
        &Lookups::default(),
        None,
        &Arc::default(),
    )
}

/// A connection over a pipe, used for one exchange, and the pipe's other end.
async fn used(pool: &Pool) -> (Lease, tokio::io::DuplexStream) {
    let (near, mut far) = tokio::io::duplex(4096);
    let (heard, look) = <(Arc<AtomicBool>, _)>::default();
    let io = Heard { io: Box::new(near), heard: Arc::clone(&heard) };
    let (sender, connection) = http1::Builder::new().handshake(TokioIo::new(io)).await.unwrap();
    let connection = Some(Box::new(connection));
    let (since, reused) = (Instant::now(), false);
    let lease = pool.own(Http1 { sender, connection, since, reused, heard, look });
    let request = Request::new(Full::new(Bytes::from_static(b"ask")));
    let mut server = [0; 4096];
    let (sent, ()) = tokio::join!(lease.send(request, "x"), async {
        let _ = far.read(&mut server).await.unwrap();
        far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    let Ok(Sent::Answer(answer, mut lease)) = sent else { panic!("no answer") };
    let mut body = answer.into_body();
    assert!(poll_fn(|cx| lease.poll_frame(&mut body, cx)).await.is_none());
    (lease, far)
}

#[tokio::test(start_paused = true)]
async fn idle_connections_expire() {
    let pool = pool();
    for (rest, usable) in [(89, true), (91, false)] {
        let (mut lease, mut far) = used(&pool).await;
        lease.release();
        tokio::time::advance(Duration::from_secs(rest)).await;
        assert_eq!(pool.existing(Instant::now()).is_some(), usable, "after {rest} s");
        // In both cases it is closed now.
        assert_eq!(far.read(&mut [0; 9]).await.unwrap(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_are_kept_as_may_be() {
    let pool = pool();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (mut lease, far) = used(&pool).await;
        lease.release();
        ends.push(far);
    }
    assert_eq!(pool.idle.len(), 2);
    assert_eq!(ends[0].read(&mut [0; 9]).await.unwrap(), 0);
    // Those that expire go without anybody asking.
    tokio::time::sleep(Duration::from_secs(91)).await;
    assert_eq!(pool.idle.len(), 0);
    for end in &mut ends[1..] {
        assert_eq!(end.read(&mut [0; 9]).await.unwrap(), 0);
    }
    // And so do later ones.
    let (mut lease, far) = used(&pool).await;
    lease.release();
    assert_eq!(pool.idle.len(), 1);
    drop(far);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pool.idle.len(), 0);
}

#[tokio::test]
async fn what_was_not_taken_comes_back_and_what_was_does_not() {
    let pool = pool();
    // Closed between the check and the request: nothing was sent.
    let (mut lease, far) = used(&pool).await;
    lease.release();
    let lease = pool.existing(Instant::now()).unwrap();
    drop(far);
    let request = Request::new(Full::new(Bytes::from_static(b"ask")));
    assert!(matches!(lease.send(request, "x").await, Ok(Sent::Unsent(..))));

    // Closed after the request had been written.
    let (mut lease, mut far) = used(&pool).await;
    lease.release();
    let lease = pool.existing(Instant::now()).unwrap();
    let request = Request::new(Full::new(Bytes::from_static(b"ask")));
    let (sent, ()) = tokio::join!(lease.send(request, "x"), async {
        assert!(far.read(&mut [0; 4096]).await.unwrap() > 0);
        drop(far);
    });
    assert!(matches!(sent, Ok(Sent::Lost(..))));
}
