//! Connections to one provider.
//!
//! An HTTP/1.1 connection is polled by the call that uses it, not by a task of its own: an exchange
//! costs no hop between tasks, and a call that is dropped closes its socket there and then. Idle ones
//! are kept, as many as there may be calls in flight, so that a steady load opens none.
//! Nobody polls an idle one: before it is used its socket is looked at, anything in which closes it, and
//! a task looks twice a second, so that what a server closed is given back.
//! An HTTP/2 connection is shared and has tasks; when all are full to the server's limit of streams,
//! one more is opened. (Clients that open one a host queue silently beyond that limit.)
//!
//! A request is sent again only where it is certain that the server did not take it up: the
//! connection had ended before it took the request, or the server said so (a refused stream, a
//! GOAWAY with an earlier last stream). The one exception: a reused HTTP/1.1 connection that ends
//! within a second, before one byte of an answer. Servers close idle connections, and no look at the
//! socket beforehand can tell one that they close at that very moment; the request goes once more, on
//! a fresh one.
//!
//! Connections belong to the tokio runtime that opened them: a second runtime needs a pool of its own.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::Uri;
use ::http::header::HeaderValue;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::connect::{Dialler, Network, Stream};
use super::failure;
use super::settings::Settings;
use crate::error::Error;

mod idle;
mod lease;

pub(super) use lease::{Lease, Sent};

use idle::Idle;
use lease::{Http1, Http2, Share, UNSAID};

pub(super) type Body = Full<Bytes>;

/// Longer than most servers keep an idle connection, so that they, not we, decide.
const IDLE: Duration = Duration::from_secs(90);
/// Bounds a response's head, and so what an endless one can make us hold.
const MAX_HEAD: usize = 256 << 10;
const MAX_HEADERS: usize = 256;
/// Shared connections that have rested this long are looked at only after the runtime has looked at
/// its sockets: one whose thread was busy elsewhere does not know yet what the server closed.
const RESTED: Duration = Duration::from_millis(100);

/// The connections to one provider.
pub struct Pool {
    pub(super) settings: Settings,
    pub(super) dialler: Dialler,
    /// The runtime beside that of its calls, where there is one.
    engine: Option<Handle>,
    pub(super) origin: String,
    /// The header `host` of every request.
    pub(super) host: HeaderValue,
    /// A path that an adapter gave, and the target that it is of this provider's.
    pub(super) target: OnceLock<(Cow<'static, str>, Uri)>,
    idle: Arc<Idle>,
    shared: Mutex<Vec<Arc<Http2>>>,
    /// Held while a connection is opened of which it is not known that it is HTTP/1.1, and until
    /// the server has said how many calls may share it, so that many first calls do not open a
    /// shared connection each.
    opening: Arc<tokio::sync::Mutex<()>>,
    /// The last failure to open one, and when: it is that of all who waited for it.
    failed: Mutex<Option<(Instant, Error)>>,
    http1: AtomicBool,
}

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

/// A connection's bytes, noting that some have come: above TLS, whose own records are no answer.
struct Heard {
    io: Box<dyn Stream>,
    heard: Arc<AtomicBool>,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.heard.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Heard {
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool that keeps up to `most_idle` idle connections. Nothing is opened yet. `blocking`: the
    /// runtime whose threads look names up; else that of the call. `network`: in place of TCP.
    #[must_use]
    pub fn new(
        settings: Settings,
        most_idle: usize,
        blocking: Option<Handle>,
        network: Option<Arc<dyn Network>>,
    ) -> Self {
        let dialler = Dialler::new(&settings, blocking.clone(), network);
        Pool {
            http1: AtomicBool::new(dialler.only_http1()),
            dialler,
            engine: blocking.clone(),
            origin: settings.origin(),
            // What an authority may hold, a header may.
            host: HeaderValue::try_from(settings.base_url.authority().map_or("", |a| a.as_str()))
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            target: OnceLock::new(),
            idle: Arc::new(Idle::new(most_idle, blocking)),
            settings,
            shared: Mutex::default(),
            opening: Arc::default(),
            failed: Mutex::default(),
        }
    }

    /// The runtime whose threads may wait, where it is another than that of the calls.
    pub(crate) fn blocking(&self) -> Option<&Handle> {
        self.engine.as_ref()
    }

    /// Closes the idle connections, and the shared ones once their last call has ended.
    pub(crate) fn clear(&self) {
        self.idle.clear();
        lock(&self.shared).clear();
    }

    /// A connection that is ready for a request.
    pub(super) async fn lease(&self) -> Result<Lease, Error> {
        if self.has_rested() {
            // The first lets the sockets be looked at, the second the tasks that they wake run.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        if let Some(lease) = self.existing(Instant::now()) {
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

    /// A connection that has served nobody, in place of an HTTP/1.1 one.
    pub(super) async fn lease_fresh(&self) -> Result<Lease, Error> {
        Box::pin(self.open(None)).await
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

    fn has_rested(&self) -> bool {
        if self.http1.load(Ordering::Relaxed) {
            return false;
        }
        let shared = lock(&self.shared);
        !shared.is_empty() && shared.iter().all(|connection| connection.rested() > RESTED)
    }

    fn existing(&self, now: Instant) -> Option<Lease> {
        if let Some(connection) = self.idle.take(now) {
            return Some(self.own(connection));
        }
        if self.http1.load(Ordering::Relaxed) {
            return None;
        }
        let mut shared = lock(&self.shared);
        shared.retain(|shared| !shared.sender.is_closed() && shared.rested() <= IDLE);
        shared.iter().find_map(Http2::share).map(Lease::Http2)
    }

    fn own(&self, connection: Http1) -> Lease {
        Lease::Http1 { connection: Some(connection), home: Arc::clone(&self.idle) }
    }

    /// `turn` is given back when a connection is open whose limit of calls is known.
    async fn open(&self, turn: Option<OwnedMutexGuard<()>>) -> Result<Lease, Error> {
        let dialled = self.dialler.dial().await?;
        let failed = |error: hyper::Error| failure::before_headers(&error, &self.origin);
        if !dialled.http2 {
            self.http1.store(true, Ordering::Relaxed);
            let heard = Arc::new(AtomicBool::new(false));
            let io = Heard { io: dialled.io, heard: Arc::clone(&heard) };
            let (sender, connection) = http1::Builder::new()
                .max_headers(MAX_HEADERS)
                .max_buf_size(MAX_HEAD)
                .handshake(TokioIo::new(Box::new(io) as Box<dyn Stream>))
                .await
                .map_err(failed)?;
            let connection = Some(Box::new(connection));
            let (since, reused, look) = (Instant::now(), false, dialled.look);
            return Ok(self.own(Http1 { sender, connection, since, reused, heard, look }));
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

#[cfg(test)]
mod tests;
