//! Lists of models.

use super::envelope::Envelope;
use crate::model::{ModelList, ModelsResponse};

/// The document: the provider's models, and what the engine adds.
pub(super) fn response(list: ModelList, envelope: Envelope) -> ModelsResponse {
    let Envelope { provider, mut warnings, liter, .. } = envelope;
    warnings.extend(list.warnings);
    ModelsResponse { object: "list", data: list.data, provider, warnings, liter }
}
