//! Tests of what an answer costs.

use proptest::prelude::*;

use super::*;
use crate::codec::parse_object;
use crate::json::Value;
use crate::model::{PromptParts, Unit};

fn own(text: &str) -> Priced {
    Priced::read(Some(parse_object(text.as_bytes(), "prices").unwrap()), "prices.m").unwrap()
}

fn used(counts: &[(Unit, u64)]) -> Billed<'static> {
    let mut billed = Billed::default();
    counts.iter().for_each(|(unit, count)| billed.counts.set(*unit, *count));
    billed
}

fn usd(priced: &Priced, billed: &Billed<'_>) -> Option<String> {
    cost(Some(priced), Some(billed), Moment::default).usd.map(|usd| usd.to_string())
}

fn table(list: &str, model: &str) -> Priced {
    Prices::of_row(list, Arc::new(Catalog::new())).find(model, None).unwrap()
}

#[test]
fn cached_tokens_are_charged_once_and_at_their_own_price() {
    // Claude Sonnet 4.5: 257,955 of 262,960 tokens came from the cache, in the tier over 200,000.
    let priced = own(r#"{"input": "2", "output": "8", "cache_read": "0.2", "cache_write": "2.5"}"#);
    let mut billed = Billed::default();
    billed.prompt(262_960, PromptParts { cached: 257_955, ..PromptParts::default() });
    assert_eq!(usd(&priced, &billed).unwrap(), "0.061601");
    assert_eq!(billed.counts.get(Unit::Input), 5_005);
}

#[test]
fn what_is_not_known_is_null_and_never_0() {
    let billed = used(&[(Unit::Input, 10), (Unit::Output, 1), (Unit::Searches, 2)]);
    let unknown = cost(None, Some(&billed), Moment::default);
    assert_eq!((unknown.usd, unknown.reason), (None, Some(CostReason::NoPrice)));
    let priced = own(r#"{"input": "1", "output": "2"}"#);
    let silent = cost(Some(&priced), None, Moment::default);
    assert_eq!((silent.usd, silent.reason), (None, Some(CostReason::NoUsage)));
    let part = cost(Some(&priced), Some(&billed), Moment::default);
    assert_eq!((part.usd, part.reason), (None, Some(CostReason::UnpricedUnit)));
    assert_eq!(part.known_usd.unwrap().to_string(), "0.000012");
    let free = cost(Some(&Priced::Free), Some(&billed), Moment::default);
    assert_eq!((free.usd, free.source), (Some(Usd(0)), Some(CostSource::Config)));
}

#[test]
fn a_count_that_is_too_large_is_said() {
    let priced = own(r#"{"input": "1000000000", "output": "1"}"#);
    let cost = cost(Some(&priced), Some(&used(&[(Unit::Input, u64::MAX)])), Moment::default);
    assert_eq!((cost.usd, cost.reason), (None, Some(CostReason::TooLarge)));
}

#[test]
fn searches_are_priced_by_the_thousand() {
    let priced = own(r#"{"input": "3", "output": "15", "searches": "10"}"#);
    let billed = used(&[(Unit::Input, 1_000_000), (Unit::Searches, 3)]);
    let cost = cost(Some(&priced), Some(&billed), Moment::default);
    assert_eq!(cost.usd.unwrap().to_string(), "3.03");
    assert_eq!(cost.other_usd.unwrap().to_string(), "0.03");
}

#[test]
fn what_the_provider_charges_wins() {
    let priced = own(r#"{"input": "3", "output": "15"}"#);
    let mut billed = used(&[(Unit::Input, 1_000_000)]);
    billed.charged = Some(Charged::Ticks(123_456));
    let ticks = cost(Some(&priced), Some(&billed), Moment::default);
    assert_eq!(ticks.usd.unwrap().to_string(), "0.0000123456");
    assert_eq!(ticks.table_usd.unwrap().to_string(), "3");
    assert_eq!(ticks.source, Some(CostSource::Provider));
    let Value::Number(number) = crate::json::parse("1.4e-05").unwrap() else { unreachable!() };
    billed.charged = Some(Charged::Dollars(&number));
    assert_eq!(cost(None, Some(&billed), Moment::default).usd.unwrap().to_string(), "0.000014");
}

#[test]
fn a_price_is_found_once_for_a_name() {
    let prices = Prices {
        catalog: Some(Arc::new(Catalog::new())),
        list: PriceList::of("openai"),
        own: BTreeMap::from([("mine".to_owned(), Priced::Free)]),
        named: BTreeMap::from([("deployed".to_owned(), "gpt-4.1-mini".to_owned())]),
        ..Prices::default()
    };
    let lookup = Lookup::default();
    let is_table = |priced| matches!(priced, Some(Priced::Table(..)));
    assert!(is_table(lookup.find(&prices, "gpt-4.1-mini", Some("gpt-4.1-mini-2025-04-14"))));
    assert!(is_table(lookup.find(&prices, "gpt-4.1-mini", Some("gpt-4.1-mini-2025-04-14"))));
    // The name of the answer is not in the table: that of the request is.
    assert!(is_table(lookup.find(&prices, "gpt-4.1-mini", Some("snapshot"))));
    assert!(lookup.find(&prices, "unknown", None).is_none());
    assert!(is_table(prices.find("deployed", Some("gpt-4.1"))));
    assert!(matches!(prices.find("x", Some("mine")), Some(Priced::Free)));
}

#[test]
fn a_path_is_no_part_of_a_models_name() {
    table(
        "bedrock",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
    );
    table("vertex", "publishers/anthropic/models/claude-opus-4-1");
    table("gemini", "models/gemini-2.5-flash");
}

#[test]
fn every_list_of_a_row_is_in_the_table() {
    let head = include_str!("../../data/prices.json").lines().next().unwrap();
    let head = crate::json::parse(head).unwrap();
    for row in PriceList::names() {
        assert!(crate::provider::registry::row(row).is_some(), "{row}");
        let name = PriceList::of(row).unwrap().name;
        assert!(head.get("lists").unwrap().get(name).is_some(), "{name}");
    }
}

fn parts() -> impl Strategy<Value = PromptParts> {
    let count = || 0_u64..3_000;
    let said = prop::option::of([0_u64..500, 0_u64..500]);
    (count(), count(), count(), count(), count(), count(), said).prop_map(
        |(cached, written, written_1h, audio, image, video, cached_media)| PromptParts {
            cached,
            written,
            written_1h,
            audio,
            image,
            video,
            cached_media,
        },
    )
}

proptest! {
    /// No token stands twice, and none is lost, however the parts contradict each other.
    #[test]
    fn parts_are_disjoint_and_sum_to_the_whole(all in 0_u64..9_000, parts in parts(),
        answer in 0_u64..2_000, of_answer in [0_u64..900, 0_u64..900, 0_u64..900, 0_u64..900]) {
        let mut billed = Billed::default();
        billed.prompt(all, parts);
        let units = [Unit::Reasoning, Unit::OutputAudio, Unit::OutputImage, Unit::OutputVideo];
        let of_answer: Vec<_> = units.into_iter().zip(of_answer).collect();
        billed.answer(answer, of_answer.clone().try_into().unwrap());
        prop_assert_eq!(billed.counts.all_input(), all);
        let of = |side| billed.counts.used().filter(|(unit, _)| unit.side() == side)
            .map(|(_, count)| count).sum::<u64>();
        prop_assert_eq!(of(Side::Output), answer);
        // Media of the prompt that overlap the cache are no contradiction; more than the whole is.
        let more = parts.cached > all || parts.audio + parts.image + parts.video > all
            || of_answer.iter().map(|(_, count)| count).sum::<u64>() > answer;
        prop_assert!(billed.inconsistent || !more);
    }

    /// More of anything never costs less, within a tier.
    #[test]
    fn a_cost_grows_with_every_count(counts in prop::collection::vec(0_u64..100_000, 17),
        more in 0_usize..17, by in 1_u64..1_000) {
        let priced = own(r#"{"input": "3", "output": "15", "cache_read": "0.3", "cache_write": "3.75",
            "cache_write_1h": "6", "searches": "10", "file_searches": "2.5", "rerank_searches": "2",
            "reasoning": "16"}"#);
        let of = |counts: &[u64]| {
            let all: Vec<_> = Unit::ALL.into_iter().zip(counts.iter().copied()).collect();
            cost(Some(&priced), Some(&used(&all)), Moment::default).usd.unwrap()
        };
        let mut larger = counts.clone();
        larger[more] += by;
        prop_assert!(of(&larger) > of(&counts));
    }

    /// Tokens that come from the cache never make a call dearer where they are cheaper.
    #[test]
    fn cached_tokens_never_cost_more(all in 1_u64..100_000, share in 0_u64..=100) {
        let priced = own(r#"{"input": "3", "output": "15", "cache_read": "0.3"}"#);
        let of = |cached| {
            let mut billed = Billed::default();
            billed.prompt(all, PromptParts { cached, ..PromptParts::default() });
            cost(Some(&priced), Some(&billed), Moment::default).usd.unwrap()
        };
        prop_assert!(of(all * share / 100) <= of(0));
    }
}
