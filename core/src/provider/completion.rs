//! What a chat was answered, in the words of every provider.

use crate::codec::Object;
use crate::json::Value;
use crate::model::{Choice, Usage, Warning};

/// What a provider answered to a chat, before the pipeline adds what is ours.
#[derive(Debug, Default)]
pub struct Completion {
    /// The provider's id.
    pub id: Option<String>,
    /// Seconds since 1970, where the provider says it.
    pub created: Option<i64>,
    /// The model's name, as the provider gives it.
    pub model: Option<String>,
    /// The answers.
    pub choices: Vec<Choice>,
    /// Token counts.
    pub usage: Option<Usage>,
    /// The provider's own usage object.
    pub usage_raw: Option<Value>,
    /// The first choice's finish reason in the provider's word.
    pub finish_reason_raw: Option<String>,
    /// Top-level members that have no place in a response.
    pub fields: Object,
    /// What the adapter has to say about the answer.
    pub warnings: Vec<Warning>,
}
