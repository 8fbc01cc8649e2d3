//! The most that a request can cost, from what is asked alone.
//!
//! A token has at least one byte of a name or a text. What a provider adds itself, and what a picture
//! or a sound is counted as, has a largest number each, of recorded exchanges with 29 providers. What
//! a request is likely to cost is made of averages, and is no promise.

use super::decimal::{Amount, Price};
use super::entry::{Entry, Moment, Words};
use super::{Priced, sum};
use crate::model::{Counts, Side, Size, Unit, Usd};

/// Tokens that a provider adds to any prompt, and to one with tools; its own prompts among them.
const ADDED: u64 = 512 + 2_048;
const ADDED_BY_TOOLS: u64 = 1_024;
const ADDED_BY_MESSAGE: u64 = 32;
/// The most tokens of a picture (the small models that count them dear), and of a sound.
const PICTURE: u64 = 49_152;
const SOUND: u64 = 32_768;

/// What the names of models have that search by themselves: OpenAI's, Perplexity's, Groq's, and
/// OpenRouter's of any model. A search costs extra, and nobody says how many there may be.
const SEARCHING: [&str; 6] =
    ["-search-preview", "-search-api", "deep-research", "sonar", "compound", ":online"];

/// Whether a model of this name searches without being asked to.
pub(crate) fn searches_by_itself(model: &str) -> bool {
    SEARCHING.iter().any(|part| model.contains(part))
}

/// What a request is likely to use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Guess {
    /// Tokens of the prompt.
    pub(crate) input: u64,
    /// Those of them that are read from the provider's cache.
    pub(crate) cached: u64,
    pub(crate) output: u64,
    /// Searches of a ranking.
    pub(crate) searches: u64,
}

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
    let dearest = |side| dearest(entry, side, size);
    // An answer without tokens needs no price of them.
    let output = match (answer, dearest(Side::Output)) {
        (0, _) => Price::default(),
        (_, price) => price?,
    };
    let searched = searches(entry, size.searches)?;
    let sent = match (dearest(Side::Input), searched) {
        (Some(price), _) => price.times(input, false)?,
        // A ranking may be charged by the search alone.
        (None, Some(_)) => Amount::default(),
        (None, None) => return None,
    };
    let sent = sent.plus(searched.unwrap_or_default())?;
    Some(sent.plus(output.times(answer, false)?)?.rounded())
}

/// What a request is likely to cost. None if no price is known.
pub(crate) fn likely(priced: Option<&Priced>, guess: &Guess, at: Moment) -> Option<Usd> {
    let (Priced::Own(entry) | Priced::Table(entry, _)) = priced? else { return Some(Usd(0)) };
    let mut counts = Counts::default();
    if searches(entry, guess.searches)?.is_some() {
        counts.set(Unit::RerankSearches, guess.searches);
    } else {
        let cached = guess.cached.min(guess.input);
        counts.set(Unit::Input, guess.input - cached);
        counts.set(Unit::CacheRead, cached);
        counts.set(Unit::Output, guess.output);
    }
    let sum = sum(entry, &counts, at, Words::default())?;
    (!sum.unpriced).then(|| sum.all.rounded())
}

/// What searches of a ranking cost. `Some(None)` if they have no price, and None if it is too large.
fn searches(entry: &Entry, count: u64) -> Option<Option<Amount>> {
    let all = entry.all().filter(|(unit, _)| *unit == Unit::RerankSearches);
    match all.map(|(_, price)| price).max().filter(|_| count > 0) {
        Some(price) => price.times(count, true).map(Some),
        None => Some(None),
    }
}

/// The dearest price of a side, whatever the tier, the time and the variant. Prices of media count
/// where there are some.
fn dearest(entry: &Entry, side: Side, size: &Size) -> Option<Price> {
    let there = |unit: Unit| match unit {
        Unit::InputAudio | Unit::CacheReadAudio => size.sounds > 0,
        Unit::InputImage | Unit::CacheReadImage | Unit::InputVideo => size.pictures > 0,
        _ => true,
    };
    let own = entry.all().filter(|(unit, _)| unit.side() == side && there(*unit));
    own.map(|(_, price)| price).max()
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

    #[test]
    fn a_ranking_may_cost_by_the_search() {
        let ranking = Size { bytes: 1_000, answer: Some(0), searches: 3, ..Size::default() };
        assert_eq!(of(r#"{"rerank_searches": "2"}"#, ranking).as_deref(), Some("0.006"));
        // 3,560 tokens at 1 beside them.
        let both = r#"{"input": "1", "rerank_searches": "2"}"#;
        assert_eq!(of(both, ranking).as_deref(), Some("0.00956"));
        assert_eq!(of(r#"{"output": "1"}"#, ranking), None);
    }

    #[test]
    fn audio_is_dear_where_there_is_some() {
        let prices = r#"{"input": "1", "input_audio": "100", "output": "1"}"#;
        let size = Size { bytes: 440, answer: Some(0), ..Size::default() };
        assert_eq!(of(prices, size).as_deref(), Some("0.003"));
        // 3,000 and 32,768 tokens at 100.
        assert_eq!(of(prices, Size { sounds: 1, ..size }).as_deref(), Some("3.5768"));
    }

    #[test]
    fn what_is_likely_is_the_standard_price() {
        let object = r#"{"input": "1", "cache_read": "0.1", "output": "2",
            "tiers": [{"over": 100000, "input": "3", "output": "4"}],
            "variants": [{"when": {"service_tier": "priority"}, "input": "10"}]}"#;
        let object = parse_object(object.as_bytes(), "prices").unwrap();
        let priced = Priced::read(Some(object), "prices.m").unwrap();
        let of = |guess: Guess| {
            likely(Some(&priced), &guess, Moment::default()).map(|usd| usd.to_string())
        };
        let guess = Guess { input: 1_000, output: 100, ..Guess::default() };
        assert_eq!(of(guess).as_deref(), Some("0.0012"));
        assert_eq!(of(Guess { cached: 600, ..guess }).as_deref(), Some("0.00066"));
        assert_eq!(of(Guess { input: 200_000, ..guess }).as_deref(), Some("0.6004"));
        assert_eq!(likely(None, &guess, Moment::default()), None);
        assert_eq!(likely(Some(&Priced::Free), &guess, Moment::default()), Some(Usd(0)));
    }
}
