//! The built-in providers: one row each, with the peculiarities from `providers.md`.
//!
//! A row without a base URL is not a provider, but a kind that a configuration can name
//! (`compatible`).

use super::{Chat, Provider, anthropic, cohere, openai};

/// A built-in provider.
#[derive(Debug)]
pub struct Row {
    /// Its name, and the name of the kind.
    pub name: &'static str,
    /// The wire format.
    pub format: Format,
    /// Its base URL, with the version path.
    pub base_url: &'static str,
    /// The environment variable that its own SDK reads for another base URL; "" if there is none.
    pub base_url_env: &'static str,
    /// The environment variable of its key; "" if the server needs none.
    pub key_env: &'static str,
}

/// A wire format, with its dialect.
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

    /// Its chat completions.
    #[must_use]
    pub fn chat(&'static self) -> Option<&'static dyn Chat> {
        self.adapter().chat()
    }

    /// Whether this provider uses `api_version`.
    #[must_use]
    pub fn takes_api_version(&self) -> bool {
        matches!(self.format, Format::Anthropic)
    }
}

/// The row with this name.
#[must_use]
pub fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

/// A row of OpenAI's wire format: name, dialect, base URL, and its SDK's variables for another base
/// URL and for the key.
const fn openai_row(
    name: &'static str,
    dialect: openai::Dialect,
    base_url: &'static str,
    base_url_env: &'static str,
    key_env: &'static str,
) -> Row {
    Row { name, format: Format::OpenAi(dialect), base_url, base_url_env, key_env }
}

/// Every row.
pub static ROWS: &[Row] = &[
    openai_row(
        "openai",
        openai::OPENAI,
        "https://api.openai.com/v1",
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
    ),
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
    openai_row("groq", openai::GROQ, "https://api.groq.com/openai/v1", "", "GROQ_API_KEY"),
    openai_row("mistral", openai::MISTRAL, "https://api.mistral.ai/v1", "", "MISTRAL_API_KEY"),
    openai_row("deepseek", openai::DEEPSEEK, "https://api.deepseek.com", "", "DEEPSEEK_API_KEY"),
    openai_row("xai", openai::XAI, "https://api.x.ai/v1", "", "XAI_API_KEY"),
    openai_row(
        "openrouter",
        openai::OPENROUTER,
        "https://openrouter.ai/api/v1",
        "",
        "OPENROUTER_API_KEY",
    ),
    openai_row(
        "together",
        openai::TOGETHER,
        "https://api.together.ai/v1",
        "TOGETHER_BASE_URL",
        "TOGETHER_API_KEY",
    ),
    openai_row(
        "fireworks",
        openai::FIREWORKS,
        "https://api.fireworks.ai/inference/v1",
        "",
        "FIREWORKS_API_KEY",
    ),
    openai_row("ollama", openai::OLLAMA, "http://localhost:11434/v1", "", ""),
    openai_row("vllm", openai::VLLM, "http://localhost:8000/v1", "", ""),
    openai_row("compatible", openai::COMPATIBLE, "", "", ""),
];
