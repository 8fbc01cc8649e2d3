//! The list of a publisher's models.

use std::sync::Arc;

use super::publisher::Published;
use super::{GOOGLE, Vertex};
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::{Models, Target};
use crate::wire::{Reply, Request};

impl Models for Vertex {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        if request.model.is_none() {
            let query = "pageSize=1000".into();
            return Ok(Request { query, ..Request::get("/publishers/google/models") });
        }
        let path = Published::of(&target.model).path()?;
        let target = Target { model: Arc::from(path), ..target.clone() };
        Models::encode(GOOGLE, request, &target)
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        Models::decode(GOOGLE, reply, target)
    }
}
