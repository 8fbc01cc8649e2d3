//! The options document, for its schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::cache::CacheOptionsDocument;

/// Options say how and where a request is sent. A member that is not listed is an error.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "Options", deny_unknown_fields)]
pub struct OptionsDocument {
    /// The provider's name in the configuration.
    pub provider: Option<String>,
    /// The time for the whole call, in milliseconds.
    #[schemars(range(min = 1))]
    pub timeout_ms: Option<u64>,
    /// The longest silence inside a stream, in milliseconds.
    #[schemars(range(min = 1))]
    pub idle_ms: Option<u64>,
    /// Joins text deltas that arrive in one read of the socket.
    pub merge_deltas: Option<bool>,
    /// What happens with a parameter that the provider does not support.
    pub unsupported: Option<UnsupportedDocument>,
    /// Whether unknown members of a request are an error instead of a warning.
    pub strict: Option<bool>,
    /// The retry policy of this call. `false`: no retries.
    pub retry: Option<RetrySchema>,
    /// Fallback targets for a failure of the first: `provider/model`, or a provider's name. At most
    /// 32.
    pub fallback: Option<Vec<String>>,
    /// The fan-out: several targets at once, whose fastest answers are wanted.
    pub fanout: Option<FanoutDocument>,
    /// The hedges: further attempts beside a slow first one. `false`: no hedges.
    pub hedge: Option<HedgeSchema>,
    /// Whether the call waits for limits.
    pub limit: Option<LimitDocument>,
    /// Only targets of this region, and those whose entry leaves the region to the call.
    pub region: Option<String>,
    /// The sticky key. Calls with the same key use the same target of a `weighted` route.
    pub sticky_key: Option<String>,
    /// The idempotency key, the same for every attempt of a call, for providers that count a
    /// repeated request once.
    pub idempotency_key: Option<String>,
    /// What happens to a stream that breaks after its first content.
    pub on_break: Option<OnBreakDocument>,
    /// Whether the request is adapted to what its provider is known to refuse. Default: `true`.
    /// With `false` it is sent as it is.
    pub adapt: Option<bool>,
    /// Whether a request that its provider refuses for one parameter goes again, once, without it.
    /// A warning names the parameter. Default: `false`.
    pub drop_refused: Option<bool>,
    /// Headers of this call's requests, over the configured ones. Not the key.
    pub headers: Option<BTreeMap<String, String>>,
    /// How the call uses the cache.
    pub cache: Option<CacheOptionsDocument>,
    /// The tenant, which separates everything that is kept. At most 128 bytes.
    pub tenant: Option<String>,
    /// Whether the last document has `trace`, which a span of the call needs. Default: `false`.
    pub telemetry: Option<bool>,
    /// The W3C trace context of the call, as the header has it. It goes to the providers that are
    /// asked. A malformed one is left out, and a warning says so.
    pub traceparent: Option<String>,
    /// What goes with `traceparent`, as the header has it.
    pub tracestate: Option<String>,
    /// The least quality of a route's target. It takes the place of the route's rules.
    #[schemars(range(min = 1, max = 5))]
    pub min_quality: Option<u64>,
    /// Tags by name, by which budgets and rules of routes tell calls apart. At most 16, of 128 bytes
    /// each.
    pub tags: Option<BTreeMap<String, String>>,
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

/// The retry policy. Default: 3 attempts, 250 ms, 8 s and 60 s.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RetryDocument {
    /// The largest number of attempts at one target. Each further target adds one.
    #[schemars(range(min = 1))]
    pub max_attempts: Option<u64>,
    /// The upper bound of the first random wait, in milliseconds. It doubles with each attempt.
    pub base_ms: Option<u64>,
    /// The largest upper bound, in milliseconds.
    pub cap_ms: Option<u64>,
    /// The longest wait that a provider may ask for, in milliseconds.
    pub max_wait_ms: Option<u64>,
}

/// A fan-out: several targets at once.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FanoutDocument {
    /// The targets: `provider/model`, or a provider's or route's name. At most 32.
    pub targets: Vec<String>,
    /// The number of answers to wait for. Default: 1. The other calls are cancelled.
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

/// The hedges: further attempts beside a slow first one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HedgeDocument {
    /// The delay before the next hedge: milliseconds, or `"p95"` of the target's last calls.
    pub after_ms: HedgeDelayDocument,
    /// The largest number of hedges. Default: 1.
    #[schemars(range(min = 1))]
    pub max: Option<u64>,
}

/// Milliseconds, or `"p95"`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum HedgeDelayDocument {
    /// A fixed time.
    Fixed(u64),
    /// The target's own 95th percentile.
    Learned(P95),
}

/// The target's own 95th percentile.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum P95 {
    /// The 95th percentile of the last 128 calls, once there were 20.
    P95,
}

/// Whether a call waits for limits.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LimitDocument {
    /// Whether the call waits. With `false` it fails at once.
    pub wait: Option<bool>,
}

/// What happens to a stream that breaks after its first content.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBreakDocument {
    /// The stream ends with an error that holds the content so far.
    Error,
    /// A reset event comes, and the answer starts again from its beginning.
    Restart,
}

/// What happens with a parameter that the provider does not support.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnsupportedDocument {
    /// The parameter is left out, and `warnings` says so.
    Warn,
    /// The call fails before anything is sent.
    Error,
}
