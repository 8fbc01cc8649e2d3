//! Members of a chat request that only some providers know.

use crate::codec::{Fields, wrong};
use crate::error::Error;
use crate::json::{Key, Value};

/// The bits of all names below: most requests have none of these members.
const ANY: u64 = Key::bit("logprobs")
    | Key::bit("top_logprobs")
    | Key::bit("top_k")
    | Key::bit("prediction")
    | Key::bit("service_tier")
    | Key::bit("verbosity")
    | Key::bit("prompt_cache_key")
    | Key::bit("safety_identifier")
    | Key::bit("audio");

/// Reads those that the request has, in the order in which they are sent.
pub(super) fn read(fields: &mut Fields) -> Result<Vec<(&'static str, Value)>, Error> {
    // Its bit is that of `max_tokens`, which many requests have.
    let modalities = match fields.may_have(Key::bit("modalities")) {
        true => fields.list("modalities")?,
        false => None,
    };
    if modalities.is_none() && !fields.may_have(ANY) {
        return Ok(Vec::new());
    }
    let verbosity = fields.word("verbosity", &["low", "medium", "high"])?;
    let mut words = modalities.iter().flatten().enumerate();
    if let Some((i, word)) = words.find(|(_, word)| !word.is_string()) {
        return Err(wrong(&fields.at(&format!("modalities[{i}]")), "a string", word));
    }
    Ok([
        ("logprobs", fields.bool("logprobs")?.map(Value::from)),
        ("top_logprobs", fields.whole("top_logprobs", 0)?.map(Value::from)),
        ("top_k", fields.whole("top_k", 1)?.map(Value::from)),
        ("prediction", fields.object("prediction")?.map(Value::Object)),
        ("service_tier", fields.string("service_tier")?.map(Value::from)),
        ("verbosity", verbosity.map(Value::from)),
        ("prompt_cache_key", fields.string("prompt_cache_key")?.map(Value::from)),
        ("safety_identifier", fields.string("safety_identifier")?.map(Value::from)),
        ("modalities", modalities.map(Value::from)),
        ("audio", fields.object("audio")?.map(Value::Object)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect())
}
