//! `GET /models`.

use super::dialect::Dialect;
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Dialect {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        Ok(match &request.model {
            None => self.get(target, "/models"),
            Some(_) => self.get(target, model_list::path_of_one("/models", target)?),
        })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        let page = model_list::read(reply, target, &["data"], &["id"])?;
        // No server of this form that we know has pages.
        Ok(if page.has_more() { page.truncated(target) } else { page.list })
    }
}
