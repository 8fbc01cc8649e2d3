//! The answer to a chat, in a form that all providers share.

use super::ids;
use crate::codec::Object;
use crate::json::Value;
use crate::model::{Choice, Usage, Warning};

/// A provider's answer to a chat, before the pipeline adds its own parts.
#[derive(Debug, Default)]
pub struct Completion {
    /// The provider's id.
    pub id: Option<String>,
    /// Seconds since 1970, if the provider gives them.
    pub created: Option<i64>,
    /// The model's name, from the provider.
    pub model: Option<String>,
    /// The choices.
    pub choices: Vec<Choice>,
    /// Token counts.
    pub usage: Option<Usage>,
    /// The provider's own usage object.
    pub usage_raw: Option<Value>,
    /// The first choice's finish reason, in the provider's word.
    pub finish_reason_raw: Option<String>,
    /// Top-level members that have no place in a response.
    pub fields: Object,
    /// The adapter's warnings about the answer.
    pub warnings: Vec<Warning>,
}

impl Completion {
    /// Completes a choice's calls: each gets an id that identifies it, and arguments that are JSON.
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
