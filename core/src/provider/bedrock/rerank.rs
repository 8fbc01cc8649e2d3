//! Ranking of documents by `invoke`. All models answer in Cohere's form.

use super::invoke::{Ranks, counted, unknown};
use super::{Bedrock, error, path};
use crate::codec::Object;
use crate::error::Error;
use crate::model::{Ranking, RerankRequest};
use crate::provider::{Notes, Rerank, Target, asked_extra, reranking};
use crate::wire::{self, Reply};

impl Rerank for Bedrock {
    fn encode(
        &self,
        request: &RerankRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        if target.model.is_empty() {
            return Err(Error::invalid("model", "model is missing: give the model to rank with"));
        }
        let form = Ranks::of(&target.model);
        let form = form.ok_or_else(|| unknown(target, "ranks", "Amazon and Cohere"))?;
        let mut body = Object::new();
        body.insert("query", request.query.as_str());
        body.insert("documents", request.documents.clone());
        if let Some(top) = request.top_n {
            body.insert("top_n", top);
        }
        if form == Ranks::Cohere {
            body.insert("api_version", 2_u64);
        }
        match (request.max_tokens_per_doc, form) {
            (None, _) => {}
            (Some(most), Ranks::Cohere) => drop(body.insert("max_tokens_per_doc", most)),
            (Some(_), Ranks::Amazon) => {
                let text = "Amazon's models have no limit of a document's tokens";
                notes.unsupported("max_tokens_per_doc", text)?;
            }
        }
        body.extend(asked_extra(&request.extra, target));
        Ok(wire::Request::post(path(&target.model, "invoke")?, body.to_json()))
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &RerankRequest,
        target: &Target,
    ) -> Result<Ranking, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(error::of_status(reply, target));
        }
        let mut answer = reranking::COHERE.decode(reply, request, target)?;
        if let (None, Some((usage, raw))) = (&answer.usage_raw, counted(reply)) {
            (answer.usage, answer.usage_raw) = (Some(usage), Some(raw));
        }
        Ok(answer)
    }
}
