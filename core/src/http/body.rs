//! Reads the body of an answer: in parts, decompressed, within its time.

use std::future::poll_fn;
use std::io::Write;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use bytes::{Buf, Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use hyper::body::Incoming;

use super::pool::Lease;
use super::{Deadline, failure};
use crate::codec::MAX_DOCUMENT;
use crate::error::{Error, ErrorKind};

/// How many bytes are decompressed at a time, so that a small part cannot become a huge one.
const INFLATED: usize = 64 << 10;
/// How many bytes are handed on without a wait. Then the clock is read and other tasks have their
/// turn, because no timer fires by itself while data is always there.
const TURN: usize = 256 << 10;
/// How many bytes of a stream are decoded without a wait. Decoding costs far more than reading, and
/// the other calls of the same thread go on meanwhile.
const PIECE: usize = 32 << 10;

/// A body that is read in parts. Dropping it before its end closes the socket (HTTP/1.1) or the
/// stream (HTTP/2).
pub struct Body {
    incoming: Incoming,
    lease: Lease,
    coding: Coding,
    origin: String,
    /// The number of bytes handed on since other tasks had their turn.
    turn: usize,
    /// What has been read and not been handed on.
    rest: Bytes,
}

/// The compression of a body.
pub(super) enum Coding {
    None,
    Gzip(Box<Inflate>),
    /// One that was not asked for. The status of an error is enough without its text.
    Unknown,
}

/// Decompresses gzip. Several members in a row are one body, as RFC 1952 defines. Other bytes
/// behind them are an error, and so is an end before theirs.
pub(super) struct Inflate {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// Bytes that have arrived and are not decompressed yet.
    waiting: Bytes,
    begun: bool,
}

impl Inflate {
    /// The next piece of these bytes. Empty when they are used up.
    fn piece(&mut self) -> Result<Bytes, Error> {
        while !self.waiting.is_empty() && self.decoder.get_ref().len() < INFLATED {
            // One write yields at most 32 KiB.
            let taken = self.decoder.write(&self.waiting).map_err(|error| broken_gzip(&error))?;
            self.begun = true;
            self.waiting.advance(taken);
        }
        // An event that has arrived must be delivered now.
        self.decoder.flush().map_err(|error| broken_gzip(&error))?;
        Ok(Bytes::from(std::mem::take(self.decoder.get_mut())))
    }

    /// Ends the body: checks that the data has ended too, and returns the rest of it. A missing
    /// body is an empty one.
    fn end(&mut self) -> Result<Bytes, Error> {
        if self.begun {
            self.decoder.try_finish().map_err(|error| broken_gzip(&error))?;
        }
        Ok(Bytes::from(std::mem::take(self.decoder.get_mut())))
    }
}

impl Coding {
    /// The compression that the headers name.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut codings = headers.get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
        let is = |value: &[u8], names: &[&str]| {
            names.iter().any(|name| value.eq_ignore_ascii_case(name.as_bytes()))
        };
        match (codings.next(), codings.next()) {
            (None, _) => Coding::None,
            (Some(value), None) if is(value, &["identity", ""]) => Coding::None,
            (Some(value), None) if is(value, &["gzip", "x-gzip"]) => {
                let decoder = MultiGzDecoder::new(Vec::new());
                Coding::Gzip(Box::new(Inflate { decoder, waiting: Bytes::new(), begun: false }))
            }
            _ => Coding::Unknown,
        }
    }
}

impl Body {
    pub(super) fn new(incoming: Incoming, lease: Lease, coding: Coding, origin: String) -> Self {
        Body { incoming, lease, coding, origin, turn: 0, rest: Bytes::new() }
    }

    /// The next part of a stream. `None` at the body's proper end. `content` means that the first
    /// content has arrived.
    pub async fn next(
        &mut self,
        deadline: &Deadline,
        content: bool,
    ) -> Result<Option<Bytes>, Error> {
        self.part(deadline, content, true).await
    }

    /// The next piece of a stream that is decoded at once. It is small: between two pieces of one
    /// read the clock is looked at and other tasks have their turn.
    pub async fn piece(
        &mut self,
        deadline: &Deadline,
        content: bool,
    ) -> Result<Option<Bytes>, Error> {
        if !self.rest.is_empty() {
            tokio::task::yield_now().await;
            deadline.check(content)?;
        } else if let Some(bytes) = self.part(deadline, content, true).await? {
            self.rest = bytes;
        } else {
            return Ok(None);
        }
        if self.rest.len() <= PIECE {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        Ok(Some(self.rest.split_to(PIECE)))
    }

    /// The whole body. `content` means that the wait for the first part is no longer than for the
    /// others. Otherwise it may be longer, because a model may think between the head and the
    /// answer. `hold` makes room for so many bytes in all.
    pub async fn collect(
        mut self,
        deadline: &Deadline,
        content: bool,
        mut hold: impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        // The body is no stream, so it has no first token.
        let begin = deadline.without_first_token();
        let Some(first) = self.part(&begin, content, false).await? else { return Ok(Bytes::new()) };
        hold(first.len())?;
        loop {
            let part = self.part(deadline, true, false).await?;
            let Some(part) = part else {
                return Ok(if whole.is_empty() { first } else { whole.freeze() });
            };
            if whole.is_empty() {
                whole.reserve((first.len() + part.len()) * 2);
                whole.extend_from_slice(&first);
            }
            if whole.len() + part.len() > MAX_DOCUMENT {
                let message = "the answer is larger than 32 MiB (after decompression)";
                return Err(Error::new(ErrorKind::BadResponse, message));
            }
            hold(whole.len() + part.len())?;
            whole.extend_from_slice(&part);
        }
    }

    /// Some bytes, never none. `None` at the end. One part is far smaller than a document may be.
    async fn part(
        &mut self,
        deadline: &Deadline,
        content: bool,
        stream: bool,
    ) -> Result<Option<Bytes>, Error> {
        if self.turn >= TURN {
            self.turn = 0;
            tokio::task::yield_now().await;
            deadline.check(content)?;
        }
        let part = self.read(deadline, content, stream).await?;
        self.turn += part.as_ref().map_or(0, Bytes::len);
        Ok(part)
    }

    async fn read(
        &mut self,
        deadline: &Deadline,
        content: bool,
        stream: bool,
    ) -> Result<Option<Bytes>, Error> {
        loop {
            match &mut self.coding {
                Coding::None => {}
                Coding::Unknown => return Ok(None),
                Coding::Gzip(gzip) => {
                    let piece = gzip.piece()?;
                    if !piece.is_empty() {
                        return Ok(Some(piece));
                    }
                }
            }
            let frame = poll_fn(|cx| self.lease.poll_frame(&mut self.incoming, cx));
            let data = match deadline.part(content, frame).await? {
                None => {
                    self.lease.release();
                    return match std::mem::replace(&mut self.coding, Coding::None) {
                        Coding::Gzip(mut gzip) => {
                            let rest = gzip.end()?;
                            Ok((!rest.is_empty()).then_some(rest))
                        }
                        Coding::None | Coding::Unknown => Ok(None),
                    };
                }
                Some(Err(error)) => return Err(failure::in_body(&error, &self.origin, stream)),
                // Trailers hold nothing of use.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_) => continue,
                },
            };
            match &mut self.coding {
                Coding::Gzip(gzip) => gzip.waiting = data,
                _ if data.is_empty() => {}
                _ => return Ok(Some(data)),
            }
        }
    }

    /// Reads the rest after a stream's terminal event, so that the connection can be used again.
    /// That is nearly always the end of the body, and it has nearly always arrived.
    pub fn finish(mut self) {
        let mut at_once = Context::from_waker(Waker::noop());
        for _ in 0..16 {
            match self.lease.poll_frame(&mut self.incoming, &mut at_once) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None) => return self.lease.release(),
                Poll::Ready(Some(Err(_))) => return,
                Poll::Pending => break,
            }
        }
        // A server that goes on is cut off, because its connection is worth less than the wait. So is
        // everyone if the client is closed.
        let (closed, engine) = (self.lease.closed(), self.lease.engine().cloned());
        let drain = async move {
            for _ in 0..16 {
                match poll_fn(|cx| self.lease.poll_frame(&mut self.incoming, cx)).await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) => return,
                    None => return self.lease.release(),
                }
            }
        };
        let drain = async move {
            tokio::select! {
                () = closed => {}
                _ = tokio::time::timeout(Duration::from_secs(1), drain) => {}
            }
        };
        // A caller's thread may never run its own runtime again.
        match engine {
            Some(engine) => engine.spawn(drain),
            None => tokio::spawn(drain),
        };
    }
}

fn broken_gzip(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the answer's gzip data is broken: {error}"))
}
