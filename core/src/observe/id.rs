//! The id of a call: unique among all processes, and made without a system call.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A unique id. It is a keyed hash of the process id and a count. A forked process inherits key and
/// count, but its clients have another process id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId([u64; 2]);

impl CallId {
    /// Makes the next id of the process with this id.
    pub(crate) fn new(process: u32) -> Self {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let key = KEY.get_or_init(RandomState::new);
        let call = (process, COUNT.fetch_add(1, Ordering::Relaxed));
        CallId([0, 1].map(|half| key.hash_one((call, half))))
    }

    /// `prefix` and 32 hexadecimal digits.
    #[must_use]
    pub fn text(self, prefix: &str) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(prefix.len() + 32);
        text.push_str(prefix);
        for number in self.0 {
            let digit = |at: u32| char::from(HEX[(number >> (at * 4)) as usize & 15]);
            text.extend((0..16).rev().map(digit));
        }
        text
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text("llm_"))
    }
}
