//! The configuration document, for its schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use super::ReasoningDocument;
use super::members::Object;
use super::options::{HedgeSchema, LimitDocument, RetrySchema};

/// A client's configuration. A member that is not listed is an error.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "Config", deny_unknown_fields)]
pub struct ConfigDocument {
    /// Providers by name: a built-in one to change, or one to add.
    pub providers: Option<BTreeMap<String, ProviderDocument>>,
    /// The provider of requests that name none.
    pub default_provider: Option<String>,
    /// The model of requests that name none.
    pub default_model: Option<String>,
    /// Most calls in flight; one more is refused.
    #[schemars(range(min = 1))]
    pub max_in_flight: Option<u64>,
    /// Named lists of targets, given in place of a provider's name.
    pub routes: Option<BTreeMap<String, RouteDocument>>,
    /// Retries of every call that says nothing else; `false`: none.
    pub retry: Option<RetrySchema>,
    /// What bounds retries and fallbacks; `false`: nothing.
    pub retry_budget: Option<BudgetSchema>,
    /// Hedges of every call that says nothing else; `false`: none.
    pub hedge: Option<HedgeSchema>,
    /// Whether targets that keep failing are passed over: `true` where absent.
    pub breaker: Option<bool>,
    /// Whether calls wait for limits: they do where nothing else is said.
    pub limit: Option<LimitDocument>,
    /// Whether what an answer tells of quotas and pauses binds the calls after it: `true` where absent.
    pub learn_limits: Option<bool>,
}

/// Settings, or `false` to switch it off.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum BudgetSchema {
    /// Off.
    Off(#[schemars(extend("const" = false))] bool),
    /// On, with these settings.
    On(BudgetDocument),
}

/// How many retries and fallbacks there may be, for each provider that calls are for.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BudgetDocument {
    /// Of the calls: 20 where absent.
    pub percent: Option<u64>,
    /// And so many a second beside: 10 where absent.
    pub per_second: Option<u64>,
}

/// A named list of targets.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RouteDocument {
    /// Which target comes first: `priority` where absent.
    pub policy: Option<PolicyDocument>,
    /// The targets, in order. At least one.
    pub targets: Vec<TargetSchema>,
    /// Retries of calls through this route; `false`: none.
    pub retry: Option<RetrySchema>,
    /// Hedges of calls through this route; `false`: none.
    pub hedge: Option<HedgeSchema>,
}

/// Which target comes first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyDocument {
    /// In the order of the list.
    Priority,
    /// By weight; calls with the same `sticky_key` keep to the same target.
    Weighted,
    /// The quicker of two that are drawn.
    Latency,
    /// The one with the fewest calls in flight.
    LeastInFlight,
}

/// `provider/model`, or an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum TargetSchema {
    /// `provider/model`, or a provider's name.
    Name(String),
    /// With more to say.
    Full(Box<TargetDocument>),
}

/// One target of a route.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TargetDocument {
    /// `provider/model`, or a provider's name.
    pub target: String,
    /// Where it is; its provider's region where absent.
    pub region: Option<String>,
    /// Its share under `weighted`: 1 where absent; 0: only when the others fail.
    pub weight: Option<u64>,
    /// What is different in requests to it.
    pub parameters: Option<ParametersDocument>,
}

/// Members of a request that a target sets.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ParametersDocument {
    /// Most tokens of the answer.
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u64>,
    /// Sampling temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Seed for sampling.
    pub seed: Option<Number>,
    /// How much the model thinks before it answers.
    pub reasoning: Option<ReasoningDocument>,
    /// The short form of `reasoning`.
    pub reasoning_effort: Option<String>,
    /// Members for one provider's body only, by the provider's name.
    pub extra: Option<BTreeMap<String, Option<Object>>>,
}

/// One provider's settings.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProviderDocument {
    /// A built-in provider whose wire format this one speaks; its own name where absent.
    pub kind: Option<String>,
    /// Where it is, with the version path. Its key goes to this origin only.
    pub base_url: Option<String>,
    /// `env:NAME`, `file:/path`, or the key itself.
    pub api_key: Option<String>,
    /// The model of requests that name none.
    pub model: Option<String>,
    /// Headers added to each request.
    pub headers: Option<BTreeMap<String, String>>,
    /// The five timers.
    pub timeouts: Option<TimeoutsDocument>,
    /// The version header's value (Anthropic).
    pub api_version: Option<String>,
    /// A PEM file with further trusted roots.
    pub ca_file: Option<String>,
    /// Which HTTP versions are offered.
    pub http: Option<HttpDocument>,
    /// Where it is, in the words of `options.region`.
    pub region: Option<String>,
    /// The limits of all its models together.
    pub limits: Option<LimitsDocument>,
    /// What is peculiar to single models.
    pub models: Option<BTreeMap<String, ModelDocument>>,
    /// The header that makes a repeated request count once, where the server has one.
    pub idempotency_header: Option<String>,
    /// Asks from time to time whether the provider is back, once it failed.
    pub health_probe: Option<ProbeDocument>,
}

/// Limits that calls wait for.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LimitsDocument {
    /// Most requests in any minute.
    #[schemars(range(min = 1))]
    pub requests_per_minute: Option<u64>,
    /// Most tokens in any minute, asked and answered.
    #[schemars(range(min = 1))]
    pub tokens_per_minute: Option<u64>,
    /// Most requests at once.
    #[schemars(range(min = 1))]
    pub max_in_flight: Option<u64>,
}

/// What is peculiar to one model.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModelDocument {
    /// Its limits.
    pub limits: Option<LimitsDocument>,
}

/// How a provider that failed is asked whether it is back.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProbeDocument {
    /// Milliseconds between two questions: 10,000 where absent.
    #[schemars(range(min = 100))]
    pub interval_ms: Option<u64>,
}

/// The five timers, in milliseconds.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TimeoutsDocument {
    /// Name look-up, TCP and TLS.
    #[schemars(range(min = 1))]
    pub connect_ms: Option<u64>,
    /// From sending the request to the response's headers.
    #[schemars(range(min = 1))]
    pub headers_ms: Option<u64>,
    /// From sending the request to a stream's first content.
    #[schemars(range(min = 1))]
    pub first_token_ms: Option<u64>,
    /// The longest silence inside a body.
    #[schemars(range(min = 1))]
    pub idle_ms: Option<u64>,
    /// The whole call.
    #[schemars(range(min = 1))]
    pub total_ms: Option<u64>,
}

/// Which HTTP versions are offered.
#[derive(Debug, Serialize, JsonSchema)]
pub enum HttpDocument {
    /// HTTP/2 where the server takes it, else HTTP/1.1.
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1 only.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2 without asking.
    #[serde(rename = "2")]
    Http2,
}
