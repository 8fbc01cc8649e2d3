//! The network: providers that follow a schedule, over pipes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use liter_llm_core::http::{Connecting, Network, Stream};
use serde_json::Value;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::time::sleep;

use super::fault::{Script, Step};
use super::schedule::{DialFault, Schedule, key};
use super::wire::text;
use super::world::{Conn, Dial, Dialled, Exchange, World};

tokio::task_local! {
    /// The call on whose behalf something is done.
    pub(crate) static CALL: usize;
}

pub(crate) struct Net {
    pub(crate) world: Arc<World>,
    pub(crate) schedule: Arc<Schedule>,
}

impl Network for Net {
    fn connect<'a>(&'a self, host: &'a str, _port: u16) -> Connecting<'a> {
        Box::pin(async move {
            let target = host.trim_start_matches('t').split('.').next();
            let target: usize = target.and_then(|n| n.parse().ok()).expect("a host of ours");
            let dialling = Dialling::new(&self.world, target);
            match self.schedule.dial(target, dialling.number, self.world.now()) {
                DialFault::None(after) => sleep(after).await,
                DialFault::Refused(after) => {
                    sleep(after).await;
                    dialling.end(Dialled::Refused);
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                DialFault::Hangs => std::future::pending().await,
            }
            let (near, far) = tokio::io::duplex(self.schedule.pipe);
            let conn = self.world.log().conns.len();
            let (closed, reset) = (None, None);
            self.world.log().conns.push(Conn { closed, requests: 0, reset, heard: false });
            dialling.end(Dialled::Opened(conn));
            let server = Server {
                world: Arc::clone(&self.world),
                schedule: Arc::clone(&self.schedule),
                target,
                conn,
                io: far,
            };
            tokio::spawn(server.run());
            let near = Near { world: Arc::clone(&self.world), conn, io: near };
            Ok(Box::new(near) as Box<dyn Stream>)
        })
    }
}

/// A connection that is being opened; dropped when nobody waits for it any more.
struct Dialling<'a> {
    world: &'a World,
    number: usize,
}

impl<'a> Dialling<'a> {
    fn new(world: &'a World, target: usize) -> Self {
        let call = CALL.try_with(|call| *call).ok();
        let whose = call.map_or_else(|| "no call".to_owned(), |call| format!("call {call}"));
        let number = world.log().dials.len();
        let begun = world.note(format_args!("dial {number} to t{target} for {whose}"));
        world.log().dials.push(Dial { call, target, begun, end: None });
        Dialling { world, number }
    }

    fn end(self, how: Dialled) {
        self.say(how);
    }

    fn say(&self, how: Dialled) {
        if self.world.log().dials[self.number].end.is_none() {
            let stamp = self.world.note(format_args!("dial {}: {how:?}", self.number));
            self.world.log().dials[self.number].end = Some((stamp, how));
        }
    }
}

impl Drop for Dialling<'_> {
    fn drop(&mut self) {
        self.say(Dialled::Dropped);
    }
}

/// The client's end.
struct Near {
    world: Arc<World>,
    conn: usize,
    io: DuplexStream,
}

impl Near {
    fn is_reset(&self, wanted: fn(bool) -> bool) -> io::Result<()> {
        match self.world.log().conns[self.conn].reset {
            Some(lossy) if wanted(lossy) => Err(io::ErrorKind::ConnectionReset.into()),
            _ => Ok(()),
        }
    }
}

impl AsyncRead for Near {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_reset(|lossy| lossy)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = read
            && buf.filled().len() == before
        {
            self.is_reset(|_| true)?;
        }
        if buf.filled().len() > before {
            self.world.log().conns[self.conn].heard = true;
        }
        read
    }
}

impl AsyncWrite for Near {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        let stamp = self.world.note(format_args!("connection {}: the client left", self.conn));
        self.world.log().conns[self.conn].closed = Some(stamp);
    }
}

/// The far end of one connection.
struct Server {
    world: Arc<World>,
    schedule: Arc<Schedule>,
    target: usize,
    conn: usize,
    io: DuplexStream,
}

impl Server {
    async fn run(mut self) {
        loop {
            let rest = self.schedule.targets[self.target].keep_alive;
            let Ok(request) = tokio::time::timeout(rest, self.request()).await else {
                self.world.note(format_args!("connection {}: closed at rest", self.conn));
                return;
            };
            let Some((head, body)) = request else { return };
            let (exchange, script) = self.begin(&head, &body);
            if !self.play(exchange, script).await {
                return;
            }
        }
    }

    /// The next request, as head and body; `None`: the client has left.
    async fn request(&mut self) -> Option<(String, Value)> {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1)?.lines().next()?.trim().parse();
                let length: usize = length.ok()?;
                if bytes.len() >= end + 4 + length {
                    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                    return Some((head, serde_json::from_slice(&bytes[end + 4..]).ok()?));
                }
            }
            if self.io.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Writes a request down and decides what is done with it.
    fn begin(&self, head: &str, body: &Value) -> (usize, Script) {
        let (target, conn) = (self.target, self.conn);
        let prompt = body["messages"][0]["content"].as_str().unwrap_or_default();
        let call = prompt.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a call's number");
        let stream = body["stream"] == true;
        let number = self.world.log().exchanges.len();
        let mut rng = self.schedule.rng("exchange", number);
        let fault = self.schedule.fault(target, self.world.now(), &mut rng);
        let what = if stream { "stream" } else { "whole" };
        let seen = self.world.note(format_args!(
            "request {number} of call {call} ({what}) at t{target}, connection {conn}: {fault:?}"
        ));
        let text = text(number, &mut rng);
        let script = fault.script(stream, &text, &key(target), &mut rng);
        let mut log = self.world.log();
        if !head.contains(&format!("Bearer {}", key(target))) {
            log.wrong.push(format!("request {number}: not with the key of t{target}: {head}"));
        }
        log.conns[conn].requests += 1;
        log.conns[conn].heard = false;
        let complete = script.complete;
        let (sent, whole, over) = (0, None, None);
        log.exchanges.push(Exchange {
            call,
            target,
            conn,
            stream,
            seen,
            fault,
            text,
            sent,
            complete,
            whole,
            over,
            stale: false,
        });
        (number, script)
    }

    /// Sends bytes, each of which is counted before the client can read it. `false`: it has left.
    async fn send(&mut self, exchange: usize, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let Ok(sent) = self.io.write(bytes).await else { return false };
            bytes = &bytes[sent..];
            let mut log = self.world.log();
            let record = &mut log.exchanges[exchange];
            record.sent += sent;
            let complete = record.sent >= record.complete && record.whole.is_none();
            drop(log);
            if complete {
                let whole = self.world.note(format_args!("request {exchange}: complete"));
                self.world.log().exchanges[exchange].whole = Some(whole);
            }
        }
        true
    }

    /// The connection ends in the middle of an exchange; `lossy`: with what is still on the way.
    fn end(&self, exchange: usize, lossy: bool) {
        let mut log = self.world.log();
        let conn = &log.conns[self.conn];
        let (reused, heard) = (conn.requests > 1, conn.heard);
        let record = &mut log.exchanges[exchange];
        record.stale = reused && (record.sent == 0 || lossy && !heard);
    }

    /// `false`: the connection is over.
    async fn play(&mut self, exchange: usize, script: Script) -> bool {
        let mut open = true;
        for step in script.steps {
            match step {
                Step::Wait(time) => sleep(time).await,
                Step::Send(bytes) => {
                    if !self.send(exchange, &bytes).await {
                        open = false;
                        break;
                    }
                }
                Step::Hang => {
                    // Until the client leaves.
                    let _ = self.io.read(&mut [0; 64]).await;
                    open = false;
                    break;
                }
                Step::Close => {
                    self.end(exchange, false);
                    open = false;
                    break;
                }
                Step::Reset { lossy } => {
                    self.end(exchange, lossy);
                    self.world.log().conns[self.conn].reset = Some(lossy);
                    open = false;
                    break;
                }
            }
        }
        let how = if open { "answered" } else { "over, and its connection" };
        let sent = self.world.log().exchanges[exchange].sent;
        let over = self.world.note(format_args!("request {exchange}: {how}, after {sent} bytes"));
        self.world.log().exchanges[exchange].over = Some(over);
        open
    }
}

/// A provider that never closes a connection at rest.
pub(crate) const NEVER: Duration = Duration::from_secs(1_000_000);
