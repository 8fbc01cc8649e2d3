//! `GET /v1/models`.

use super::{Anthropic, VERSION_HEADER, version};
use crate::codec::parse_foreign;
use crate::error::Error;
use crate::json::Value;
use crate::model::{ModelList, ModelsRequest, Warning};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Anthropic {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        let mut out = match &request.model {
            // The largest number that one page may have [doc]; by default it has 20.
            None => Request { query: "limit=1000".into(), ..Request::get("/v1/models") },
            Some(_) => Request::get(model_list::path_of_one("/v1/models", target)?),
        };
        out.header(VERSION_HEADER, version(target))?;
        Ok(out)
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        let mut list = model_list::read(reply, target, &["data"], &["id"])?;
        let answer = parse_foreign(reply.body).unwrap_or_default();
        if answer.get("has_more").and_then(Value::as_bool) == Some(true) {
            list.warnings.push(Warning {
                code: "truncated",
                message: format!("{} has more models than one page holds", target.provider),
                param: None,
            });
        }
        Ok(list)
    }
}
