//! `POST /v2/embed`.

use super::Cohere;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{EmbedInput, EmbedRequest, Embeddings, Encoding, InputType, Part, Truncate};
use crate::provider::embeddings::{check, count_vectors, extra, model, open, usage};
use crate::provider::json::{take_list, take_object, take_string};
use crate::provider::{Embed, Most, Notes, Target, classify};
use crate::wire::{self, Reply};

impl Embed for Cohere {
    fn most(&self, request: &EmbedRequest, _target: &Target) -> Most {
        // [sdk 7.3]; numbers other than floats come as text.
        Most::of(96, usize::MAX).that_fits(request, request.encoding.is_float())
    }

    fn refuses(&self, input: &EmbedInput, _target: &Target) -> Option<&'static str> {
        matches!(input, EmbedInput::Tokens(_)).then_some("lists of tokens, but texts")
    }

    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        let mut body = Object::new();
        body.insert("model", model(target)?);
        body.insert("input_type", input_type(request.input_type, target, notes));
        check(self, request, target)?;
        inputs(request, &mut body, |url| json!({ "url": url }));
        body.insert("embedding_types", vec![wanted(request.encoding)]);
        if let Some(dimensions) = request.dimensions {
            body.insert("output_dimension", dimensions);
        }
        if let Some(truncate) = request.truncate {
            let word = match truncate {
                Truncate::None => "NONE",
                Truncate::Start => "START",
                Truncate::End => "END",
            };
            body.insert("truncate", word);
        }
        body.extend(extra(request, target, request.encoding)?);
        Ok(wire::Request::post("/v2/embed", body.to_json()))
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error> {
        let encoding = request.encoding;
        let (mut object, warnings) = open(reply, target, encoding)?;
        // Version 1 has the list itself [rec].
        let found = match object.shift_remove("embeddings") {
            Some(Value::Array(found)) => Some(found),
            Some(Value::Object(mut by_type)) => {
                let lists = [wanted(encoding), "float"];
                lists.into_iter().find_map(|name| take_list(&mut by_type, name))
            }
            _ => None,
        };
        let Some(found) = found else {
            let what = "the answer has no embeddings of the type that was asked for";
            return Err(classify::bad_response(what, reply, target));
        };
        let vector = |value| if let Value::String(text) = value { Some(text) } else { None };
        let vectors = found.into_iter().map(vector).collect();
        let mut answer = Embeddings {
            id: take_string(&mut object, "id"),
            vectors: count_vectors(vectors, request, encoding, reply, target)?,
            encoding,
            warnings,
            ..Embeddings::default()
        };
        let meta = object.get_mut("meta").and_then(Value::as_object_mut);
        if let Some(billed) = meta.and_then(|meta| take_object(meta, "billed_units")) {
            answer.usage = Some(usage(billed.get("input_tokens"), None));
            answer.usage_raw = Some(Value::Object(billed));
        }
        // The texts are the caller's own.
        let ours = ["texts", "response_type"];
        object.retain(|name, value| !value.is_null() && !ours.contains(&name.as_str()));
        answer.fields = object;
        Ok(answer)
    }
}

/// Adds the inputs: texts, or objects if one of them has parts. `image` writes an image's URL.
pub(in crate::provider) fn inputs(
    request: &EmbedRequest,
    body: &mut Object,
    image: impl Fn(&str) -> Value,
) {
    let asked = request.asked();
    let text = |input: &EmbedInput| match input {
        EmbedInput::Text(text) => Some(Value::from(text)),
        _ => None,
    };
    if let Some(texts) = asked.iter().map(text).collect::<Option<Vec<_>>>() {
        body.insert("texts", texts);
        return;
    }
    let part = |part: &Part| match part {
        Part::Image { url, .. } => json!({"type": "image_url", "image_url": image(url)}),
        Part::Text { text, .. } => json!({"type": "text", "text": text}),
        Part::Audio { .. } | Part::File { .. } => Value::Null,
    };
    let content = |input: &EmbedInput| -> Value {
        let content = match input {
            EmbedInput::Parts(parts) => parts.iter().map(part).collect(),
            EmbedInput::Text(text) => vec![json!({"type": "text", "text": text})],
            EmbedInput::Tokens(_) => Vec::new(),
        };
        json!({ "content": content })
    };
    body.insert("inputs", asked.iter().map(content).collect::<Vec<_>>());
}

/// The type of embeddings to ask for. `base64` are floats [sdk].
fn wanted(encoding: Encoding) -> &'static str {
    if encoding.is_float() { "base64" } else { encoding.name() }
}

/// The type of the inputs, which Cohere requires.
pub(in crate::provider) fn input_type(
    asked: Option<InputType>,
    target: &Target,
    notes: &mut Notes,
) -> &'static str {
    match asked {
        Some(InputType::Query) => "search_query",
        Some(InputType::Document) => "search_document",
        Some(InputType::Classification) => "classification",
        Some(InputType::Clustering) => "clustering",
        None => {
            let message = format!(
                "{} wants to know what the inputs are, and was told that they are documents: give \
                 input_type",
                target.provider
            );
            notes.warn("default_applied", "input_type", message);
            "search_document"
        }
    }
}
