//! `POST /model/ID/invoke`, which takes each maker's own form: embeddings and ranking. The table says
//! whose form a model has. `openai::dialect` explains the marks of the sources.

use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::Usage;
use crate::provider::Target;
use crate::wire::{Reply, headers};

/// The form of a model's embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Embeds {
    /// `inputText` alone [rec].
    Titan,
    /// The same with `dimensions` [doc].
    TitanV2,
    /// A text, an image or both together, and `embeddingConfig` [doc].
    TitanImage,
    /// Cohere's first form: `texts`, and no length of the vectors [rec].
    CohereV3,
    /// Cohere's form with `inputs` and `output_dimension` [rec].
    CohereV4,
    /// `singleEmbeddingParams` [rec].
    Nova,
}

/// The forms by what a model's id holds; the first one counts. An id may have a region before it, and
/// a version behind it, or be the end of an ARN.
const EMBEDS: [(&str, Embeds); 7] = [
    ("amazon.titan-embed-text-v2", Embeds::TitanV2),
    ("amazon.titan-embed-image", Embeds::TitanImage),
    ("amazon.titan-embed", Embeds::Titan),
    ("cohere.embed-english-v3", Embeds::CohereV3),
    ("cohere.embed-multilingual-v3", Embeds::CohereV3),
    ("cohere.embed-", Embeds::CohereV4),
    ("amazon.nova-2-multimodal-embeddings", Embeds::Nova),
];

/// The form of a model's rankings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ranks {
    /// Amazon's: query, documents and `top_n`. Programs of others send it so; no page of AWS's has the
    /// body [unverified].
    Amazon,
    /// Cohere's of the version that `api_version` names: 2 [sdk cohere 7.3.1].
    Cohere,
}

const RANKS: [(&str, Ranks); 2] =
    [("amazon.rerank", Ranks::Amazon), ("cohere.rerank", Ranks::Cohere)];

impl Embeds {
    /// The form of this model, if it is known.
    pub(super) fn of(model: &str) -> Option<Embeds> {
        EMBEDS.iter().find(|(name, _)| model.contains(name)).map(|(_, form)| *form)
    }

    /// The most inputs of one request: Cohere 96 [doc], the others one.
    pub(super) fn most(self) -> usize {
        if matches!(self, Embeds::CohereV3 | Embeds::CohereV4) { 96 } else { 1 }
    }
}

impl Ranks {
    /// The form of this model, if it is known.
    pub(super) fn of(model: &str) -> Option<Ranks> {
        RANKS.iter().find(|(name, _)| model.contains(name)).map(|(_, form)| *form)
    }
}

/// The error for a model of no known form.
pub(super) fn unknown(target: &Target, what: &str, forms: &str) -> Error {
    let message = format!(
        "{} {what} with models of {forms}: the id {:?} is of none of them",
        target.provider, &*target.model
    );
    Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some("model".to_owned()))
}

/// The header that counts the tokens of an input, in an answer of any form [rec].
const COUNT: &str = "x-amzn-bedrock-input-token-count";

/// The usage that the headers tell, with its raw form.
pub(super) fn counted(reply: &Reply<'_>) -> Option<(Usage, Value)> {
    let tokens: u64 = headers::text(reply.headers, COUNT)?.trim().parse().ok()?;
    let usage =
        Usage { prompt_tokens: Some(tokens), total_tokens: Some(tokens), ..Usage::default() };
    Some((usage, Value::Object(Object::from_iter([(COUNT, Value::from(tokens))]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_found_in_any_id() {
        for (model, form) in [
            ("amazon.titan-embed-text-v1", Some(Embeds::Titan)),
            ("amazon.titan-embed-g1-text-02", Some(Embeds::Titan)),
            ("amazon.titan-embed-text-v2:0", Some(Embeds::TitanV2)),
            (
                "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-image-v1",
                Some(Embeds::TitanImage),
            ),
            ("cohere.embed-english-v3", Some(Embeds::CohereV3)),
            ("cohere.embed-multilingual-v3:0", Some(Embeds::CohereV3)),
            ("global.cohere.embed-v4:0", Some(Embeds::CohereV4)),
            ("amazon.nova-2-multimodal-embeddings-v1:0", Some(Embeds::Nova)),
            ("amazon.nova-lite-v1:0", None),
        ] {
            assert_eq!(Embeds::of(model), form, "{model}");
        }
        assert_eq!(Ranks::of("cohere.rerank-v3-5:0"), Some(Ranks::Cohere));
        assert_eq!(Ranks::of("amazon.rerank-v1:0"), Some(Ranks::Amazon));
        assert_eq!(Ranks::of("cohere.embed-v4:0"), None);
    }
}
