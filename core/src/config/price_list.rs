//! Which prices a provider's models have: `price`, `price_list`, and `price_as` of a model.

use std::collections::BTreeMap;

use super::models::ModelConfig;
use crate::codec::{Fields, did_you_mean};
use crate::error::Error;
use crate::price::{PriceList, Prices};

/// Reads what a provider's entry says about prices.
pub(super) fn read_entry(
    kind: &str,
    models: &[ModelConfig],
    fields: &mut Fields,
) -> Result<Prices, Error> {
    let free = fields.word("price", &["free"])?.is_some();
    let list = match fields.string("price_list")? {
        None => PriceList::of(kind),
        Some(name) => Some(PriceList::of(&name).ok_or_else(|| no_list(fields, &name))?),
    };
    let named =
        models.iter().filter_map(|model| Some((model.name.clone(), model.price_as.clone()?)));
    let named: BTreeMap<_, _> = named.collect();
    if let (None, Some((model, _))) = (list, named.first_key_value()) {
        let path = format!("{}.{model}.price_as", fields.at("models"));
        let message = format!(
            "{path} names a model of a price list, and this provider has none: give {}",
            fields.at("price_list")
        );
        return Err(Error::invalid(path, message));
    }
    Ok(Prices { list, free, named, ..Prices::default() })
}

fn no_list(fields: &Fields, name: &str) -> Error {
    let path = fields.at("price_list");
    let near = did_you_mean(name, PriceList::names()).unwrap_or_default();
    let names: Vec<_> = PriceList::names().collect();
    let message = format!("{path} must be one of {}{near}", names.join(", "));
    Error::invalid(path, message)
}
