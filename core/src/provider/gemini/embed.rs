//! `batchEmbedContents`, and `predict` for Vertex's own models.

use super::Gemini;
use super::models::path_of_model;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{
    EmbedInput, EmbedRequest, Embeddings, Encoding, InputType, Part, Truncate, Usage, Vector,
    Warning,
};
use crate::provider::embeddings::{count_vectors, model, no_encoding, not_taken, open, usage};
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::{Embed, Most, Notes, Target, asked_extra, classify};
use crate::wire::{self, Reply};

/// The method of a model.
#[derive(Clone, Copy, PartialEq)]
enum Method {
    /// The Gemini API's: each request has its settings.
    Batch,
    /// Vertex's: the settings are in an object of their own [sdk 3.6].
    VertexBatch,
    /// Vertex's for models that are no Geminis [sdk 3.6].
    Predict,
}

impl Gemini {
    fn method(&self, target: &Target) -> Method {
        match self {
            Gemini::Api => Method::Batch,
            Gemini::Vertex if target.model.contains("gemini") => Method::VertexBatch,
            Gemini::Vertex => Method::Predict,
        }
    }
}

impl Embed for Gemini {
    fn most(&self, request: &EmbedRequest, target: &Target) -> Most {
        // 100 requests [doc]; 250 instances and 20,000 tokens [doc].
        let most = match self.method(target) {
            Method::Batch | Method::VertexBatch => Most { inputs: 100, tokens: usize::MAX },
            Method::Predict => Most { inputs: 250, tokens: 20_000 },
        };
        most.that_fits(request, false)
    }

    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        model(target)?;
        if !request.encoding.is_float() {
            notes.unsupported("encoding", no_encoding(target, request.encoding))?;
        }
        let method = self.method(target);
        let truncate = match request.truncate {
            Some(Truncate::None) if method != Method::Batch => Some(false),
            Some(Truncate::End) if method != Method::Batch => Some(true),
            None => None,
            Some(_) => {
                let message = format!("{} cannot be asked to cut inputs off so", target.provider);
                notes.unsupported("truncate", message)?;
                None
            }
        };
        let inputs = request.asked().iter().zip(request.part.clone());
        let path = path_of_model(target)?;
        let (mut body, path) = match method {
            Method::Predict => {
                let inputs = inputs.map(|(input, i)| instance(input, i, request, target));
                let mut body = Object::new();
                body.insert("instances", inputs.collect::<Result<Vec<_>, _>>()?);
                let mut parameters = Object::new();
                settings(&mut parameters, None, request.dimensions, truncate);
                if !parameters.is_empty() {
                    body.insert("parameters", parameters);
                }
                (body, format!("{path}:predict"))
            }
            Method::Batch | Method::VertexBatch => {
                let name = path.trim_start_matches('/');
                let one = |(input, i)| {
                    let mut one = Object::new();
                    if method == Method::Batch {
                        one.insert("model", name);
                    }
                    one.insert("content", json!({ "parts": parts(input, i, target)? }));
                    let mut config = Object::new();
                    settings(&mut config, request.input_type, request.dimensions, truncate);
                    match method {
                        Method::Batch => one.extend(config),
                        _ if config.is_empty() => {}
                        _ => drop(one.insert("embedContentConfig", config)),
                    }
                    Ok(Value::Object(one))
                };
                let requests = inputs.map(one).collect::<Result<Vec<_>, Error>>()?;
                (
                    Object::from_iter([("requests", Value::Array(requests))]),
                    format!("{path}:batchEmbedContents"),
                )
            }
        };
        body.extend(asked_extra(&request.extra, target));
        Ok(wire::Request::post(path, body.to_json()))
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error> {
        let encoding = match request.encoding {
            encoding if encoding.is_float() => encoding,
            _ => Encoding::Base64,
        };
        let (mut object, warnings) = open(reply, target, encoding)?;
        let found =
            ["embeddings", "predictions"].into_iter().find_map(|name| take_list(&mut object, name));
        let Some(found) = found else {
            let what = "the answer has no embeddings";
            return Err(classify::bad_response(what, reply, target));
        };
        let mut read = Found { warnings, ..Found::default() };
        let vectors = found.into_iter().zip(request.part.clone()).map(|(one, i)| read.one(one, i));
        let vectors = vectors.collect();
        let mut answer = Embeddings {
            model: take_string(&mut object, "modelVersion"),
            vectors: count_vectors(vectors, request, encoding, reply, target)?,
            encoding,
            warnings: read.warnings,
            usage: read.tokens.map(|tokens| Usage {
                prompt_tokens: Some(tokens),
                total_tokens: Some(tokens),
                ..Usage::default()
            }),
            ..Embeddings::default()
        };
        if let Some(raw) = take_object(&mut object, "usageMetadata") {
            answer.usage = Some(usage(raw.get("promptTokenCount"), raw.get("totalTokenCount")));
            answer.usage_raw = Some(Value::Object(raw));
        }
        object.retain(|_, value| !value.is_null());
        answer.fields = object;
        Ok(answer)
    }
}

/// What is found beside the vectors.
#[derive(Default)]
struct Found {
    /// The tokens of all inputs, if the answer counts them.
    tokens: Option<u64>,
    warnings: Vec<Warning>,
}

impl Found {
    /// The vector of an input: `{"values": …}`, or inside `embeddings` of a prediction.
    fn one(&mut self, mut found: Value, i: usize) -> Option<Vector> {
        if let Some(inner) = found.as_object_mut().and_then(|o| take_object(o, "embeddings")) {
            found = Value::Object(inner);
        }
        let object = found.as_object_mut()?;
        let statistics = object.shift_remove("statistics").unwrap_or_default();
        let number = |name: &str| count(statistics.get(name));
        if let Some(tokens) = number("token_count").or_else(|| number("tokenCount")) {
            *self.tokens.get_or_insert(0) += tokens;
        }
        if statistics.get("truncated").and_then(Value::as_bool) == Some(true) {
            self.warnings.push(Warning {
                code: "truncated",
                message: format!("input[{i}] was too long, and was cut off"),
                param: Some(format!("input[{i}]")),
            });
        }
        take_string(object, "values").map(Vector::Packed)
    }
}

/// Adds the settings, in Google's words.
fn settings(
    to: &mut Object,
    input_type: Option<InputType>,
    dimensions: Option<u64>,
    truncate: Option<bool>,
) {
    if let Some(asked) = input_type {
        to.insert("taskType", task(asked));
    }
    if let Some(dimensions) = dimensions {
        to.insert("outputDimensionality", dimensions);
    }
    if let Some(truncate) = truncate {
        to.insert("autoTruncate", truncate);
    }
}

fn task(asked: InputType) -> &'static str {
    match asked {
        InputType::Query => "RETRIEVAL_QUERY",
        InputType::Document => "RETRIEVAL_DOCUMENT",
        InputType::Classification => "CLASSIFICATION",
        InputType::Clustering => "CLUSTERING",
    }
}

/// An input of `predict`, which takes texts.
fn instance(
    input: &EmbedInput,
    i: usize,
    request: &EmbedRequest,
    target: &Target,
) -> Result<Value, Error> {
    let text = match input {
        EmbedInput::Text(text) => text,
        EmbedInput::Parts(parts) => match parts.as_slice() {
            [Part::Text { text, .. }] => text,
            _ => return Err(not_taken(target, i, "parts with this model, but texts")),
        },
        EmbedInput::Tokens(_) => return Err(not_taken(target, i, "lists of tokens, but texts")),
    };
    let mut one = Object::from_iter([("content", Value::from(text))]);
    if let Some(asked) = request.input_type {
        one.insert("task_type", task(asked));
    }
    Ok(Value::Object(one))
}

/// The parts of an input.
fn parts(input: &EmbedInput, i: usize, target: &Target) -> Result<Vec<Value>, Error> {
    let parts = match input {
        EmbedInput::Text(text) => return Ok(vec![json!({ "text": text })]),
        EmbedInput::Parts(parts) => parts,
        EmbedInput::Tokens(_) => return Err(not_taken(target, i, "lists of tokens, but texts")),
    };
    let part = |part: &Part| match part {
        Part::Text { text, .. } => Ok(json!({ "text": text })),
        Part::Image { url, .. } => {
            let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
            let Some((kind, data)) = data else {
                return Err(not_taken(target, i, "images by URL: send them as data: URLs"));
            };
            Ok(json!({ "inlineData": json!({"mimeType": kind, "data": data}) }))
        }
        Part::Audio { .. } | Part::File { .. } => Err(not_taken(target, i, "such parts")),
    };
    parts.iter().map(part).collect()
}
