//! `POST /moderations` of OpenAI and Mistral.

use super::chat::usage;
use super::dialect::{Dialect, Moderates};
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{ModerateRequest, Moderation, Moderations};
use crate::provider::json::{take_list, take_object, take_string};
use crate::provider::{Moderate, Notes, Target, asked_extra, classify};
use crate::wire::{self, Reply};

impl Moderate for Dialect {
    fn encode(
        &self,
        request: &ModerateRequest,
        target: &Target,
        _notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        let mut body = Object::new();
        if !target.model.is_empty() {
            body.insert("model", &*target.model);
        } else if self.moderation == Moderates::WithModel {
            let message = format!(
                "model is missing: {} moderates only by a model of that name, such as \
                 mistral-moderation-latest",
                target.provider
            );
            return Err(Error::invalid("model", message));
        }
        body.insert("input", request.input.clone());
        body.extend(asked_extra(&request.extra, target));
        Ok(wire::Request::post("/moderations", body.to_json()))
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<Moderations, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(classify::failed(reply, target));
        }
        let bad = |what: &str| classify::bad_response(what, reply, target);
        let (object, warnings) = classify::answer_object(reply, target)?;
        let mut object = classify::without_error(object, reply, target)?;
        let Some(items) = take_list(&mut object, "results") else {
            return Err(bad("the answer has no results: it is no moderation"));
        };
        let mut answer = Moderations {
            id: take_string(&mut object, "id"),
            model: take_string(&mut object, "model"),
            warnings,
            ..Moderations::default()
        };
        for item in items {
            let Value::Object(item) = item else {
                return Err(bad("a result of the answer is not an object"));
            };
            answer.results.push(verdict(item));
        }
        if let Some(raw) = take_object(&mut object, "usage") {
            answer.usage = Some(usage(&raw));
            answer.usage_raw = Some(Value::Object(raw));
        }
        object.retain(|_, value| !value.is_null());
        answer.fields = object;
        Ok(answer)
    }
}

fn verdict(mut item: Object) -> Moderation {
    let categories = take_object(&mut item, "categories").unwrap_or_default();
    // Mistral has no `flagged` member [rec].
    let any = || categories.iter().any(|(_, applies)| applies.as_bool() == Some(true));
    let flagged = item.shift_remove("flagged").and_then(|flagged| flagged.as_bool());
    Moderation {
        flagged: flagged.unwrap_or_else(any),
        category_scores: take_object(&mut item, "category_scores").unwrap_or_default(),
        provider_fields: item,
        categories,
    }
}
