//! Models that take less than the others of their provider.

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
    pub(super) fn is_about(&self, model: &str) -> bool {
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
