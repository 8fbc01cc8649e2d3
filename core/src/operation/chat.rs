//! Chat completions.

use super::envelope::Envelope;
use crate::model::{Liter, Response};
use crate::provider::Completion;

/// The response document: the provider's answer, and what the engine adds.
pub(super) fn response(completion: Completion, envelope: Envelope) -> Response {
    let Envelope { date, provider, mut warnings, liter } = envelope;
    warnings.extend(completion.warnings);
    let text = completion.choices.first().and_then(|choice| choice.message.content.clone());
    Response {
        id: completion.id,
        object: "chat.completion",
        created: completion.created.or(date),
        model: completion.model,
        choices: completion.choices,
        usage: completion.usage,
        text: text.unwrap_or_default(),
        provider,
        warnings,
        liter: Liter {
            finish_reason_raw: completion.finish_reason_raw,
            usage_raw: completion.usage_raw,
            provider_fields: completion.fields,
            ..liter
        },
    }
}
