//! `GET /v1/models`.

use super::{Anthropic, VERSION_HEADER, version};
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Anthropic {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        let mut out = match &request.model {
            // The largest number that one page may have [doc]; by default it has 20.
            None => Request {
                query: model_list::query("limit=1000", "after_id", request.page.as_deref()),
                ..Request::get("/v1/models")
            },
            Some(_) => Request::get(model_list::path_of_one("/v1/models", target)?),
        };
        out.header(VERSION_HEADER, version(target))?;
        Ok(out)
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        let page = model_list::read(reply, target, &["data"], &["id"])?;
        if !page.has_more() {
            return Ok(page.list);
        }
        if page.rest.get("last_id").is_none_or(|id| id.as_str().is_none_or(str::is_empty)) {
            return Ok(page.truncated(target));
        }
        Ok(page.followed_by("last_id"))
    }
}
