//! Lists of models.

use super::envelope::Envelope;
use crate::model::{Liter, ModelList, ModelsResponse};

/// The document: the provider's models, and what the engine adds.
pub(super) fn response(list: ModelList, envelope: Envelope) -> ModelsResponse {
    let Envelope { provider, mut warnings, liter, .. } = envelope;
    warnings.extend(list.warnings);
    ModelsResponse { object: "list", data: list.data, provider, warnings, liter }
}

/// Adds the next page of a list, which is about one target.
pub(super) fn add(list: &mut ModelsResponse, page: ModelsResponse) {
    let ModelsResponse { data, warnings, liter, .. } = page;
    list.data.extend(data);
    for warning in warnings {
        if !list.warnings.contains(&warning) {
            list.warnings.push(warning);
        }
    }
    let Liter { provider_request_id, ratelimit, .. } = liter;
    if let Some(id) = provider_request_id {
        let ids = &mut list.liter.provider_request_id;
        *ids = Some(ids.take().map_or_else(|| id.clone(), |known| format!("{known}, {id}")));
    }
    list.liter.ratelimit = ratelimit;
}
