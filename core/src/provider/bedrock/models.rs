//! `GET /foundation-models` and `GET /inference-profiles` of the control plane. Both together are the
//! ids that a request may name: newer models are asked by a profile alone.

use super::count_tokens::own_id;
use super::{Bedrock, encoded, error};
use crate::error::Error;
use crate::model::{ModelList, ModelsRequest};
use crate::provider::{Models, Target, model_list};
use crate::wire::{Reply, Request};

const MODEL_LIST: &str = "/foundation-models";
const PROFILE_LIST: &str = "/inference-profiles";

/// The member of an answer that holds the foundation models.
const MODELS: &str = "modelSummaries";

/// The page behind the foundation models, which have one page: the first one of the profiles. Others
/// are AWS's tokens, which are not empty.
const PROFILES: &str = "";

impl Models for Bedrock {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        let request = match (&request.model, request.page.as_deref()) {
            (Some(_), _) => {
                let list = if names_a_profile(&target.model) { PROFILE_LIST } else { MODEL_LIST };
                Request::get(format!("{list}/{}", encoded(&target.model)?))
            }
            (None, None) => Request::get(MODEL_LIST),
            (None, Some(page)) => {
                let token = Some(page).filter(|page| *page != PROFILES);
                // The largest number that one page may have [spec].
                let query = model_list::query("maxResults=1000", "nextToken", token);
                Request { query, ..Request::get(PROFILE_LIST) }
            }
        };
        Ok(request.to_control())
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(error::of_status(reply, target));
        }
        let names = ["modelId", "inferenceProfileId"];
        let page = model_list::read(reply, target, &[MODELS, "inferenceProfileSummaries"], &names)?;
        if page.member == Some(MODELS) {
            return Ok(ModelList { next: Some(PROFILES.to_owned()), ..page.list });
        }
        Ok(page.followed_by("nextToken"))
    }
}

/// Whether an id is that of an inference profile: the system's (`eu.amazon.nova-lite-v1:0`), or one of
/// the account's, by its ARN.
fn names_a_profile(model: &str) -> bool {
    match model.strip_prefix("arn:") {
        Some(arn) => arn.contains("inference-profile/"),
        None => own_id(model).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_and_models_have_lists_of_their_own() {
        for (model, is) in [
            ("eu.amazon.nova-lite-v1:0", true),
            ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/x", true),
            ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-lite-v1:0", true),
            ("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0", false),
            ("amazon.nova-lite-v1:0", false),
            ("us.x", false),
        ] {
            assert_eq!(names_a_profile(model), is, "{model}");
        }
    }
}
