//! `POST /api/embed`.

use super::{Ollama, speaks_openai};
use crate::error::Error;
use crate::json::Value;
use crate::model::{EmbedInput, EmbedRequest, Embeddings, Encoding};
use crate::provider::embeddings::{self, Cut, Form, count_vectors, open, usage};
use crate::provider::json::{take_list, take_string};
use crate::provider::{Embed, Most, Notes, Target, classify};
use crate::wire::{self, Reply};

/// The request: `input`, `dimensions`, `truncate` [sdk 0.6]. The answer is decimal text.
const NATIVE: Form =
    Form { base64: None, cut: Cut::Member("truncate"), tokens: false, ..embeddings::OTHERS };

fn form(target: &Target) -> &'static Form {
    if speaks_openai(target) { &embeddings::OTHERS } else { &NATIVE }
}

impl Embed for Ollama {
    fn most(&self, request: &EmbedRequest, target: &Target) -> Most {
        form(target).most(request, target)
    }

    fn refuses(&self, input: &EmbedInput, target: &Target) -> Option<&'static str> {
        form(target).refuses(input, target)
    }

    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        let mut wire = form(target).encode(request, target, notes)?;
        if !speaks_openai(target) {
            wire.path = "/api/embed".into();
        }
        Ok(wire)
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error> {
        if speaks_openai(target) {
            return form(target).decode(reply, request, target);
        }
        let encoding =
            if request.encoding == Encoding::Float { Encoding::Float } else { Encoding::Base64 };
        let (mut object, warnings) = open(reply, target, encoding)?;
        let Some(found) = take_list(&mut object, "embeddings") else {
            let what = "the answer has no embeddings";
            return Err(classify::bad_response(what, reply, target));
        };
        let text = |value| if let Value::String(text) = value { Some(text) } else { None };
        let vectors = found.into_iter().map(text).collect();
        let mut answer = Embeddings {
            model: take_string(&mut object, "model"),
            vectors: count_vectors(vectors, request, encoding, reply, target)?,
            encoding,
            warnings,
            ..Embeddings::default()
        };
        if let Some(read) =
            object.shift_remove("prompt_eval_count").filter(|read| read.as_number().is_some())
        {
            answer.usage = Some(usage(Some(&read), None));
            answer.usage_raw = Some(crate::json::json!({ "prompt_eval_count": read }));
        }
        object.retain(|_, value| !value.is_null());
        answer.fields = object;
        Ok(answer)
    }
}
