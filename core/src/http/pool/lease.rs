//! Connections, and a call's lease of one.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::http::{Request, Response};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::exclusive::Http1;
use super::idle::Idle;
use super::settling::{Body, Settling, lock};
use crate::error::{Error, ErrorKind};
use crate::http::failure;

/// hyper's value for a server's limit of streams until the server has said it. No server can say
/// this value.
pub(super) const UNSAID: usize = usize::MAX - 1;

/// A connection for many calls.
pub(in crate::http) struct Http2 {
    pub(super) sender: http2::SendRequest<Body>,
    /// Shared with the task that polls it, because only the connection knows how many streams the
    /// server allows, and whether it takes another one. It is dropped under this lock.
    pub(super) connection: Arc<Mutex<Option<Polled>>>,
    pub(super) in_flight: AtomicUsize,
    /// When the last call left it.
    pub(super) since: Mutex<Instant>,
}

/// A connection, and who polls it.
pub(super) struct Polled {
    pub(super) connection: http2::Connection<TokioIo<Settling>, Body, TokioExecutor>,
    pub(super) waker: Waker,
}

impl Polled {
    /// Whether it takes no request any more, as after a GOAWAY. A poll is the only way to know, and
    /// the task that polls it is not woken for that.
    pub(super) fn is_over(&mut self) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        Pin::new(&mut self.connection).poll(&mut cx).is_ready()
    }
}

/// A connection that a call holds.
pub(in crate::http) enum Lease {
    /// It goes back to `home` when the body has been read to its end.
    Http1 {
        connection: Option<Http1>,
        home: Arc<Idle>,
    },
    Http2(Share),
}

/// A place on a shared connection.
pub(in crate::http) struct Share(pub(super) Arc<Http2>);

impl Drop for Share {
    fn drop(&mut self) {
        *lock(&self.0.since) = Instant::now();
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What became of a request.
pub(in crate::http) enum Sent {
    Answer(Response<Incoming>, Lease),
    /// The server did not take the request. The error says why, in case there is no other
    /// connection.
    Unsent(Request<Body>, Error),
    /// A reused connection ended before one byte of an answer. Nearly always the server had closed
    /// it as idle, but it may have taken the request.
    Lost(Error),
}

impl Http2 {
    /// Whether it takes no request any more. Those that it took go on.
    pub(super) fn is_leaving(&self) -> bool {
        let mut polled = lock(&self.connection);
        let over = polled.as_mut().is_none_or(Polled::is_over);
        if over {
            *polled = None;
        }
        over
    }

    /// A place on it, unless it is full.
    pub(super) fn share(self: &Arc<Self>) -> Option<Share> {
        let said = lock(&self.connection).as_ref()?.connection.current_max_send_streams();
        // Until the server has said its limit, only the call that opened it uses it.
        let most = if said == UNSAID { 1 } else { said.max(1) };
        let room = |n: usize| (n < most).then_some(n + 1);
        self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).ok()?;
        Some(Share(Arc::clone(self)))
    }

    /// Hands a request over. tokio loses what is queued at the very moment at which the queue's
    /// reader is dropped, and its call would wait for ever. So both happen under the same lock.
    fn queue(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Body>>>> + use<> {
        let _queueing = lock(&self.connection);
        self.sender.clone().try_send_request(request)
    }

    /// How long nobody has used it.
    pub(super) fn rested(&self) -> Duration {
        if self.in_flight.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        lock(&self.since).elapsed()
    }
}

impl Lease {
    /// Whether it is HTTP/2. HTTP/2 needs the whole URI in a request, HTTP/1.1 its path.
    pub(in crate::http) fn is_http2(&self) -> bool {
        matches!(self, Lease::Http2(_))
    }

    /// Sends a request and waits for the response's head.
    pub(in crate::http) async fn send(
        mut self,
        request: Request<Body>,
        origin: &str,
    ) -> Result<Sent, Error> {
        match &mut self {
            Lease::Http2(share) => {
                let kept = request.clone();
                match share.0.queue(request).await {
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
                http1.heard.store(false, Ordering::Relaxed);
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
                            None if http1.reused && !http1.heard.load(Ordering::Relaxed) => {
                                Ok(Sent::Lost(lost))
                            }
                            _ => Err(lost),
                        }
                    }
                }
            }
        }
    }

    /// Polls the body's next frame, and the connection that it comes from.
    pub(in crate::http) fn poll_frame(
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

    /// Waits until no connection of this pool is kept any more.
    pub(in crate::http) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let home = match self {
            Lease::Http1 { home, .. } => Some(home.closed()),
            // The call is the last that holds it.
            Lease::Http2(_) => None,
        };
        async move {
            match home {
                Some(closed) => closed.await,
                None => std::future::pending().await,
            }
        }
    }

    /// The runtime whose threads outlive the call, if it is not that of the call.
    pub(in crate::http) fn engine(&self) -> Option<&Handle> {
        match self {
            Lease::Http1 { home, .. } => home.engine(),
            Lease::Http2(_) => None,
        }
    }

    /// Releases the connection for the next call, after the body was read to its end.
    pub(in crate::http) fn release(&mut self) {
        let Lease::Http1 { connection, home } = self else { return };
        let Some(mut http1) = connection.take() else { return };
        http1.drive(&mut Context::from_waker(Waker::noop()));
        if http1.connection.is_none() || !http1.sender.is_ready() {
            return;
        }
        http1.since = Instant::now();
        http1.reused = true;
        home.keep(http1);
    }
}
