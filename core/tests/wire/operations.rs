//! Recorded embeddings, lists of models, counts of tokens and moderations, against their facts.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liter_llm_core::error::Error;
use liter_llm_core::model::{EmbedInput, EmbedRequest, Encoding, Ranked, RerankRequest, Vector};
use liter_llm_core::provider::registry;
use liter_llm_core::wire::Reply;
use serde_json::{Value, json};

use crate::compare;
use crate::corpus::{self, Record};

/// Each record of the file, by `read`: what is wrong with it, in words.
fn check(file: &str, read: impl Fn(&Record) -> Result<(), String>) {
    let Some(records) = corpus::records(file) else { return };
    let wrong =
        |record: &Record| read(record).err().map(|reason| format!("  {}: {reason}", record.id));
    let failures: Vec<String> = records.iter().filter_map(wrong).collect();
    eprintln!("wire: {file}: {} of {} agree", records.len() - failures.len(), records.len());
    assert!(failures.is_empty(), "{file}:\n{}", failures.join("\n"));
}

/// An error's status and message are the recorded ones; `None`: the record is no error.
fn failed<T>(record: &Record, outcome: &Result<T, Error>) -> Option<Result<(), String>> {
    if record.facts.get("kind").is_none_or(|kind| kind != "error") {
        return None;
    }
    let Err(error) = outcome else { return Some(Err("an error became an answer".into())) };
    let said = record.facts["message"].as_str().unwrap_or_default();
    let agrees = error.status == Some(record.status) && error.message.contains(said);
    Some(agrees.then_some(()).ok_or_else(|| format!("{:?} {}", error.status, error.message)))
}

pub fn models(file: &str, kind: &str) {
    let provider = corpus::provider(kind);
    check(file, |record| {
        let target = provider.target(&record.model);
        let reply = Reply {
            status: record.status,
            headers: &record.headers,
            body: &record.body,
            received: None,
        };
        let outcome =
            registry::row(target.kind).unwrap().adapter().models().unwrap().decode(&reply, &target);
        if let Some(verdict) = failed(record, &outcome) {
            return verdict;
        }
        let ids: Vec<String> = outcome
            .map_err(|error| error.message.clone())?
            .data
            .into_iter()
            .map(|m| m.id)
            .collect();
        // The facts count what is in a list: a single model is none.
        let body: Value = serde_json::from_slice(&record.body).unwrap();
        let one = body.get("id").or(body.get("name")).and_then(Value::as_str);
        let (count, first) = match record.facts["count"].as_u64() {
            Some(0) => (1, one),
            count => (count.unwrap(), record.facts["first"].as_str()),
        };
        // Gemini's names begin with the collection's, which its requests may leave out.
        let first = first.map(|id| id.trim_start_matches("models/"));
        let agrees = ids.len() as u64 == count && ids.first().map(String::as_str) == first;
        agrees.then_some(()).ok_or_else(|| format!("wanted {count} from {first:?} on: {ids:?}"))
    });
}

/// The ends of paths that count tokens.
const COUNTS: [&str; 5] =
    ["/count_tokens", "/count-tokens", ":countTokens", "/input_tokens", "/tokenize"];

pub fn counts(file: &str, kind: &str, least: usize) {
    let provider = corpus::provider(kind);
    let found = std::cell::Cell::new(0);
    check(file, |record| {
        if !COUNTS.iter().any(|end| record.path.ends_with(end)) {
            return Ok(());
        }
        found.set(found.get() + 1);
        let target = provider.target(&record.model);
        let (status, headers) = (record.status, &record.headers);
        let reply = Reply { status, headers, body: &record.body, received: None };
        let adapter = registry::row(target.kind).unwrap().adapter().count_tokens().unwrap();
        let outcome = adapter.decode(&reply, &target);
        if let Some(verdict) = failed(record, &outcome) {
            return verdict;
        }
        let answer = outcome.map_err(|error| error.message.clone())?;
        // OpenAI's and Cohere's records have no facts.
        let body: Value = serde_json::from_slice(&record.body).unwrap();
        let tokens = body["tokens"].as_array().map(|tokens| tokens.len() as u64);
        let wanted = record.facts.get("tokens").and_then(Value::as_u64);
        let wanted = wanted.or(body["input_tokens"].as_u64()).or(tokens);
        let agrees = Some(answer.input_tokens) == wanted && answer.model == record.model;
        agrees.then_some(()).ok_or_else(|| format!("{answer:?} is not {wanted:?}"))
    });
    // A corpus that is not there is said, and checks nothing.
    assert!(found.get() == 0 || found.get() >= least, "{file}: only {}", found.get());
}

/// Descriptions of one model: the name is the one that was asked for, and the context its own.
pub fn shown(file: &str, kind: &str) {
    let provider = corpus::provider(kind);
    check(file, |record| {
        let target = provider.target("asked");
        let reply = Reply {
            status: record.status,
            headers: &record.headers,
            body: &record.body,
            received: None,
        };
        let outcome =
            registry::row(target.kind).unwrap().adapter().models().unwrap().decode(&reply, &target);
        if let Some(verdict) = failed(record, &outcome) {
            return verdict;
        }
        let list = outcome.map_err(|error| error.message.clone())?;
        let [model] = &list.data[..] else { return Err(format!("{} models", list.data.len())) };
        let body: Value = serde_json::from_slice(&record.body).unwrap();
        let info = &body["model_info"];
        let architecture = info["general.architecture"].as_str().unwrap();
        let context = info[format!("{architecture}.context_length")].as_u64();
        let agrees = model.id == "asked" && context.is_some() && model.context_window == context;
        let details = model.provider_fields.get("details").map(corpus::seen);
        (agrees && details.as_ref() == Some(&body["details"]))
            .then_some(())
            .ok_or_else(|| format!("{} with {:?} of {context:?}", model.id, model.context_window))
    });
}

/// Records that are no answers to requests for embeddings of the API that is built.
const OTHERS: [(&str, &str); 1] =
    [("/v1/organization/usage/embeddings", "OpenAI's list of what an organization has used")];

pub fn embeddings(file: &str, kind: &str) {
    let provider = corpus::provider(kind);
    check(file, |record| {
        if OTHERS.iter().any(|(path, _)| *path == record.path) {
            return Ok(());
        }
        let facts = &record.facts;
        let body: Value = serde_json::from_slice(&record.body).unwrap_or_default();
        // The facts of Vertex's answer lack both.
        let predictions = body["predictions"].as_array();
        let count = facts["kind"] != "error";
        let count = count.then(|| facts["count"].as_u64().or(predictions.map(|p| p.len() as u64)));
        let count = count.flatten().unwrap_or(1) as usize;
        let inputs = vec![EmbedInput::Text("x".to_owned()); count];
        let int8 = facts.get("encoding").is_some_and(|encoding| encoding == "int8");
        let encoding = if int8 { Encoding::Int8 } else { Encoding::Base64 };
        let (inputs, part) = (Arc::new(inputs), 0..count);
        let request = EmbedRequest { inputs, part, encoding, ..Default::default() };
        let target = provider.target(&record.model);
        let reply = Reply {
            status: record.status,
            headers: &record.headers,
            body: &record.body,
            received: None,
        };
        let adapter = registry::row(target.kind).unwrap().adapter().embed().unwrap();
        let outcome = adapter.decode(&reply, &request, &target);
        // Perplexity's base64 is of bytes. Read as floats, some of them are no numbers.
        if let Err(error) = &outcome
            && record.model.starts_with("pplx-embed")
        {
            let told = error.message.contains("has NaN or infinity");
            return told.then_some(()).ok_or_else(|| error.message.clone());
        }
        if let Some(verdict) = failed(record, &outcome) {
            return verdict;
        }
        let answer = outcome.map_err(|error| error.message.clone())?;
        let dims = facts["dims"].as_u64().unwrap_or_else(|| {
            body["predictions"][0]["embeddings"]["values"].as_array().unwrap().len() as u64
        });
        let width = encoding.width();
        let length = |one: &Vector| (one.length() / width) as u64;
        let found: Vec<_> = answer.vectors.iter().map(length).collect();
        // Perplexity's base64 is of bytes, and the facts count four of them as a number.
        if found != vec![dims; count] {
            return Err(format!("{found:?}: not {count} vectors of {dims}"));
        }
        let usage = answer.usage_raw.as_ref().map(corpus::seen);
        let wanted = Some(&facts["usage"]).filter(|usage| !usage.is_null()).cloned();
        // Ollama's count is a member of the answer, which the facts leave out.
        let own = || body.get("prompt_eval_count").map(|n| json!({ "prompt_eval_count": n }));
        let wanted = wanted.or_else(own);
        if !compare::same(&usage.clone().unwrap_or_default(), &wanted.clone().unwrap_or_default()) {
            return Err(format!("{usage:?} is not {wanted:?}"));
        }
        if int8 {
            let first = body["embeddings"]["int8"][0].as_array().unwrap();
            let first: Vec<u8> = first.iter().map(|n| n.as_i64().unwrap() as u8).collect();
            let first = Vector::Packed(STANDARD.encode(first));
            return (answer.vectors[0] == first).then_some(()).ok_or("bytes".into());
        }
        same_numbers(&body, &answer.vectors[0])
    });
}

/// The first vector's bytes are those of the first recorded numbers.
fn same_numbers(body: &Value, vector: &Vector) -> Result<(), String> {
    let places = [
        "/data/0/embedding",
        "/embedding",
        "/embeddings/0/embedding",
        "/embeddings/0",
        "/embeddings/float/0",
        "/embeddings/0/values",
        "/predictions/0/embeddings/values",
    ];
    let recorded = places.iter().filter_map(|place| body.pointer(place));
    let Some(recorded) = recorded.into_iter().find(|value| !value.is_object()) else {
        return Err("no recorded numbers are found".to_owned());
    };
    if recorded.is_string() {
        return (corpus::seen(vector) == *recorded)
            .then_some(())
            .ok_or_else(|| "base64".to_owned());
    }
    let wanted: Vec<f32> = recorded.as_array().unwrap().iter().map(float).collect();
    let Vector::Packed(text) = vector.clone() else { return Err("no base64".to_owned()) };
    let Ok(Vector::Numbers(found)) = Vector::read(text, Encoding::Float, &mut Vec::new()) else {
        return Err("the vector is no base64 of floats".to_owned());
    };
    (found == wanted).then_some(()).ok_or_else(|| format!("{found:?} is not {wanted:?}"))
}

fn float(number: &Value) -> f32 {
    number.to_string().parse().unwrap()
}

/// Recorded answers of one model's embeddings by `invoke`, which have no facts: each vector is the
/// recorded one, and the tokens are those that a header counts.
pub fn invoked(file: &str, kind: &str) {
    let provider = corpus::provider(kind);
    let mut found = 0;
    for record in corpus::records(file).into_iter().flatten() {
        if !record.path.contains("embed") {
            continue;
        }
        found += 1;
        let model = record.model.replace("%3A", ":");
        let target = provider.target(&model);
        let reply = Reply {
            status: record.status,
            headers: &record.headers,
            body: &record.body,
            received: None,
        };
        let inputs = vec![EmbedInput::Text("x".to_owned())];
        let request =
            EmbedRequest { inputs: Arc::new(inputs), part: 0..1, ..EmbedRequest::default() };
        let adapter = registry::row(target.kind).unwrap().adapter().embed().unwrap();
        let outcome = adapter.decode(&reply, &request, &target);
        if let Some(verdict) = failed(&record, &outcome) {
            verdict.unwrap_or_else(|reason| panic!("{}: {reason}", record.id));
            continue;
        }
        let answer = outcome.unwrap_or_else(|error| panic!("{}: {error}", record.id));
        let body: Value = serde_json::from_slice(&record.body).unwrap();
        same_numbers(&body, &answer.vectors[0])
            .unwrap_or_else(|reason| panic!("{}: {reason}", record.id));
        let counted = record.headers.get("x-amzn-bedrock-input-token-count");
        let counted = counted.map(|count| count.to_str().unwrap().parse::<u64>().unwrap());
        let tokens = answer.usage.and_then(|usage| usage.prompt_tokens);
        assert_eq!(tokens, counted, "{}", record.id);
    }
    assert!(found == 0 || found >= 6, "only {found} embeddings in {file}");
}

pub fn rankings(file: &str, kind: &str) {
    check(file, |record| {
        let wanted = record.facts.get("results").cloned().unwrap_or_default();
        // A Voyage answer has another list than its neighbours in this file.
        let voyage = String::from_utf8_lossy(&record.body).contains("\"rerank-2.5\"");
        let provider = corpus::provider(if voyage { "voyage" } else { kind });
        let target = provider.target(&record.model);
        let reply = Reply {
            status: record.status,
            headers: &record.headers,
            body: &record.body,
            received: None,
        };
        // What a record does not say: so many were asked for as came.
        let documents = vec![String::new(); 50];
        let top_n = wanted.as_array().map(|results| results.len() as u64);
        let request = RerankRequest { documents, top_n, ..Default::default() };
        let adapter = registry::row(target.kind).unwrap().adapter().rerank().unwrap();
        let outcome = adapter.decode(&reply, &request, &target);
        if let Some(verdict) = failed(record, &outcome) {
            return verdict;
        }
        let answer = outcome.map_err(|error| error.message.clone())?;
        let one = |ranked: &Ranked| json!([ranked.index, corpus::seen(&ranked.relevance_score)]);
        let found = Value::Array(answer.results.iter().map(one).collect());
        (found == wanted).then_some(()).ok_or_else(|| format!("{found} is not {wanted}"))
    });
}

pub fn moderations(file: &str, kind: &str) {
    let provider = corpus::provider(kind);
    check(file, |record| {
        let target = provider.target(&record.model);
        let reply = Reply {
            status: record.status,
            headers: &record.headers,
            body: &record.body,
            received: None,
        };
        let row = registry::row(target.kind).unwrap();
        let outcome = row.adapter().moderate().unwrap().decode(&reply, &target);
        if let Some(verdict) = failed(record, &outcome) {
            return verdict;
        }
        let answer = outcome.map_err(|error| error.message.clone())?;
        let found: Vec<Value> = answer.results.iter().map(|one| one.flagged.into()).collect();
        let wanted = record.facts["flagged"].as_array().unwrap();
        (found == *wanted).then_some(()).ok_or_else(|| format!("{found:?} is not {wanted:?}"))
    });
}
