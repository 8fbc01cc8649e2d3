//! Ranked documents.

use super::envelope::{Envelope, further};
use crate::model::{Liter, Ranking, RerankResponse};

/// The document: the provider's order, and what the engine adds.
pub(super) fn response(answer: Ranking, envelope: Envelope) -> RerankResponse {
    let Envelope { provider, mut warnings, liter, .. } = envelope;
    let Ranking { id, model, results, usage, usage_raw, fields, warnings: own } = answer;
    warnings.extend(own);
    let usage_raw = further(usage_raw, usage.as_ref());
    let liter = Liter { usage_raw, provider_fields: fields, ..liter };
    RerankResponse { id, model, results, usage, provider, warnings, liter }
}
