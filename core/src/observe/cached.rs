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
    /// An answer that another process has stored in Redis.
    RedisHit,
    /// Nothing in Redis either.
    RedisMiss,
    /// A value in Redis that is not whole, or not of this fleet.
    RedisCorrupt,
}

impl CacheResult {
    /// Every result, in the order of their numbers.
    pub const ALL: [CacheResult; 8] = [
        CacheResult::Hit,
        CacheResult::Miss,
        CacheResult::Stale,
        CacheResult::Joined,
        CacheResult::Bypass,
        CacheResult::RedisHit,
        CacheResult::RedisMiss,
        CacheResult::RedisCorrupt,
    ];

    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CacheResult::Hit | CacheResult::RedisHit => "hit",
            CacheResult::Miss | CacheResult::RedisMiss => "miss",
            CacheResult::Stale => "stale",
            CacheResult::Joined => "joined",
            CacheResult::Bypass => "bypass",
            CacheResult::RedisCorrupt => "corrupt",
        }
    }

    /// Whether it is a result of Redis.
    pub(super) fn is_of_redis(self) -> bool {
        self.tier() == "redis"
    }

    /// The tier that it is a result of.
    #[must_use]
    pub fn tier(self) -> &'static str {
        match self {
            CacheResult::Joined => "flight",
            CacheResult::RedisHit | CacheResult::RedisMiss | CacheResult::RedisCorrupt => "redis",
            _ => "memory",
        }
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
