//! What an answer of Google's says was used.

use crate::json::Value;
use crate::model::{Billed, PromptParts, Unit};
use crate::provider::json::count;
use crate::provider::reported::Reported;

/// Reads `usageMetadata`. The prompt holds what was read from the cache; what the provider's own tools
/// added, and the thoughts, stand beside it [doc].
pub(in crate::provider) fn billed<'a>(said: &Reported<'a>) -> Option<Billed<'a>> {
    let of = |list: &str, kind: &str| modality(said.raw.get(list), kind);
    let prompt = |kind: &str| {
        of("promptTokensDetails", kind).saturating_add(of("toolUsePromptTokensDetails", kind))
    };
    // A page of a document counts as an image [doc].
    let image = |of: &dyn Fn(&str) -> u64| of("IMAGE").saturating_add(of("DOCUMENT"));
    let cached = |kind: &str| of("cacheTokensDetails", kind);
    let said_of_cache = said.raw.get("cacheTokensDetails").is_some();
    let parts = PromptParts {
        cached: said.count("cachedContentTokenCount"),
        audio: prompt("AUDIO"),
        image: image(&prompt),
        video: prompt("VIDEO"),
        cached_media: said_of_cache.then(|| [cached("AUDIO"), image(&cached)]),
        ..PromptParts::default()
    };
    let answer = |kind: &str| of("candidatesTokensDetails", kind);
    let more = [(Unit::OutputImage, image(&answer)), (Unit::OutputVideo, answer("VIDEO"))];
    let mut billed = said.billed(parts, more)?;
    let tier = said.raw.get("serviceTier").and_then(Value::as_str);
    billed.service_tier = tier.or_else(|| match said.raw.get("trafficType")?.as_str()? {
        "ON_DEMAND_PRIORITY" => Some("priority"),
        "ON_DEMAND_FLEX" => Some("flex"),
        _ => None,
    });
    Some(billed)
}

/// The tokens of a kind in a list of `{"modality": …, "tokenCount": …}`.
fn modality(list: Option<&Value>, kind: &str) -> u64 {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    let own = items.filter(|item| item.get("modality").is_some_and(|own| *own == *kind));
    own.filter_map(|item| count(item.get("tokenCount"))).fold(0, u64::saturating_add)
}
