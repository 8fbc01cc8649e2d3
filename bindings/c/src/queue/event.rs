//! Events and their records, as `liter_llm_event` lays them out.

use super::{Event, HEAD, lock};

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
        head[24..32].fill(0);
        payload.copy_from_slice(&self.payload);
        padding.fill(0);
    }

    /// It has been taken: its stream may read on.
    pub(super) fn read(&self) {
        if let Some(stream) = &self.stream {
            let mut unread = lock(&stream.unread);
            *unread = unread.saturating_sub(self.payload.len());
            drop(unread);
            stream.read.notify_one();
        }
    }
}
