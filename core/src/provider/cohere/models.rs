//! `GET /v1/models`.

use super::Cohere;
use crate::codec::parse_foreign;
use crate::error::Error;
use crate::json::Value;
use crate::model::{ModelList, ModelsRequest, Warning};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Cohere {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        Ok(match &request.model {
            // The largest number that one page may have [doc]; by default it has 20.
            None => Request { query: "page_size=1000".into(), ..Request::get("/v1/models") },
            Some(_) => Request::get(model_list::path_of_one("/v1/models", target)?),
        })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        let mut list = model_list::read(reply, target, &["models"], &["name"])?;
        let answer = parse_foreign(reply.body).unwrap_or_default();
        let next = answer.get("next_page_token").and_then(Value::as_str);
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
