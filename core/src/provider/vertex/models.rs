//! The list of Google's models, and one model of any publisher. Both belong to no project, and are at
//! the control plane.

use std::sync::Arc;

use super::publisher::Published;
use super::{GOOGLE, LIST, Vertex};
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::gemini::list_query;
use crate::provider::{Models, Target};
use crate::wire::{Reply, Request};

impl Models for Vertex {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        if request.model.is_none() {
            return Ok(Request { query: list_query(request), ..Request::get(LIST) }.to_control());
        }
        let published = Published::of(&target.model);
        let target = Target { model: Arc::from(published.path()?), ..target.clone() };
        let one = Models::encode(GOOGLE, request, &target)?;
        // An endpoint is a resource of the project.
        Ok(if let Published::By(..) = published { one.to_control() } else { one })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        Models::decode(GOOGLE, reply, target)
    }
}
