//! Fetches what a source of keys or an issuer of tokens says, over the engine's own HTTP.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::http::{self, Again, Deadline, Lookups, Pool, Received};
use crate::wire::Request;

/// The most bytes of an answer. Keys take a few hundred.
const MOST: usize = 64 << 10;

/// What connections are made with.
#[derive(Clone)]
pub struct Network {
    /// The look-ups of names.
    pub lookups: Lookups,
    /// What opens connections instead of TCP.
    pub network: Option<Arc<dyn http::Network>>,
}

impl Network {
    /// Sends one request, and returns status and body. A connection is made for it. The error is the
    /// reason; it quotes nothing of an answer.
    pub(in crate::auth) async fn fetch(
        &self,
        settings: &http::Settings,
        request: Request,
        blocking: Option<&Handle>,
    ) -> Result<(u16, Bytes), String> {
        let shares = Arc::new(AtomicBool::new(false));
        let network = self.network.clone();
        let blocking = blocking.cloned();
        let pool = Pool::new(settings.clone(), 0, blocking, &self.lookups, network, &shares);
        let reason = |error: Error| error.message.clone();
        let request = pool.prepare(request, &[], None).map_err(reason)?;
        let start = Instant::now();
        let end = start + settings.timeouts.total;
        let deadline = Deadline::new(&settings.timeouts, false, start, start, end, None);
        let kept = request.clone();
        let again = || -> Again<'_> { Box::pin(ready(Ok(kept))) };
        let received = pool.send(request, again, &deadline, |_| ()).await.map_err(reason)?;
        let Received { status, body, .. } = received;
        let body = body.collect(&deadline, true, |length| match length {
            0..=MOST => Ok(()),
            _ => Err(Error::new(ErrorKind::BadResponse, "the answer is larger than 64 KiB")),
        });
        Ok((status, body.await.map_err(reason)?))
    }
}

/// The timers for a server on this machine's own network: what is not there answers nothing.
#[must_use]
pub fn near() -> http::Timeouts {
    http::Timeouts {
        connect: Duration::from_secs(1),
        total: Duration::from_secs(5),
        ..http::Timeouts::default()
    }
}

/// The timers for a token service.
#[must_use]
pub fn far() -> http::Timeouts {
    http::Timeouts { total: Duration::from_secs(20), ..http::Timeouts::default() }
}
