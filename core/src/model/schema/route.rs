//! A route, its targets and its rules, for their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use super::ReasoningDocument;
use super::members::Object;
use super::options::{HedgeSchema, RetrySchema};

/// A named list of targets.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RouteDocument {
    /// The policy for the order of the targets. Default: `priority`.
    pub policy: Option<PolicyDocument>,
    /// Under `cost`: targets that are likely to cost so much more than the cheapest, in percent, count as
    /// equal. Default: 10.
    pub slack_percent: Option<u64>,
    /// Which requests need a target of which quality. The first rule that holds counts.
    pub rules: Option<Vec<RuleDocument>>,
    /// The targets, in order. At least one.
    pub targets: Vec<TargetSchema>,
    /// The retry policy of calls through this route. `false`: no retries.
    pub retry: Option<RetrySchema>,
    /// The hedges of calls through this route. `false`: no hedges.
    pub hedge: Option<HedgeSchema>,
}

/// The policy for the order of the targets.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyDocument {
    /// The order of the list.
    Priority,
    /// By weight. Calls with the same `sticky_key` use the same target.
    Weighted,
    /// The quicker of two targets drawn at random.
    Latency,
    /// The target with the fewest calls in flight.
    LeastInFlight,
    /// The target at which the call is likely to cost the least.
    Cost,
}

/// `provider/model`, or an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum TargetSchema {
    /// `provider/model`, or a provider's name.
    Name(String),
    /// An object with further members.
    Full(Box<TargetDocument>),
}

/// One target of a route.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TargetDocument {
    /// `provider/model`, or a provider's name.
    pub target: String,
    /// The target's region. Default: its provider's region.
    pub region: Option<String>,
    /// The target's share under `weighted`. Default: 1. With 0 it is used only when the others
    /// fail.
    pub weight: Option<u64>,
    /// How good its answers are, 1 to 5, as you judge it. Default: 1.
    #[schemars(range(min = 1, max = 5))]
    pub quality: Option<u64>,
    /// The parameters that differ in requests to this target.
    pub parameters: Option<ParametersDocument>,
}

/// The members of a request that a target sets.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ParametersDocument {
    /// The largest number of tokens of the answer.
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

/// Which requests need a target of which quality.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RuleDocument {
    /// All of these hold for the request. Default: each request.
    pub when: Option<RuleConditionDocument>,
    /// The least quality of a target.
    #[schemars(range(min = 1, max = 5))]
    pub min_quality: u64,
}

/// What a request is like. `tag:<name>` is one, too: the text that the tag has.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct RuleConditionDocument {
    /// Whether it has tools.
    pub tools: Option<bool>,
    /// Whether it has images or files.
    pub images: Option<bool>,
    /// Whether it wants an answer of a JSON schema.
    pub json_schema: Option<bool>,
    /// Whether it asks the model to think.
    pub reasoning: Option<bool>,
    /// The prompt has fewer tokens than this. Four bytes count as one.
    #[schemars(range(min = 1))]
    pub prompt_tokens_below: Option<u64>,
}
