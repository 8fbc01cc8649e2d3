//! Reads the documents of answers that were kept elsewhere, as this engine wrote them.
//!
//! All of a document is read, or nothing: a member that is not known here comes from another version,
//! and an answer without it would be another one.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::cost::{Cost, Usd};
use super::embed::{EmbedResponse, Embedding};
use super::rerank::{Ranked, RerankResponse};
use super::response::{AssistantMessage, Choice, FinishReason, Liter, Response, ToolCall, Warning};
use super::usage::{CompletionDetails, PromptDetails, Usage};
use super::vector::{Encoding, Vector};
use crate::json::{Number, Object, Value};

/// The members of an object that were not read yet.
struct Members(Object);

impl Members {
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(object) => Some(Members(object)),
            _ => None,
        }
    }

    /// A member that may be absent. `null` is as absent.
    fn maybe<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Option<T>) -> Option<Option<T>> {
        match self.0.shift_remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => read(value).map(Some),
        }
    }

    fn must<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Option<T>) -> Option<T> {
        self.maybe(name, read)?
    }

    /// A list, which is empty if it is absent.
    fn list<T>(&mut self, name: &str, read: impl FnMut(Value) -> Option<T>) -> Option<Vec<T>> {
        let items = self.maybe(name, list)?.unwrap_or_default();
        items.into_iter().map(read).collect()
    }

    /// An object, which is empty if it is absent.
    fn object(&mut self, name: &str) -> Option<Object> {
        Some(self.maybe(name, object)?.unwrap_or_default())
    }

    /// A member whose value is always this one.
    fn is(&mut self, name: &str, wanted: &str) -> Option<()> {
        self.must(name, text).filter(|text| text == wanted).map(drop)
    }

    /// Whether all was read.
    fn end<T>(self, read: T) -> Option<T> {
        self.0.is_empty().then_some(read)
    }
}

fn text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

fn list(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(items) = value { Some(items) } else { None }
}

fn object(value: Value) -> Option<Object> {
    if let Value::Object(object) = value { Some(object) } else { None }
}

fn number(value: Value) -> Option<Number> {
    if let Value::Number(number) = value { Some(number) } else { None }
}

fn count(value: Value) -> Option<u64> {
    value.as_u64()
}

fn place(value: Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

impl Response {
    /// Reads a chat's answer.
    pub(crate) fn read_stored(document: Value) -> Option<Response> {
        let mut members = Members::of(document)?;
        members.is("object", "chat.completion")?;
        let response = Response {
            id: members.maybe("id", text)?,
            object: "chat.completion",
            created: members.maybe("created", |value| value.as_i64())?,
            model: members.maybe("model", text)?,
            choices: members.list("choices", choice)?,
            usage: members.maybe("usage", usage)?,
            provider: members.must("provider", text)?,
            warnings: members.list("warnings", warning)?,
            liter: members.must("liter", liter)?,
        };
        members.end(response)
    }
}

impl EmbedResponse {
    /// Reads an answer of vectors.
    pub(crate) fn read_stored(document: Value) -> Option<EmbedResponse> {
        let mut members = Members::of(document)?;
        members.is("object", "list")?;
        let encoding = members.must("encoding", text)?;
        let response = EmbedResponse {
            id: members.maybe("id", text)?,
            object: "list",
            data: members.list("data", embedding)?,
            encoding: Encoding::NAMES.contains(&&*encoding).then(|| Encoding::of(&encoding))?,
            model: members.maybe("model", text)?,
            usage: members.maybe("usage", usage)?,
            provider: members.must("provider", text)?,
            warnings: members.list("warnings", warning)?,
            liter: members.must("liter", liter)?,
        };
        members.end(response)
    }
}

impl RerankResponse {
    /// Reads an answer of ranks.
    pub(crate) fn read_stored(document: Value) -> Option<RerankResponse> {
        let mut members = Members::of(document)?;
        let response = RerankResponse {
            id: members.maybe("id", text)?,
            model: members.maybe("model", text)?,
            results: members.list("results", ranked)?,
            usage: members.maybe("usage", usage)?,
            provider: members.must("provider", text)?,
            warnings: members.list("warnings", warning)?,
            liter: members.must("liter", liter)?,
        };
        members.end(response)
    }
}

fn choice(value: Value) -> Option<Choice> {
    let mut members = Members::of(value)?;
    let choice = Choice {
        index: members.must("index", count)?,
        message: members.must("message", message)?,
        finish_reason: members.maybe("finish_reason", finish_reason)?,
        logprobs: members.0.shift_remove("logprobs"),
        provider_fields: members.object("provider_fields")?,
    };
    members.end(choice)
}

fn finish_reason(value: Value) -> Option<FinishReason> {
    Some(match value.as_str()? {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => return None,
    })
}

fn message(value: Value) -> Option<AssistantMessage> {
    let mut members = Members::of(value)?;
    members.is("role", "assistant")?;
    let message = AssistantMessage {
        content: members.maybe("content", text)?,
        tool_calls: members.list("tool_calls", tool_call)?,
        refusal: members.maybe("refusal", text)?,
        reasoning: members.maybe("reasoning", text)?,
        annotations: members.list("annotations", Some)?,
        images: members.list("images", Some)?,
        audio: members.maybe("audio", object)?,
        provider_fields: members.object("provider_fields")?,
    };
    members.end(message)
}

fn tool_call(value: Value) -> Option<ToolCall> {
    let mut members = Members::of(value)?;
    members.is("type", "function")?;
    let mut function = Members(members.must("function", object)?);
    let (name, arguments) = (function.must("name", text)?, function.must("arguments", text)?);
    function.end(())?;
    let call = ToolCall::new(members.must("id", text)?, name, arguments);
    members.end(call)
}

fn usage(value: Value) -> Option<Usage> {
    let mut members = Members::of(value)?;
    let usage = Usage {
        prompt_tokens: members.maybe("prompt_tokens", count)?,
        completion_tokens: members.maybe("completion_tokens", count)?,
        total_tokens: members.maybe("total_tokens", count)?,
        prompt_tokens_details: members.maybe("prompt_tokens_details", prompt_details)?,
        completion_tokens_details: members
            .maybe("completion_tokens_details", completion_details)?,
    };
    members.end(usage)
}

fn prompt_details(value: Value) -> Option<PromptDetails> {
    let mut members = Members::of(value)?;
    let details = PromptDetails {
        cached_tokens: members.maybe("cached_tokens", count)?,
        cache_write_tokens: members.maybe("cache_write_tokens", count)?,
        audio_tokens: members.maybe("audio_tokens", count)?,
    };
    members.end(details)
}

fn completion_details(value: Value) -> Option<CompletionDetails> {
    let mut members = Members::of(value)?;
    let details = CompletionDetails {
        reasoning_tokens: members.maybe("reasoning_tokens", count)?,
        audio_tokens: members.maybe("audio_tokens", count)?,
        accepted_prediction_tokens: members.maybe("accepted_prediction_tokens", count)?,
        rejected_prediction_tokens: members.maybe("rejected_prediction_tokens", count)?,
    };
    members.end(details)
}

fn embedding(value: Value) -> Option<Embedding> {
    let mut members = Members::of(value)?;
    // The shortest text of a number, read as the same kind of number, is that number.
    let float = |value: Value| value.as_number()?.as_str().parse::<f32>().ok();
    let vector = |value: Value| match value {
        Value::String(text) => Some(Vector::Packed(text)),
        Value::Array(items) => {
            items.into_iter().map(float).collect::<Option<_>>().map(Vector::Numbers)
        }
        _ => None,
    };
    let embedding = Embedding {
        index: members.must("index", place)?,
        embedding: members.must("embedding", vector)?,
    };
    members.end(embedding)
}

fn ranked(value: Value) -> Option<Ranked> {
    let mut members = Members::of(value)?;
    let ranked = Ranked {
        index: members.must("index", place)?,
        relevance_score: members.must("relevance_score", number)?,
        provider_fields: members.object("provider_fields")?,
    };
    members.end(ranked)
}

fn warning(value: Value) -> Option<Warning> {
    let mut members = Members::of(value)?;
    let warning = Warning {
        code: code(&members.must("code", text)?)?,
        message: members.must("message", text)?,
        param: members.maybe("param", text)?,
    };
    members.end(warning)
}

/// The members of a stored answer that are not volatile. The others are those of nobody.
fn liter(value: Value) -> Option<Liter> {
    let mut members = Members::of(value)?;
    for volatile in ["request_id", "attempts", "timing"] {
        members.0.shift_remove(volatile);
    }
    let liter = Liter {
        v: u8::try_from(members.must("v", count)?).ok()?,
        provider_request_id: members.maybe("provider_request_id", text)?,
        finish_reason_raw: members.maybe("finish_reason_raw", text)?,
        usage_raw: members.0.shift_remove("usage_raw"),
        cost: members.maybe("cost", cost)?.map(Box::new),
        provider_fields: members.object("provider_fields")?,
        ..Liter::default()
    };
    members.end(liter)
}

/// What a stored answer saves.
fn cost(value: Value) -> Option<Cost> {
    let mut members = Members::of(value)?;
    let usd = |value: Value| Usd::read(value.as_str()?);
    let cost = Cost {
        usd: members.maybe("usd", usd)?,
        saved_usd: members.maybe("saved_usd", usd)?,
        ..Cost::default()
    };
    members.end(cost)
}

/// The most codes of warnings that are read. Answers have a few.
const MOST_CODES: usize = 256;

/// The longest code, in bytes.
const LONGEST_CODE: usize = 64;

/// The code of a warning. Codes live as long as the program, as those in its own text do.
fn code(text: &str) -> Option<&'static str> {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(code) = known.get(text) {
        return Some(code);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !plain || text.is_empty() || text.len() > LONGEST_CODE || known.len() >= MOST_CODES {
        return None;
    }
    let code: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(code);
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{parse, to_vec};

    fn written<T: serde::Serialize>(answer: &T) -> String {
        String::from_utf8(to_vec(answer, 0)).unwrap()
    }

    const CHAT: &str = r#"{"id":"x","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"é\u0001","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}],"refusal":"r","reasoning":"why","annotations":[{"url":"u"}],"images":[{"image_url":{"url":"d"}}],"audio":{"id":"a"},"provider_fields":{"p":1.50}},"finish_reason":"tool_calls","logprobs":{"content":[{"logprob":-0.10}]},"provider_fields":{"q":null}},{"index":1,"message":{"role":"assistant","content":null},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":1,"cache_write_tokens":2,"audio_tokens":3},"completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":2,"accepted_prediction_tokens":3,"rejected_prediction_tokens":4}},"provider":"p","warnings":[{"code":"unknown_parameter","message":"m","param":"q"}],"liter":{"v":1,"request_id":"","provider_request_id":"r","finish_reason_raw":"end","usage_raw":{"a":1},"attempts":[],"timing":{"queue_ms":0.0,"total_ms":0.0},"cost":{"usd":"0","saved_usd":"0.000113"},"provider_fields":{"s":[]}}}"#;

    #[test]
    fn what_is_read_is_what_was_written() {
        let read = Response::read_stored(parse(CHAT).unwrap()).unwrap();
        assert_eq!(written(&read), CHAT);
        let embed = r#"{"object":"list","data":[{"index":0,"embedding":"AAAAPw=="},{"index":1,"embedding":[0.1,-1e-40,16777216.0]}],"encoding":"float","provider":"p","warnings":[],"liter":{"v":1,"request_id":"","attempts":[],"timing":{"queue_ms":0.0,"total_ms":0.0}}}"#;
        let read = EmbedResponse::read_stored(parse(embed).unwrap()).unwrap();
        let again = written(&read);
        let twice = written(&EmbedResponse::read_stored(parse(&again).unwrap()).unwrap());
        assert_eq!(again, twice);
        let Vector::Numbers(numbers) = &read.data[1].embedding else { panic!("{again}") };
        assert_eq!(numbers, &[0.1, -1e-40, 16_777_216.0]);
        let rerank = r#"{"model":"m","results":[{"index":1,"relevance_score":0.90,"provider_fields":{"d":1}}],"provider":"p","warnings":[],"liter":{"v":1,"request_id":"","attempts":[],"timing":{"queue_ms":0.0,"total_ms":0.0}}}"#;
        let read = RerankResponse::read_stored(parse(rerank).unwrap()).unwrap();
        assert_eq!(written(&read), rerank);
    }

    /// Each value of a document in turn is another one, or has a member that is not known.
    #[test]
    fn a_document_of_another_form_is_not_read() {
        for (from, to) in [
            ("chat.completion", "chat.completion.chunk"),
            (r#""index":0"#, r#""index":-1"#),
            (r#""content":"#, r#""content":[],"text":"#),
            (r#""arguments":"#, r#""argument":"#),
            ("tool_calls\",\"logprobs", "done\",\"logprobs"),
            (r#""prompt_tokens":1"#, r#""prompt_tokens":"1""#),
            (r#""saved_usd":"0.000113""#, r#""saved_usd":"0.0001135555555""#),
            (r#""provider":"p""#, r#""provider":null"#),
            ("unknown_parameter", "Unknown Parameter"),
            (r#"{"v":1"#, r#"{"v":256"#),
            (r#""liter":{"#, r#""liter":{"new":1,"#),
            (r#"{"id":"x""#, r#"{"id":"x","new":1"#),
        ] {
            assert!(CHAT.contains(from), "{from}");
            let other = CHAT.replacen(from, to, 1);
            assert!(Response::read_stored(parse(&other).unwrap()).is_none(), "{to}");
        }
    }
}
