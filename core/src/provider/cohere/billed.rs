//! What an answer of Cohere's says was billed.

use crate::model::{Billed, Unit};
use crate::provider::json::count;
use crate::provider::reported::Reported;

/// Reads `billed_units`: what is paid for, which is less than the tokens that the model read. That of
/// embeddings and rankings is the usage object itself.
pub(super) fn billed<'a>(said: &Reported<'a>) -> Option<Billed<'a>> {
    let units = said.raw.get("billed_units").and_then(|units| units.as_object());
    let units = units.unwrap_or(said.raw);
    let of = |name: &str| count(units.get(name));
    let mut billed = Billed::default();
    let counts = [
        (Unit::Input, of("input_tokens")),
        (Unit::Output, of("output_tokens")),
        (Unit::RerankSearches, of("search_units")),
    ];
    for (unit, count) in counts {
        billed.counts.set(unit, count.unwrap_or(0));
    }
    counts.iter().any(|(_, count)| count.is_some()).then_some(billed)
}
