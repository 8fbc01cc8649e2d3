//! The settings of the cache, and how a call uses it, for their schemas.

use schemars::JsonSchema;
use serde::Serialize;

/// How a call uses the cache.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "CacheOptions", deny_unknown_fields)]
pub struct CacheOptionsDocument {
    /// Whether a stored answer may be used, and whether the answer is stored. Default: `default`.
    pub mode: Option<CacheModeDocument>,
    /// How long the answer is fresh, in seconds. Default: the configuration's.
    #[schemars(range(min = 1))]
    pub ttl_s: Option<u64>,
    /// The greatest age of a stored answer, in seconds. Default: no limit but its time to live.
    pub max_age_s: Option<u64>,
}

/// Whether a stored answer may be used, and whether the answer is stored.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheModeDocument {
    /// Both, for requests whose answer does not change: with a temperature of 0, or a seed.
    Default,
    /// Both, for any request.
    Always,
    /// The provider is asked, and the answer is stored.
    Refresh,
    /// Neither.
    Bypass,
    /// Only a stored answer will do. Without one the call fails, and nothing is sent.
    Only,
}

/// Settings, or `false` to switch it off.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CacheSchema {
    /// Off.
    Off(#[schemars(extend("const" = false))] bool),
    /// On, with these settings.
    On(CacheDocument),
}

/// The cache of answers, in the memory of the client and in Redis.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CacheDocument {
    /// How long an answer is fresh, in seconds. Default: 300.
    #[schemars(range(min = 1))]
    pub ttl_s: Option<u64>,
    /// The longest time that a call may ask for, in seconds. Default: 86,400.
    #[schemars(range(min = 1))]
    pub max_ttl_s: Option<u64>,
    /// The bound of the memory, in bytes. Default: 64 MiB.
    #[schemars(range(min = 65_536))]
    pub memory_bytes: Option<u64>,
    /// The bound of one answer, in bytes: an eighth of the memory at most. Default: 1 MiB.
    #[schemars(range(min = 1))]
    pub max_entry_bytes: Option<u64>,
    /// How long an expired answer is still given, in seconds, while one call asks anew. Default: 0.
    pub stale_s: Option<u64>,
    /// How long an expired answer is still given, in seconds, if no target answers. Default: 0.
    pub stale_if_error_s: Option<u64>,
    /// Whether an answer may be asked for anew before it expires. Default: `false`.
    pub early: Option<bool>,
    /// Whether calls that name no tenant are not cached. Default: `false`.
    pub require_tenant: Option<bool>,
    /// Whether answers are kept in Redis, too, where all processes of its namespace find them.
    /// Default: `false`.
    pub redis: Option<bool>,
    /// What answers in Redis are encrypted with, and their keys made of: `env:NAME`, `file:/path`,
    /// `exec:["prog","arg"]`, or the secret itself. 16 bytes at least, the same for all processes.
    pub secret: Option<String>,
    /// Whether answers in Redis are encrypted. `false` has to be said where there is no secret.
    /// Default: `true`.
    pub encrypt: Option<bool>,
}
