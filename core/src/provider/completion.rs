//! What a chat was answered, in the words of every provider.

use super::ids;
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

impl Completion {
    /// Gives a choice's calls what they came without: an id that tells them apart, and arguments
    /// that are JSON.
    pub(super) fn complete(&self, choice: &mut Choice) {
        for (place, call) in choice.message.tool_calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                let place = place as u64;
                let (id, created) = (self.id.as_deref(), self.created);
                call.id = ids::made(id, created, choice.index, place, &call.name);
            }
            if ids::no_arguments(&call.arguments) {
                call.arguments = "{}".to_owned();
            }
        }
    }
}
