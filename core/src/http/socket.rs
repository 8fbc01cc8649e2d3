//! A TCP connection as the pool needs it.

use std::io::Read as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection that is never written to with `writev`. That raises SIGPIPE if the peer is
/// gone, but tokio's plain write asks the system not to. Calls may run on threads of the host.
pub(super) struct Quiet {
    io: TcpStream,
    look: Look,
}

/// While it is on, reads ask the system itself. tokio asks only once its runtime has heard of
/// something, and the runtime of a caller's thread does not run between calls.
#[derive(Clone, Default)]
pub(super) struct Look(Arc<AtomicBool>);

impl Look {
    /// Does `work`, whose reads see everything that lies in the socket.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.store(true, Ordering::Relaxed);
        let done = work();
        self.0.store(false, Ordering::Relaxed);
        done
    }
}

impl Quiet {
    pub(super) fn new(io: TcpStream) -> Self {
        Quiet { io, look: Look::default() }
    }

    pub(super) fn look(&self) -> Look {
        self.look.clone()
    }
}

impl AsyncRead for Quiet {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.look.0.load(Ordering::Relaxed) {
            let mut piece = [0; 64];
            let room = piece.len().min(buf.remaining());
            match (&*SockRef::from(&self.io)).read(&mut piece[..room]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                read => {
                    buf.put_slice(&piece[..read?]);
                    return Poll::Ready(Ok(()));
                }
            }
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Quiet {
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
