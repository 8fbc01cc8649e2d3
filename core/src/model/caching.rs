//! How a call uses the cache: `options.cache`, `options.tenant`, and the document that purges.

use std::time::Duration;

use serde::Serialize;

use crate::codec::{Fields, finish};
use crate::error::Error;

/// The most bytes of a tenant's name.
pub const MOST_TENANT: usize = 128;

/// How a call uses the cache. Members that are left out come from the next wider scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheOptions {
    /// Whether a stored answer may be used, and whether the answer is stored.
    pub mode: Option<CacheMode>,
    /// How long the answer counts as fresh.
    pub ttl: Option<Duration>,
    /// The greatest age of a stored answer.
    pub max_age: Option<Duration>,
}

/// Whether a stored answer may be used, and whether the answer is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// Both, for requests whose answer does not change.
    #[default]
    Default,
    /// Both, for any request.
    Always,
    /// The provider is asked, and the answer is stored.
    Refresh,
    /// Neither.
    Bypass,
    /// Only a stored answer will do: nothing is sent.
    Only,
}

impl CacheMode {
    const ALL: [CacheMode; 5] = [
        CacheMode::Default,
        CacheMode::Always,
        CacheMode::Refresh,
        CacheMode::Bypass,
        CacheMode::Only,
    ];

    /// Their names in documents.
    pub const NAMES: [&'static str; 5] = ["default", "always", "refresh", "bypass", "only"];

    fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|i| Self::ALL[i])
    }
}

impl CacheOptions {
    /// Reads `cache`.
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<CacheOptions>, Error> {
        let Some(cache) = fields.object("cache")? else { return Ok(None) };
        let mut cache = Fields::new(cache, fields.at("cache"));
        let read = CacheOptions {
            mode: cache.word("mode", &CacheMode::NAMES)?.and_then(CacheMode::of),
            ttl: cache.whole("ttl_s", 1)?.map(Duration::from_secs),
            max_age: cache.whole("max_age_s", 0)?.map(Duration::from_secs),
        };
        finish(cache, "options.cache")?;
        Ok(Some(read))
    }

    /// Whether they ask for anything of a cache.
    pub(crate) fn wants(self) -> bool {
        self.mode != Some(CacheMode::Bypass) && self != CacheOptions::default()
    }

    /// Fills members that these options leave out from `other`.
    pub(crate) fn or(self, other: CacheOptions) -> CacheOptions {
        CacheOptions {
            mode: self.mode.or(other.mode),
            ttl: self.ttl.or(other.ttl),
            max_age: self.max_age.or(other.max_age),
        }
    }
}

/// Reads `tenant`.
pub(crate) fn read_tenant(fields: &mut Fields) -> Result<Option<String>, Error> {
    let Some(tenant) = fields.string("tenant")? else { return Ok(None) };
    if tenant.len() > MOST_TENANT {
        let path = fields.at("tenant");
        let message =
            format!("{path} has {} bytes; a tenant has {MOST_TENANT} at most", tenant.len());
        return Err(Error::invalid(path, message));
    }
    Ok(Some(tenant))
}

/// A request to forget what is kept for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePurge {
    /// The tenant; "" for the calls that name none.
    pub tenant: String,
}

impl CachePurge {
    /// Reads the members of a request of this operation.
    pub(crate) fn read(mut fields: Fields) -> Result<Self, Error> {
        let Some(tenant) = read_tenant(&mut fields)? else {
            let hint = "whose answers are forgotten; \"\" for those of calls that name no tenant";
            return Err(fields.missing("tenant", hint));
        };
        finish(fields, "op \"cache_purge\"")?;
        Ok(CachePurge { tenant })
    }
}

/// What a purge has removed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CachePurged {
    /// `cache.purge`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "cache.purge")))]
    pub object: &'static str,
    /// The tenant that was named.
    pub tenant: String,
    /// The number of stored answers that were removed.
    pub removed: CacheRemoved,
}

/// The number of stored answers that were removed, by where they were kept.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheRemoved {
    /// In the memory of this client.
    pub memory: u64,
    /// In Redis, if answers are kept there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<u64>,
}

/// Where an answer came from that no provider was asked for.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cached {
    /// Where it was.
    pub tier: CacheTier,
    /// How long ago it was made, in milliseconds.
    pub age_ms: u64,
}

/// Where an answer was that no provider was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheTier {
    /// In the memory of this client.
    Memory,
    /// In the Redis that processes share.
    Redis,
    /// On its way: another call had asked the same question at the same time.
    Flight,
}

impl CacheTier {
    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CacheTier::Memory => "memory",
            CacheTier::Redis => "redis",
            CacheTier::Flight => "flight",
        }
    }
}
