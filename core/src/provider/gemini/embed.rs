//! `batchEmbedContents`, and `predict` for Vertex's own models.

use super::Gemini;
use super::models::path_of_model;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{
    EmbedInput, EmbedRequest, Embeddings, Encoding, InputType, Part, Truncate, Usage, Warning,
};
use crate::provider::embeddings::{
    check, count_vectors, extra, model, no_cut, no_encoding, no_refusal, open, usage,
};
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::{Embed, Most, Notes, Target, classify};
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
            Method::Batch | Method::VertexBatch => Most::of(100, usize::MAX),
            Method::Predict => Most::of(250, 20_000),
        };
        most.that_fits(request, false)
    }

    fn refuses(&self, input: &EmbedInput, target: &Target) -> Option<&'static str> {
        let parts = match input {
            EmbedInput::Text(_) => return None,
            EmbedInput::Tokens(_) => return Some("lists of tokens, but texts"),
            EmbedInput::Parts(parts) => parts,
        };
        if self.method(target) == Method::Predict {
            let text = matches!(parts.as_slice(), [Part::Text { .. }]);
            return (!text).then_some("parts with this model, but texts");
        }
        parts.iter().find_map(|part| match part {
            Part::Text { .. } => None,
            Part::Image { url, .. } if inline(url).is_some() => None,
            Part::Image { .. } => Some("images by URL: send them as data: URLs"),
            Part::Audio { .. } | Part::File { .. } => Some("such parts"),
        })
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
            Some(Truncate::None) => {
                notes.unsupported("truncate", no_refusal(target))?;
                None
            }
            Some(Truncate::Start | Truncate::End) => {
                notes.unsupported("truncate", no_cut(target))?;
                None
            }
        };
        check(self, request, target)?;
        let inputs = request.asked().iter();
        let path = path_of_model(target)?;
        let (mut body, path) = match method {
            Method::Predict => {
                let inputs = inputs.map(|input| instance(input, request.input_type));
                let mut body = Object::new();
                body.insert("instances", inputs.collect::<Vec<_>>());
                let mut parameters = Object::new();
                settings(&mut parameters, None, request.dimensions, truncate);
                if !parameters.is_empty() {
                    body.insert("parameters", parameters);
                }
                (body, format!("{path}:predict"))
            }
            Method::Batch | Method::VertexBatch => {
                let name = path.trim_start_matches('/');
                let one = |input| {
                    let mut one = Object::new();
                    if method == Method::Batch {
                        one.insert("model", name);
                    }
                    one.insert("content", json!({ "parts": parts(input) }));
                    let mut config = Object::new();
                    settings(&mut config, request.input_type, request.dimensions, truncate);
                    match method {
                        Method::Batch => one.extend(config),
                        _ if config.is_empty() => {}
                        _ => drop(one.insert("embedContentConfig", config)),
                    }
                    Value::Object(one)
                };
                let requests = inputs.map(one).collect();
                (
                    Object::from_iter([("requests", Value::Array(requests))]),
                    format!("{path}:batchEmbedContents"),
                )
            }
        };
        body.extend(extra(request, target, encoding(request))?);
        Ok(wire::Request::post(path, body.to_json()))
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error> {
        let encoding = encoding(request);
        let (mut object, warnings) = open(reply, target, encoding)?;
        let found =
            ["embeddings", "predictions"].into_iter().find_map(|name| take_list(&mut object, name));
        let Some(found) = found else {
            let what = "the answer has no embeddings";
            return Err(classify::bad_response(what, reply, target));
        };
        let mut read = Found { warnings, ..Found::default() };
        let vectors = found.into_iter().zip(request.part.start..);
        let vectors: Vec<_> = vectors.map(|(one, i)| read.one(one, i)).collect();
        // A sum of some of them would be taken for that of all.
        let tokens = read.tokens.filter(|_| read.counted == vectors.len());
        let mut answer = Embeddings {
            model: take_string(&mut object, "modelVersion"),
            vectors: count_vectors(vectors, request, encoding, reply, target)?,
            encoding,
            warnings: read.warnings,
            usage: tokens.map(|tokens| Usage {
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
    /// The tokens of the inputs whose tokens the answer counts.
    tokens: Option<u64>,
    /// The number of these inputs.
    counted: usize,
    warnings: Vec<Warning>,
}

impl Found {
    /// The vector of an input: `{"values": …}`, or inside `embeddings` of a prediction.
    fn one(&mut self, mut found: Value, i: usize) -> Option<String> {
        if let Some(inner) = found.as_object_mut().and_then(|o| take_object(o, "embeddings")) {
            found = Value::Object(inner);
        }
        let object = found.as_object_mut()?;
        let statistics = object.shift_remove("statistics").unwrap_or_default();
        let number = |name: &str| count(statistics.get(name));
        if let Some(tokens) = number("token_count").or_else(|| number("tokenCount")) {
            let sum = self.tokens.get_or_insert(0);
            *sum = sum.saturating_add(tokens);
            self.counted += 1;
        }
        if statistics.get("truncated").and_then(Value::as_bool) == Some(true) {
            self.warnings.push(Warning {
                code: "truncated",
                message: format!("input[{i}] was too long, and was cut off"),
                param: Some(format!("input[{i}]")),
            });
        }
        take_string(object, "values")
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

/// How the answer's vectors are written, which is not always what was asked for.
fn encoding(request: &EmbedRequest) -> Encoding {
    if request.encoding.is_float() { request.encoding } else { Encoding::Base64 }
}

/// An input of `predict`, which takes texts.
fn instance(input: &EmbedInput, input_type: Option<InputType>) -> Value {
    let text = match input {
        EmbedInput::Text(text) => Some(text),
        EmbedInput::Parts(parts) => match parts.first() {
            Some(Part::Text { text, .. }) => Some(text),
            _ => None,
        },
        EmbedInput::Tokens(_) => None,
    };
    let mut one = Object::from_iter([("content", text.map_or(Value::Null, Value::from))]);
    if let Some(asked) = input_type {
        one.insert("task_type", task(asked));
    }
    Value::Object(one)
}

/// The parts of an input that is not refused.
fn parts(input: &EmbedInput) -> Vec<Value> {
    let parts = match input {
        EmbedInput::Text(text) => return vec![json!({ "text": text })],
        EmbedInput::Parts(parts) => parts,
        EmbedInput::Tokens(_) => return Vec::new(),
    };
    let part = |part: &Part| match part {
        Part::Text { text, .. } => Some(json!({ "text": text })),
        Part::Image { url, .. } => {
            let (kind, data) = inline(url)?;
            Some(json!({ "inlineData": json!({"mimeType": kind, "data": data}) }))
        }
        Part::Audio { .. } | Part::File { .. } => None,
    };
    parts.iter().filter_map(part).collect()
}

/// The media type and the base64 of a data: URL.
fn inline(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("data:")?.split_once(";base64,")
}
