//! The members of a body that limits and policies look at, and which of them an entry lets `extra`
//! replace.

use crate::codec::Fields;
use crate::error::Error;
use crate::json::Value;

/// The members of a body that limits and policies have looked at when a request goes out. `extra`
/// replaces them only if the provider's entry allows it. A dot leads into an object, and Google's
/// names count as `max_output_tokens`, too, because Google reads both.
pub(crate) const LOOKED_AT: [&str; 31] = [
    "model",
    "stream",
    "messages",
    "input",
    "inputs",
    "texts",
    "inputText",
    "inputImage",
    "requests",
    "instances",
    "images",
    "query",
    "documents",
    "top_n",
    "top_k",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "system",
    "instructions",
    "contents",
    "systemInstruction",
    "generationConfig.maxOutputTokens",
    "generationConfig.candidateCount",
    "inferenceConfig.maxTokens",
    "num_predict",
    "options.num_predict",
    "singleEmbeddingParams.text",
    "singleEmbeddingParams.image",
    "additionalModelRequestFields.max_tokens",
];

/// Reads `extra_may_replace`.
pub(super) fn read_extra_may_replace(fields: &mut Fields) -> Result<Vec<&'static str>, Error> {
    let items = fields.list("extra_may_replace")?.unwrap_or_default();
    let read = |(i, item): (usize, &Value)| {
        let known = LOOKED_AT.iter().find(|name| item.as_str() == Some(**name)).copied();
        known.ok_or_else(|| {
            let path = format!("{}[{i}]", fields.at("extra_may_replace"));
            let message = format!("{path} must be one of {}", LOOKED_AT.join(", "));
            Error::invalid(path, message)
        })
    };
    items.iter().enumerate().map(read).collect()
}
