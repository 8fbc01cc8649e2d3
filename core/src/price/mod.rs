//! What an answer costs: what it says was used, times the prices of its model.
//!
//! `catalog` is the price table, `entry` a model's prices, `clause` which names of models it is for.
//! `lists` says which provider's prices a row of the registry has. `bound` is the most that a request
//! can cost. `decimal` has the arithmetic: every amount is an integer, and what is not known is never
//! 0.

mod bound;
mod catalog;
mod clause;
mod decimal;
mod entry;
mod lists;

pub(crate) use bound::{Guess, likely, most, searches_by_itself};
pub use catalog::Catalog;
pub use entry::{Entry, Moment};
pub use lists::PriceList;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::codec::{Fields, finish};
use crate::error::Error;
use crate::json::Object;
use crate::model::{Billed, Charged, Cost, CostReason, CostSource, Counts, Side, Usd, Variant};
use decimal::{Amount, dollars};
use entry::Words;

/// The prices of a provider's models, as its entry in the configuration has them.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    pub(crate) catalog: Option<Arc<Catalog>>,
    /// The part of the price table.
    pub(crate) list: Option<PriceList>,
    /// Its models cost nothing, unless they have a price of their own.
    pub(crate) free: bool,
    /// The configuration's own prices, by the model's name.
    pub(crate) own: BTreeMap<String, Priced>,
    /// Models whose price is that of another name, by their own.
    pub(crate) named: BTreeMap<String, String>,
}

/// What a model costs.
#[derive(Clone, Debug)]
pub enum Priced {
    /// Nothing, as the configuration says.
    Free,
    /// The configuration's own price.
    Own(Arc<Entry>),
    /// The price table's.
    Table(Arc<Entry>, Arc<str>),
}

impl Priced {
    /// Reads what the configuration says about one model. `null` makes it free.
    pub(crate) fn read(object: Option<Object>, path: &str) -> Result<Priced, Error> {
        let Some(object) = object else { return Ok(Priced::Free) };
        entry::check_decimals(&object, path)?;
        let mut fields = Fields::new(object, path.to_owned());
        let entry = Entry::read(&mut fields)?;
        finish(fields, "prices")?;
        Ok(Priced::Own(Arc::new(entry)))
    }
}

impl Prices {
    /// The prices of a built-in provider, by its row's name.
    #[must_use]
    pub fn of_row(row: &str, catalog: Arc<Catalog>) -> Prices {
        Prices { catalog: Some(catalog), list: PriceList::of(row), ..Prices::default() }
    }

    /// The price of a model that was asked for, and that the answer may name otherwise. None if it is
    /// not known.
    #[must_use]
    pub fn find(&self, asked: &str, answered: Option<&str>) -> Option<Priced> {
        let names = || answered.into_iter().chain([asked]);
        if let Some(own) = names().find_map(|name| self.own.get(name)) {
            return Some(own.clone());
        }
        if self.free {
            return Some(Priced::Free);
        }
        let (catalog, list) = (self.catalog.as_ref()?, self.list?);
        let of_table = |name: &str| {
            let tail = || name.rsplit_once('/').map(|(_, tail)| tail).filter(|_| list.paths);
            let found = catalog.find(list.name, name);
            found.or_else(|| catalog.find(list.name, tail()?))
        };
        let entry = match self.named.get(asked) {
            Some(name) => of_table(name),
            None => names().find_map(of_table),
        };
        Some(Priced::Table(entry?, Arc::clone(catalog.name())))
    }
}

/// The price of a target's model, looked up once for each name that its answers give it, and once
/// before there is an answer.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    last: Mutex<Option<Known>>,
    asked: OnceLock<Option<Priced>>,
}

#[derive(Debug)]
struct Known {
    answered: Option<Box<str>>,
    priced: Option<Priced>,
}

impl Lookup {
    /// The price of the model, from `prices` where the last answer had another name.
    pub(crate) fn find(
        &self,
        prices: &Prices,
        asked: &str,
        answered: Option<&str>,
    ) -> Option<Priced> {
        let lock = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*lock()
            && known.answered.as_deref() == answered
        {
            return known.priced.clone();
        }
        // Without the lock: the first time a part of the table is read.
        let priced = prices.find(asked, answered);
        *lock() = Some(Known { answered: answered.map(Box::from), priced: priced.clone() });
        priced
    }

    /// The price of the model as it is asked for.
    pub(crate) fn asked(&self, prices: &Prices, model: &str) -> Option<&Priced> {
        self.asked.get_or_init(|| prices.find(model, None)).as_ref()
    }
}

/// What an answer costs. `at` is the time of the call's begin. It is asked only where the price
/// depends on it.
#[must_use]
pub fn cost(
    priced: Option<&Priced>,
    billed: Option<&Billed<'_>>,
    at: impl FnOnce() -> Moment,
) -> Cost {
    let Some(billed) = billed else {
        let free = matches!(priced, Some(Priced::Free));
        return if free { nothing() } else { Cost::unknown(CostReason::NoUsage) };
    };
    let cost = match priced {
        None => Cost::unknown(CostReason::NoPrice),
        Some(Priced::Free) => nothing(),
        Some(Priced::Own(entry)) => {
            Cost { source: Some(CostSource::Config), ..of_entry(entry, billed, at) }
        }
        Some(Priced::Table(entry, catalog)) => Cost {
            source: Some(CostSource::Table),
            catalog: Some(Arc::clone(catalog)),
            ..of_entry(entry, billed, at)
        },
    };
    match charged(billed) {
        Some(charged) => Cost {
            usd: Some(charged),
            source: Some(CostSource::Provider),
            table_usd: cost.usd,
            ..Cost::default()
        },
        None => cost,
    }
}

fn nothing() -> Cost {
    Cost { usd: Some(Usd(0)), source: Some(CostSource::Config), ..Cost::default() }
}

/// What the provider says that it charges.
fn charged(billed: &Billed<'_>) -> Option<Usd> {
    match billed.charged? {
        Charged::Ticks(ticks) => Some(Usd(u128::from(ticks) * 100)),
        Charged::Dollars(number) => dollars(number.as_str()),
    }
}

/// The sum of what was used.
fn of_entry(entry: &Entry, billed: &Billed<'_>, at: impl FnOnce() -> Moment) -> Cost {
    let words = Words { service_tier: billed.service_tier, speed: billed.speed };
    let at = if entry.has_times() { at() } else { Moment::default() };
    let Some(sum) = sum(entry, &billed.counts, at, words) else {
        return Cost::unknown(CostReason::TooLarge);
    };
    let Sum { sides: [input, output, other], all, tier, variant, unpriced } = sum;
    let word = |word: Option<&str>| word.map(str::to_owned);
    let unpriced = unpriced || billed.another_model;
    Cost {
        usd: (!unpriced).then(|| all.rounded()),
        reason: unpriced.then_some(CostReason::UnpricedUnit),
        known_usd: unpriced.then(|| all.rounded()),
        input_usd: Some(input.rounded()),
        output_usd: Some(output.rounded()),
        other_usd: Some(other.rounded()).filter(|other| *other != Usd(0)),
        tier,
        variant: variant.map(|words| Variant {
            service_tier: word(words.service_tier),
            speed: word(words.speed),
        }),
        ..Cost::default()
    }
}

#[derive(Default)]
struct Sum<'a> {
    sides: [Amount; 3],
    all: Amount,
    tier: Option<u64>,
    /// The words of the variant that has one of the prices.
    variant: Option<Words<'a>>,
    /// Something that was used has no price.
    unpriced: bool,
}

/// The sum of each count times its price. None if it is too large.
fn sum<'a>(entry: &'a Entry, counts: &Counts, at: Moment, words: Words<'_>) -> Option<Sum<'a>> {
    let chosen = entry.choose(at, words, counts.all_input());
    let mut sum = Sum::default();
    for (unit, count) in counts.used() {
        let Some(found) = chosen.price(unit) else {
            sum.unpriced = true;
            continue;
        };
        let side = unit.side();
        let amount = found.price.times(count, side == Side::Other)?;
        let own = &mut sum.sides[side as usize];
        *own = own.plus(amount)?;
        sum.all = sum.all.plus(amount)?;
        sum.tier = sum.tier.max(found.tier);
        sum.variant = sum.variant.or(found.variant.then_some(chosen.words));
    }
    Some(sum)
}

#[cfg(test)]
mod tests;
