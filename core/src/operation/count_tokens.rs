//! Counted tokens.

use super::envelope::Envelope;
use crate::model::{CountTokensResponse, Liter, TokenCount};

/// The document: the provider's count, and what the engine adds.
pub(super) fn response(answer: TokenCount, envelope: Envelope) -> CountTokensResponse {
    let Envelope { provider, mut warnings, liter, .. } = envelope;
    let TokenCount { input_tokens, model, fields, warnings: own } = answer;
    warnings.extend(own);
    let liter = Liter { provider_fields: fields, ..liter };
    CountTokensResponse { input_tokens, model, provider, warnings, liter }
}
