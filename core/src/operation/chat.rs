//! Chat completions.

use super::envelope::{Envelope, further};
use crate::model::{Liter, Response};
use crate::provider::Completion;

/// The response document: the provider's answer, and what the engine adds.
pub(super) fn response(completion: Completion, envelope: Envelope) -> Response {
    let Envelope { date, provider, mut warnings, liter } = envelope;
    warnings.extend(completion.warnings);
    let usage_raw = further(completion.usage_raw, completion.usage.as_ref());
    Response {
        id: completion.id,
        object: "chat.completion",
        created: completion.created.or(date),
        model: completion.model,
        choices: completion.choices,
        usage: completion.usage,
        provider,
        warnings,
        liter: Liter {
            finish_reason_raw: completion.finish_reason_raw,
            usage_raw,
            provider_fields: completion.fields,
            ..liter
        },
    }
}
