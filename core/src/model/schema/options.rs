//! The options document, for its schema.

use schemars::JsonSchema;
use serde::Serialize;

/// How and where a request is done. A member that is not listed is an error.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "Options", deny_unknown_fields)]
pub struct OptionsDocument {
    /// The provider's name in the configuration.
    pub provider: Option<String>,
    /// The whole call's time, in milliseconds.
    #[schemars(range(min = 1))]
    pub timeout_ms: Option<u64>,
    /// The longest silence inside a stream, in milliseconds.
    #[schemars(range(min = 1))]
    pub idle_ms: Option<u64>,
    /// Joins text deltas that arrive in one read of the socket.
    pub merge_deltas: Option<bool>,
    /// What happens to a parameter that the provider cannot take.
    pub unsupported: Option<UnsupportedDocument>,
    /// Unknown members of a request are an error, not a warning.
    pub strict: Option<bool>,
    /// Retries of this call; `false`: none.
    pub retry: Option<RetrySchema>,
    /// Further targets for when the first fails: `provider/model`, or a provider's name; 32 at most.
    pub fallback: Option<Vec<String>>,
    /// Several targets at once, the fastest answers wanted.
    pub fanout: Option<FanoutDocument>,
    /// Further attempts beside a slow first one; `false`: none.
    pub hedge: Option<HedgeSchema>,
    /// Whether the call waits for limits.
    pub limit: Option<LimitDocument>,
    /// Only targets of this region.
    pub region: Option<String>,
    /// Calls with the same key keep to the same target of a `weighted` route.
    pub sticky_key: Option<String>,
    /// The same for every attempt of a call, for providers that count a repeated request once.
    pub idempotency_key: Option<String>,
    /// What happens to a stream that breaks after its first content.
    pub on_break: Option<OnBreakDocument>,
}

/// Settings, or `false` to switch it off.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RetrySchema {
    /// Off.
    Off(#[schemars(extend("const" = false))] bool),
    /// On, with these settings.
    On(RetryDocument),
}

/// How a failed attempt is repeated. What is not said is 3 attempts, 250 ms, 8 s and 60 s.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RetryDocument {
    /// Most attempts at one target; each further target adds one.
    #[schemars(range(min = 1))]
    pub max_attempts: Option<u64>,
    /// The upper bound of the first random wait, in milliseconds; it doubles with each attempt.
    pub base_ms: Option<u64>,
    /// What the upper bound grows to.
    pub cap_ms: Option<u64>,
    /// The longest wait that a provider may ask for.
    pub max_wait_ms: Option<u64>,
}

/// Several targets at once.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FanoutDocument {
    /// `provider/model`, or a provider's or route's name; 32 at most.
    pub targets: Vec<String>,
    /// How many answers are waited for: 1 where absent. The other calls are cancelled.
    #[schemars(range(min = 1))]
    pub first: Option<u64>,
}

/// Settings, or `false` to switch it off.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum HedgeSchema {
    /// Off.
    Off(#[schemars(extend("const" = false))] bool),
    /// On, with these settings.
    On(HedgeDocument),
}

/// Further attempts beside a slow first one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HedgeDocument {
    /// When the next one starts: milliseconds, or `"p95"` of the target's last calls.
    pub after_ms: HedgeDelayDocument,
    /// Most of them: 1 where absent.
    #[schemars(range(min = 1))]
    pub max: Option<u64>,
}

/// Milliseconds, or `"p95"`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum HedgeDelayDocument {
    /// So long.
    Fixed(u64),
    /// The target's own 95th percentile.
    Learned(P95),
}

/// The target's own 95th percentile.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum P95 {
    /// Of the last 128 calls, once there were 20.
    P95,
}

/// Whether a call waits for limits.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LimitDocument {
    /// `false`: it fails at once instead.
    pub wait: Option<bool>,
}

/// What happens to a stream that breaks after its first content.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBreakDocument {
    /// It ends with an error that holds what had come.
    Error,
    /// A reset event, and the answer anew from its beginning.
    Restart,
}

/// What happens to a parameter that the provider cannot take.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnsupportedDocument {
    /// It is left out, and `warnings` says so.
    Warn,
    /// The call fails before anything is sent.
    Error,
}
