//! `GET /models`.

use super::dialect::Dialect;
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Dialect {
    fn encode(&self, request: &ModelsRequest, _target: &Target) -> Result<Request, Error> {
        Ok(match &request.model {
            None => Request::get("/models"),
            Some(id) => Request::get(format!("/models/{}", model_list::in_path(id))),
        })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        model_list::read(reply, target, &["data"], &["id"])
    }
}
