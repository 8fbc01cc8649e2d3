//! `GET /models`.

use super::Gemini;
use crate::codec::parse_foreign;
use crate::error::Error;
use crate::json::Value;
use crate::model::{ModelList, ModelsRequest, Warning};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Gemini {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        Ok(match &request.model {
            // The largest number that one page may have [doc]; by default it has 50.
            None => Request { query: "pageSize=1000".into(), ..Request::get("/models") },
            Some(_) => Request::get(path_of_model(target)?),
        })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        let lists = ["models", "publisherModels"];
        let mut list = model_list::read(reply, target, &lists, &["name"])?;
        // A list names its models with their collection, `models/gemini-2.5-flash`, and a request
        // may leave that out.
        for model in &mut list.data {
            if let Some((_, id)) = model.id.rsplit_once("models/") {
                model.id = id.to_owned();
            }
        }
        let answer = parse_foreign(reply.body).unwrap_or_default();
        let next = answer.get("nextPageToken").and_then(Value::as_str);
        if next.is_some_and(|token| !token.is_empty()) {
            list.warnings.push(Warning {
                code: "truncated",
                message: format!("{} has more models than one page holds", target.provider),
                param: None,
            });
        }
        Ok(list)
    }
}

/// The path of the target's model. A model of another collection, such as `tunedModels/x`, names
/// the collection itself.
pub(super) fn path_of_model(target: &Target) -> Result<String, Error> {
    let list = if target.model.contains('/') { "" } else { "/models" };
    model_list::path_of_one(list, target)
}
