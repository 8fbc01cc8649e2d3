//! The way back: every recorded answer, handed to every provider as a message of a history.
//!
//! What goes out is compared with what came in: each text, call and member of the answer is found in
//! the body, or a warning names it. What the caller took out beforehand is not found. A missing
//! corpus is said in one line.
#![allow(clippy::unwrap_used)]

#[path = "wire/corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::collections::HashSet;

use http::HeaderMap;
use liter_llm_core::model::{AssistantMessage, Options, Request, Unsupported, Warning};
use liter_llm_core::provider::{Notes, StreamReader, registry};
use liter_llm_core::wire::Reply;
use serde_json::{Value, json};

use corpus::{Object, Record, seen};

/// Each file's answers are read as this kind.
const FILES: [(&str, &str); 36] = [
    ("anthropic__chat.jsonl", "compatible"),
    ("anthropic__messages.jsonl", "anthropic"),
    ("openai-compatible__messages.jsonl", "anthropic"),
    ("misc__messages.jsonl", "anthropic"),
    ("azure__chat.jsonl", "azure"),
    ("bedrock__chat.jsonl", "compatible"),
    ("bedrock__converse.jsonl", "bedrock"),
    ("bedrock__converse-stream.jsonl", "bedrock"),
    ("cohere__v2-chat.jsonl", "cohere"),
    ("deepseek__chat.jsonl", "deepseek"),
    ("gemini__chat.jsonl", "compatible"),
    ("gemini__generateContent.jsonl", "gemini"),
    ("gemini__streamGenerateContent.jsonl", "gemini"),
    ("groq__chat.jsonl", "groq"),
    ("misc__chat.jsonl", "compatible"),
    ("mistral__chat.jsonl", "mistral"),
    ("ollama__chat.jsonl", "ollama/chat"),
    ("ollama__ollama-chat.jsonl", "ollama"),
    ("openai__chat.jsonl", "openai"),
    ("openai-compatible__chat.jsonl", "compatible"),
    ("openrouter__chat.jsonl", "openrouter"),
    ("together__chat.jsonl", "together"),
    ("vertex__rawPredict.jsonl", "vertex"),
    ("vertex__generateContent.jsonl", "vertex"),
    ("vertex__streamGenerateContent.jsonl", "vertex"),
    ("xai__chat.jsonl", "xai"),
    ("azure__responses.jsonl", "azure/responses"),
    ("deepseek__responses.jsonl", "deepseek/responses"),
    ("misc__responses.jsonl", "compatible/responses"),
    ("openai__responses.jsonl", "openai/responses"),
    ("xai__responses.jsonl", "xai/responses"),
    ("bedrock__responses.jsonl", "compatible/responses"),
    ("openai-compatible__responses.jsonl", "compatible/responses"),
    ("openrouter__responses.jsonl", "compatible/responses"),
    ("openai-compatible__generateContent.jsonl", "gemini"),
    ("openai-compatible__streamGenerateContent.jsonl", "gemini"),
];

/// Rows with Responses as their format.
const RESPONSES: [&str; 2] = ["openai/responses", "xai/responses"];

/// Calls `check` with each recorded answer's message and each provider that it may go to.
fn each(least: usize, check: impl Fn(&Object, &str) -> Vec<String>) {
    let (mut answers, mut wrong) = (0, Vec::new());
    let rows = different();
    for (file, kind) in FILES {
        let Some(records) = corpus::records(file) else { return };
        for record in &records {
            let Some(message) = answer(record, kind) else { continue };
            let Value::Object(message) = seen(&message) else { panic!("a message") };
            answers += 1;
            for kind_to in rows.iter().map(|row| row.name).chain(RESPONSES) {
                let faults = check(&message, kind_to).join("; ");
                if !faults.is_empty() {
                    wrong.push(format!("{} from {kind} to {kind_to}: {faults}", record.id));
                }
            }
        }
    }
    eprintln!("wayback: {answers} answers to {} providers", rows.len() + RESPONSES.len());
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(answers >= least, "only {answers} answers");
}

/// Rows that send an answer back in different ways: each wire format, and of each dialect what decides
/// about an answer's parts.
fn different() -> Vec<&'static registry::Row> {
    let mut known = HashSet::new();
    let way = |row: &registry::Row| match &row.format {
        registry::Format::OpenAi(dialect) => format!(
            "{:?}",
            (
                (&dialect.reasoning_back, dialect.refusals, dialect.custom_tools),
                (dialect.audio_back, dialect.extensions_back, dialect.short_call_ids),
            )
        ),
        format => format!("{format:?}"),
    };
    let chats = registry::ROWS.iter().filter(|row| row.chat().is_some());
    chats.filter(|row| known.insert(way(row))).collect()
}

fn answer(record: &Record, kind: &str) -> Option<AssistantMessage> {
    let target = corpus::provider(kind).target(&record.model);
    let adapter = registry::row(target.kind).unwrap().chat().unwrap();
    let completion = if record.streaming {
        let mut reader = StreamReader::new(adapter, &target, false);
        reader.push(&record.body).ok()?;
        reader.end(&HeaderMap::new()).ok()?;
        reader.into_completion()
    } else {
        let (status, headers) = (record.status, &record.headers);
        adapter
            .decode(&Reply { status, headers, body: &record.body, received: None }, &target)
            .ok()?
    };
    // A stream that contradicts itself has two texts.
    if completion.warnings.iter().any(|warning| warning.code == "contradiction") {
        return None;
    }
    completion.choices.into_iter().next().map(|choice| choice.message)
}

/// What goes out for a history with this message, and the warnings.
fn sent(message: &Object, kind: &str, policy: Unsupported) -> (Value, Vec<Warning>) {
    let mut messages = vec![json!({"role": "user", "content": "q"}), json!(message)];
    for id in ids(message) {
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": "1"}));
    }
    messages.push(json!({"role": "user", "content": "Go on."}));
    let request = json!({"max_tokens": 9, "messages": messages}).to_string();
    let (request, _) = Request::parse(request.as_bytes(), Options::default()).unwrap();
    assert!(request.unknown.is_empty(), "{:?}", request.unknown);
    let mut notes = Notes::new(policy);
    let target = corpus::provider(kind).target("m");
    let chat = registry::row(target.kind).unwrap().chat().unwrap();
    let wire = chat.encode(&request, &target, &mut notes);
    let wire = wire.unwrap_or_else(|error| panic!("{kind}: {error}"));
    let mut body: Value = serde_json::from_slice(&wire.body).unwrap();
    if is_responses(kind) {
        // All items but the questions and the results.
        let items = body["input"].take();
        let results = ["function_call_output", "custom_tool_call_output"];
        let mine = items.as_array().unwrap().iter().filter(|item| {
            item["role"] != "user" && !results.iter().any(|kind| item["type"] == *kind)
        });
        return (mine.cloned().collect(), notes.into_warnings());
    }
    let name = if is_gemini(kind) { "contents" } else { "messages" };
    let messages = body[name].take();
    let mut messages = messages.as_array().unwrap().iter();
    let mine = messages.find(|m| m["role"] == "assistant" || m["role"] == "model");
    (mine.cloned().unwrap_or_default(), notes.into_warnings())
}

fn is_gemini(kind: &str) -> bool {
    matches!(kind, "gemini" | "vertex")
}

fn is_responses(kind: &str) -> bool {
    kind.ends_with("/responses")
}

fn ids(message: &Object) -> Vec<String> {
    let calls = message.get("tool_calls").into_iter();
    let fields = message.get("provider_fields").and_then(|fields| fields.get("custom_tool_calls"));
    let calls = calls.chain(fields).filter_map(Value::as_array).flatten();
    calls.map(|call| call["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What stands at the leaves of a document.
#[derive(Default)]
struct Leaves<'a> {
    texts: Vec<&'a str>,
    numbers: HashSet<String>,
}

impl<'a> Leaves<'a> {
    fn of(document: &'a Value) -> Self {
        let mut leaves = Leaves::default();
        leaves.add(document);
        leaves
    }

    fn add(&mut self, value: &'a Value) {
        match value {
            Value::String(text) => self.texts.push(text),
            Value::Number(number) => drop(self.numbers.insert(number.to_string())),
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(members) => members.values().for_each(|member| self.add(member)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Whether each text is in one of these, and each number is one of these.
    fn have(&self, wanted: &Leaves<'_>) -> bool {
        let is_in = |text: &&str| self.texts.iter().any(|own| own.contains(*text));
        wanted.texts.iter().all(is_in) && wanted.numbers.is_subset(&self.numbers)
    }
}

#[test]
fn what_came_goes_back_or_is_said() {
    each(1_500, |message, kind| {
        // A response's message can be handed back as it came, also where nothing may be left out.
        let (wire, warnings) = sent(message, kind, Unsupported::Error);
        let found = Leaves::of(&wire);
        let is_there = |value: &Value| found.have(&Leaves::of(value));
        let is_said = |path: &str| {
            let at = format!("messages[1].{path}");
            let params = warnings.iter().filter_map(|warning| warning.param.as_deref());
            params.into_iter().any(|param| param.starts_with(&at))
        };
        let mut lost = Vec::new();
        for name in ["content", "reasoning", "refusal"] {
            let Some(value) = message.get(name) else { continue };
            // A text may have gone as blocks, with citations between them.
            let mut texts = Vec::new();
            said(&wire, &mut texts);
            let text = value.as_str().unwrap_or_default();
            let parts = wire["parts"].as_array().into_iter().flatten();
            let thoughts = parts.filter(|part| part["thought"] == true);
            let mut thoughts: String = thoughts.filter_map(|part| part["text"].as_str()).collect();
            let items = wire.as_array().into_iter().flatten();
            for item in items.filter(|item| item["type"] == "reasoning") {
                for list in ["summary", "content"] {
                    let texts = item[list].as_array().into_iter().flatten();
                    thoughts.extend(texts.filter_map(|part| part["text"].as_str()));
                }
            }
            if name == "reasoning" && thoughts == text {
                continue;
            }
            if !is_there(value) && !texts.concat().contains(text) && !is_said(name) {
                lost.push(name.to_owned());
            }
        }
        let calls = message.get("tool_calls").and_then(Value::as_array);
        for (i, call) in calls.into_iter().flatten().enumerate() {
            if !has_call(&wire, call, kind) {
                lost.push(format!("tool_calls[{i}]"));
            }
        }
        let fields = message.get("provider_fields").and_then(Value::as_object);
        // What a provider's own parts hold goes back with them; speech goes back by its id.
        let own = ["anthropic_content", "bedrock_content", "gemini_parts", "responses_output"];
        let own = own.iter().chain(&["citations"]).filter_map(|name| fields?.get(*name));
        // Unencrypted reasoning stays behind, while the items beside it go back.
        let all_there = |own: &Value| {
            let items = own.as_array().into_iter().flatten();
            is_there(own) || items.filter(|item| item["type"] != "reasoning").all(is_there)
        };
        let goes_back = own.into_iter().any(all_there);
        for name in ["annotations", "images", "audio"] {
            let by_id = name == "audio" && wire["audio"]["id"].is_string();
            if message.contains_key(name) && !is_said(name) && !goes_back && !by_id {
                lost.push(name.to_owned());
            }
        }
        for (name, value) in fields.into_iter().flatten() {
            // An audio answer goes back by its id. Gateways fill in one that has nothing.
            let by_id = name == "audio" && wire["audio"]["id"] == value["id"];
            let has = |name: &str| value[name].as_str().is_some_and(|text| !text.is_empty());
            let stub =
                name == "audio" && !["id", "data", "transcript"].iter().any(|name| has(name));
            let of_calls = name == "tool_call_fields" && is_said("tool_calls[");
            let said = is_said(name) || is_said(&format!("provider_fields.{name}"));
            // The server's own number of the message, and calls under ids of the provider's form.
            let items = ["custom_tool_calls", "responses_output"].contains(&name.as_str());
            let own = name == "index" || (items && is_said("tool_calls"));
            // Unsigned reasoning of Bedrock's is named under the member that shows it.
            let unsigned = name == "bedrock_content" && is_said("reasoning");
            if !is_there(value) && !said && !by_id && !stub && !of_calls && !own && !unsigned {
                lost.push(format!("provider_fields.{name}"));
            }
        }
        lost
    });
}

/// Whether a call went out, in the provider's form.
fn has_call(wire: &Value, call: &Value, kind: &str) -> bool {
    let arguments = call["function"]["arguments"].as_str().unwrap();
    let parsed: Option<Value> = serde_json::from_str(arguments).ok();
    let name = &call["function"]["name"];
    if is_gemini(kind) {
        let parts = wire["parts"].as_array().into_iter().flatten();
        return parts.map(|part| &part["functionCall"]).any(|call| {
            let args = &call["args"];
            let args = if args.is_null() { &json!({}) } else { args };
            let whole = parsed
                .as_ref()
                .is_none_or(|parsed| args == parsed || !parsed.is_object() && args.is_object());
            call["name"] == *name && whole
        });
    }
    if is_responses(kind) {
        return wire.as_array().into_iter().flatten().any(|item| {
            let sent = item["arguments"].as_str().unwrap_or_default();
            let same = sent == arguments || arguments.trim().is_empty() && sent == "{}";
            let whole = same || arguments == "{}" && sent.trim().is_empty();
            item["type"] == "function_call"
                && item["call_id"] == call["id"]
                && item["name"] == *name
                && whole
        });
    }
    if kind == "bedrock" {
        let blocks = wire["content"].as_array().into_iter().flatten();
        return blocks.map(|block| &block["toolUse"]).any(|sent| {
            let whole = parsed.as_ref().is_none_or(|parsed| {
                sent["input"] == *parsed || !parsed.is_object() && sent["input"].is_object()
            });
            // An id in a form that Bedrock refuses is replaced.
            let id = sent["toolUseId"] == call["id"]
                || sent["toolUseId"].as_str().is_some_and(|id| id.starts_with("call_"));
            id && sent["name"] == *name && whole
        });
    }
    if kind == "anthropic" {
        let blocks = wire["content"].as_array().into_iter().flatten();
        return blocks.into_iter().any(|block| {
            let whole = parsed.as_ref().is_none_or(|parsed| {
                block["input"] == *parsed || !parsed.is_object() && block["input"].is_object()
            });
            block["type"] == "tool_use"
                && block["id"] == call["id"]
                && block["name"] == *name
                && whole
        });
    }
    let calls = wire["tool_calls"].as_array().into_iter().flatten();
    if kind == "ollama" {
        // It has no ids.
        return calls.map(|call| &call["function"]).any(|sent| {
            let whole = parsed.as_ref().is_none_or(|parsed| {
                sent["arguments"] == *parsed || !parsed.is_object() && sent["arguments"].is_object()
            });
            sent["name"] == *name && whole
        });
    }
    calls.into_iter().any(|sent| {
        let same_id = kind == "mistral" || sent["id"] == call["id"];
        let back = sent["function"]["arguments"].as_str().unwrap();
        let same = back == arguments || arguments.is_empty() && back == "{}";
        same_id && sent["function"]["name"] == *name && same
    })
}

#[test]
fn an_edit_is_obeyed() {
    const REDACTED: &str = "[redacted by the caller]";
    each(1_500, |message, kind| {
        let mut edited = message.clone();
        let mut gone = Vec::new();
        let old = message.get("content").and_then(Value::as_str).unwrap_or_default();
        if !old.is_empty() {
            edited.insert("content".into(), REDACTED.into());
        }
        if let Some(calls) = edited.get_mut("tool_calls").and_then(Value::as_array_mut) {
            gone.extend(calls.remove(0)["id"].as_str().map(str::to_owned));
            for call in calls {
                call["function"]["arguments"] = json!("{\"edited\":true}");
            }
        }
        let (wire, _) = sent(&edited, kind, Unsupported::Warn);
        let mut faults = Vec::new();
        if !old.is_empty() {
            let mut texts = Vec::new();
            said(&wire, &mut texts);
            if texts.concat() != REDACTED && !texts.concat().ends_with(REDACTED) {
                faults.push("the text that was taken out is sent".to_owned());
            }
        }
        // A signature may name the call that it stood beside.
        let mut without = wire.clone();
        if let Some(members) = without.as_object_mut() {
            members.shift_remove("reasoning_details");
        }
        let text = without.to_string();
        for id in gone.iter().filter(|id| id.len() > 3) {
            if text.contains(&format!("\"{id}\"")) && !ids(&edited).contains(id) {
                faults.push("the call that was removed is sent".to_owned());
            }
        }
        for call in edited.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            if !has_call(&wire, call, kind) {
                faults.push("the call that was changed is not sent".to_owned());
            }
        }
        faults
    });
}

/// The visible text of a message on the wire.
fn said<'a>(wire: &'a Value, out: &mut Vec<&'a str>) {
    for item in wire.as_array().into_iter().flatten().filter(|item| item["role"] == "assistant") {
        out.extend(item["content"].as_str());
        let parts = item["content"].as_array().into_iter().flatten();
        out.extend(parts.filter_map(|part| part["text"].as_str()));
    }
    let parts = wire["parts"].as_array().into_iter().flatten();
    let spoken = parts.filter(|part| part["thought"] != true);
    out.extend(spoken.filter_map(|part| part["text"].as_str()));
    match &wire["content"] {
        Value::String(text) => out.push(text),
        Value::Array(blocks) => {
            // Bedrock's blocks have no type, and a text with citations is a list of its own.
            for block in blocks.iter().filter(|b| b["type"] == "text" || b["type"].is_null()) {
                out.extend(block["text"].as_str());
                let cited = block["citationsContent"]["content"].as_array();
                out.extend(cited.into_iter().flatten().filter_map(|part| part["text"].as_str()));
            }
        }
        _ => {}
    }
}
