//! The most that a request can cost, from what is asked alone.
//!
//! A token has at least one byte of a name or a text. What a provider adds itself, and what a picture
//! or a sound is counted as, has a largest number each, of recorded exchanges with 29 providers.

use super::Priced;
use super::decimal::Price;
use super::entry::Entry;
use crate::model::{Side, Size, Usd};

/// Tokens that a provider adds to any prompt, and to one with tools; its own prompts among them.
const ADDED: u64 = 512 + 2_048;
const ADDED_BY_TOOLS: u64 = 1_024;
const ADDED_BY_MESSAGE: u64 = 32;
/// The most tokens of a picture (the small models that count them dear), and of a sound.
const PICTURE: u64 = 49_152;
const SOUND: u64 = 32_768;

/// The most that a request of this size can cost. None if there is no bound: no price is known, or the
/// answer has no limit.
pub(crate) fn most(priced: Option<&Priced>, size: &Size) -> Option<Usd> {
    let (Priced::Own(entry) | Priced::Table(entry, _)) = priced? else { return Some(Usd(0)) };
    let answer = size.answer?;
    let input = [
        size.bytes,
        ADDED,
        size.messages.saturating_mul(ADDED_BY_MESSAGE),
        if size.tools { ADDED_BY_TOOLS } else { 0 },
        size.pictures.saturating_mul(PICTURE),
        size.sounds.saturating_mul(SOUND),
    ];
    let input = input.into_iter().fold(0, u64::saturating_add);
    let dearest = |side| dearest(entry, side);
    // An answer without tokens needs no price of them.
    let output = match (answer, dearest(Side::Output)) {
        (0, _) => Price::default(),
        (_, price) => price?,
    };
    let sent = dearest(Side::Input)?.times(input, false)?;
    Some(sent.plus(output.times(answer, false)?)?.rounded())
}

/// The dearest price of a side, whatever the tier, the time and the variant.
fn dearest(entry: &Entry, side: Side) -> Option<Price> {
    entry.all().filter(|(unit, _)| unit.side() == side).map(|(_, price)| price).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::parse_object;

    fn of(prices: &str, size: Size) -> Option<String> {
        let object = parse_object(prices.as_bytes(), "prices").unwrap();
        let priced = Priced::read(Some(object), "prices.m").unwrap();
        most(Some(&priced), &size).map(|usd| usd.to_string())
    }

    #[test]
    fn the_bound_is_at_the_dearest_price() {
        let prices = r#"{"input": "1", "output": "2", "cache_write": "1.25",
            "tiers": [{"over": 100000, "input": "3", "output": "4"}],
            "variants": [{"when": {"service_tier": "priority"}, "input": "10"}]}"#;
        let size = Size { bytes: 1_000, messages: 2, answer: Some(1_000), ..Size::default() };
        // 1,000 + 2,560 + 64 tokens at 10, and 1,000 at 4.
        assert_eq!(of(prices, size).as_deref(), Some("0.04024"));
    }

    #[test]
    fn what_has_no_limit_has_no_bound() {
        let size = Size { bytes: 1_000, messages: 1, ..Size::default() };
        assert_eq!(of(r#"{"input": "1", "output": "2"}"#, size), None);
        assert_eq!(most(None, &Size { answer: Some(0), ..size }), None);
        assert_eq!(most(Some(&Priced::Free), &size), Some(Usd(0)));
        let vectors = Size { answer: Some(0), ..size };
        assert_eq!(of(r#"{"input": "1"}"#, vectors).as_deref(), Some("0.003592"));
    }
}
