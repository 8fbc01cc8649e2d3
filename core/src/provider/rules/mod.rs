//! Adapts requests to what providers are known to refuse, before anything is sent. It is one table,
//! with a row for each fact.
//!
//! Each change is a warning, or an error of kind `unsupported` if the caller wants no changes
//! (`options.unsupported: "error"`). The rules for messages stand beside each dialect.

mod adapt;
pub(super) mod models;
pub(super) mod schema;
#[cfg(test)]
mod tests;

pub(super) use adapt::adapted;

use models::ModelRule;
use schema::Dialect;

/// What one provider refuses.
#[derive(Debug)]
pub struct Rules {
    /// Texts that end an answer must have a character beside white space.
    pub blank_stops: bool,
    /// The largest number of texts that end an answer.
    pub most_stops: Option<usize>,
    /// The dialect of JSON Schema for the schemas of an answer and of strict tools.
    pub schema: Option<Dialect>,
    /// Models that take less than the others.
    pub models: &'static [ModelRule],
}

/// What every server refuses or is free to refuse: `tool_choice` and `parallel_tool_calls` without
/// tools ("only allowed when 'tools' are specified", OpenAI [rec]), and empty stop texts.
pub const COMMON: Rules = Rules { blank_stops: false, most_stops: None, schema: None, models: &[] };

/// "Up to 4 sequences where the API will stop generating further tokens" (OpenAI [sdk], Groq [sdk]).
const FOUR_STOPS: Option<usize> = Some(4);

/// Groq.
pub const GROQ: Rules = Rules { most_stops: FOUR_STOPS, ..COMMON };

/// Cohere: "a list of up to 5 strings that the model will use to stop generation" [sdk].
pub const COHERE: Rules = Rules { most_stops: Some(5), ..COMMON };

/// OpenAI: strict schemas close each object, require each member, and have no `oneOf` or `default`
/// [doc]; reasoning models refuse more [rec].
pub const OPENAI: Rules = Rules {
    most_stops: FOUR_STOPS,
    schema: Some(Dialect::OpenAiStrict),
    models: models::OPENAI,
    ..COMMON
};

/// A server of which nothing is known: it may serve OpenAI's models under their names.
pub const COMPATIBLE: Rules = Rules { models: models::OPENAI, ..COMMON };

/// Anthropic: "each stop sequence must contain non-whitespace" (BerriAI/litellm#3286); schemas in
/// the form that its SDK gives them [sdk 2.14].
pub const ANTHROPIC: Rules =
    Rules { blank_stops: true, schema: Some(Dialect::Anthropic), ..COMMON };

/// Gemini: keywords of a schema that it does not have are not read, so the model is told of them. It
/// takes "up to 5" stop sequences [doc].
pub const GEMINI: Rules = Rules { schema: Some(Dialect::Gemini), most_stops: Some(5), ..COMMON };

/// Bedrock: schemas must be closed, and have no bounds of numbers and lists [rec].
pub const BEDROCK: Rules = Rules { schema: Some(Dialect::Anthropic), ..COMMON };

/// Anthropic's models at Bedrock take stop sequences as they do at Anthropic's.
pub const BEDROCK_CLAUDE: Rules = Rules { blank_stops: true, ..BEDROCK };
