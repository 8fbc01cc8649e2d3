//! What the adapters made of a record, against the record's facts.
//!
//! The facts are a neutral reading of the same bytes, made without any of our code; see the
//! corpus' README for what each member means.

use liter_llm_core::error::{Error, ErrorKind};
use liter_llm_core::model::Chunk;
use liter_llm_core::provider::Completion;
use liter_llm_core::wire::headers;
use serde_json::Value;

use crate::corpus::{Object, Record, seen};

/// Everything that is wrong, in words; empty where all agrees.
pub fn disagreements(record: &Record, outcome: &Result<Completion, Error>) -> Vec<String> {
    let mut wrong = Vec::new();
    let facts = &record.facts;
    match outcome {
        _ if facts.get("kind").and_then(Value::as_str) == Some("error") => match outcome {
            Ok(_) => wrong.push(format!("status {} became an answer", record.status)),
            Err(error) => {
                failed(record, error, &mut wrong);
                if error.status != Some(record.status) {
                    wrong.push(format!("error.status is {:?}", error.status));
                }
            }
        },
        outcome if facts.get("ambiguous") == Some(&Value::Bool(true)) => {
            if outcome.as_ref().is_ok_and(|answer| answer.warnings.is_empty()) {
                wrong.push("a stream that contradicts itself became an answer silently".into());
            }
        }
        outcome if facts.contains_key("stream_error") => match outcome {
            Ok(_) => wrong.push("an error event in the stream became an answer".into()),
            Err(error) => {
                let said = facts["stream_error"].get("message").and_then(Value::as_str);
                if said.is_some_and(|said| !error.message.contains(said)) {
                    wrong.push(format!("the stream's error says {:?}", error.message));
                }
            }
        },
        outcome if record.streaming && is_cut(facts) => {
            let kind = outcome.as_ref().err().map(Error::kind);
            if !matches!(kind, Some(ErrorKind::StreamBroken | ErrorKind::BadResponse)) {
                wrong.push(format!("a stream without its end gave {kind:?}"));
            }
        }
        outcome if is_no_answer(facts) => {
            let kind = outcome.as_ref().err().map(Error::kind);
            if kind != Some(ErrorKind::BadResponse) {
                wrong.push(format!("a body without an answer gave {kind:?}"));
            }
        }
        Err(error) => wrong.push(format!("failed: {error}")),
        Ok(answer) => answered(record, answer, &mut wrong),
    }
    wrong
}

/// A stream that never says why it ended.
fn is_cut(facts: &Object) -> bool {
    is_nothing(facts.get("finish")) && facts.get("done_marker") == Some(&Value::Bool(false))
}

/// A 2xx that is no chat answer at all, such as a list of stored ones.
fn is_no_answer(facts: &Object) -> bool {
    ["id", "model", "finish", "usage", "choices"].iter().all(|name| is_nothing(facts.get(*name)))
        && is_nothing(facts.get("text"))
        && facts.get("tool_calls").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

fn is_nothing(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value.as_str() == Some(""))
}

fn answered(record: &Record, answer: &Completion, wrong: &mut Vec<String>) {
    let facts = &record.facts;
    let Some(choice) = answer.choices.first() else {
        wrong.push("no choice".into());
        return;
    };
    let message = &choice.message;
    let mut text = |name: &str, found: Option<&str>| {
        let wanted = facts.get(name).and_then(Value::as_str).unwrap_or_default();
        if wanted != found.unwrap_or_default() {
            wrong.push(format!("{name}: wanted {}, found {}", show(wanted), {
                found.map_or("nothing".into(), show)
            }));
        }
    };
    text("text", message.content.as_deref());
    text("reasoning", message.reasoning.as_deref());
    text("refusal", message.refusal.as_deref());
    text("model", answer.model.as_deref());
    text("id", answer.id.as_deref());
    let (said, found) = (finish(facts), answer.finish_reason_raw.clone().unwrap_or_default());
    if said != found {
        wrong.push(format!("finish: wanted {said:?}, found {found:?}"));
    }
    if !is_nothing(facts.get("finish")) && choice.finish_reason.is_none() {
        wrong.push("finish_reason is absent".into());
    }
    let wanted = facts.get("choices").and_then(Value::as_u64);
    if wanted.is_some_and(|n| n != answer.choices.len() as u64) {
        wrong.push(format!("choices: wanted {wanted:?}, found {}", answer.choices.len()));
    }
    calls(facts, &message.tool_calls, wrong);
    usage(facts, answer, wrong);
    if let Some(id) = facts.get("request_id").and_then(Value::as_str) {
        let found = headers::request_id(&record.headers);
        let in_body = memchr::memmem::find(&record.body, id.as_bytes()).is_some();
        if found.as_deref() != Some(id) && !in_body {
            wrong.push(format!("request_id: wanted {id}, found {found:?}"));
        }
    }
}

/// The provider's finish word. Gemini's may be a number, and a prompt that it blocked has the word
/// of its feedback. The word of an incomplete response is its reason.
fn finish(facts: &Object) -> String {
    match facts.get("finish") {
        Some(Value::String(word)) => {
            word.trim_start_matches("BLOCKED:").trim_start_matches("incomplete:").to_owned()
        }
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn calls(facts: &Object, found: &[liter_llm_core::model::ToolCall], wrong: &mut Vec<String>) {
    // The facts count the calls of Amazon's own tools, which Amazon has run: no caller answers them.
    let mut wanted: Vec<_> =
        facts.get("tool_calls").and_then(Value::as_array).into_iter().flatten().collect();
    wanted.retain(|call| !call["name"].as_str().is_some_and(|name| name.starts_with("nova_")));
    if wanted.len() != found.len() {
        wrong.push(format!("tool_calls: wanted {}, found {}", wanted.len(), found.len()));
        return;
    }
    for (i, (wanted, found)) in wanted.iter().zip(found).enumerate() {
        let id = wanted.get("id").and_then(Value::as_str).unwrap_or_default();
        // A call without an id gets one of ours.
        if id != found.id && !(id.is_empty() && found.id.starts_with("call_")) {
            wrong.push(format!("tool_calls[{i}].id: wanted {id:?}, found {:?}", found.id));
        }
        let name = wanted.get("name").and_then(Value::as_str).unwrap_or_default();
        if name != found.name {
            wrong.push(format!("tool_calls[{i}].name: wanted {name:?}, found {:?}", found.name));
        }
        let wanted = wanted.get("arguments").cloned().unwrap_or_default();
        let nothing = wanted.is_null() || wanted.as_object().is_some_and(Object::is_empty);
        let same = match serde_json::from_str::<Value>(&found.arguments) {
            Ok(parsed) => same(&wanted, &parsed),
            // A call that was cut by the token limit: kept as it came.
            Err(_) => wanted.get("__unparsed__") == Some(&Value::from(found.arguments.as_str())),
        };
        // Nothing at all is an empty object.
        if !(same || nothing && found.arguments == "{}") {
            let found = show(&found.arguments);
            wrong.push(format!("tool_calls[{i}].arguments: wanted {wanted}, found {found}"));
        }
    }
}

fn usage(facts: &Object, answer: &Completion, wrong: &mut Vec<String>) {
    // An answer without counts has none, or an object of none.
    let none = |usage: &&Value| usage.is_null() || usage.as_object().is_some_and(Object::is_empty);
    let wanted = facts.get("usage").filter(|usage| !none(usage));
    match (wanted, answer.usage_raw.as_ref().map(seen).filter(|usage| !none(&usage))) {
        (None, None) => {}
        (Some(wanted), Some(found)) if same(wanted, &found) => {}
        (wanted, found) => wrong.push(format!("usage_raw: wanted {wanted:?}, found {found:?}")),
    }
    let Some(wanted) = wanted else { return };
    // xAI counts reasoning beside the completion; ours is part of it.
    let reasoning = wanted.pointer("/completion_tokens_details/reasoning_tokens");
    let reasoning = reasoning.and_then(Value::as_u64).unwrap_or(0);
    for (name, found) in [
        ("prompt_tokens", answer.usage.as_ref().and_then(|usage| usage.prompt_tokens)),
        ("completion_tokens", answer.usage.as_ref().and_then(|usage| usage.completion_tokens)),
        ("total_tokens", answer.usage.as_ref().and_then(|usage| usage.total_tokens)),
    ] {
        let wanted = wanted.get(name).and_then(Value::as_u64);
        let beside = name == "completion_tokens"
            && wanted.is_some_and(|wanted| found == Some(wanted + reasoning));
        if wanted.is_some() && wanted != found && !beside {
            wrong.push(format!("usage.{name}: wanted {wanted:?}, found {found:?}"));
        }
    }
}

fn failed(record: &Record, error: &Error, wrong: &mut Vec<String>) {
    let facts = &record.facts;
    if let Some(said) = facts.get("message").and_then(Value::as_str) {
        // The message is capped: what is kept of a very long one is its beginning.
        let said: String = said.trim().chars().take(400).collect();
        if !error.message.contains(&said) && !every_fault_is_named(&record.body, &error.message) {
            wrong.push(format!("message: wanted {}, found {}", show(&said), show(&error.message)));
        }
    }
    let word = |name: &str| match facts.get(name) {
        Some(Value::String(word)) if !word.is_empty() => Some(word.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let code = word("code").or_else(|| word("type"));
    let words = [code.clone(), word("type"), word("grpc_status"), word("reason")];
    if code.is_some() && !words.contains(&error.code) {
        wrong.push(format!("code: wanted {code:?}, found {:?}", error.code));
    }
    let param = word("param");
    if param.is_some() && error.param != param {
        wrong.push(format!("param: wanted {param:?}, found {:?}", error.param));
    }
    if let Some(id) = word("request_id").filter(|id| error.request_id.as_ref() != Some(id)) {
        wrong.push(format!("request_id: wanted {id}, found {:?}", error.request_id));
    }
    let number = |name: &str| word(name).and_then(|text| text.parse::<f64>().ok());
    let wait = match (number("retry-after-ms"), number("retry-after")) {
        (Some(ms), _) if ms > 0.0 => Some(ms),
        (_, Some(seconds)) => Some(seconds * 1000.0),
        _ => None,
    };
    if let Some(wait) = wait.filter(|wait| error.retry_after_ms != Some(*wait as u64)) {
        wrong.push(format!("retry_after_ms: wanted {wait}, found {:?}", error.retry_after_ms));
    }
    if let Some(should) = word("x-should-retry").filter(|word| *word != error.retryable.to_string())
    {
        wrong.push(format!("retryable: x-should-retry is {should}, kind {}", error.kind()));
    }
}

/// FastAPI's `detail` is a list of faults: each one's text has to be there.
fn every_fault_is_named(body: &[u8], message: &str) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let faults = body.get("detail").and_then(Value::as_array);
    faults.is_some_and(|faults| {
        faults.iter().all(|fault| {
            let text = fault.get("msg").and_then(Value::as_str);
            text.is_some_and(|text| message.contains(text))
        })
    })
}

/// Whether the chunks, put together, are the answer. `None` where they are.
pub fn chunks_differ(chunks: &[Chunk], answer: &Completion) -> Option<String> {
    for choice in &answer.choices {
        let deltas = chunks.iter().flat_map(|chunk| &chunk.choices);
        let deltas: Vec<_> = deltas.filter(|delta| delta.index == choice.index).collect();
        let join = |part: fn(&liter_llm_core::model::Delta) -> Option<&String>| -> String {
            deltas.iter().filter_map(|choice| part(&choice.delta)).map(String::as_str).collect()
        };
        let message = &choice.message;
        let texts = [
            ("content", join(|delta| delta.content.as_ref()), &message.content),
            ("reasoning", join(|delta| delta.reasoning.as_ref()), &message.reasoning),
            ("refusal", join(|delta| delta.refusal.as_ref()), &message.refusal),
        ];
        for (name, joined, whole) in texts {
            if joined != whole.as_deref().unwrap_or_default() {
                return Some(format!("the chunks' {name} is not the answer's"));
            }
        }
        let mut calls: Vec<(String, String, String)> = Vec::new();
        for part in deltas.iter().flat_map(|choice| &choice.delta.tool_calls) {
            let index = part.index as usize;
            if index >= calls.len() {
                calls.resize(index + 1, Default::default());
            }
            let call = &mut calls[index];
            call.0.push_str(part.id.as_deref().unwrap_or_default());
            call.1.push_str(part.function.name.as_deref().unwrap_or_default());
            call.2.push_str(part.function.arguments.as_deref().unwrap_or_default());
        }
        let whole = message.tool_calls.iter();
        let whole: Vec<_> =
            whole.map(|c| (c.id.clone(), c.name.clone(), c.arguments.clone())).collect();
        if calls != whole {
            return Some(format!(
                "the chunks' tool calls {calls:?} are not the answer's {whole:?}"
            ));
        }
        let finish = deltas.iter().rev().find_map(|choice| choice.finish_reason);
        if finish != choice.finish_reason {
            return Some(format!("the chunks finish with {finish:?}"));
        }
    }
    let usage = chunks.iter().rev().find_map(|chunk| chunk.usage.clone());
    (usage != answer.usage).then(|| format!("the chunks' usage is {usage:?}"))
}

/// Equality of JSON, numbers by value: the facts have been through another JSON library.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn show(text: &str) -> String {
    let start: String = text.chars().take(120).collect();
    format!("{start:?} ({} bytes)", text.len())
}
