//! The counters that every connection shares. `/_sim/stats` shows them.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use serde::Serialize;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    connections_opened: AtomicU64,
    connections_open: AtomicU64,
    streams_aborted: AtomicU64,
    requests_open: AtomicU64,
    h2_connections: AtomicU64,
}

/// What happened since the start or the last reset. Requests to `/_sim/…` are not counted, but
/// their connections are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests read completely.
    pub requests: u64,
    /// Connections accepted.
    pub connections_opened: u64,
    /// Connections open now. A reset leaves this alone.
    pub connections_open: u64,
    /// Answers that were aborted: the peer closed or reset before all was sent.
    pub streams_aborted: u64,
    /// Requests whose answer is being sent, or waits, now. A reset leaves this alone.
    pub requests_open: u64,
    /// The HTTP/2 connections among `connections_opened`.
    pub h2_connections: u64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Stats {
        let requests_open = self.requests_open.load(Acquire);
        Stats {
            requests: self.requests.load(Relaxed),
            connections_opened: self.connections_opened.load(Relaxed),
            connections_open: self.connections_open.load(Relaxed),
            streams_aborted: self.streams_aborted.load(Relaxed),
            requests_open,
            h2_connections: self.h2_connections.load(Relaxed),
        }
    }

    pub(crate) fn reset(&self) {
        for counter in
            [&self.requests, &self.connections_opened, &self.streams_aborted, &self.h2_connections]
        {
            counter.store(0, Relaxed);
        }
    }

    pub(crate) fn connection(self: &Arc<Self>) -> OpenConnection {
        self.connections_opened.fetch_add(1, Relaxed);
        self.connections_open.fetch_add(1, Relaxed);
        OpenConnection(Arc::clone(self))
    }

    pub(crate) fn h2_connection(&self) {
        self.h2_connections.fetch_add(1, Relaxed);
    }

    pub(crate) fn request(self: &Arc<Self>) -> OpenRequest {
        self.requests.fetch_add(1, Relaxed);
        self.requests_open.fetch_add(1, Relaxed);
        OpenRequest { counters: Arc::clone(self), complete: false }
    }
}

/// Counts a connection as open while it lives.
pub(crate) struct OpenConnection(Arc<Counters>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Relaxed);
    }
}

/// Counts a request as open while it lives, and as aborted if it dies before it was `complete`.
pub(crate) struct OpenRequest {
    counters: Arc<Counters>,
    complete: bool,
}

impl OpenRequest {
    pub(crate) fn complete(mut self) {
        self.complete = true;
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        // The abort is counted before the request stops being open. So a reader that sees no open
        // request sees every abort.
        if !self.complete {
            self.counters.streams_aborted.fetch_add(1, Relaxed);
        }
        self.counters.requests_open.fetch_sub(1, Release);
    }
}
