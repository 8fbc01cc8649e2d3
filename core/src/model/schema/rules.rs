//! The rules of a route, for their schema.

use schemars::JsonSchema;
use serde::Serialize;

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
