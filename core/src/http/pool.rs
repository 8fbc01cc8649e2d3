//! Keeps the connections to one provider.
//!
//! An HTTP/1.1 connection is polled by the call that uses it, not by its own task. So an exchange
//! costs no hop between tasks, and a dropped call closes its socket at once. Idle connections are
//! kept, as many as there may be calls in flight, so that a steady load opens none. Nobody polls an
//! idle connection. Its socket is read before each use, and twice a second by a task (`idle`);
//! anything in it closes it.
//!
//! An HTTP/2 connection is shared and has tasks. When all are full to the server's limit of streams,
//! one more is opened. (Clients that open one connection for each host queue silently beyond that
//! limit.)
//!
//! A request is sent again if it is certain that the server did not take it. Either the connection
//! ended before it took the request, or the server said so (a refused stream, a GOAWAY with an
//! earlier last stream). There is one exception: a reused HTTP/1.1 connection that ends before one
//! byte of an answer. A server may close an idle connection at the moment of its use, and no look at
//! the socket beforehand shows that. The request goes once more, on a fresh connection (ADR 18).
//!
//! Connections belong to the tokio runtime that opened them: a second runtime needs its own pool.

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};
use std::time::Duration;

use ::http::Uri;
use ::http::header::HeaderValue;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::connect::{Dialler, Network};
use super::failure;
use super::lookup::Lookups;
use super::settings::Settings;
use crate::error::Error;

mod exclusive;
mod heard;
mod idle;
mod lease;
mod settling;

pub(crate) use idle::give_way;
pub(super) use lease::{Lease, Sent};

use exclusive::Http1;
use heard::Heard;
use idle::Idle;
use lease::{Http2, Polled, Share, UNSAID};
use settling::{IDLE, Settling, lock};

/// The largest size of a response's head, so that an endless one cannot fill the memory.
const MAX_HEAD: usize = 256 << 10;
const MAX_HEADERS: usize = 256;
/// Shared connections that have rested this long are checked only after the runtime has checked its
/// sockets. A runtime whose thread was busy does not know yet what the server closed.
const RESTED: Duration = Duration::from_millis(100);

/// The connections to one provider.
pub struct Pool {
    pub(super) settings: Settings,
    pub(super) dialler: Dialler,
    /// The runtime beside that of its calls, if there is one.
    engine: Option<Handle>,
    /// The origin, and the proxy on the way to it, for messages.
    pub(super) origin: String,
    /// The `host` header of every request.
    pub(super) host: HeaderValue,
    /// An adapter's path, and the request target that it makes for this provider.
    pub(super) target: OnceLock<(Cow<'static, str>, Uri)>,
    idle: Arc<Idle>,
    shared: Mutex<Vec<Arc<Http2>>>,
    /// Whether a pool of this client has ever had a shared connection.
    shares: Arc<AtomicBool>,
    /// Held during the opening of a connection that is not known to be HTTP/1.1, and until the
    /// server has said how many calls may share it. Otherwise many first calls would each open a
    /// shared connection.
    opening: Arc<tokio::sync::Mutex<()>>,
    /// The last failure to open a connection, and its time. All calls that waited for it fail with
    /// it.
    failed: Mutex<Option<(Instant, Error)>>,
    http1: AtomicBool,
}

impl Pool {
    /// A pool that keeps up to `most_idle` idle connections. Nothing is opened yet. `blocking` is
    /// the runtime whose threads look up names; without it, the call's runtime does. `network`
    /// replaces TCP. `shares` is set with the first shared connection.
    #[must_use]
    pub fn new(
        settings: Settings,
        most_idle: usize,
        blocking: Option<Handle>,
        lookups: &Lookups,
        network: Option<Arc<dyn Network>>,
        shares: &Arc<AtomicBool>,
    ) -> Self {
        let dialler = Dialler::new(&settings, blocking.clone(), lookups, network);
        Pool {
            http1: AtomicBool::new(dialler.only_http1()),
            origin: dialler.way().to_owned(),
            dialler,
            engine: blocking.clone(),
            // A header may hold everything that an authority may.
            host: HeaderValue::try_from(settings.base_url.authority().map_or("", |a| a.as_str()))
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            target: OnceLock::new(),
            idle: Idle::new(most_idle, blocking),
            settings,
            shared: Mutex::default(),
            shares: Arc::clone(shares),
            opening: Arc::default(),
            failed: Mutex::default(),
        }
    }

    /// What its requests' paths follow.
    pub(crate) fn base_url(&self) -> &Uri {
        &self.settings.base_url
    }

    /// The runtime whose threads may block, if it is not that of the calls.
    pub(crate) fn blocking(&self) -> Option<&Handle> {
        self.engine.as_ref()
    }

    /// Closes the idle connections, and the others once their last call has ended. No connection is
    /// kept from now on.
    pub(crate) fn close(&self) {
        self.idle.close();
        lock(&self.shared).clear();
    }

    /// Closes the shared connections whose server leaves, and those that have rested too long.
    /// `false` means that none is left.
    pub(crate) fn tend_shared(&self) -> bool {
        let mut shared = lock(&self.shared);
        shared.retain(|shared| shared.rested() <= IDLE && !shared.is_leaving());
        !shared.is_empty()
    }

    /// A connection that is ready for a request.
    pub(super) async fn lease(&self) -> Result<Lease, Error> {
        if self.has_rested() {
            // The first yield lets the sockets be checked, and the second lets the tasks run that
            // they wake.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        if let Some(lease) = self.existing(Instant::now()) {
            return Ok(lease);
        }
        // Boxed: opening is rare, and without the box every call's future would have room for this
        // large one.
        Box::pin(async {
            if self.http1.load(Ordering::Relaxed) {
                return self.open(None).await;
            }
            self.wait_to_open().await
        })
        .await
    }

    /// A new connection, instead of one that had ended or was leaving.
    pub(super) async fn lease_fresh(&self) -> Result<Lease, Error> {
        Box::pin(self.open(None)).await
    }

    /// Waits while another call opens a connection that this call could share. Then it opens one.
    async fn wait_to_open(&self) -> Result<Lease, Error> {
        let asked = Instant::now();
        // Twice the time, because the call that opens has as much for itself. A server that never
        // says its settings is not waited for much longer.
        let turn = Arc::clone(&self.opening).lock_owned();
        let turn = tokio::time::timeout(self.dialler.timeout() * 2, turn).await.ok();
        if let Some(lease) = self.existing(Instant::now()) {
            return Ok(lease);
        }
        if self.http1.load(Ordering::Relaxed) {
            // The previous call found that out, so no call has to wait for the others any more.
            drop(turn);
            return self.open(None).await;
        }
        // A failure during this call's wait is not tried again for it. Otherwise the last of many
        // calls would wait for as many timeouts.
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
        if !self.tend_shared() {
            return None;
        }
        lock(&self.shared).iter().find_map(Http2::share).map(Lease::Http2)
    }

    fn own(&self, connection: Http1) -> Lease {
        Lease::Http1 { connection: Some(connection), home: Arc::clone(&self.idle) }
    }

    /// Opens a connection. `turn` is given back once the connection is open and its limit of calls
    /// is known.
    async fn open(&self, turn: Option<OwnedMutexGuard<()>>) -> Result<Lease, Error> {
        let dialled = self.dialler.dial(give_way).await?;
        let failed = |error: hyper::Error| failure::before_headers(&error, &self.origin);
        if !dialled.http2 {
            self.http1.store(true, Ordering::Relaxed);
            let heard = Arc::new(AtomicBool::new(false));
            let io = Heard { io: dialled.io, heard: Arc::clone(&heard) };
            let (sender, connection) = http1::Builder::new()
                .max_headers(MAX_HEADERS)
                .max_buf_size(MAX_HEAD)
                .handshake(TokioIo::new(io))
                .await
                .map_err(failed)?;
            let connection = Some(Box::new(connection));
            let (since, reused, look) = (Instant::now(), false, dialled.look);
            return Ok(self.own(Http1 { sender, connection, since, reused, heard, look }));
        }
        // A server may still speak HTTP/2 if a balancer has several servers behind it.
        self.http1.store(false, Ordering::Relaxed);
        // The turn is kept here too until other calls can find the connection.
        let turn = turn.map(Arc::new);
        let io = TokioIo::new(Settling { io: dialled.io, turn: turn.clone(), begun: false });
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .max_header_list_size(MAX_HEAD as u32)
            .initial_stream_window_size(1 << 20)
            // Each stream is bounded by its own window. A connection window without room for all of
            // them would let slow readers hold up the others.
            .initial_connection_window_size(i32::MAX as u32)
            .initial_max_send_streams(UNSAID)
            .handshake(io)
            .await
            .map_err(failed)?;
        let waker = Waker::noop().clone();
        let connection = Arc::new(Mutex::new(Some(Polled { connection, waker })));
        let task = Arc::clone(&connection);
        // Its errors reach the calls that it serves, so the result is not needed.
        tokio::spawn(poll_fn(move |cx| {
            let mut connection = lock(&task);
            let Some(polled) = connection.as_mut() else { return Poll::Ready(()) };
            polled.waker.clone_from(cx.waker());
            if !polled.is_over() {
                return Poll::Pending;
            }
            // It would keep the socket open.
            *connection = None;
            Poll::Ready(())
        }));
        let (in_flight, since) = (AtomicUsize::new(1), Mutex::new(Instant::now()));
        let shared = Arc::new(Http2 { sender, connection, in_flight, since });
        lock(&self.shared).push(Arc::clone(&shared));
        self.shares.store(true, Ordering::Relaxed);
        drop(turn);
        Ok(Lease::Http2(Share(shared)))
    }
}

#[cfg(test)]
mod tests;

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}
