//! Citations, images, speech and log probabilities, of which the facts say nothing: what an answer has
//! is counted in the recorded body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liter_llm_core::model::Chunk;
use liter_llm_core::provider::Completion;
use serde_json::Value;

use crate::corpus::{Record, seen};

/// Everything that is wrong, in words; empty where all agrees.
pub fn disagreements(record: &Record, kind: &str, answer: &Completion) -> Vec<String> {
    let documents = documents(&record.body);
    let Some(choice) = answer.choices.first() else { return Vec::new() };
    let message = &choice.message;
    let mut wrong = Vec::new();
    let mut count = |what: &str, wanted: usize, found: usize| {
        if wanted != found {
            wrong.push(format!("{what}: wanted {wanted}, found {found}"));
        }
    };
    let wanted = match kind {
        "bedrock" => memchr::memmem::find_iter(&record.body, b"\"location\":{").count(),
        "gemini" | "vertex" => grounded(&documents),
        _ => citations(&documents),
    };
    count("annotations", wanted, message.annotations.len());
    count("images", images(&documents), message.images.len());
    let tokens = choice.logprobs.as_ref().map(seen);
    let tokens = tokens.as_ref().and_then(|found| found["content"].as_array()).map_or(0, Vec::len);
    count("logprobs", logprobs(&documents), tokens);
    let speech = documents.iter().any(|document| {
        let audio = |audio: &&Value| audio["data"].as_str().is_some_and(|data| !data.is_empty());
        let inline =
            |data: &&Value| data["mimeType"].as_str().is_some_and(|t| t.starts_with("audio/"));
        found(document, "audio").iter().any(audio)
            || found(document, "inlineData").iter().any(inline)
    });
    count("speech", usize::from(speech), usize::from(message.audio.is_some()));
    wrong.extend(places(&documents, answer));
    wrong
}

/// The words at each place are those that the provider says it cites, where it says so.
fn places(documents: &[Value], answer: &Completion) -> Vec<String> {
    let message = &answer.choices[0].message;
    let text: Vec<char> = message.content.as_deref().unwrap_or_default().chars().collect();
    let segments = documents.iter().flat_map(|document| found(document, "segment"));
    let cited = documents.iter().flat_map(|document| found(document, "citations"));
    let cited = cited.filter_map(Value::as_array).flatten();
    let single = documents.iter().map(|document| &document["delta"]["message"]["citations"]);
    let words: Vec<&str> =
        segments.chain(cited).chain(single).filter_map(|cited| cited["text"].as_str()).collect();
    let mut wrong = Vec::new();
    for annotation in &message.annotations {
        let annotation = seen(annotation);
        let members = &annotation[annotation["type"].as_str().unwrap()];
        let at = |name: &str| members[name].as_u64().and_then(|at| usize::try_from(at).ok());
        let Some((start, end)) = at("start_index").zip(at("end_index")) else { continue };
        match text.get(start..end) {
            Some(found) => {
                let found: String = found.iter().collect();
                if !words.is_empty() && !words.contains(&found.as_str()) {
                    wrong.push(format!("an annotation stands at {found:?}"));
                }
            }
            None => wrong.push(format!("an annotation ends at {end} of {}", text.len())),
        }
    }
    wrong
}

/// The JSON of a body: one document, or the data of a stream's events.
fn documents(body: &[u8]) -> Vec<Value> {
    if let Ok(document) = serde_json::from_slice(body) {
        return match document {
            Value::Array(documents) => documents,
            document => vec![document],
        };
    }
    let text = String::from_utf8_lossy(body);
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
}

/// Every value under a name, at any depth.
fn found<'a>(document: &'a Value, name: &str) -> Vec<&'a Value> {
    let mut all = Vec::new();
    match document {
        Value::Object(members) => {
            for (key, value) in members {
                if key == name {
                    all.push(value);
                }
                all.extend(found(value, name));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all.extend(found(item, name))),
        _ => {}
    }
    all
}

fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// The output of a response: that of the last event, or of the items that ended before it.
fn output(documents: &[Value]) -> Vec<&Value> {
    let whole = |document: &Value| document.get("output").is_some_and(Value::is_array);
    let last = documents.iter().rev().find_map(|document| {
        [document, &document["response"]].into_iter().find(|document| whole(document))
    });
    match last.and_then(|last| last["output"].as_array()) {
        Some(output) if !output.is_empty() => output.iter().collect(),
        _ => {
            let ended = |document: &&Value| document["type"] == "response.output_item.done";
            documents.iter().filter(ended).map(|document| &document["item"]).collect()
        }
    }
}

fn texts(documents: &[Value]) -> impl Iterator<Item = &Value> {
    output(documents).into_iter().flat_map(|item| item["content"].as_array().into_iter().flatten())
}

/// The first choice of a chat completion or of a chunk of one: its message, whole or in part.
fn messages(documents: &[Value]) -> impl Iterator<Item = &Value> {
    let choices = documents.iter().filter_map(|document| document["choices"].as_array()?.first());
    choices.map(
        |choice| if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] },
    )
}

fn citations(documents: &[Value]) -> usize {
    let responses: usize = texts(documents).map(|part| length(&part["annotations"])).sum();
    let chat: usize = messages(documents).map(|message| length(&message["annotations"])).sum();
    let anthropic: usize = documents
        .iter()
        .flat_map(|document| {
            let blocks = document["content"].as_array().into_iter().flatten();
            blocks.chain([&document["content_block"]])
        })
        .map(|block| length(&block["citations"]))
        .sum();
    let deltas = documents.iter().filter(|d| d["delta"]["type"] == "citations_delta").count();
    let sources = |citation: &Value| length(&citation["sources"]);
    let cohere: usize = documents
        .iter()
        .flat_map(|document| [&document["message"], &document["delta"]["message"]])
        .map(|message| match &message["citations"] {
            Value::Array(citations) => citations.iter().map(sources).sum(),
            citation => sources(citation),
        })
        .sum();
    let tools = messages(documents).flat_map(|message| message["executed_tools"].as_array());
    let groq: usize = tools.flatten().map(|tool| length(&tool["search_results"]["results"])).sum();
    let azure: usize =
        messages(documents).map(|message| length(&message["context"]["citations"])).sum();
    let named = responses + chat + anthropic + deltas + cohere + groq + azure;
    let beside = documents.iter().rev().find_map(|document| {
        let of = |name: &str| Some(length(&document[name])).filter(|n| *n > 0);
        of("search_results").or_else(|| of("citations"))
    });
    if named == 0 { beside.unwrap_or(0) } else { named }
}

/// Google's: each source that words name, as often as they do, and each other one once.
fn grounded(documents: &[Value]) -> usize {
    let last = documents.iter().rev().find_map(|d| found(d, "groundingMetadata").first().copied());
    let known = |chunk: &Value| chunk.as_object().is_some_and(|chunk| !chunk.is_empty());
    let chunks = last.and_then(|last| last["groundingChunks"].as_array());
    let supports = last.and_then(|last| last["groundingSupports"].as_array()).into_iter().flatten();
    let numbers = supports.filter_map(|one| one["groundingChunkIndices"].as_array()).flatten();
    let numbers: Vec<usize> =
        numbers.map(|n| usize::try_from(n.as_u64().unwrap()).unwrap()).collect();
    let chunks: Vec<bool> = chunks.into_iter().flatten().map(known).collect();
    let named = numbers.iter().filter(|n| chunks.get(**n) == Some(&true)).count();
    let others = chunks.iter().enumerate().filter(|(n, known)| **known && !numbers.contains(n));
    let mut recited = Vec::new();
    for citation in documents.iter().flat_map(|document| {
        let lists =
            found(document, "citationSources").into_iter().chain(found(document, "citations"));
        lists.filter_map(Value::as_array).flatten()
    }) {
        let says = |name: &str| citation[name].as_str().is_some_and(|text| !text.is_empty());
        if (says("uri") || says("title")) && !recited.contains(&citation) {
            recited.push(citation);
        }
    }
    named + others.count() + recited.len()
}

fn images(documents: &[Value]) -> usize {
    let parts = documents.iter().flat_map(|document| found(document, "parts"));
    let parts = parts.filter_map(Value::as_array).flatten();
    let inline = parts.filter(|part| {
        let kind = part["inlineData"]["mimeType"].as_str();
        part["thought"] != true && kind.is_some_and(|kind| kind.starts_with("image/"))
    });
    let made = output(documents).into_iter().filter(|item| {
        item["type"] == "image_generation_call"
            && item["result"].as_str().is_some_and(|r| !r.is_empty())
    });
    let chat: usize = messages(documents).map(|message| length(&message["images"])).sum();
    inline.count() + made.count() + chat
}

fn logprobs(documents: &[Value]) -> usize {
    let choices = documents.iter().filter_map(|document| document["choices"].as_array()?.first());
    let chat: usize = choices.map(|choice| length(&choice["logprobs"]["content"])).sum();
    let chosen = documents.iter().flat_map(|document| found(document, "chosenCandidates"));
    let whole: usize = texts(documents).map(|part| length(&part["logprobs"])).sum();
    let deltas = documents.iter().filter(|d| d["type"] == "response.output_text.delta");
    let deltas: usize = deltas.map(|delta| length(&delta["logprobs"])).sum();
    chat + chosen.map(length).sum::<usize>() + whole.max(deltas)
}

/// Whether the chunks' members, put together, are the answer's. `None` where they are.
pub fn chunks_differ(chunks: &[Chunk], answer: &Completion) -> Option<String> {
    for choice in &answer.choices {
        let deltas = chunks.iter().flat_map(|chunk| &chunk.choices);
        let deltas: Vec<_> = deltas.filter(|delta| delta.index == choice.index).collect();
        let message = &choice.message;
        let annotations = deltas.iter().flat_map(|choice| &choice.delta.annotations);
        let images = deltas.iter().flat_map(|choice| &choice.delta.images);
        if !annotations.eq(&message.annotations) || !images.eq(&message.images) {
            return Some("the chunks' annotations or images are not the answer's".to_owned());
        }
        let tokens = |logprobs: Option<Value>| match logprobs {
            Some(mut logprobs) => match logprobs["content"].take() {
                Value::Array(tokens) => tokens,
                _ => Vec::new(),
            },
            None => Vec::new(),
        };
        let joined = deltas.iter().flat_map(|choice| tokens(choice.logprobs.as_ref().map(seen)));
        if !joined.eq(tokens(choice.logprobs.as_ref().map(seen))) {
            return Some("the chunks' log probabilities are not the answer's".to_owned());
        }
        let audio = deltas.iter().filter_map(|choice| choice.delta.audio.as_ref().map(seen));
        let data: Vec<u8> = audio.flat_map(|audio| sound(&audio)).collect();
        if data != message.audio.as_ref().map(|audio| sound(&seen(audio))).unwrap_or_default() {
            return Some("the chunks' speech is not the answer's".to_owned());
        }
    }
    None
}

fn sound(audio: &Value) -> Vec<u8> {
    audio["data"].as_str().map(|data| STANDARD.decode(data).unwrap()).unwrap_or_default()
}
