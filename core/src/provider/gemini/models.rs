//! `GET /models`.

use std::borrow::Cow;

use super::Gemini;
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

impl Models for Gemini {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        Ok(match &request.model {
            // The largest number that one page may have [doc]; by default it has 50.
            None => Request { query: query(request), ..Request::get("/models") },
            Some(_) => Request::get(path_of_model(target)?),
        })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        let lists = ["models", "publisherModels"];
        let page = model_list::read(reply, target, &lists, &["name"])?;
        let mut list = page.followed_by("nextPageToken");
        // A list names its models with their collection, `models/gemini-2.5-flash`, and a request
        // may leave that out.
        for model in &mut list.data {
            if let Some((_, id)) = model.id.rsplit_once("models/") {
                model.id = id.to_owned();
            }
        }
        Ok(list)
    }
}

/// The query of a list.
pub(in crate::provider) fn query(request: &ModelsRequest) -> Cow<'static, str> {
    model_list::query("pageSize=1000", "pageToken", request.page.as_deref())
}

/// The path of the target's model. A model of another collection, such as `tunedModels/x`, names
/// the collection itself.
pub(super) fn path_of_model(target: &Target) -> Result<String, Error> {
    let list = if target.model.contains('/') { "" } else { "/models" };
    model_list::path_of_one(list, target)
}
