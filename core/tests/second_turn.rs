//! Recorded conversations of more than one turn: an answer, handed back as a message, goes out as
//! the official client sent it in the recorded next turn, with each signature in its place.
#![allow(clippy::unwrap_used)]

#[path = "wire/corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::collections::BTreeMap;

use http::HeaderMap;
use liter_llm_core::model::{Options, Request, Unsupported};
use liter_llm_core::provider::{Notes, StreamReader, registry};
use liter_llm_core::wire::Reply;
use serde_json::{Value, json};

use corpus::{Record, seen};

/// Turns whose recorded client changed the answer on its way back, each with what it did.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("8633fa251ff7a5e2", "the next record is of another run, with another signature"),
    ("81f7730c628eb15d", "its client put the text's signature on a part of its own"),
    ("87a7a29fc1285f79", "its client signs a call as unsigned for models that ask for none"),
    ("9b30f8213ae8376a", "the corpus elided a long signature, differently in both records"),
    ("911ca85618697ef2", "its client wrote the first call's signature on the second, too"),
];

/// What a model's content says, however its parts are spelled and cut.
#[derive(Debug, Default, PartialEq)]
struct Turn {
    text: String,
    calls: Vec<(String, Value)>,
    /// Each signature, with what it stands on.
    signatures: Vec<(&'static str, String)>,
}

fn turn(content: &Value) -> Turn {
    let mut turn = Turn::default();
    for part in content["parts"].as_array().into_iter().flatten() {
        let either = |a: &str, b: &str| part.get(a).or_else(|| part.get(b)).cloned();
        let mut on = "other";
        if let Some(call) = either("functionCall", "function_call") {
            let args = call.get("args").filter(|args| !args.is_null()).cloned();
            let name = call["name"].as_str().unwrap_or_default().to_owned();
            turn.calls.push((name, args.unwrap_or_else(|| json!({}))));
            on = "call";
        } else if let Some(text) = part["text"].as_str() {
            on = "text";
            if part["thought"] != true {
                turn.text.push_str(text);
            }
        }
        if let Some(signature) = either("thoughtSignature", "thought_signature") {
            // Both alphabets of base64 are taken, and some clients write the other one.
            let text = signature.as_str().unwrap().replace('-', "+").replace('_', "/");
            turn.signatures.push((on, text));
        }
    }
    turn
}

/// The content that goes out for the answer of a record, to the model of the next one.
fn back(record: &Record, next: &Record, kind: &str) -> Option<Value> {
    let target = corpus::provider(kind).target(&next.model);
    let adapter = registry::row(target.kind).unwrap().chat().unwrap();
    let answer = if record.streaming {
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
    let message = seen(&answer.choices.first()?.message);
    let messages = json!([{"role": "user", "content": "q"}, message]);
    let request = json!({ "messages": messages }).to_string();
    let (request, _) = Request::parse(request.as_bytes(), Options::default()).unwrap();
    let mut notes = Notes::new(Unsupported::Error);
    let wire = adapter.encode(&request, &target, &mut notes).unwrap();
    let body: Value = serde_json::from_slice(&wire.body).unwrap();
    if let Some(input) = body["input"].as_array() {
        return Some(input.iter().skip(1).cloned().collect());
    }
    if body["messages"].is_array() {
        let mut turns = body["messages"].as_array()?.iter();
        return turns.find(|turn| turn["role"] == "assistant").cloned();
    }
    body["contents"].as_array()?.iter().find(|content| content["role"] == "model").cloned()
}

#[test]
fn a_recorded_second_turn_is_sent_again() {
    let files = [
        ("gemini__generateContent.jsonl", "gemini"),
        ("gemini__streamGenerateContent.jsonl", "gemini"),
        ("vertex__generateContent.jsonl", "vertex"),
        ("vertex__streamGenerateContent.jsonl", "vertex"),
    ];
    let (mut turns, mut signed, mut others, mut wrong) = (0, 0, 0, Vec::new());
    for (file, kind) in files {
        let Some(records) = corpus::records(file) else { return };
        let mut cases: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in &records {
            cases.entry(&record.case).or_default().push(record);
        }
        for case in cases.values_mut() {
            case.sort_by_key(|record| record.seq);
            for pair in case.windows(2) {
                let contents = pair[1].request.get("contents").and_then(Value::as_array);
                let mut models = contents.into_iter().flatten().rev();
                let Some(recorded) = models.find(|content| content["role"] == "model") else {
                    continue;
                };
                let id = pair[0].id.as_str();
                if pair[0].status != 200 || EXCEPTIONS.iter().any(|(known, _)| *known == id) {
                    continue;
                }
                let Some(mine) = back(pair[0], pair[1], kind) else { continue };
                let (mine, mut recorded) = (turn(&mine), turn(recorded));
                // The client's next question may be about another answer.
                if mine.text != recorded.text || mine.calls != recorded.calls {
                    others += 1;
                    continue;
                }
                turns += 1;
                signed += usize::from(!recorded.signatures.is_empty());
                // Some clients leave out the signature of a text, which no model asks for.
                if recorded.signatures.is_empty() && recorded.calls.is_empty() {
                    recorded.signatures.clone_from(&mine.signatures);
                }
                if mine != recorded {
                    wrong.push(format!("{id}:\n  mine     {mine:?}\n  recorded {recorded:?}"));
                }
            }
        }
    }
    eprintln!("second turns: {} of {turns} agree, {signed} signed", turns - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(turns >= 50 && signed >= 30, "only {turns} turns, {signed} signed");
    assert!(others <= 10, "{others} next turns are about another answer");
}

/// The items of a model, each as its type and what it says: the encrypted reasoning, the call, the
/// text, or the whole item of another type.
fn items(items: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for item in items.as_array().into_iter().flatten() {
        let kind = item["type"].as_str().unwrap_or("message");
        let said = match kind {
            "message" if item["role"] == "assistant" => match &item["content"] {
                Value::String(text) => text.clone(),
                parts => {
                    let parts = parts.as_array().into_iter().flatten();
                    parts.filter_map(|part| part["text"].as_str()).collect()
                }
            },
            "reasoning" => item["encrypted_content"].as_str().unwrap_or_default().to_owned(),
            "function_call" => {
                format!("{} {} {}", item["call_id"], item["name"], item["arguments"])
            }
            "message" | "function_call_output" => continue,
            _ => item["id"].to_string(),
        };
        out.push((kind.to_owned(), said));
    }
    out
}

#[test]
fn a_recorded_second_turn_of_responses_is_sent_again() {
    let files = [
        ("azure__responses.jsonl", "azure/responses"),
        ("misc__responses.jsonl", "compatible/responses"),
        ("openai__responses.jsonl", "openai/responses"),
        ("xai__responses.jsonl", "xai/responses"),
    ];
    let (mut turns, mut signed, mut others, mut wrong) = (0, 0, 0, Vec::new());
    for (file, kind) in files {
        let Some(records) = corpus::records(file) else { return };
        let mut cases: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in &records {
            cases.entry(&record.case).or_default().push(record);
        }
        for case in cases.values_mut() {
            case.sort_by_key(|record| record.seq);
            for pair in case.windows(2) {
                let recorded = items(&pair[1].request["input"]);
                if pair[0].status != 200 || recorded.is_empty() {
                    continue;
                }
                let Some(mine) = back(pair[0], pair[1], kind) else { continue };
                let mine = items(&mine);
                let recorded = recorded[recorded.len() - mine.len().min(recorded.len())..].to_vec();
                // The client's next question may be about another answer, and some clients leave
                // reasoning out.
                let spoken = |items: &[(String, String)]| -> Vec<(String, String)> {
                    items.iter().filter(|(kind, _)| kind != "reasoning").cloned().collect()
                };
                let thought = recorded.iter().any(|(kind, _)| kind == "reasoning");
                if spoken(&mine) != spoken(&recorded) || !thought && mine != recorded {
                    others += 1;
                    continue;
                }
                turns += 1;
                signed += usize::from(thought);
                if mine != recorded {
                    let id = &pair[0].id;
                    wrong.push(format!("{id}:\n  mine     {mine:?}\n  recorded {recorded:?}"));
                }
            }
        }
    }
    eprintln!(
        "responses: {} of {turns} agree, {signed} signed, {others} others",
        turns - wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(turns >= 20 && signed >= 10, "only {turns} turns, {signed} signed");
}

/// What an assistant's blocks say: the text, the calls, and each signed or hidden reasoning.
fn blocks(turn: &Value) -> (String, Vec<Value>, Vec<Value>) {
    let (mut text, mut calls, mut signed) = (String::new(), Vec::new(), Vec::new());
    for block in turn["content"].as_array().into_iter().flatten() {
        text.push_str(block["text"].as_str().unwrap_or_default());
        if let Some(call) = block.get("toolUse") {
            calls.push(json!([call["toolUseId"], call["name"], call["input"]]));
        }
        signed.extend(block.get("reasoningContent").cloned());
    }
    (text, calls, signed)
}

#[test]
fn a_recorded_second_turn_of_bedrock_is_sent_again() {
    let files = ["bedrock__converse.jsonl", "bedrock__converse-stream.jsonl"];
    let (mut turns, mut signed, mut others, mut wrong) = (0, 0, 0, Vec::new());
    for file in files {
        let Some(records) = corpus::records(file) else { return };
        let mut cases: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in &records {
            cases.entry(&record.case).or_default().push(record);
        }
        for case in cases.values_mut() {
            case.sort_by_key(|record| record.seq);
            for pair in case.windows(2) {
                let messages = pair[1].request.get("messages").and_then(Value::as_array);
                let mut turns_back = messages.into_iter().flatten().rev();
                let Some(recorded) = turns_back.find(|turn| turn["role"] == "assistant") else {
                    continue;
                };
                if pair[0].status != 200 {
                    continue;
                }
                let Some(mine) = back(pair[0], pair[1], "bedrock") else { continue };
                let (mine, recorded) = (blocks(&mine), blocks(recorded));
                // The client's next question may be about another answer.
                if mine.0 != recorded.0 || mine.1 != recorded.1 {
                    others += 1;
                    continue;
                }
                turns += 1;
                signed += usize::from(!recorded.2.is_empty());
                // Some clients leave reasoning out.
                if !recorded.2.is_empty() && mine.2 != recorded.2 {
                    wrong.push(format!("{}: {mine:?}, recorded {recorded:?}", pair[0].id));
                }
            }
        }
    }
    eprintln!(
        "bedrock: {} of {turns} agree, {signed} signed, {others} others",
        turns - wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(turns >= 15 && signed >= 3, "only {turns} turns, {signed} signed");
    assert!(others <= 10, "{others} next turns are about another answer");
}

#[test]
fn a_recorded_second_turn_of_anthropic_at_vertex_is_sent_again() {
    let Some(records) = corpus::records("vertex__rawPredict.jsonl") else { return };
    let mut cases: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in &records {
        cases.entry(&record.case).or_default().push(record);
    }
    let mut turns = 0;
    for case in cases.values_mut() {
        case.sort_by_key(|record| record.seq);
        for pair in case.windows(2) {
            let messages = pair[1].request["messages"].as_array().unwrap();
            let recorded = messages.iter().find(|turn| turn["role"] == "assistant");
            assert_eq!(back(pair[0], pair[1], "vertex").as_ref(), recorded, "{}", pair[0].id);
            turns += 1;
        }
    }
    assert_eq!(turns, 2);
}

#[test]
fn a_recorded_second_turn_of_ollama_is_sent_again() {
    let Some(records) = corpus::records("ollama__ollama-chat.jsonl") else { return };
    let (mut turns, mut others) = (0, 0);
    for first in &records {
        let next = records.iter().find(|next| next.case == first.case && next.seq == first.seq + 1);
        let Some(next) = next else { continue };
        let messages = next.request["messages"].as_array().into_iter().flatten();
        let Some(recorded) = messages.rev().find(|message| message["role"] == "assistant") else {
            continue;
        };
        let Some(mine) = back(first, next, "ollama") else { continue };
        let calls = |message: &Value| -> Vec<Value> {
            let calls = message["tool_calls"].as_array().into_iter().flatten();
            calls
                .map(|call| json!([call["function"]["name"], call["function"]["arguments"]]))
                .collect()
        };
        assert_eq!(calls(&mine), calls(recorded), "{}", first.id);
        // One client takes thoughts out of a text that was not to have any.
        if mine["content"] != recorded["content"] {
            others += 1;
            continue;
        }
        assert_eq!(mine["thinking"], recorded["thinking"], "{}", first.id);
        turns += 1;
    }
    assert!(turns >= 1 && others <= 1, "{turns} turns, {others} others");
}
