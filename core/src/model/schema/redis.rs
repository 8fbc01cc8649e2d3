//! The members `redis` and `fleet` of a configuration, for its schema.

use schemars::JsonSchema;
use serde::Serialize;

/// A Redis, and how it is reached. One of `url` and `urls` is required.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RedisDocument {
    /// The server: `redis://host:6379/0`, or `rediss://` for TLS.
    pub url: Option<String>,
    /// The seeds of a cluster, or the sentinels.
    pub urls: Option<Vec<String>>,
    /// How many servers there are, and which of them is asked. Default: `single`.
    pub mode: Option<RedisMode>,
    /// The primary's name at the sentinels.
    pub master: Option<String>,
    /// The ACL user.
    pub username: Option<String>,
    /// The password: `env:NAME`, `file:/path`, `exec:["prog","arg"]`, or itself. It is read again at
    /// each connect.
    pub password: Option<String>,
    /// What the names of all keys begin with, after `ll:`. Default: `default`.
    pub namespace: Option<String>,
    /// The longest that a call waits for one answer, in milliseconds. Default: 50.
    #[schemars(range(min = 1, max = 10_000))]
    pub timeout_ms: Option<u64>,
    /// A PEM file with further trusted roots.
    pub ca_file: Option<String>,
}

/// How many servers there are, and which of them is asked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedisMode {
    /// One server.
    Single,
    /// The primaries of a cluster, each for its slots.
    Cluster,
    /// The primary that the sentinels name.
    Sentinel,
}

/// What the processes of a fleet share. It needs `redis`.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FleetDocument {
    /// Whether `limits` hold for all processes together. Default: `false`.
    pub limits: Option<bool>,
    /// The number of processes, until Redis tells it. Default: 1.
    #[schemars(range(min = 1))]
    pub replicas: Option<u64>,
}
