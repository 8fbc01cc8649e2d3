//! Reads an input as an answer to a request for embeddings, or for a ranking.
//!
//! The head is as that of a `decode_*` target: which operation (even: embeddings; odd: a ranking) and
//! status, which provider, and what was asked. What must hold: nothing panics, and an answer that is
//! accepted is one for each input or document.

use std::sync::{Arc, LazyLock};

use http::HeaderMap;
use liter_llm_core::config::ProviderConfig;
use liter_llm_core::model::{EmbedInput, EmbedRequest, Encoding, RerankRequest};
use liter_llm_core::wire::Reply;

use crate::{HEAD, STATUSES, config};

const ENCODINGS: [Encoding; 6] = [
    Encoding::Base64,
    Encoding::Float,
    Encoding::Int8,
    Encoding::Uint8,
    Encoding::Binary,
    Encoding::Ubinary,
];

static PROVIDERS: LazyLock<Vec<ProviderConfig>> = LazyLock::new(|| config().providers);

/// Reads `input` as an answer of one of the providers.
pub fn check(input: &[u8]) {
    let Some((&[how, provider, asked], body)) = input.split_first_chunk::<HEAD>() else { return };
    let provider = &PROVIDERS[usize::from(provider) % PROVIDERS.len()];
    let status = STATUSES[usize::from(how / 2) % STATUSES.len()];
    let headers = HeaderMap::new();
    let reply = Reply { status, headers: &headers, body, received: None };
    let number = usize::from(asked) / ENCODINGS.len() % 4 + 1;
    if how % 2 == 0 {
        let encoding = ENCODINGS[usize::from(asked) % ENCODINGS.len()];
        embeddings(provider, &reply, number, encoding);
    } else {
        ranking(provider, &reply, number, u64::from(asked) % 6);
    }
}

fn embeddings(provider: &ProviderConfig, reply: &Reply<'_>, number: usize, encoding: Encoding) {
    let Some(adapter) = provider.row.adapter().embed() else { return };
    let inputs = vec![EmbedInput::Text("x".to_owned()); number];
    let request = EmbedRequest {
        inputs: Arc::new(inputs),
        part: 0..number,
        encoding,
        ..EmbedRequest::default()
    };
    if let Ok(answer) = adapter.decode(reply, &request, &provider.target("m")) {
        assert_eq!(answer.vectors.len(), number, "a vector for each input");
        let length = answer.vectors[0].length();
        assert!(length > 0, "a vector without numbers");
        assert!(answer.vectors.iter().all(|one| one.length() == length), "lengths differ");
    }
}

fn ranking(provider: &ProviderConfig, reply: &Reply<'_>, number: usize, top: u64) {
    let Some(adapter) = provider.row.adapter().rerank() else { return };
    let request = RerankRequest {
        documents: vec!["x".to_owned(); number],
        top_n: (top > 0).then_some(top),
        ..RerankRequest::default()
    };
    if let Ok(answer) = adapter.decode(reply, &request, &provider.target("m")) {
        let wanted = if top > 0 { number.min(top as usize) } else { number };
        assert_eq!(answer.results.len(), wanted, "as many as were asked for");
        let mut seen = vec![false; number];
        for ranked in &answer.results {
            assert!(!std::mem::replace(&mut seen[ranked.index], true), "ranked twice");
        }
    }
}
