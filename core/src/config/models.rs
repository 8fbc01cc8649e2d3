//! The settings of single models of a provider.

use super::limits::read_limits;
use crate::codec::{Fields, finish};
use crate::error::Error;
use crate::json::{Key, Value};
use crate::limit::Limits;

/// The settings of one model.
#[derive(Clone, Debug)]
pub(crate) struct ModelConfig {
    pub(crate) name: String,
    pub(crate) limits: Limits,
    /// The number of inputs that one request for embeddings may have. `None`: what is known of the
    /// provider counts.
    pub(crate) max_inputs: Option<usize>,
    /// The model of the price list whose price it has.
    pub(super) price_as: Option<String>,
}

/// Reads `models`, the settings of single models.
pub(super) fn read_models(fields: &mut Fields) -> Result<Vec<ModelConfig>, Error> {
    let entries = fields.object("models")?.unwrap_or_default();
    let read = |(name, entry): (Key, Value)| {
        let mut entry = Fields::of(entry, format!("{}.{name}", fields.at("models")))?;
        let limits = read_limits(&mut entry)?;
        let inputs = entry.whole("max_inputs", 1)?;
        let price_as = entry.name("price_as")?;
        finish(entry, "a model")?;
        let max_inputs = inputs.map(|inputs| usize::try_from(inputs).unwrap_or(usize::MAX));
        Ok(ModelConfig { name: name.to_string(), limits, max_inputs, price_as })
    };
    entries.into_iter().map(read).collect()
}
