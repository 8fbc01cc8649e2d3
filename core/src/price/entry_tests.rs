//! Tests of what a model costs.

use super::*;
use crate::codec::parse_object;
use crate::error::ErrorKind;

fn read(text: &str) -> Result<Entry, Error> {
    let object = parse_object(text.as_bytes(), "prices")?;
    check_decimals(&object, "prices.m")?;
    let mut fields = Fields::new(object, "prices.m");
    let entry = Entry::read(&mut fields)?;
    finish(fields, "prices").map(|()| entry)
}

const SOME_DAY: Moment = Moment { day: 20_000, minute: 0 };

fn price(entry: &Entry, at: Moment, unit: Unit, all_input: u64) -> Option<Price> {
    entry.choose(at, Words::default(), all_input).price(unit).map(|found| found.price)
}

#[test]
fn days_are_those_of_the_calendar() {
    for (text, days) in [
        ("1970-01-01", Some(0)),
        ("1970-12-31", Some(364)),
        ("2000-03-01", Some(11_017)),
        ("2024-02-29", Some(19_782)),
        ("2026-11-30", Some(20_787)),
        ("2023-02-29", None),
        ("2026-13-01", None),
        ("2026-00-01", None),
        ("2026-01-00", None),
        ("1969-12-31", None),
        ("2026-1-1", None),
        ("2026-01-1x", None),
        ("+026-01-01", None),
    ] {
        assert_eq!(day(text), days, "{text}");
    }
    assert_eq!(Moment::of(SystemTime::UNIX_EPOCH + Duration::from_secs(86_399)).minute, 1_439);
    assert_eq!(Moment::of(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).day, 0);
}

#[test]
fn a_price_holds_from_its_day_on() {
    let entry = read(
        r#"{"prices": [{"input": "1"}, {"since": "2026-02-01", "input": "2"},
            {"since": "2026-03-01", "input": "3"}]}"#,
    )
    .unwrap();
    let at = |date: &str| Moment { day: day(date).unwrap(), minute: 0 };
    for (date, text) in
        [("2026-01-31", "1"), ("2026-02-01", "2"), ("2026-02-28", "2"), ("2026-03-01", "3")]
    {
        assert_eq!(price(&entry, at(date), Unit::Input, 1), Price::read(text), "{date}");
    }
}

#[test]
fn a_price_holds_at_its_hours_and_over_midnight() {
    let entry = read(
        r#"{"prices": [{"input": "1"}, {"hours": ["23:00", "01:30"], "input": "2"},
            {"hours": ["06:00", "10:00"], "input": "3"}]}"#,
    )
    .unwrap();
    for (time, text) in [
        ("22:59", "1"),
        ("23:00", "2"),
        ("00:00", "2"),
        ("01:29", "2"),
        ("01:30", "1"),
        ("05:59", "1"),
        ("06:00", "3"),
        ("10:00", "1"),
    ] {
        let at = Moment { day: 1, minute: minute(time).unwrap() };
        assert_eq!(price(&entry, at, Unit::Input, 1), Price::read(text), "{time}");
    }
}

#[test]
fn a_tier_is_a_cliff_on_the_whole_prompt() {
    let entry = read(
        r#"{"input": "1", "output": "4", "cache_read": "0.1",
            "tiers": [{"over": 100, "input": "2", "output": "8"}, {"over": 200, "input": "3"}]}"#,
    )
    .unwrap();
    for (all, unit, text) in [
        (100, Unit::Input, "1"),
        (101, Unit::Input, "2"),
        (201, Unit::Input, "3"),
        (201, Unit::Output, "8"),
        (201, Unit::Reasoning, "8"),
        (201, Unit::CacheRead, "0.1"),
        (201, Unit::CacheWrite1h, "3"),
        (100, Unit::InputAudio, "1"),
    ] {
        assert_eq!(price(&entry, SOME_DAY, unit, all), Price::read(text), "{all} {unit:?}");
    }
    assert_eq!(price(&entry, SOME_DAY, Unit::Searches, 1), None);
}

#[test]
fn a_variant_is_what_the_answer_says() {
    let entry = read(
        r#"{"input": "1", "output": "4", "variants": [
            {"when": {"service_tier": "flex"}, "since": "2026-01-01", "input": "0.5"},
            {"when": {"service_tier": "flex"}, "input": "0.6", "output": "2"},
            {"when": {"service_tier": "flex", "speed": "fast"}, "input": "0"}]}"#,
    )
    .unwrap();
    let of = |tier: Option<&str>, date: &str, unit| {
        let at = Moment { day: day(date).unwrap(), minute: 0 };
        let words = Words { service_tier: tier, speed: None };
        let found = entry.choose(at, words, 1).price(unit).unwrap();
        (found.price, found.variant)
    };
    let is = |text: &str, variant| (Price::read(text).unwrap(), variant);
    assert_eq!(of(Some("flex"), "2026-01-01", Unit::Input), is("0.5", true));
    assert_eq!(of(Some("flex"), "2026-01-01", Unit::Output), is("2", true));
    assert_eq!(of(Some("flex"), "2025-12-31", Unit::Input), is("0.6", true));
    assert_eq!(of(Some("Flex"), "2026-01-01", Unit::Input), is("1", false));
    assert_eq!(of(None, "2026-01-01", Unit::Input), is("1", false));
}

#[test]
fn wrong_prices_are_named_by_their_place() {
    for (text, param) in [
        (r#"{"input": "-1"}"#, "prices.m.input"),
        (r#"{"input": "1e3"}"#, "prices.m.input"),
        (r#"{"input": "NaN"}"#, "prices.m.input"),
        (r#"{"input": "1000000001"}"#, "prices.m.input"),
        (r#"{"input": "0.0000000000001"}"#, "prices.m.input"),
        (r#"{"input": 2}"#, "prices.m.input"),
        (r#"{"inputs": "2", "input": "2"}"#, "prices.m.inputs"),
        (r#"{}"#, "prices.m.input"),
        (r#"{"output": "1", "cache_read": "1"}"#, "prices.m.input"),
        (r#"{"input": "1", "reasoning": "1"}"#, "prices.m.output"),
        (r#"{"input": "1", "cache_read": "1", "input_audio": "1"}"#, "prices.m.cache_read_audio"),
        (r#"{"prices": []}"#, "prices.m.prices[0]"),
        (r#"{"prices": [{"since": "2026-02-30", "input": "1"}]}"#, "prices.m.prices[0].since"),
        (r#"{"prices": [{"hours": ["1:00", "02:00"], "input": "1"}]}"#, "prices.m.prices[0].hours"),
        (
            r#"{"prices": [{"since": "2026-02-01", "hours": ["01:00", "02:00"], "input": "1"}]}"#,
            "prices.m.prices[0].hours",
        ),
        (r#"{"prices": [{"input": "1"}], "input": "1"}"#, "prices.m.input"),
        (r#"{"input": "1", "tiers": [{"input": "2"}]}"#, "prices.m.tiers[0].over"),
        (
            r#"{"input": "1", "tiers": [{"over": 2, "input": "2"}, {"over": 2, "input": "3"}]}"#,
            "prices.m.tiers[1].over",
        ),
        (r#"{"input": "1", "tiers": [{"over": 2, "output": "2"}]}"#, "prices.m.output"),
        (
            r#"{"input": "1", "tiers": [{"over": 2, "input": "0.0000000000001"}]}"#,
            "prices.m.tiers[0].input",
        ),
        (r#"{"input": "1", "variants": [{"input": "2"}]}"#, "prices.m.variants[0].when"),
        (
            r#"{"input": "1", "variants": [{"when": {"tier": "x"}, "input": "2"}]}"#,
            "prices.m.variants[0].when.tier",
        ),
        (
            r#"{"input": "1", "variants": [{"when": {"speed": 1}, "input": "2"}]}"#,
            "prices.m.variants[0].when.speed",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
        assert_eq!(error.param.as_deref(), Some(param), "{text}: {}", error.message);
    }
}
