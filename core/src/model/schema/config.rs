//! The configuration document, for its schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::budgets::SpendingDocument;
use super::cache::CacheSchema;
use super::identity::{AuthDocument, AwsDocument, EntraDocument, GoogleDocument};
use super::members::Object;
use super::options::{HedgeSchema, LimitDocument, RetrySchema};
use super::prices::{FreeDocument, PriceDocument};
use super::redis::{FleetDocument, RedisDocument};
use super::route::RouteDocument;

/// A client's configuration. A member that is not listed is an error.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "Config", deny_unknown_fields)]
pub struct ConfigDocument {
    /// Providers by name. A built-in name changes that provider; another name adds one.
    pub providers: Option<BTreeMap<String, ProviderDocument>>,
    /// The provider for requests that name none.
    pub default_provider: Option<String>,
    /// The model for requests that name none.
    pub default_model: Option<String>,
    /// The largest number of calls in flight. One more is refused.
    #[schemars(range(min = 1))]
    pub max_in_flight: Option<u64>,
    /// The largest number of bytes of requests and answers in flight. A call that needs more fails.
    /// Default: 1 GiB. Parts of less than 64 KiB are not counted.
    #[schemars(range(min = 1_048_576))]
    pub max_bytes_in_flight: Option<u64>,
    /// Named lists of targets. A request gives such a name instead of a provider's.
    pub routes: Option<BTreeMap<String, RouteDocument>>,
    /// The retry policy of calls that set none. `false`: no retries.
    pub retry: Option<RetrySchema>,
    /// The budget of retries and fallbacks. `false`: no budget.
    pub retry_budget: Option<BudgetSchema>,
    /// The hedges of calls that set none. `false`: no hedges.
    pub hedge: Option<HedgeSchema>,
    /// Whether targets that keep failing are passed over. Default: `true`.
    pub breaker: Option<bool>,
    /// Whether calls wait for limits. Default: they wait.
    pub limit: Option<LimitDocument>,
    /// Whether the quotas and pauses that an answer reports apply to later calls. Default: `true`.
    pub learn_limits: Option<bool>,
    /// What models cost, by `provider/model`. It replaces the price table's entry whole. `null`: the
    /// model costs nothing.
    pub prices: Option<BTreeMap<String, Option<PriceDocument>>>,
    /// The path of a JSON file of the form of `prices`, which count before it.
    pub prices_file: Option<String>,
    /// The cache of answers. `false`, or nothing: no answer is stored.
    pub cache: Option<CacheSchema>,
    /// The Redis that several processes share.
    pub redis: Option<RedisDocument>,
    /// What these processes share there.
    pub fleet: Option<FleetDocument>,
    /// What calls may cost, by a name of your own.
    pub budgets: Option<BTreeMap<String, SpendingDocument>>,
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

/// The budget of retries and fallbacks, for each provider that calls are for.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BudgetDocument {
    /// Percent of the calls. Default: 20.
    pub percent: Option<u64>,
    /// Further retries and fallbacks a second. Default: 10.
    pub per_second: Option<u64>,
}

/// The settings of one provider.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProviderDocument {
    /// A built-in provider whose wire format this one uses. Default: the provider of its own name.
    pub kind: Option<String>,
    /// The format of chats, for a server of OpenAI's formats. Default: `chat`; for Ollama `native`,
    /// or `chat` where `base_url` ends in `/v1` or the entry has `switches`.
    pub api: Option<ApiDocument>,
    /// The URL, with the version path. The provider's key goes to this origin only.
    pub base_url: Option<String>,
    /// The URL that lists models, for Bedrock and Vertex, which do so away from `base_url`. The
    /// provider's key goes to this origin, too. Default: the one that belongs to `base_url`, if that
    /// is the provider's own.
    pub control_url: Option<String>,
    /// The name of Azure's resource, from which the URL follows.
    pub resource: Option<String>,
    /// Google Cloud's project (Vertex). Default: `GOOGLE_CLOUD_PROJECT`.
    pub project: Option<String>,
    /// The location at Google (Vertex), such as `europe-west4`, `eu` or `global`. Default:
    /// `GOOGLE_CLOUD_LOCATION`.
    pub location: Option<String>,
    /// `env:NAME`, `file:/path`, `exec:["program","argument"]`, or the key itself.
    pub api_key: Option<String>,
    /// The header of the key, if it is not the kind's own.
    pub auth: Option<AuthDocument>,
    /// AWS's keys, which sign each request in the place of a key (Bedrock). Default: those of the
    /// environment.
    pub aws: Option<AwsDocument>,
    /// Google's credentials, whose tokens stand in the place of a key (Vertex). Default: those of the
    /// environment.
    pub google: Option<GoogleDocument>,
    /// An identity of Entra ID, whose tokens stand in the place of a key (Azure). Default: that of the
    /// environment.
    pub entra: Option<EntraDocument>,
    /// The model for requests that name none.
    pub model: Option<String>,
    /// Headers added to each request.
    pub headers: Option<BTreeMap<String, String>>,
    /// Query parameters added to each request.
    pub query: Option<BTreeMap<String, String>>,
    /// Members added to the body of each chat. Those of a request's `extra` win.
    pub body: Option<Object>,
    /// The switches of a server that speaks OpenAI's chat completions.
    pub switches: Option<SwitchesDocument>,
    /// The five timers.
    pub timeouts: Option<TimeoutsDocument>,
    /// The version of the API: a header's value (Anthropic), or that of deployments (Azure).
    pub api_version: Option<String>,
    /// A PEM file with further trusted roots.
    pub ca_file: Option<String>,
    /// The proxy on the way, in place of the environment's: `http://user:password@host:port`,
    /// `env:NAME`, or `none`.
    pub proxy: Option<String>,
    /// The HTTP versions that are offered.
    pub http: Option<HttpDocument>,
    /// The provider's region, in the words of `options.region`. The base URL of a provider with regions
    /// follows from it.
    pub region: Option<String>,
    /// The limits of all its models together.
    pub limits: Option<LimitsDocument>,
    /// The settings of single models.
    pub models: Option<BTreeMap<String, ModelDocument>>,
    /// `free`: its models cost nothing, unless `prices` has one.
    pub price: Option<FreeDocument>,
    /// The built-in provider whose prices its models have. Default: its kind.
    pub price_list: Option<String>,
    /// The header that makes a repeated request count once, if the server has one.
    pub idempotency_header: Option<String>,
    /// The members of a body that a request's `extra` may replace although limits and policies look
    /// at them: `model`, `stream`, `messages`, `input`, `inputs`, `texts`, `requests`, `instances`,
    /// `images`, `query`, `documents`, `top_n`, `top_k`, `n`, `max_tokens`, `max_completion_tokens`, `max_output_tokens`, `system`, `instructions`,
    /// `contents`, `systemInstruction`, `generationConfig.maxOutputTokens`,
    /// `generationConfig.candidateCount`, `inferenceConfig.maxTokens`,
    /// `additionalModelRequestFields.max_tokens`.
    pub extra_may_replace: Option<Vec<String>>,
    /// The health probe, which asks a provider that failed whether it works again.
    pub health_probe: Option<ProbeDocument>,
    /// Whether the trace context of calls (`traceparent`, `tracestate`) goes to this provider.
    /// Default: `true`.
    pub trace_context: Option<bool>,
}

/// A format of chats.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiDocument {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// The provider's own format, where it has one beside OpenAI's (Ollama).
    Native,
}

/// What a server that speaks OpenAI's chat completions takes and how it differs. Default: as the
/// kind does.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SwitchesDocument {
    /// The path of chats, after the URL. Default: `/chat/completions`.
    pub path: Option<String>,
    /// The member for the largest number of tokens of the answer. A request's
    /// `max_completion_tokens` goes under that name all the same.
    pub max_tokens: Option<MaxTokensDocument>,
    /// The sampling members that the server takes. An empty list: none.
    pub sampling: Option<Vec<SamplingDocument>>,
    /// Whether the server takes `stream_options`.
    pub stream_options: Option<bool>,
    /// Whether a stream without `[DONE]` at its end is broken.
    pub needs_done: Option<bool>,
    /// How an assistant's reasoning goes back.
    pub reasoning_back: Option<ReasoningBackDocument>,
    /// Whether the role `developer` is kept. Otherwise it is sent as `system`.
    pub developer_role: Option<bool>,
    /// Whether the server takes `parallel_tool_calls`.
    pub parallel_tool_calls: Option<bool>,
    /// Whether the `extra_content` of an answer and of its calls goes back.
    pub extra_content: Option<bool>,
}

/// The member for the largest number of tokens of the answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensDocument {
    /// The name that most servers take.
    MaxTokens,
    /// OpenAI's newer name.
    MaxCompletionTokens,
}

/// A sampling member of a request.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SamplingDocument {
    /// Sampling temperature.
    Temperature,
    /// Nucleus sampling.
    TopP,
    /// Texts that end the answer.
    Stop,
    /// Seed for sampling.
    Seed,
    /// The number of choices.
    N,
    /// Presence penalty.
    PresencePenalty,
    /// Frequency penalty.
    FrequencyPenalty,
}

/// How an assistant's reasoning goes back.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningBackDocument {
    /// Not at all, with a warning.
    None,
    /// As `reasoning`.
    Reasoning,
    /// As `reasoning_content`.
    ReasoningContent,
    /// As `reasoning_details`, unchanged, or else as `reasoning`.
    ReasoningDetails,
}

/// Limits that calls wait for.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LimitsDocument {
    /// The largest number of requests in any minute.
    #[schemars(range(min = 1))]
    pub requests_per_minute: Option<u64>,
    /// The largest number of tokens, of requests and answers, in any minute.
    #[schemars(range(min = 1))]
    pub tokens_per_minute: Option<u64>,
    /// The largest number of requests at once.
    #[schemars(range(min = 1))]
    pub max_in_flight: Option<u64>,
}

/// The settings of one model.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModelDocument {
    /// The model's limits.
    pub limits: Option<LimitsDocument>,
    /// The number of inputs that one request for embeddings may have. Default: what the provider is
    /// known to take. A longer list goes out in parts.
    pub max_inputs: Option<u64>,
    /// The model of the price list whose price it has. Default: the model that the answer names.
    pub price_as: Option<String>,
}

/// The settings of the health probe.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProbeDocument {
    /// Milliseconds between two probes. Default: 10,000.
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
    /// The time for the whole call.
    #[schemars(range(min = 1))]
    pub total_ms: Option<u64>,
}

/// The HTTP versions that are offered.
#[derive(Debug, Serialize, JsonSchema)]
pub enum HttpDocument {
    /// HTTP/2 if the server supports it, otherwise HTTP/1.1.
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1 only.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2 without negotiation.
    #[serde(rename = "2")]
    Http2,
}
