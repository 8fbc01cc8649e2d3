//! The built-in providers: a row each, with what `providers.md` says is peculiar to it.
//!
//! A row without a base URL is a kind that a configuration can name (`compatible`), not a provider.

use super::{Provider, anthropic, cohere, openai};

/// A built-in provider.
#[derive(Debug)]
pub struct Row {
    /// Its name, and the name of the kind.
    pub name: &'static str,
    /// The wire format.
    pub format: Format,
    /// Where it is, with the version path.
    pub base_url: &'static str,
    /// The environment variable that its own SDK reads for another base URL; "" where none.
    pub base_url_env: &'static str,
    /// The environment variable of its key; "" where the server asks for none.
    pub key_env: &'static str,
}

/// A wire format, with the peculiarities of its dialect.
#[derive(Debug)]
pub enum Format {
    /// OpenAI chat completions.
    OpenAi(openai::Dialect),
    /// Anthropic messages.
    Anthropic,
    /// Cohere v2 chat.
    Cohere,
}

impl Row {
    /// The adapter.
    #[must_use]
    pub fn adapter(&'static self) -> &'static dyn Provider {
        match &self.format {
            Format::OpenAi(dialect) => dialect,
            Format::Anthropic => &anthropic::Anthropic,
            Format::Cohere => &cohere::Cohere,
        }
    }

    /// Whether `api_version` means anything here.
    #[must_use]
    pub fn takes_api_version(&self) -> bool {
        matches!(self.format, Format::Anthropic)
    }
}

/// The row of this name.
#[must_use]
pub fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

/// Every row.
pub static ROWS: &[Row] = &[
    Row {
        name: "openai",
        format: Format::OpenAi(openai::OPENAI),
        base_url: "https://api.openai.com/v1",
        base_url_env: "OPENAI_BASE_URL",
        key_env: "OPENAI_API_KEY",
    },
    Row {
        name: "anthropic",
        format: Format::Anthropic,
        base_url: "https://api.anthropic.com",
        base_url_env: "ANTHROPIC_BASE_URL",
        key_env: "ANTHROPIC_API_KEY",
    },
    Row {
        name: "cohere",
        format: Format::Cohere,
        base_url: "https://api.cohere.com",
        base_url_env: "CO_API_URL",
        key_env: "CO_API_KEY",
    },
    Row {
        name: "compatible",
        format: Format::OpenAi(openai::GENERIC),
        base_url: "",
        base_url_env: "",
        key_env: "",
    },
];
