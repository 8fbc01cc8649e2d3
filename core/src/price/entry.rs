//! What a model costs: prices that hold from a day on or at a time of the day, tiers, and variants.

use std::time::{Duration, SystemTime};

use super::decimal::{MOST, MOST_DECIMALS, Price};
use crate::codec::{Fields, Object, finish, wrong};
use crate::error::Error;
use crate::json::Value;
use crate::model::Unit;

/// The prices of a model.
#[derive(Debug)]
pub struct Entry {
    /// The last that holds counts; the first where none holds.
    prices: Box<[(When, Rates)]>,
    /// Each price is that of the first variant that holds and has it.
    variants: Box<[VariantRates]>,
}

/// Prices that hold for some answers.
#[derive(Debug)]
struct VariantRates {
    /// The words of the answer, by their names.
    words: Box<[(Box<str>, Box<str>)]>,
    when: When,
    rates: Rates,
}

/// When prices hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// From a day on: days since 1970, UTC.
    From(u32),
    /// From one minute of the day to another, UTC. The second may be on the next day.
    Hours(u16, u16),
}

/// A day, and a minute of it, in UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    day: u32,
    minute: u16,
}

/// The price of each unit.
#[derive(Debug)]
struct Rates {
    base: Box<[(Unit, Price)]>,
    /// The prices for prompts of more tokens than this, in the order of these numbers.
    tiers: Box<[(u64, Box<[(Unit, Price)]>)]>,
}

/// What of an answer a variant looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words<'a> {
    pub(crate) service_tier: Option<&'a str>,
    pub(crate) speed: Option<&'a str>,
}

/// A model's prices for one answer.
pub(super) struct Chosen<'a> {
    /// Those that hold, the first before the others: variants, and then the standard.
    rates: [Option<&'a Rates>; MOST_HOLDING],
    all_input: u64,
    /// The words that these variants look at.
    pub(super) words: Words<'a>,
}

/// More variants that hold at once do not count. An answer has two words.
const MOST_HOLDING: usize = 5;

/// A price, and where it was found.
pub(super) struct FoundPrice {
    pub(super) price: Price,
    /// The number of tokens that the prompt exceeds.
    pub(super) tier: Option<u64>,
    /// It is a variant's.
    pub(super) variant: bool,
}

impl Entry {
    /// Reads the members of an entry. Others are left in `fields`.
    pub(super) fn read(fields: &mut Fields) -> Result<Entry, Error> {
        let mut variants = Vec::new();
        for (i, value) in fields.list("variants")?.unwrap_or_default().into_iter().enumerate() {
            let path = format!("{}[{i}]", fields.at("variants"));
            variants.push(VariantRates::read(Fields::of(value, path)?)?);
        }
        let prices = match fields.list("prices")? {
            None => vec![(When::Always, Rates::read(fields)?)],
            Some(list) if list.is_empty() => {
                return Err(fields.missing("prices[0]", "give the prices of the model"));
            }
            Some(list) => {
                let mut prices = Vec::new();
                for (i, value) in list.into_iter().enumerate() {
                    let path = format!("{}[{i}]", fields.at("prices"));
                    let mut own = Fields::of(value, path)?;
                    prices.push((When::read(&mut own)?, Rates::read(&mut own)?));
                    finish(own, "prices")?;
                }
                prices
            }
        };
        Ok(Entry { prices: prices.into(), variants: variants.into() })
    }

    /// Whether the time of the call matters.
    pub(super) fn has_times(&self) -> bool {
        self.prices.len() > 1 || self.variants.iter().any(|one| one.when != When::Always)
    }

    /// Every price of every unit: of any time, tier and variant.
    pub(super) fn all(&self) -> impl Iterator<Item = (Unit, Price)> {
        let rates = self.prices.iter().map(|(_, rates)| rates);
        rates.chain(self.variants.iter().map(|one| &one.rates)).flat_map(|rates| {
            let tiers = rates.tiers.iter().flat_map(|(_, tier)| tier.iter());
            rates.base.iter().chain(tiers).copied()
        })
    }

    /// The prices for an answer.
    pub(super) fn choose(&self, at: Moment, words: Words<'_>, all_input: u64) -> Chosen<'_> {
        let mut rates = [None; MOST_HOLDING];
        let mut said = Words::default();
        let own = self.variants.iter().filter(|one| one.holds(at, words));
        for (place, found) in rates[1..].iter_mut().zip(own) {
            *place = Some(&found.rates);
            said.service_tier = said.service_tier.or(found.word("service_tier"));
            said.speed = said.speed.or(found.word("speed"));
        }
        let standard = self.prices.iter().rev().find(|(when, _)| when.holds(at));
        rates[0] = standard.or(self.prices.first()).map(|(_, rates)| rates);
        Chosen { rates, all_input, words: said }
    }
}

impl Chosen<'_> {
    /// The price of a unit, or of the nearest one that it is a part of.
    pub(super) fn price(&self, unit: Unit) -> Option<FoundPrice> {
        let parents = unit.parents().iter().copied();
        std::iter::once(unit).chain(parents).find_map(|unit| self.own_price(unit))
    }

    fn own_price(&self, unit: Unit) -> Option<FoundPrice> {
        let variants = self.rates[1..].iter().flatten();
        let variant = variants.filter_map(|rates| rates.price(unit, self.all_input)).next();
        let standard = || self.rates[0].and_then(|rates| rates.price(unit, self.all_input));
        let is_variant = variant.is_some();
        let (price, tier) = variant.or_else(standard)?;
        Some(FoundPrice { price, tier, variant: is_variant })
    }
}

impl VariantRates {
    fn read(mut fields: Fields) -> Result<VariantRates, Error> {
        let path = fields.at("when");
        let Some(object) = fields.object("when")?.filter(|object| !object.is_empty()) else {
            return Err(fields.missing("when", "say for which answers these prices are"));
        };
        let words = object.into_iter().map(|(name, value)| match (name.as_str(), value) {
            ("service_tier" | "speed", Value::String(word)) => {
                Ok((Box::from(name.as_str()), Box::from(word)))
            }
            ("service_tier" | "speed", other) => {
                Err(wrong(&format!("{path}.{name}"), "a string", &other))
            }
            (_, _) => {
                let message = format!("{path}.{name} is neither service_tier nor speed");
                Err(Error::invalid(format!("{path}.{name}"), message))
            }
        });
        let words = words.collect::<Result<Vec<_>, _>>()?.into();
        let when = When::read(&mut fields)?;
        let rates = Rates::read_some(&mut fields)?;
        finish(fields, "variants")?;
        Ok(VariantRates { words, when, rates })
    }

    /// The word of this name that an answer has to say.
    fn word(&self, name: &str) -> Option<&str> {
        self.words.iter().find(|(own, _)| **own == *name).map(|(_, word)| &**word)
    }

    fn holds(&self, at: Moment, words: Words<'_>) -> bool {
        let said = |name: &str| match name {
            "service_tier" => words.service_tier,
            "speed" => words.speed,
            _ => None,
        };
        self.words.iter().all(|(name, word)| said(name) == Some(word)) && self.when.holds(at)
    }
}

impl When {
    fn read(fields: &mut Fields) -> Result<When, Error> {
        let hours = fields.list("hours")?;
        match (fields.string("since")?, hours) {
            (Some(_), Some(_)) => {
                let path = fields.at("hours");
                let message = format!("{path}: prices hold from a day on or at hours, not both");
                Err(Error::invalid(path, message))
            }
            (Some(date), None) => day(&date).map(When::From).ok_or_else(|| {
                let path = fields.at("since");
                let message = format!("{path} must be a day as YYYY-MM-DD");
                Error::invalid(path, message)
            }),
            (None, Some(hours)) => {
                let read = |value: &Value| minute(value.as_str()?);
                match hours.as_slice() {
                    [from, to] if read(from).is_some() && read(to).is_some() => {
                        Ok(When::Hours(read(from).unwrap_or(0), read(to).unwrap_or(0)))
                    }
                    _ => {
                        let path = fields.at("hours");
                        let message = format!("{path} must be two times of UTC as HH:MM");
                        Err(Error::invalid(path, message))
                    }
                }
            }
            (None, None) => Ok(When::Always),
        }
    }

    fn holds(self, at: Moment) -> bool {
        match self {
            When::Always => true,
            When::From(day) => at.day >= day,
            When::Hours(from, to) if to < from => at.minute >= from || at.minute < to,
            When::Hours(from, to) => from <= at.minute && at.minute < to,
        }
    }
}

impl Rates {
    /// Reads the prices of a model, which is to have some.
    fn read(fields: &mut Fields) -> Result<Rates, Error> {
        let rates = Rates::read_some(fields)?;
        let has = |unit: Unit| rates.base.iter().any(|(own, _)| *own == unit);
        for (unit, _) in &rates.base {
            if let Some(whole) = unit.parents().last().filter(|whole| !has(**whole)) {
                let hint = format!("{} is a part of it", unit.name());
                return Err(fields.missing(whole.name(), &hint));
            }
        }
        for (part, media) in
            [(Unit::CacheReadAudio, Unit::InputAudio), (Unit::CacheReadImage, Unit::InputImage)]
        {
            if has(Unit::CacheRead) && has(media) && !has(part) {
                let hint = format!("cache_read and {} both hold for it", media.name());
                return Err(fields.missing(part.name(), &hint));
            }
        }
        if rates.base.is_empty() {
            let hint = "give a price, or null for a model that costs nothing";
            return Err(fields.missing("input", hint));
        }
        Ok(rates)
    }

    /// Reads the prices of some units.
    fn read_some(fields: &mut Fields) -> Result<Rates, Error> {
        let base = units(fields)?;
        let mut tiers: Vec<(u64, Box<[(Unit, Price)]>)> = Vec::new();
        for (i, value) in fields.list("tiers")?.unwrap_or_default().into_iter().enumerate() {
            let path = format!("{}[{i}]", fields.at("tiers"));
            let mut own = Fields::of(value, path)?;
            let Some(over) = own.whole("over", 1)? else {
                return Err(own.missing("over", "give the number of tokens that a prompt exceeds"));
            };
            if tiers.last().is_some_and(|(before, _)| *before >= over) {
                let path = own.at("over");
                let message = format!("{path} must be larger than that of the tier before");
                return Err(Error::invalid(path, message));
            }
            let dearer = units(&mut own)?;
            let base_has = |unit: &Unit| base.iter().any(|(own, _)| own == unit);
            if let Some((unit, _)) = dearer.iter().find(|(unit, _)| !base_has(unit)) {
                return Err(fields.missing(unit.name(), "a tier has a price of it"));
            }
            finish(own, "tiers")?;
            tiers.push((over, dearer));
        }
        Ok(Rates { base, tiers: tiers.into() })
    }

    /// The price of a unit in a call whose prompt has so many tokens, and the tier that it is of.
    fn price(&self, unit: Unit, all_input: u64) -> Option<(Price, Option<u64>)> {
        let of = |rates: &[(Unit, Price)]| {
            rates.iter().find(|(own, _)| *own == unit).map(|(_, price)| *price)
        };
        let base = of(&self.base)?;
        let exceeded = self.tiers.iter().rev().filter(|(over, _)| all_input > *over);
        let tier = exceeded.filter_map(|(over, rates)| Some((of(rates)?, Some(*over)))).next();
        Some(tier.unwrap_or((base, None)))
    }
}

/// Takes the price of each unit that has one.
fn units(fields: &mut Fields) -> Result<Box<[(Unit, Price)]>, Error> {
    let mut rates = Vec::new();
    for unit in Unit::ALL {
        let name = unit.name();
        let Some(value) = fields.value(name) else { continue };
        let path = fields.at(name);
        let Value::String(text) = value else {
            return Err(wrong(&path, "a decimal number as a string, such as \"2.5\"", &value));
        };
        let Some(price) = Price::read(&text) else {
            let message = format!(
                "{path} must be digits and perhaps a point and more digits, such as \"2.5\", and \
                 not over {MOST}"
            );
            return Err(Error::invalid(path, message));
        };
        rates.push((unit, price));
    }
    Ok(rates.into())
}

/// Checks what a person wrote and the table's makers did not: more decimals are a mistake.
pub(super) fn check_decimals(object: &Object, path: &str) -> Result<(), Error> {
    for (name, value) in object {
        match value {
            Value::String(text) if Unit::named(name).is_some() => {
                if Price::decimals(text) > MOST_DECIMALS {
                    let path = format!("{path}.{name}");
                    let message = format!("{path} has more than {MOST_DECIMALS} decimals");
                    return Err(Error::invalid(path, message));
                }
            }
            Value::Object(inner) => check_decimals(inner, &format!("{path}.{name}"))?,
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    if let Value::Object(inner) = item {
                        check_decimals(inner, &format!("{path}.{name}[{i}]"))?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

impl Moment {
    /// The moment of a time. One before 1970 is the first.
    #[must_use]
    pub fn of(time: SystemTime) -> Moment {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        Moment {
            day: u32::try_from(since / 86_400).unwrap_or(u32::MAX),
            minute: (since % 86_400 / 60) as u16,
        }
    }
}

/// The days from 1970 to a day of the Gregorian calendar.
fn day(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let digits = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month.checked_sub(1)?).ok()?;
    if year < 1970 || day == 0 || day > *lengths.get(month)? {
        return None;
    }
    let before = year - 1;
    let years = year * 365 + before / 4 - before / 100 + before / 400;
    // 1970-01-01 by the same sum.
    let epoch = 1970 * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400;
    Some(years - epoch + lengths[..month].iter().sum::<u32>() + day - 1)
}

/// `HH:MM` as minutes.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str, below: u16| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u16>().ok().filter(|n| digits && *n < below)
    };
    Some(two(hours, 24)? * 60 + two(minutes, 60)?)
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
