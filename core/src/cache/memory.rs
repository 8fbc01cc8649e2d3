//! The first tier: answers in the memory of the process, bounded by their bytes.
//!
//! Expiry stands in an entry and is looked at when it is read. What nobody asks for any more makes
//! room for others.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::entry::Entry;
use super::key::{Key, Tag};
use crate::config::SHARDS;

/// The average size of an entry that the tables are made for, in bytes.
const AVERAGE: u64 = 4_096;

/// Answers by their questions.
pub(super) struct Memory(Cache<Key, Arc<Entry>, Weigh>);

#[derive(Clone)]
struct Weigh;

impl Weighter<Key, Arc<Entry>> for Weigh {
    fn weight(&self, _: &Key, entry: &Arc<Entry>) -> u64 {
        entry.weight
    }
}

impl Memory {
    /// A memory that keeps up to so many bytes.
    pub(super) fn new(bytes: u64) -> Memory {
        // A shard has 32 entries at least, or there are fewer of them.
        let entries = usize::try_from(bytes / AVERAGE).unwrap_or(usize::MAX).max(512);
        let mut options = OptionsBuilder::new();
        options.shards(SHARDS as usize).estimated_items_capacity(entries).weight_capacity(bytes);
        let hasher = DefaultHashBuilder::default();
        let cache = match options.build() {
            Ok(options) => Cache::with_options(options, Weigh, hasher, DefaultLifecycle::default()),
            // Both bounds are given, so it does not fail.
            Err(_) => Cache::with(entries, bytes, Weigh, hasher, DefaultLifecycle::default()),
        };
        Memory(cache)
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.0.get(key)
    }

    pub(super) fn put(&self, key: Key, entry: Arc<Entry>) {
        self.0.insert(key, entry);
    }

    /// Removes an entry, if it is still this one.
    pub(super) fn remove(&self, key: &Key, entry: &Arc<Entry>) {
        self.0.remove_if(key, |found| Arc::ptr_eq(found, entry));
    }

    /// Removes all entries of a tenant; their number.
    pub(super) fn forget(&self, tag: Tag) -> u64 {
        let removed = std::sync::atomic::AtomicU64::new(0);
        self.0.retain(|_, entry| {
            let keep = entry.tag != tag;
            removed.fetch_add(u64::from(!keep), std::sync::atomic::Ordering::Relaxed);
            keep
        });
        removed.into_inner()
    }

    /// The bytes that its entries count for, and their number.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.0.weight(), self.0.len() as u64)
    }
}
