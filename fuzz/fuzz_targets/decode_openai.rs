//! OpenAI's chat completions, in every server's dialect.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use liter_llm_core::config::ProviderConfig;
use liter_llm_fuzz::{decode, providers};

static PROVIDERS: LazyLock<Vec<ProviderConfig>> = LazyLock::new(|| {
    providers(|row| {
        !matches!(row, "anthropic" | "cohere" | "gemini" | "vertex" | "bedrock" | "ollama")
    })
});

fuzz_target!(|input: &[u8]| decode(&PROVIDERS, input));
