//! Events, their records as `liter_llm_event` lays them out, and what a stream holds unread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::sync::{Mutex, lock};

/// Bytes of a record's head, as `liter_llm_event` lays it out.
pub(crate) const HEAD: usize = 32;

/// What waits to be read.
#[derive(Default)]
pub(super) struct Event {
    pub(super) token: u64,
    pub(super) kind: u32,
    pub(super) status: i32,
    pub(super) count: u32,
    /// Where the member `liter` begins in the payload; 0: it has none.
    pub(super) liter: usize,
    pub(super) payload: Vec<u8>,
    pub(super) stream: Option<Arc<Stream>>,
    /// Its place among all that have come.
    pub(super) order: u64,
}

impl Event {
    /// Bytes of its record.
    pub(super) fn size(&self) -> usize {
        HEAD + self.payload.len().next_multiple_of(8)
    }

    pub(super) fn write(&self, record: &mut [u8]) {
        let (head, rest) = record.split_at_mut(HEAD);
        let (payload, padding) = rest.split_at_mut(self.payload.len());
        // Documents have at most some tens of megabytes.
        let len = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        head[0..8].copy_from_slice(&self.token.to_ne_bytes());
        head[8..12].copy_from_slice(&self.kind.to_ne_bytes());
        head[12..16].copy_from_slice(&self.status.to_ne_bytes());
        head[16..20].copy_from_slice(&len.to_ne_bytes());
        head[20..24].copy_from_slice(&self.count.to_ne_bytes());
        head[24..32].copy_from_slice(&(self.liter as u64).to_ne_bytes());
        payload.copy_from_slice(&self.payload);
        padding.fill(0);
    }

    /// It has been taken: its stream may read on, unless that waits for credit.
    pub(super) fn read(&self) {
        if let Some(stream) = &self.stream
            && !stream.on_credit
        {
            stream.took(self.payload.len());
        }
    }
}

/// What one stream holds unread, and how its reader reads it.
#[derive(Default)]
pub(crate) struct Stream {
    unread: Mutex<Unread>,
    /// Something was read, or the reader has said that it only collects.
    read: Notify,
    /// The reader wants no chunk, but only the whole answer.
    collected: AtomicBool,
    /// What was taken from the queue is unread until the host gives credit for it.
    on_credit: bool,
}

#[derive(Default)]
struct Unread {
    bytes: usize,
    /// A chunk was taken.
    taken: bool,
}

impl Stream {
    pub(super) fn new(on_credit: bool) -> Self {
        Stream { on_credit, ..Stream::default() }
    }

    /// The host has consumed so many bytes of chunks. Without credit the reads of the queue count.
    pub(super) fn credit(&self, bytes: u64) {
        if self.on_credit {
            self.took(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
    }

    pub(super) fn add(&self, bytes: usize) {
        lock(&self.unread).bytes += bytes;
    }

    fn took(&self, bytes: usize) {
        let mut unread = lock(&self.unread);
        unread.bytes = unread.bytes.saturating_sub(bytes);
        unread.taken = true;
        drop(unread);
        self.read.notify_one();
    }

    pub(super) fn collect(&self) {
        self.collected.store(true, Ordering::Release);
        self.read.notify_one();
    }

    pub(crate) fn is_collected(&self) -> bool {
        self.collected.load(Ordering::Acquire)
    }

    /// Whether the reader only collects the answer. Waits while the reader has not said so and has
    /// read none of the chunks that are there. If there are none, it may be waiting for the error.
    pub(crate) async fn collects(&self) -> bool {
        loop {
            let read = self.read.notified();
            if self.is_collected() {
                return true;
            }
            let waits = {
                let unread = lock(&self.unread);
                !unread.taken && unread.bytes > 0
            };
            if !waits {
                return false;
            }
            read.await;
        }
    }

    /// Waits until at most `most` bytes are unread.
    pub(super) async fn room(&self, most: usize) {
        loop {
            let read = self.read.notified();
            if lock(&self.unread).bytes <= most {
                return;
            }
            read.await;
        }
    }
}
