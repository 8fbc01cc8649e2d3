//! What an answer of Bedrock's says was used.

use crate::json::Value;
use crate::model::{Billed, PromptParts};
use crate::provider::reported::{NO_MEDIA, Reported, inner};

/// Reads the usage of Converse, and the counts of embeddings. The unified prompt holds what was read
/// from the cache and written to it.
pub(super) fn billed<'a>(said: &Reported<'a>) -> Option<Billed<'a>> {
    let written_1h = said.raw.get("cacheDetails").and_then(Value::as_array).map_or(0, |details| {
        let hour = details.iter().filter(|own| own.get("ttl").is_some_and(|ttl| *ttl == *"1h"));
        hour.map(|own| inner(Some(own), "inputTokens")).fold(0, u64::saturating_add)
    });
    let parts = PromptParts { written_1h, ..said.parts() };
    let mut billed = said.billed(parts, NO_MEDIA)?;
    // `{"type": "flex"}` [spec].
    let tier = said.fields.get("serviceTier").and_then(|tier| tier.get("type"));
    billed.service_tier = tier.and_then(Value::as_str);
    Some(billed)
}
