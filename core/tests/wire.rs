//! Recorded traffic: what real providers answered, through the pure adapters.
//!
//! Each record of the corpus (`shared/wire`, or `LITER_LLM_WIRE`) is decoded, streams under three
//! hostile splits, and compared with the record's facts. One test a file; a failing one lists each
//! record with its reason. A missing corpus is said in one line.
#![allow(clippy::unwrap_used)]

#[path = "wire/compare.rs"]
mod compare;
#[path = "wire/corpus.rs"]
#[allow(dead_code)]
mod corpus;
#[path = "wire/members.rs"]
mod members;
#[path = "wire/operations.rs"]
mod operations;

use liter_llm_core::error::Error;
use liter_llm_core::model::Chunk;
use liter_llm_core::provider::{Completion, Progress, StreamReader, Target, registry};
use liter_llm_core::wire::Reply;

use corpus::Record;

/// Records that a truthful client cannot satisfy, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "cbe39fc43ff53fcf",
        "its publisher put two complete answers one after the other; the first is read whole, and \
         what follows its message_stop is not read",
    ),
    (
        "9eb8af53bb81ed38",
        "its publisher put four complete answers one after the other; the first is read whole",
    ),
    (
        "c74adbba79ec90c5",
        "its calls' arguments come in pieces (partialArgs), which the facts leave out; ours have \
         them",
    ),
];

macro_rules! files {
    ($($test:ident: $file:literal => $kind:literal,)*) => {
        $(#[test] fn $test() { check($file, $kind); })*
    };
}

files! {
    anthropic_chat: "anthropic__chat.jsonl" => "compatible",
    anthropic_messages: "anthropic__messages.jsonl" => "anthropic",
    compatible_messages: "openai-compatible__messages.jsonl" => "anthropic",
    misc_messages: "misc__messages.jsonl" => "anthropic",
    azure_responses: "azure__responses.jsonl" => "azure/responses",
    bedrock_responses: "bedrock__responses.jsonl" => "compatible/responses",
    deepseek_responses: "deepseek__responses.jsonl" => "deepseek/responses",
    misc_responses: "misc__responses.jsonl" => "compatible/responses",
    openai_compatible_responses: "openai-compatible__responses.jsonl" => "compatible/responses",
    openai_responses: "openai__responses.jsonl" => "openai/responses",
    openrouter_responses: "openrouter__responses.jsonl" => "openrouter/responses",
    xai_responses: "xai__responses.jsonl" => "xai/responses",
    azure_chat: "azure__chat.jsonl" => "azure",
    bedrock_chat: "bedrock__chat.jsonl" => "compatible",
    bedrock_converse: "bedrock__converse.jsonl" => "bedrock",
    bedrock_converse_stream: "bedrock__converse-stream.jsonl" => "bedrock",
    cohere_v2_chat: "cohere__v2-chat.jsonl" => "cohere",
    deepseek_chat: "deepseek__chat.jsonl" => "deepseek",
    gemini_chat: "gemini__chat.jsonl" => "compatible",
    gemini_generate: "gemini__generateContent.jsonl" => "gemini",
    gemini_stream: "gemini__streamGenerateContent.jsonl" => "gemini",
    groq_chat: "groq__chat.jsonl" => "groq",
    misc_chat: "misc__chat.jsonl" => "compatible",
    mistral_chat: "mistral__chat.jsonl" => "mistral",
    ollama_chat: "ollama__chat.jsonl" => "ollama/chat",
    ollama_native: "ollama__ollama-chat.jsonl" => "ollama",
    openai_chat: "openai__chat.jsonl" => "openai",
    openai_compatible_chat: "openai-compatible__chat.jsonl" => "compatible",
    openrouter_chat: "openrouter__chat.jsonl" => "openrouter",
    together_chat: "together__chat.jsonl" => "together",
    vertex_raw: "vertex__rawPredict.jsonl" => "vertex",
    vertex_generate: "vertex__generateContent.jsonl" => "vertex",
    vertex_stream: "vertex__streamGenerateContent.jsonl" => "vertex",
    xai_chat: "xai__chat.jsonl" => "xai",
}

#[test]
fn models() {
    for kind in ["anthropic", "cohere", "gemini", "groq", "mistral", "openai", "openrouter"] {
        operations::models(&format!("{kind}__models.jsonl"), kind);
    }
    operations::shown("ollama__ollama-meta.jsonl", "ollama");
    for file in ["bedrock__models.jsonl", "misc__models.jsonl", "openai-compatible__models.jsonl"] {
        operations::models(file, "compatible");
    }
}

#[test]
fn embeddings() {
    for (file, kind) in [
        ("azure__embeddings.jsonl", "azure"),
        ("cohere__embed.jsonl", "cohere"),
        ("gemini__embedContent.jsonl", "gemini"),
        ("misc__embeddings.jsonl", "compatible"),
        ("mistral__embeddings.jsonl", "mistral"),
        ("ollama__embeddings.jsonl", "ollama"),
        ("openai__embeddings.jsonl", "openai"),
        ("openrouter__embeddings.jsonl", "openrouter"),
        ("vertex__embedContent.jsonl", "vertex"),
    ] {
        operations::embeddings(file, kind);
    }
    operations::invoked("bedrock__invoke.jsonl", "bedrock");
}

#[test]
fn rankings() {
    for (file, kind) in [
        ("cohere__rerank.jsonl", "cohere"),
        ("misc__rerank.jsonl", "compatible"),
        ("openrouter__rerank.jsonl", "openrouter"),
    ] {
        operations::rankings(file, kind);
    }
}

#[test]
fn counts() {
    for (file, kind, least) in [
        ("anthropic__count_tokens.jsonl", "anthropic", 9),
        ("bedrock__count-tokens.jsonl", "bedrock", 3),
        ("cohere__tokenize.jsonl", "cohere", 1),
        ("gemini__countTokens.jsonl", "gemini", 6),
        ("openai__responses-get.jsonl", "openai", 6),
        ("vertex__countTokens.jsonl", "vertex", 4),
    ] {
        operations::counts(file, kind, least);
    }
}

#[test]
fn moderations() {
    operations::moderations("openai__moderations.jsonl", "openai");
}

fn check(file: &str, kind: &str) {
    let Some(records) = corpus::records(file) else { return };
    let provider = corpus::provider(kind);
    let mut failures = Vec::new();
    for record in &records {
        if EXCEPTIONS.iter().any(|(id, _)| *id == record.id) {
            continue;
        }
        let target = provider.target(&record.model);
        let wrong = check_record(record, &target);
        if !wrong.is_empty() {
            failures.push(format!("  {}: {}", record.id, wrong.join("; ")));
        }
    }
    let total = records.len();
    let excepted = records.iter().filter(|r| EXCEPTIONS.iter().any(|(id, _)| *id == r.id)).count();
    let agree = total - failures.len() - excepted;
    let line = format!("wire: {file}: {agree} of {total} agree, {excepted} excepted");
    eprintln!("{line}");
    assert!(failures.is_empty(), "{}\n{line}", failures.join("\n"));
}

fn check_record(record: &Record, target: &Target) -> Vec<String> {
    let adapter = registry::row(target.kind).unwrap().chat().unwrap();
    if !record.streaming || record.status >= 400 {
        let outcome = adapter.decode(
            &Reply {
                status: record.status,
                headers: &record.headers,
                body: &record.body,
                received: None,
            },
            target,
        );
        let mut wrong = compare::disagreements(record, &outcome);
        if let Ok(answer) = &outcome {
            wrong.extend(members::disagreements(record, target.kind, answer));
        }
        return wrong;
    }
    let (outcome, chunks) = stream(record, target, Split::Bytes);
    let mut wrong = compare::disagreements(record, &outcome);
    if let Ok(answer) = &outcome {
        wrong.extend(compare::chunks_differ(&chunks, answer));
        wrong.extend(members::chunks_differ(&chunks, answer));
        wrong.extend(members::disagreements(record, target.kind, answer));
    }
    let first = (format!("{outcome:?}"), format!("{chunks:?}"));
    for split in [Split::Small, Split::Lines] {
        let (outcome, chunks) = stream(record, target, split);
        if first != (format!("{outcome:?}"), format!("{chunks:?}")) {
            wrong.push(format!("another outcome under the split {split:?}"));
        }
    }
    wrong
}

/// How a body is cut.
#[derive(Clone, Copy, Debug)]
enum Split {
    /// One byte at a time: inside each UTF-8 character and each CRLF.
    Bytes,
    /// One to seven bytes.
    Small,
    /// After one of two line ends, or up to 400 bytes: events torn at their blank lines.
    Lines,
}

fn stream(
    record: &Record,
    target: &Target,
    split: Split,
) -> (Result<Completion, Error>, Vec<Chunk>) {
    let adapter = registry::row(target.kind).unwrap().chat().unwrap();
    let mut rng = fastrand::Rng::with_seed(record.body.len() as u64);
    let mut reader = StreamReader::new(adapter, target, false);
    let mut chunks = Vec::new();
    let mut rest = &record.body[..];
    while !rest.is_empty() {
        let cut = match split {
            Split::Bytes => 1,
            Split::Small => rng.usize(1..8),
            Split::Lines => match memchr::memchr(b'\n', rest) {
                Some(end) if rng.bool() => end + 1,
                _ => rng.usize(1..400),
            },
        };
        let (now, later) = rest.split_at(cut.min(rest.len()));
        rest = later;
        match reader.push(now) {
            Ok(Progress::More) => chunks.extend(reader.take_chunks()),
            Ok(Progress::Done) => break,
            Err(error) => {
                chunks.extend(reader.take_chunks());
                return (Err(error), chunks);
            }
        }
    }
    let end = reader.end(&record.headers);
    chunks.extend(reader.take_chunks());
    (end.map(|()| reader.into_completion()), chunks)
}
