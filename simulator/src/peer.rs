//! The other end of a connection: a socket with its read buffer, and a check that the peer is still
//! there.
//!
//! Invariant: every wait (a full send buffer, a delay, a stall, for ever) also reads. So a peer
//! that goes away is noticed at once. Bytes that a pipelining client sends meanwhile are kept for
//! later.
//!
//! A peer that only half-closes its socket counts as gone, because no HTTP client library does
//! that.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

/// A byte stream over TCP that can be reset.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// The most bytes that are read ahead while an answer is going out.
const READ_AHEAD: usize = 64 << 10;

pub(crate) struct Peer<S> {
    pub(crate) io: S,
    pub(crate) buffer: BytesMut,
}

impl<S: Socket> Peer<S> {
    pub(crate) fn new(io: S) -> Self {
        Self { io, buffer: BytesMut::with_capacity(4 << 10) }
    }

    /// Reads some more. Returns false at the end of the stream.
    pub(crate) async fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        self.buffer.reserve(wanted.saturating_sub(self.buffer.len()).max(1 << 10));
        Ok(self.io.read_buf(&mut self.buffer).await? > 0)
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sent = 0;
        poll_fn(|cx| {
            while sent < bytes.len() {
                match Pin::new(&mut self.io).poll_write(cx, &bytes[sent..])? {
                    Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(count) => sent += count,
                    Poll::Pending => return self.poll_gone(cx).map(Err),
                }
            }
            match Pin::new(&mut self.io).poll_flush(cx) {
                Poll::Pending => self.poll_gone(cx).map(Err),
                done => done,
            }
        })
        .await
    }

    /// Waits until then. Returns an error if the peer went away meanwhile.
    pub(crate) async fn wait_until(&mut self, deadline: Instant) -> io::Result<()> {
        let mut timer = pin!(tokio::time::sleep_until(deadline));
        poll_fn(|cx| {
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            self.poll_gone(cx).map(Err)
        })
        .await
    }

    /// Waits for the peer to go away.
    pub(crate) async fn gone(&mut self) -> io::Error {
        poll_fn(|cx| self.poll_gone(cx)).await
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        while self.buffer.len() < READ_AHEAD {
            self.buffer.reserve(1 << 10);
            match ready!(pin!(self.io.read_buf(&mut self.buffer)).poll(cx)) {
                Ok(0) => return Poll::Ready(io::ErrorKind::ConnectionAborted.into()),
                Ok(_) => {}
                Err(error) => return Poll::Ready(error),
            }
        }
        Poll::Pending
    }
}
