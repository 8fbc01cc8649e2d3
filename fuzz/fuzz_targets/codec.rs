//! The caller's documents: whatever is read can be said to every provider, as JSON.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use liter_llm_core::config::ProviderConfig;
use liter_llm_core::provider::Notes;
use liter_llm_core::{Config, Options, Request};
use liter_llm_fuzz::{panics_on_purpose, providers};

static PROVIDERS: LazyLock<Vec<ProviderConfig>> = LazyLock::new(|| providers(|_| true));

fuzz_target!(|document: &[u8]| {
    if panics_on_purpose(document) {
        return;
    }
    let _ = Config::parse(document);
    let _ = Options::parse(document);
    let Ok((request, options)) = Request::parse(document, Options::default()) else { return };
    for provider in PROVIDERS.iter() {
        let target = provider.target("m");
        let mut notes = Notes::new(options.unsupported.unwrap_or_default());
        if let Ok(http) = provider.row.chat().unwrap().encode(&request, &target, &mut notes) {
            let body: Result<serde_json::Value, _> = serde_json::from_slice(&http.body);
            assert!(body.is_ok_and(|body| body.is_object()), "{} is sent no object", provider.name);
        }
    }
});
