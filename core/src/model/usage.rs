//! What an answer has used.

use serde::Serialize;

use crate::json::Value;

/// Token counts. A count that the provider did not give is absent. If the provider's own object says
/// more, or says it in other words, it is in `liter.usage_raw`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// Their sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// Parts of `prompt_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<PromptDetails>,
    /// Parts of `completion_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens_details: Option<CompletionDetails>,
}

/// Parts of `prompt_tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromptDetails {
    /// Read from the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// Written to the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_tokens: Option<u64>,
}

/// Parts of `completion_tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CompletionDetails {
    /// Reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_tokens: Option<u64>,
    /// Predicted tokens that were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_prediction_tokens: Option<u64>,
    /// Predicted tokens that were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_prediction_tokens: Option<u64>,
}

impl Usage {
    /// Whether this says all that a provider's own object says: each member by the same name, with
    /// the same number in the same digits. A member that is `null` says nothing.
    pub(crate) fn says(&self, own: &Value) -> bool {
        let prompt = self.prompt_tokens_details.as_ref();
        let completion = self.completion_tokens_details.as_ref();
        each(own, |name, value| match name {
            "prompt_tokens" => is(value, self.prompt_tokens),
            "completion_tokens" => is(value, self.completion_tokens),
            "total_tokens" => is(value, self.total_tokens),
            "prompt_tokens_details" => {
                each(value, |name, value| prompt.is_some_and(|details| details.says(name, value)))
            }
            "completion_tokens_details" => each(value, |name, value| {
                completion.is_some_and(|details| details.says(name, value))
            }),
            _ => false,
        })
    }
}

impl PromptDetails {
    fn says(&self, name: &str, value: &Value) -> bool {
        match name {
            "cached_tokens" => is(value, self.cached_tokens),
            "cache_write_tokens" => is(value, self.cache_write_tokens),
            "audio_tokens" => is(value, self.audio_tokens),
            _ => false,
        }
    }
}

impl CompletionDetails {
    fn says(&self, name: &str, value: &Value) -> bool {
        match name {
            "reasoning_tokens" => is(value, self.reasoning_tokens),
            "audio_tokens" => is(value, self.audio_tokens),
            "accepted_prediction_tokens" => is(value, self.accepted_prediction_tokens),
            "rejected_prediction_tokens" => is(value, self.rejected_prediction_tokens),
            _ => false,
        }
    }
}

/// Whether `said` holds of each member that is not `null`. Only an object has members.
fn each(own: &Value, said: impl Fn(&str, &Value) -> bool) -> bool {
    let members = own.as_object().map(|own| own.iter());
    members.is_some_and(|mut members| {
        members.all(|(name, value)| value.is_null() || said(name, value))
    })
}

/// Whether a value is this count. A count has digits only, so `10.0` is not 10.
fn is(value: &Value, count: Option<u64>) -> bool {
    count.is_some() && value.as_u64() == count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    /// An own object is left out only where nothing of it is lost.
    #[test]
    fn what_usage_says_is_all_that_the_provider_said() {
        let usage = Usage {
            prompt_tokens: Some(10),
            completion_tokens: Some(2),
            prompt_tokens_details: Some(PromptDetails {
                cached_tokens: Some(4),
                ..Default::default()
            }),
            ..Usage::default()
        };
        for own in [
            r#"{"completion_tokens":2,"prompt_tokens":10}"#,
            r#"{"prompt_tokens":10,"total_tokens":null,"cost":null}"#,
            r#"{"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":null}"#,
            r#"{"completion_tokens_details":{}}"#,
            "{}",
        ] {
            assert!(usage.says(&parse(own).unwrap()), "{own}");
        }
        for own in [
            r#"{"prompt_tokens":11}"#,
            r#"{"prompt_tokens":10.0}"#,
            r#"{"prompt_tokens":"10"}"#,
            r#"{"total_tokens":12}"#,
            r#"{"prompt_tokens":10,"cost":0.1}"#,
            r#"{"input_tokens":10}"#,
            r#"{"prompt_tokens_details":{"cached_tokens":4,"image_tokens":0}}"#,
            r#"{"prompt_tokens_details":4}"#,
            r#"{"completion_tokens_details":{"reasoning_tokens":0}}"#,
            r#"[{"prompt_tokens":10}]"#,
            "10",
        ] {
            assert!(!usage.says(&parse(own).unwrap()), "{own}");
        }
    }
}
