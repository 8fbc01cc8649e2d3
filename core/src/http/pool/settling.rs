//! What a pool and its connections share: how long a connection may rest, and the bytes of one that
//! is being opened.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedMutexGuard;

use crate::http::connect::Stream;

pub(in crate::http) type Body = Full<Bytes>;

/// Longer than most servers keep an idle connection, so that the servers decide, not we.
pub(super) const IDLE: Duration = Duration::from_secs(90);

/// A connection's bytes, with the turn of the call that opened it. The turn is held until the
/// server's first frames, its settings, have been read and handled. That is when more bytes are
/// asked for.
pub(super) struct Settling {
    pub(super) io: Box<dyn Stream>,
    pub(super) turn: Option<Arc<OwnedMutexGuard<()>>>,
    pub(super) begun: bool,
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
