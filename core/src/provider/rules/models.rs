//! Models that take less than the others of their provider.

use std::borrow::Cow;

use crate::error::Error;
use crate::json::Number;
use crate::model::Request;
use crate::provider::{Notes, Target};

/// What some models refuse, by their names.
#[derive(Debug)]
pub struct ModelRule {
    /// The beginnings of their names, after the last `/`.
    pub names: &'static [&'static str],
    /// Beginnings of names that are excluded.
    pub but: &'static [&'static str],
}

/// OpenAI's reasoning models. They answer "Unsupported value: 'temperature' does not support 0.2
/// with this model. Only the default (1) value is supported", the same for `top_p` and both
/// penalties, and "'stop' is not supported with this model". They take `max_completion_tokens` in
/// place of `max_tokens` [rec]. From gpt-5.1 on, sampling is taken if reasoning is off [doc].
pub const OPENAI: &[ModelRule] = &[ModelRule {
    names: &["o1", "o3", "o4-", "gpt-5"],
    but: &["gpt-5-chat", "gpt-5.", "o1-mini", "o1-preview"],
}];

impl ModelRule {
    fn is_about(&self, model: &str) -> bool {
        let name = model.rsplit('/').next().unwrap_or(model);
        let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        begins(self.names) && !begins(self.but)
    }
}

/// Whether this model takes the limit of tokens as `max_completion_tokens`, whatever others take.
/// The newer models that sample do so too.
pub(in crate::provider) fn counts_completion(rules: &[ModelRule], model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    rules.iter().any(|rule| rule.names.iter().any(|start| name.starts_with(start)))
}

/// Leaves out what the model refuses.
pub(super) fn adapt(
    request: &mut Cow<'_, Request>,
    rules: &[ModelRule],
    target: &Target,
    notes: &mut Notes,
) -> Result<(), Error> {
    if !rules.iter().any(|rule| rule.is_about(&target.model)) {
        return Ok(());
    }
    let asks = |given: &Option<Number>, default: f64| {
        given.as_ref().is_some_and(|number| number.as_f64() != Some(default))
    };
    let mut refuse = |name: &str| {
        notes.unsupported(name, format!("{} takes no {name}: it is left out", target.model))
    };
    if asks(&request.temperature, 1.0) {
        refuse("temperature")?;
        request.to_mut().temperature = None;
    }
    if asks(&request.top_p, 1.0) {
        refuse("top_p")?;
        request.to_mut().top_p = None;
    }
    if asks(&request.presence_penalty, 0.0) {
        refuse("presence_penalty")?;
        request.to_mut().presence_penalty = None;
    }
    if asks(&request.frequency_penalty, 0.0) {
        refuse("frequency_penalty")?;
        request.to_mut().frequency_penalty = None;
    }
    if !request.stop.is_empty() {
        refuse("stop")?;
        request.to_mut().stop.clear();
    }
    Ok(())
}
