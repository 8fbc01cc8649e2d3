//! Connections to one provider.
//!
//! An HTTP/1.1 connection is polled by the call that uses it, not by a task of its own: an exchange
//! costs no hop between tasks, and a call that is dropped closes its socket there and then. Idle ones
//! are kept, as many as there may be calls in flight, so that a steady load opens none.
//! An HTTP/2 connection is shared and has a task; when all are full to the server's limit of streams,
//! one more is opened. (Clients that open one a host queue silently beyond that limit.)
//!
//! Connections belong to the tokio runtime that opened them: a second runtime needs a pool of its own.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::connect::{Dialler, Stream};
use super::failure;
use crate::config::ProviderConfig;
use crate::error::{Error, ErrorKind};

pub(super) type Body = Full<Bytes>;

/// Longer than most servers keep an idle connection, so that they, not we, decide.
const IDLE: Duration = Duration::from_secs(90);
/// Bounds a response's head, and so what an endless one can make us hold.
const MAX_HEAD: usize = 256 << 10;
const MAX_HEADERS: usize = 256;
/// Streams on an HTTP/2 connection until the server has said its limit; most say 100.
const STREAMS: usize = 100;

/// The connections to one provider.
pub struct Pool {
    pub(super) dialler: Dialler,
    pub(super) origin: String,
    idle: Arc<Mutex<VecDeque<Http1>>>,
    most_idle: usize,
    shared: Mutex<Vec<Arc<Http2>>>,
    /// Held while a connection is opened of which it is not known that it is HTTP/1.1, so that
    /// many first calls do not open a shared connection each.
    opening: tokio::sync::Mutex<()>,
    http1: AtomicBool,
}

/// A connection for one call at a time.
pub(super) struct Http1 {
    sender: http1::SendRequest<Body>,
    connection: Box<http1::Connection<TokioIo<Box<dyn Stream>>, Body>>,
    /// The connection has ended, and must not be polled again.
    over: bool,
    since: Instant,
    reused: bool,
}

/// A connection for many calls.
pub(super) struct Http2 {
    sender: http2::SendRequest<Body>,
    in_flight: AtomicUsize,
    /// How many streams the server allows.
    room: AtomicUsize,
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
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether a failed request may be sent again on another connection.
pub(super) enum Sent {
    Answer(Response<Incoming>, Lease),
    /// Not one byte was taken by the connection, which had been closed while it was idle.
    Unsent(Request<Body>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool that keeps up to `most_idle` idle connections. Nothing is opened yet. `blocking`: the
    /// runtime whose threads look names up; else that of the call.
    #[must_use]
    pub fn new(provider: &ProviderConfig, most_idle: usize, blocking: Option<Handle>) -> Self {
        let dialler = Dialler::new(provider, blocking);
        Pool {
            http1: AtomicBool::new(dialler.only_http1()),
            dialler,
            origin: provider.origin(),
            idle: Arc::default(),
            most_idle,
            shared: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
        }
    }

    /// Closes the idle connections, and the shared ones once their last call has ended.
    pub(crate) fn clear(&self) {
        lock(&self.idle).clear();
        lock(&self.shared).clear();
    }

    /// A connection that is ready for a request.
    pub(super) async fn lease(&self) -> Result<Lease, Error> {
        if let Some(lease) = self.existing() {
            return Ok(lease);
        }
        // Boxed: opening is rare and its future is large, which every call would carry about.
        Box::pin(async {
            if self.http1.load(Ordering::Relaxed) {
                return self.open().await;
            }
            let _turn = self.opening.lock().await;
            match self.existing() {
                Some(lease) => Ok(lease),
                None => self.open().await,
            }
        })
        .await
    }

    fn existing(&self) -> Option<Lease> {
        {
            let mut idle = lock(&self.idle);
            while let Some(mut connection) = idle.pop_back() {
                if connection.is_usable() {
                    return Some(self.own(connection));
                }
            }
        }
        if self.http1.load(Ordering::Relaxed) {
            return None;
        }
        let mut shared = lock(&self.shared);
        shared.retain(|connection| !connection.sender.is_closed());
        shared.iter().find_map(Http2::share).map(Lease::Http2)
    }

    fn own(&self, connection: Http1) -> Lease {
        let home = Arc::clone(&self.idle);
        Lease::Http1 { connection: Some(connection), home, most_idle: self.most_idle }
    }

    async fn open(&self) -> Result<Lease, Error> {
        let dialled = self.dialler.dial().await?;
        let failed = |error: hyper::Error| failure::before_headers(&error, &self.origin);
        if !dialled.http2 {
            self.http1.store(true, Ordering::Relaxed);
            let (sender, connection) = http1::Builder::new()
                .max_headers(MAX_HEADERS)
                .max_buf_size(MAX_HEAD)
                .handshake(dialled.io)
                .await
                .map_err(failed)?;
            let connection = Box::new(connection);
            let (since, over, reused) = (Instant::now(), false, false);
            return Ok(self.own(Http1 { sender, connection, over, since, reused }));
        }
        let (sender, mut connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .max_header_list_size(MAX_HEAD as u32)
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(8 << 20)
            .handshake(dialled.io)
            .await
            .map_err(failed)?;
        let room = AtomicUsize::new(STREAMS);
        let shared = Arc::new(Http2 { sender, in_flight: AtomicUsize::new(1), room });
        let known = Arc::downgrade(&shared);
        // Its errors reach the calls that it serves; there is nobody else to tell.
        tokio::spawn(poll_fn(move |cx| {
            let over = Pin::new(&mut connection).poll(cx);
            // The server's word on its limit comes with its settings, and may change.
            if let Some(shared) = known.upgrade() {
                shared.room.store(connection.current_max_send_streams(), Ordering::Relaxed);
            }
            over.map(|_| ())
        }));
        lock(&self.shared).push(Arc::clone(&shared));
        Ok(Lease::Http2(Share(shared)))
    }
}

impl Http1 {
    /// Whether it is still open, as far as can be told without waiting.
    fn is_usable(&mut self) -> bool {
        if self.since.elapsed() > IDLE {
            return false;
        }
        // An idle connection is polled by nobody: this is where it sees that the server closed it.
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.over && !self.sender.is_closed()
    }

    /// Lets the connection write what waits and read what has come. What it says at its end, the
    /// exchange says too.
    fn drive(&mut self, cx: &mut Context<'_>) {
        self.over = self.over || Pin::new(&mut *self.connection).poll(cx).is_ready();
    }
}

impl Http2 {
    /// A place on it, unless it is full.
    fn share(self: &Arc<Self>) -> Option<Share> {
        let most = self.room.load(Ordering::Relaxed).max(1);
        let room = |n: usize| (n < most).then_some(n + 1);
        self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).ok()?;
        Some(Share(Arc::clone(self)))
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
                let answer = sender.send_request(request).await;
                let answer = answer.map_err(|error| failure::before_headers(&error, origin))?;
                Ok(Sent::Answer(answer, self))
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
                    Err(mut error) => match error.take_message() {
                        Some(request) if http1.reused => Ok(Sent::Unsent(request)),
                        _ => Err(failure::before_headers(error.error(), origin)),
                    },
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
        if http1.over || !http1.sender.is_ready() {
            return;
        }
        http1.since = Instant::now();
        http1.reused = true;
        let mut idle = lock(home);
        idle.push_back(http1);
        // The one in front has waited longest; looking at one a time keeps pace with the load.
        if idle.len() > *most_idle || idle.front().is_some_and(|old| old.since.elapsed() > IDLE) {
            idle.pop_front();
        }
    }
}
