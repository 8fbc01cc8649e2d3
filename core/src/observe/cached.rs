//! What the cache had for a call, and what it holds.

/// What the cache had for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheResult {
    /// A fresh answer.
    Hit,
    /// Nothing: a provider is asked.
    Miss,
    /// An expired answer, or one that is asked for anew meanwhile.
    Stale,
    /// The answer of another call that asked the same at the same time.
    Joined,
    /// The call is not cached.
    Bypass,
}

impl CacheResult {
    /// Every result, in the order of their numbers.
    pub const ALL: [CacheResult; 5] = [
        CacheResult::Hit,
        CacheResult::Miss,
        CacheResult::Stale,
        CacheResult::Joined,
        CacheResult::Bypass,
    ];

    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CacheResult::Hit => "hit",
            CacheResult::Miss => "miss",
            CacheResult::Stale => "stale",
            CacheResult::Joined => "joined",
            CacheResult::Bypass => "bypass",
        }
    }

    /// The tier that it is a result of.
    #[must_use]
    pub fn tier(self) -> &'static str {
        if self == CacheResult::Joined { "flight" } else { "memory" }
    }
}

/// What a client's memory of answers holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSize {
    /// The bytes that stored answers count for.
    pub bytes: u64,
    /// The number of stored answers.
    pub entries: u64,
}
