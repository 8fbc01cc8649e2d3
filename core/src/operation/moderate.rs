//! Moderation.

use super::envelope::{Envelope, further};
use crate::model::{Liter, ModerateResponse, Moderations};

/// The document: the provider's verdicts, and what the engine adds.
pub(super) fn response(answer: Moderations, envelope: Envelope) -> ModerateResponse {
    let Envelope { provider, mut warnings, liter, .. } = envelope;
    let Moderations { id, model, results, usage, usage_raw, fields, warnings: own } = answer;
    warnings.extend(own);
    let usage_raw = further(usage_raw, usage.as_ref());
    let liter = Liter { usage_raw, provider_fields: fields, ..liter };
    ModerateResponse { id, model, results, usage, provider, warnings, liter }
}
