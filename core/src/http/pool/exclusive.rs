//! An HTTP/1.1 connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Waker};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::heard::Heard;
use super::settling::{Body, IDLE};
use crate::http::socket::Look;

/// A connection for one call at a time.
pub(in crate::http) struct Http1 {
    pub(super) sender: http1::SendRequest<Body>,
    /// `None` means that it has ended. hyper hands back a request that it did not take only when
    /// the connection is dropped. If it were kept, the call would wait for ever.
    pub(super) connection: Option<Box<Exclusive>>,
    pub(super) since: Instant,
    pub(super) reused: bool,
    /// Whether a byte has come since the last request went out.
    pub(super) heard: Arc<AtomicBool>,
    pub(super) look: Look,
}

type Exclusive = http1::Connection<TokioIo<Heard>, Body>;

impl Http1 {
    /// Whether it is still open, as far as that shows without a wait.
    pub(super) fn is_usable(&mut self, now: Instant) -> bool {
        if self.expired(now) {
            return false;
        }
        // Nobody polls an idle connection, so it sees only here that the server closed it. Bytes
        // that nobody asked for end it too, because they would be taken for the next answer.
        let look = self.look.clone();
        look.during(|| self.drive(&mut Context::from_waker(Waker::noop())));
        self.connection.is_some() && !self.sender.is_closed()
    }

    pub(super) fn expired(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) > IDLE
    }

    /// Lets the connection write its waiting bytes and read those that have come. Its result at the
    /// end is not needed, because the exchange reports it too.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(&mut **connection).poll(cx).is_ready()
        {
            self.connection = None;
        }
    }
}
