//! What models cost, where the configuration says so: `prices` and `prices_file`.

use std::sync::Arc;

use super::names::quoted;
use super::provider::{self, ProviderConfig, unknown_provider};
use crate::codec::{Fields, MAX_DOCUMENT, Object, parse_object, wrong};
use crate::error::Error;
use crate::json::Value;
use crate::price::{Catalog, Priced};

/// Reads `prices_file` and `prices`, and gives each provider its own. What stands in `prices` counts
/// before what stands in the file. The price table is one for all of them.
pub(super) fn read(fields: &mut Fields, providers: &mut [ProviderConfig]) -> Result<(), Error> {
    let catalog = Arc::new(Catalog::new());
    for provider in &mut *providers {
        provider.prices.catalog = Some(Arc::clone(&catalog));
    }
    if let Some(file) = fields.string("prices_file")? {
        add(from_file(&file)?, "prices_file", providers)?;
    }
    add(fields.object("prices")?.unwrap_or_default(), "prices", providers)
}

/// Adds prices by `provider/model`.
fn add(object: Object, path: &str, providers: &mut [ProviderConfig]) -> Result<(), Error> {
    for (name, value) in object {
        let place = || format!("{path}.{name}");
        let Some((own, model)) = name.split_once('/').filter(|(_, model)| !model.is_empty()) else {
            let message = format!("{} must be named provider/model", place());
            return Err(Error::invalid(place(), message));
        };
        let Some(found) = provider::find(providers, own) else {
            let known = providers.iter().map(|provider| &*provider.name);
            let message = format!("{}: {}", place(), unknown_provider("provider", own, known));
            return Err(Error::invalid(place(), message));
        };
        let object = match value {
            Value::Null => None,
            Value::Object(object) => Some(object),
            other => return Err(wrong(&place(), "an object, or null for no cost", &other)),
        };
        let priced = Priced::read(object, &place())?;
        providers[found].prices.own.insert(model.to_owned(), priced);
    }
    Ok(())
}

/// The prices of a file.
fn from_file(file: &str) -> Result<Object, Error> {
    let read = crate::file::read(file.as_ref(), MAX_DOCUMENT as u64);
    let (bytes, _) = read.map_err(|reason| {
        let named = quoted(file).unwrap_or_else(|| "that it names".to_owned());
        let message = format!("prices_file: the file {named} cannot be read: {reason}");
        Error::invalid("prices_file", message)
    })?;
    parse_object(&bytes, "prices_file")
}
