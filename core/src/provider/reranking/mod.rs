//! Ranking of documents, which all providers have in nearly the same form.

mod form;

pub use form::Form;
pub(super) use form::{COHERE, OTHERS, VOYAGE};

use super::json::{count, take_list, take_object, take_string};
use super::{Notes, Rerank, Target, asked_extra, classify};
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{Ranked, Ranking, RerankRequest, Usage, Warning};
use crate::wire::{Reply, Request};

impl Rerank for Form {
    fn encode(
        &self,
        request: &RerankRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<Request, Error> {
        if target.model.is_empty() {
            let message = "model is missing: give the model to rank with";
            return Err(Error::invalid("model", message));
        }
        let mut body = Object::new();
        body.insert("model", &*target.model);
        body.insert("query", request.query.as_str());
        body.insert("documents", request.documents.clone());
        if let Some(top) = request.top_n {
            body.insert(self.top, top);
        }
        match (request.max_tokens_per_doc, self.most_tokens) {
            (None, _) => {}
            (Some(_), "") => {
                let message = format!("{} has no limit of a document's tokens", target.provider);
                notes.unsupported("max_tokens_per_doc", message)?;
            }
            (Some(most), member) => drop(body.insert(member, most)),
        }
        body.extend(asked_extra(&request.extra, target));
        Ok(Request::post(self.path, body.to_json()))
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &RerankRequest,
        target: &Target,
    ) -> Result<Ranking, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(classify::failed(reply, target));
        }
        let bad = |what: &str| classify::bad_response(what, reply, target);
        let (object, mut warnings) = classify::answer_object(reply, target)?;
        let mut object = classify::without_error(object, reply, target)?;
        let Some(items) = take_list(&mut object, self.results) else {
            return Err(bad("the answer has no results: it is no ranking"));
        };
        let mut seen = vec![false; request.documents.len()];
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            let Some(ranked) = ranked(item) else {
                return Err(bad("a result of the answer has no index or no relevance_score"));
            };
            match seen.get_mut(ranked.index) {
                Some(seen) if !*seen => *seen = true,
                _ => {
                    return Err(bad("the answer ranks a document twice, or one that is not there"));
                }
            }
            results.push(ranked);
        }
        let score = |ranked: &Ranked| ranked.relevance_score.as_f64().unwrap_or(f64::NEG_INFINITY);
        results.sort_by(|one, other| score(other).total_cmp(&score(one)));
        let wanted = self.wanted(request, target);
        if results.len() < wanted {
            let found = results.len();
            return Err(bad(&format!("the answer ranks {found} documents, and not {wanted}")));
        }
        if results.len() > wanted {
            warnings.push(too_many(target, results.len(), wanted));
            results.truncate(wanted);
        }
        let mut answer = Ranking {
            id: take_string(&mut object, "id"),
            model: take_string(&mut object, "model"),
            results,
            warnings,
            ..Ranking::default()
        };
        let billed = |object: &mut Object| {
            take_object(object.get_mut("meta")?.as_object_mut()?, "billed_units")
        };
        if let Some(raw) = take_object(&mut object, "usage").or_else(|| billed(&mut object)) {
            answer.usage = usage(&raw);
            answer.usage_raw = Some(Value::Object(raw));
        }
        object.retain(|name, value| !value.is_null() && name != "object");
        answer.fields = object;
        Ok(answer)
    }
}

impl Form {
    /// The number of documents that the answer is to have.
    fn wanted(&self, request: &RerankRequest, target: &Target) -> usize {
        let extra = asked_extra(&request.extra, target);
        let top = count(extra.get(self.top)).or(request.top_n);
        let top = top.and_then(|top| usize::try_from(top).ok());
        top.unwrap_or(usize::MAX).min(request.documents.len())
    }
}

/// The warning about a server that takes no notice of `top_n`.
fn too_many(target: &Target, found: usize, wanted: usize) -> Warning {
    let message = format!(
        "{} ranked {found} documents and was asked for {wanted}: the others were left out",
        target.provider
    );
    Warning { code: "unsupported_parameter", message, param: Some("top_n".to_owned()) }
}

fn ranked(item: Value) -> Option<Ranked> {
    let Value::Object(mut item) = item else { return None };
    let index = usize::try_from(count(item.shift_remove("index").as_ref())?).ok()?;
    let Some(Value::Number(relevance_score)) = item.shift_remove("relevance_score") else {
        return None;
    };
    item.retain(|_, value| !value.is_null());
    Some(Ranked { index, relevance_score, provider_fields: item })
}

/// The tokens, if the provider counts them. Cohere counts searches.
fn usage(raw: &Object) -> Option<Usage> {
    let (prompt, total) = (count(raw.get("prompt_tokens")), count(raw.get("total_tokens")));
    let tokens = prompt.or(total)?;
    Some(Usage { prompt_tokens: Some(tokens), total_tokens: total.or(prompt), ..Usage::default() })
}
