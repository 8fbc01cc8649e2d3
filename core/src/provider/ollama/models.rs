//! `GET /api/tags`, and `POST /api/show` for one model.

use super::{LIST, OPENAI, Ollama, speaks_openai};
use crate::codec::{Object, parse_foreign};
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{ModelInfo, ModelList, ModelsRequest};
use crate::provider::json::count;
use crate::provider::{Models, Target, classify, model_list};
use crate::wire::{Reply, Request};

impl Models for Ollama {
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<Request, Error> {
        if speaks_openai(target) {
            return Models::encode(&OPENAI, request, target);
        }
        Ok(match &request.model {
            None => Request::get(LIST),
            Some(_) => {
                Request::post("/api/show", json!({ "model": &*target.model }).to_string().into())
            }
        })
    }

    fn decode(&self, reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
        if speaks_openai(target) {
            return Models::decode(&OPENAI, reply, target);
        }
        let is_list = |answer: Value| answer.get("models").is_some();
        let failed = !(200..300).contains(&reply.status);
        // An answer that is no JSON is an error in either case.
        if failed || parse_foreign(reply.body).map_or(true, is_list) {
            return model_list::read(reply, target, &["models"], &["model", "name"])
                .map(|page| page.list);
        }
        shown(reply, target)
    }
}

/// What the server says of one model. It does not repeat the name.
fn shown(reply: &Reply<'_>, target: &Target) -> Result<ModelList, Error> {
    let (mut object, warnings) = classify::answer_object(reply, target)?;
    if !["details", "model_info", "modelfile"].iter().any(|name| object.contains_key(name)) {
        if object.get("error").is_some_and(|error| !error.is_null()) {
            let error = classify::in_body(&Value::Object(object), target);
            return Err(classify::locate(error, reply, target));
        }
        return Err(classify::bad_response("the answer describes no model", reply, target));
    }
    let context_window = object.get("model_info").and_then(Value::as_object).and_then(context);
    object.retain(|_, value| !value.is_null());
    let info = ModelInfo {
        id: target.model.to_string(),
        provider: target.provider.to_string(),
        created: None,
        context_window,
        max_output: None,
        capabilities: model_list::capabilities(&object),
        provider_fields: object,
    };
    Ok(ModelList { data: vec![info], next: None, warnings })
}

/// The size of the context, which the model's architecture names: `llama.context_length` [rec].
fn context(info: &Object) -> Option<u64> {
    let architecture = info.get("general.architecture").and_then(Value::as_str)?;
    count(info.get(format!("{architecture}.context_length").as_str()))
}
