//! Recorded lists of models and moderations, against their facts.

use liter_llm_core::error::Error;
use liter_llm_core::provider::registry;
use liter_llm_core::wire::Reply;
use serde_json::Value;

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
    if record.facts["kind"] != "error" {
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
        let reply = Reply { status: record.status, headers: &record.headers, body: &record.body };
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
        let agrees = ids.len() as u64 == count && ids.first().map(String::as_str) == first;
        agrees.then_some(()).ok_or_else(|| format!("wanted {count} from {first:?} on: {ids:?}"))
    });
}

pub fn moderations(file: &str, kind: &str) {
    let provider = corpus::provider(kind);
    check(file, |record| {
        let target = provider.target(&record.model);
        let reply = Reply { status: record.status, headers: &record.headers, body: &record.body };
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
