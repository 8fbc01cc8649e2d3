//! Embeddings.

use std::collections::HashSet;
use std::ops::Range;

use super::envelope::{Envelope, further};
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::{EmbedRequest, EmbedResponse, Embedding, Embeddings, Liter, Usage, Warning};
use crate::provider::{Most, Provider, Target};

/// The document: the provider's vectors, and what the engine adds.
pub(super) fn response(answer: Embeddings, envelope: Envelope) -> EmbedResponse {
    let Envelope { provider, mut warnings, liter, .. } = envelope;
    let Embeddings { id, model, vectors, encoding, usage, usage_raw, fields, warnings: own } =
        answer;
    warnings.extend(own);
    let usage_raw = further(usage_raw, usage.as_ref());
    let data = vectors.into_iter().enumerate();
    EmbedResponse {
        id,
        object: "list",
        data: data.map(|(index, embedding)| Embedding { index, embedding }).collect(),
        encoding,
        model,
        usage,
        provider,
        warnings,
        liter: Liter { usage_raw, provider_fields: fields, ..liter },
    }
}

/// One document of the answers to the parts of a request, in the order of the parts. The list is not
/// empty.
pub(super) fn joined(parts: Vec<EmbedResponse>) -> Result<EmbedResponse, Error> {
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else {
        return Err(Error::new(ErrorKind::Internal, "a request without parts"));
    };
    let mut raw: Vec<Value> = whole.liter.usage_raw.take().into_iter().collect();
    let length = |data: &[Embedding]| data.first().map(|one| one.embedding.length());
    let wanted = length(&whole.data);
    // A part may have a warning for each of its inputs.
    let mut said: HashSet<Warning> = whole.warnings.iter().cloned().collect();
    for part in parts {
        let from = whole.data.len();
        if length(&part.data) != wanted || part.encoding != whole.encoding {
            let message = format!(
                "the provider's answers to the parts of this request differ in the length of their \
                 vectors: see that of input[{from}]"
            );
            return Err(Error::new(ErrorKind::BadResponse, message));
        }
        let several = (part.model != whole.model).then(several_models);
        let warnings = several.into_iter().chain(part.warnings);
        whole.warnings.extend(warnings.filter(|warning| said.insert(warning.clone())));
        whole
            .data
            .extend(part.data.into_iter().map(|one| Embedding { index: from + one.index, ..one }));
        whole.usage = sum(whole.usage, part.usage);
        raw.extend(part.liter.usage_raw);
        whole.liter.attempts.extend(part.liter.attempts);
        whole.liter.cost = whole.liter.cost.zip(part.liter.cost).map(|(a, b)| Box::new(a.plus(&b)));
        whole.liter.ratelimit = part.liter.ratelimit;
        whole.liter.provider_fields.extend(part.liter.provider_fields);
    }
    whole.liter.usage_raw = (!raw.is_empty()).then_some(Value::Array(raw));
    Ok(whole)
}

fn several_models() -> Warning {
    Warning {
        code: "several_models",
        message: "the provider names different models for the parts of this request: check that \
                  their vectors can be compared"
            .to_owned(),
        param: Some("model".to_owned()),
    }
}

/// The sum. A count that one of them lacks is unknown.
fn sum(one: Option<Usage>, other: Option<Usage>) -> Option<Usage> {
    let (one, other) = (one?, other?);
    let add = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
    Some(Usage {
        prompt_tokens: add(one.prompt_tokens, other.prompt_tokens),
        total_tokens: add(one.total_tokens, other.total_tokens),
        ..Usage::default()
    })
}

/// The most bytes of inputs in one request.
const MOST_BYTES: usize = 8 << 20;

/// The parts of a request, if one of its targets does not take it in one piece. Every target takes
/// each of them.
pub(super) fn parts<'a>(
    request: &EmbedRequest,
    targets: impl Iterator<Item = (&'static dyn Provider, &'a Target, Option<usize>)>,
) -> Option<Vec<EmbedRequest>> {
    let none = Most::of(usize::MAX, usize::MAX);
    let most = targets.fold(none, |most, (provider, target, configured)| {
        let own = provider.embed().map_or(none, |embed| embed.most(request, target));
        // The configuration knows what the server takes, and not what an answer has room for.
        let inputs = configured.unwrap_or(own.inputs).min(own.vectors);
        Most { inputs: most.inputs.min(inputs), tokens: most.tokens.min(own.tokens), ..none }
    });
    let ranges = ranges(request, most);
    (ranges.len() > 1).then(|| ranges.into_iter().map(|range| request.about(range)).collect())
}

/// The ranges of inputs that fit into one request each. An input that is too long by itself goes
/// alone: only the provider knows.
fn ranges(request: &EmbedRequest, most: Most) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut from, mut tokens, mut bytes) = (request.part.start, 0_usize, 0_usize);
    for (i, input) in request.part.clone().zip(request.asked()) {
        let (more_tokens, more_bytes) = (input.most_tokens(), input.bytes());
        let full = i - from >= most.inputs
            || tokens.saturating_add(more_tokens) > most.tokens
            || bytes.saturating_add(more_bytes) > MOST_BYTES;
        if full && i > from {
            ranges.push(from..i);
            (from, tokens, bytes) = (i, 0, 0);
        }
        tokens += more_tokens;
        bytes += more_bytes;
    }
    ranges.push(from..request.part.end);
    ranges
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::EmbedInput;

    fn request(texts: &[usize]) -> EmbedRequest {
        let inputs = texts.iter().map(|length| EmbedInput::Text("x".repeat(*length))).collect();
        let part = 0..texts.len();
        EmbedRequest { inputs: Arc::new(inputs), part, ..EmbedRequest::default() }
    }

    #[test]
    fn a_request_is_cut_where_it_is_full() {
        let cut =
            |texts: &[usize], inputs, tokens| ranges(&request(texts), Most::of(inputs, tokens));
        assert_eq!(cut(&[1; 5], 2, 100), [0..2, 2..4, 4..5]);
        assert_eq!(cut(&[1; 4], 4, 100).len(), 1);
        assert_eq!(cut(&[4, 4, 4], 10, 8), [0..2, 2..3]);
        assert_eq!(cut(&[1, 99, 1], 10, 8), [0..1, 1..2, 2..3]);
        assert_eq!(cut(&[99], 1, 8).len(), 1);
    }

    proptest! {
        /// The parts are all inputs in their order, each part fits, and no two neighbours would fit
        /// into one.
        #[test]
        fn the_parts_are_the_whole(
            texts in prop::collection::vec(0_usize..20, 1..60), inputs in 1_usize..10, tokens in 1_usize..50,
        ) {
            let most = Most::of(inputs, tokens);
            let cut = ranges(&request(&texts), most);
            let mut next = 0;
            for range in &cut {
                prop_assert_eq!(range.start, next);
                next = range.end;
                let sum: usize = texts[range.clone()].iter().sum();
                prop_assert!(range.len() == 1 || range.len() <= inputs && sum <= tokens);
            }
            prop_assert_eq!(next, texts.len());
            for pair in cut.windows(2) {
                let sum: usize = texts[pair[0].start..=pair[1].start].iter().sum();
                prop_assert!(pair[0].len() + 1 > inputs || sum > tokens);
            }
        }
    }
}
