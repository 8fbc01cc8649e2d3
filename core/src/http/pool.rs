//! Connections to one provider.
//!
//! An HTTP/1.1 connection is polled by the call that uses it, not by a task of its own: an exchange
//! costs no hop between tasks, and a call that is dropped closes its socket there and then. Idle ones
//! are kept, as many as there may be calls in flight, so that a steady load opens none.
//! The price is that nobody sees an idle one close before it is next wanted, or expire before then.
//! An HTTP/2 connection is shared and has tasks; when all are full to the server's limit of streams,
//! one more is opened. (Clients that open one a host queue silently beyond that limit.)
//!
//! A request is sent again only where it is certain that the server did not take it up: the
//! connection had ended before it took the request, or the server said so (a refused stream, a
//! GOAWAY with an earlier last stream).
//!
//! Connections belong to the tokio runtime that opened them: a second runtime needs a pool of its own.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::http::header::HeaderValue;
use ::http::{Request, Response, Uri};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::connect::{Dialler, Network, Stream};
use super::failure;
use crate::config::ProviderConfig;
use crate::error::{Error, ErrorKind};

pub(super) type Body = Full<Bytes>;

/// Longer than most servers keep an idle connection, so that they, not we, decide.
const IDLE: Duration = Duration::from_secs(90);
/// Bounds a response's head, and so what an endless one can make us hold.
const MAX_HEAD: usize = 256 << 10;
const MAX_HEADERS: usize = 256;
/// What hyper says of a server's limit of streams until the server has said it: no server can say it.
const UNSAID: usize = usize::MAX - 1;
/// Connections that have rested this long are looked at only after the runtime has looked at its
/// sockets: one whose thread was busy elsewhere does not know yet what the server closed.
const RESTED: Duration = Duration::from_millis(100);

/// The connections to one provider.
pub struct Pool {
    pub(super) dialler: Dialler,
    /// The runtime beside that of its calls, where there is one.
    pub(crate) engine: Option<Handle>,
    pub(super) origin: String,
    /// The header `host` of every request.
    pub(super) host: HeaderValue,
    /// A path that an adapter gave, and the target that it is of this provider's.
    pub(super) target: OnceLock<(&'static str, Uri)>,
    idle: Arc<Mutex<VecDeque<Http1>>>,
    most_idle: usize,
    shared: Mutex<Vec<Arc<Http2>>>,
    /// Held while a connection is opened of which it is not known that it is HTTP/1.1, and until
    /// the server has said how many calls may share it, so that many first calls do not open a
    /// shared connection each.
    opening: Arc<tokio::sync::Mutex<()>>,
    /// The last failure to open one, and when: it is that of all who waited for it.
    failed: Mutex<Option<(Instant, Error)>>,
    http1: AtomicBool,
}

/// A connection for one call at a time.
pub(super) struct Http1 {
    sender: http1::SendRequest<Body>,
    /// `None`: it has ended. Only when it is dropped does hyper hand back the request that it did
    /// not take: kept, it would leave the call waiting for ever.
    connection: Option<Box<Exclusive>>,
    since: Instant,
    reused: bool,
}

/// A connection for many calls.
pub(super) struct Http2 {
    sender: http2::SendRequest<Body>,
    /// Shared with the task that polls it; it alone knows how many streams the server allows.
    connection: Arc<Mutex<Option<Shared>>>,
    in_flight: AtomicUsize,
    /// When a call last left it.
    since: Mutex<Instant>,
}

type Exclusive = http1::Connection<TokioIo<Box<dyn Stream>>, Body>;
type Shared = http2::Connection<TokioIo<Settling>, Body, TokioExecutor>;

/// A connection's bytes, holding the turn of whoever opened it until the server's first frames, its
/// settings, have been read and dealt with, which is when it is asked for more.
struct Settling {
    io: Box<dyn Stream>,
    turn: Option<Arc<OwnedMutexGuard<()>>>,
    begun: bool,
}

impl AsyncRead for Settling {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if self.turn.is_some() {
            match &read {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => self.begun = true,
                Poll::Pending if !self.begun => {}
                _ => self.turn = None,
            }
        }
        read
    }
}

impl AsyncWrite for Settling {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A connection in the hands of one call.
pub(super) enum Lease {
    /// It goes back to `home` when the body has been read to its end.
    Http1 {
        connection: Option<Http1>,
        home: Arc<Mutex<VecDeque<Http1>>>,
        most_idle: usize,
    },
    Http2(Share),
}

/// A place on a shared connection.
pub(super) struct Share(Arc<Http2>);

impl Drop for Share {
    fn drop(&mut self) {
        *lock(&self.0.since) = Instant::now();
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether a failed request may be sent again on another connection.
pub(super) enum Sent {
    Answer(Response<Incoming>, Lease),
    /// The server did not take the request up; the error says why, should there be no other way.
    Unsent(Request<Body>, Error),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool that keeps up to `most_idle` idle connections. Nothing is opened yet. `blocking`: the
    /// runtime whose threads look names up; else that of the call. `network`: in place of TCP.
    #[must_use]
    pub fn new(
        provider: &ProviderConfig,
        most_idle: usize,
        blocking: Option<Handle>,
        network: Option<Arc<dyn Network>>,
    ) -> Self {
        let dialler = Dialler::new(provider, blocking.clone(), network);
        Pool {
            http1: AtomicBool::new(dialler.only_http1()),
            dialler,
            engine: blocking,
            origin: provider.origin(),
            // What an authority may hold, a header may.
            host: HeaderValue::try_from(provider.base_url.authority().map_or("", |a| a.as_str()))
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            target: OnceLock::new(),
            idle: Arc::default(),
            most_idle,
            shared: Mutex::default(),
            opening: Arc::default(),
            failed: Mutex::default(),
        }
    }

    /// Closes the idle connections, and the shared ones once their last call has ended.
    pub(crate) fn clear(&self) {
        lock(&self.idle).clear();
        lock(&self.shared).clear();
    }

    /// A connection that is ready for a request.
    pub(super) async fn lease(&self) -> Result<Lease, Error> {
        let now = Instant::now();
        if self.has_rested(now) {
            // The first lets the sockets be looked at, the second the tasks that they wake run.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        if let Some(lease) = self.existing(now) {
            return Ok(lease);
        }
        // Boxed: opening is rare and its future is large, which every call would carry about.
        Box::pin(async {
            if self.http1.load(Ordering::Relaxed) {
                return self.open(None).await;
            }
            self.wait_to_open().await
        })
        .await
    }

    /// Waits until nobody else opens a connection that this call could share, else opens one.
    async fn wait_to_open(&self) -> Result<Lease, Error> {
        let asked = Instant::now();
        // Twice: the one who opens has as much time as this for itself, and a server that never
        // says its settings is not waited for much longer.
        let turn = Arc::clone(&self.opening).lock_owned();
        let turn = tokio::time::timeout(self.dialler.timeout() * 2, turn).await.ok();
        if let Some(lease) = self.existing(Instant::now()) {
            return Ok(lease);
        }
        if self.http1.load(Ordering::Relaxed) {
            // The one before found out: nobody has to wait for the others any more.
            drop(turn);
            return self.open(None).await;
        }
        // What could not be opened while this call waited for it is not tried again for it: else
        // the last of many calls would wait for as many timeouts.
        if let Some((when, error)) = &*lock(&self.failed)
            && *when >= asked
        {
            return Err(error.clone());
        }
        let lease = self.open(turn).await;
        if let Err(error) = &lease {
            *lock(&self.failed) = Some((Instant::now(), error.clone()));
        }
        lease
    }

    fn has_rested(&self, now: Instant) -> bool {
        if let Some(connection) = lock(&self.idle).back() {
            return now.saturating_duration_since(connection.since) > RESTED;
        }
        if self.http1.load(Ordering::Relaxed) {
            return false;
        }
        let shared = lock(&self.shared);
        !shared.is_empty() && shared.iter().all(|connection| connection.rested() > RESTED)
    }

    fn existing(&self, now: Instant) -> Option<Lease> {
        {
            let mut idle = lock(&self.idle);
            while let Some(mut connection) = idle.pop_back() {
                if connection.is_usable(now) {
                    return Some(self.own(connection));
                }
            }
        }
        if self.http1.load(Ordering::Relaxed) {
            return None;
        }
        let mut shared = lock(&self.shared);
        shared.retain(|shared| !shared.sender.is_closed() && shared.rested() <= IDLE);
        shared.iter().find_map(Http2::share).map(Lease::Http2)
    }

    fn own(&self, connection: Http1) -> Lease {
        let home = Arc::clone(&self.idle);
        Lease::Http1 { connection: Some(connection), home, most_idle: self.most_idle }
    }

    /// `turn` is given back when a connection is open whose limit of calls is known.
    async fn open(&self, turn: Option<OwnedMutexGuard<()>>) -> Result<Lease, Error> {
        let dialled = self.dialler.dial().await?;
        let failed = |error: hyper::Error| failure::before_headers(&error, &self.origin);
        if !dialled.http2 {
            self.http1.store(true, Ordering::Relaxed);
            let (sender, connection) = http1::Builder::new()
                .max_headers(MAX_HEADERS)
                .max_buf_size(MAX_HEAD)
                .handshake(TokioIo::new(dialled.io))
                .await
                .map_err(failed)?;
            let connection = Some(Box::new(connection));
            let (since, reused) = (Instant::now(), false);
            return Ok(self.own(Http1 { sender, connection, since, reused }));
        }
        // A server may speak HTTP/2 after all, where a balancer has several behind it.
        self.http1.store(false, Ordering::Relaxed);
        // Kept here too until others can find the connection.
        let turn = turn.map(Arc::new);
        let io = TokioIo::new(Settling { io: dialled.io, turn: turn.clone(), begun: false });
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .max_header_list_size(MAX_HEAD as u32)
            .initial_stream_window_size(1 << 20)
            // Each stream is bounded by its own window. With less than room for all of them, those whose
            // readers are slow would hold up the others.
            .initial_connection_window_size(i32::MAX as u32)
            .initial_max_send_streams(UNSAID)
            .handshake(io)
            .await
            .map_err(failed)?;
        let connection = Arc::new(Mutex::new(Some(connection)));
        let polled = Arc::clone(&connection);
        // Its errors reach the calls that it serves; there is nobody else to tell.
        tokio::spawn(poll_fn(move |cx| {
            let mut connection = lock(&polled);
            let over = match connection.as_mut() {
                Some(connection) => Pin::new(connection).poll(cx).map(|_| ()),
                None => Poll::Ready(()),
            };
            if over.is_ready() {
                // It would keep the socket open.
                *connection = None;
            }
            over
        }));
        let (in_flight, since) = (AtomicUsize::new(1), Mutex::new(Instant::now()));
        let shared = Arc::new(Http2 { sender, connection, in_flight, since });
        lock(&self.shared).push(Arc::clone(&shared));
        drop(turn);
        Ok(Lease::Http2(Share(shared)))
    }
}

impl Http1 {
    /// Whether it is still open, as far as can be told without waiting.
    fn is_usable(&mut self, now: Instant) -> bool {
        if self.expired(now) {
            return false;
        }
        // An idle connection is polled by nobody: this is where it sees that the server closed it.
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && !self.sender.is_closed()
    }

    fn expired(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) > IDLE
    }

    /// Lets the connection write what waits and read what has come. What it says at its end, the
    /// exchange says too.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(&mut **connection).poll(cx).is_ready()
        {
            self.connection = None;
        }
    }
}

impl Http2 {
    /// A place on it, unless it is full.
    fn share(self: &Arc<Self>) -> Option<Share> {
        let said = lock(&self.connection).as_ref()?.current_max_send_streams();
        // Until the server has said its limit, the one who opened it is alone.
        let most = if said == UNSAID { 1 } else { said.max(1) };
        let room = |n: usize| (n < most).then_some(n + 1);
        self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).ok()?;
        Some(Share(Arc::clone(self)))
    }
}

impl Http2 {
    /// How long nobody has used it.
    fn rested(&self) -> Duration {
        if self.in_flight.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        lock(&self.since).elapsed()
    }
}

impl Lease {
    /// HTTP/2 wants the whole URI in a request, HTTP/1.1 its path.
    pub(super) fn is_http2(&self) -> bool {
        matches!(self, Lease::Http2(_))
    }

    /// Sends a request and waits for the response's head.
    pub(super) async fn send(
        mut self,
        request: Request<Body>,
        origin: &str,
    ) -> Result<Sent, Error> {
        match &mut self {
            Lease::Http2(share) => {
                let mut sender = share.0.sender.clone();
                let kept = request.clone();
                match sender.try_send_request(request).await {
                    Ok(answer) => Ok(Sent::Answer(answer, self)),
                    Err(mut error) => {
                        let message = error.take_message();
                        let error = error.into_error();
                        let lost = failure::before_headers(&error, origin);
                        if message.is_some() || failure::is_refusal(&error) {
                            return Ok(Sent::Unsent(kept, lost));
                        }
                        Err(lost)
                    }
                }
            }
            Lease::Http1 { connection, .. } => {
                let Some(http1) = connection.as_mut() else {
                    return Err(Error::new(ErrorKind::Internal, "a connection was used twice"));
                };
                let sending = http1.sender.try_send_request(request);
                let mut sending = std::pin::pin!(sending);
                let answer = poll_fn(|cx| {
                    http1.drive(cx);
                    sending.as_mut().poll(cx)
                })
                .await;
                match answer {
                    Ok(answer) => Ok(Sent::Answer(answer, self)),
                    Err(mut error) => {
                        let message = error.take_message();
                        let lost = failure::before_headers(error.error(), origin);
                        match message {
                            Some(request) if http1.reused => Ok(Sent::Unsent(request, lost)),
                            _ => Err(lost),
                        }
                    }
                }
            }
        }
    }

    /// Polls the body's next frame, and the connection that it comes from.
    pub(super) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, hyper::Error>>> {
        use hyper::body::Body as _;
        if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        if let Lease::Http1 { connection: Some(http1), .. } = self {
            http1.drive(cx);
            return Pin::new(body).poll_frame(cx);
        }
        Poll::Pending
    }

    /// The body has been read to its end: the connection can serve the next call.
    pub(super) fn release(&mut self) {
        let Lease::Http1 { connection, home, most_idle } = self else { return };
        let Some(mut http1) = connection.take() else { return };
        http1.drive(&mut Context::from_waker(Waker::noop()));
        if http1.connection.is_none() || !http1.sender.is_ready() {
            return;
        }
        let now = Instant::now();
        http1.since = now;
        http1.reused = true;
        let mut idle = lock(home);
        idle.push_back(http1);
        // The one in front has waited longest; looking at one a time keeps pace with the load.
        if idle.len() > *most_idle || idle.front().is_some_and(|old| old.expired(now)) {
            idle.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::config::Config;

    fn pool() -> Pool {
        let config =
            Config::parse(br#"{"providers":{"p":{"kind":"openai","base_url":"http://x"}}}"#);
        let config = config.unwrap();
        Pool::new(&config.providers[config.index("p").unwrap()], 2, None, None)
    }

    /// A connection over a pipe, used for one exchange, and the pipe's other end.
    async fn used(pool: &Pool) -> (Lease, tokio::io::DuplexStream) {
        let (near, mut far) = tokio::io::duplex(4096);
        let io = TokioIo::new(Box::new(near) as Box<dyn Stream>);
        let (sender, connection) = http1::Builder::new().handshake(io).await.unwrap();
        let connection = Some(Box::new(connection));
        let (since, reused) = (Instant::now(), false);
        let lease = pool.own(Http1 { sender, connection, since, reused });
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
            // Either way it is closed now.
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
        assert_eq!(lock(&pool.idle).len(), 2);
        assert_eq!(ends[0].read(&mut [0; 9]).await.unwrap(), 0);
        // Those that expired go as others come back.
        tokio::time::advance(Duration::from_secs(91)).await;
        for left in [2, 2] {
            let (mut lease, _far) = used(&pool).await;
            lease.release();
            assert_eq!(lock(&pool.idle).len(), left);
        }
    }

    #[tokio::test]
    async fn what_was_not_taken_comes_back_and_what_was_does_not() {
        let pool = pool();
        // Closed between the look at it and the request: nothing was sent.
        let (mut lease, far) = used(&pool).await;
        lease.release();
        let lease = pool.existing(Instant::now()).unwrap();
        drop(far);
        let request = Request::new(Full::new(Bytes::from_static(b"ask")));
        assert!(matches!(lease.send(request, "x").await, Ok(Sent::Unsent(..))));

        // Closed when the request had been written.
        let (mut lease, mut far) = used(&pool).await;
        lease.release();
        let lease = pool.existing(Instant::now()).unwrap();
        let request = Request::new(Full::new(Bytes::from_static(b"ask")));
        let (sent, ()) = tokio::join!(lease.send(request, "x"), async {
            assert!(far.read(&mut [0; 4096]).await.unwrap() > 0);
            drop(far);
        });
        assert!(sent.is_err());
    }
}
