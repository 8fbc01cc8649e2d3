//! `GET /v1/models`.

use super::Cohere;
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Cohere {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        Ok(match &request.model {
            // The largest number that one page may have [doc]; by default it has 20.
            None => Request {
                query: model_list::query("page_size=1000", "page_token", request.page.as_deref()),
                ..Request::get("/v1/models")
            },
            Some(_) => Request::get(model_list::path_of_one("/v1/models", target)?),
        })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        let page = model_list::read(reply, target, &["models"], &["name"])?;
        Ok(page.followed_by("next_page_token"))
    }
}
