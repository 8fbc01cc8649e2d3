//! Decodes a streamed answer: named events, of which `message-end` is the terminal one. Most
//! servers send `[DONE]` after it, which is not waited for.

use std::collections::BTreeMap;

use super::message::{CITATIONS, CONTENT, LOGPROBS, PLAN, Piece};
use super::message::{annotations, finish_reason, logprobs, usage};
use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::FinishReason;
use crate::provider::cohere::error;
use crate::provider::json::{take_object, take_string};
use crate::provider::nameless_call;
use crate::provider::reader::unterminated;
use crate::provider::unknown_finish;
use crate::provider::{Assembly, Progress, StreamDecoder, Target, classify, foreign};
use crate::wire::Event;

/// The reader of one stream.
#[derive(Debug)]
pub(super) struct Decoder {
    target: Target,
    started: bool,
    plan: String,
    citations: Vec<Value>,
    /// The characters of the answer before each text of its content, by the texts' indexes.
    texts: BTreeMap<u64, u64>,
    /// Content of an unknown type, as its `content-start` had it.
    unknown: Vec<Value>,
}

impl Decoder {
    pub(super) fn new(target: &Target) -> Self {
        Decoder {
            target: target.clone(),
            started: false,
            plan: String::new(),
            citations: Vec::new(),
            texts: BTreeMap::new(),
            unknown: Vec::new(),
        }
    }

    fn message_start(&mut self, event: &Object, out: &mut Assembly) -> Result<(), Error> {
        if std::mem::replace(&mut self.started, true) {
            return Err(bad("message-start came twice"));
        }
        out.meta(event.get("id").and_then(Value::as_str), None, None);
        out.start(0);
        Ok(())
    }

    fn content(&mut self, delta: Option<&Value>, starts: bool, out: &mut Assembly) {
        let Some(content) = delta.and_then(|message| message.get("content")) else { return };
        match Piece::of(content) {
            Some(Piece::Text(text)) => out.text(0, text),
            Some(Piece::Thinking(text)) => out.reasoning(0, text),
            None if starts && content.is_object() => {
                out.keeps(content.nodes());
                self.unknown.push(content.clone());
            }
            None => {}
        }
    }

    fn cite(&mut self, citation: &Value, out: &mut Assembly) {
        out.keeps(citation.nodes());
        self.citations.push(citation.clone());
        for annotation in annotations(citation, &self.texts) {
            out.annotation(0, annotation);
        }
    }

    fn tool_call(index: u64, delta: Option<&Value>, out: &mut Assembly) {
        let Some(call) = delta.and_then(|message| message.get("tool_calls")) else { return };
        // The value is an object, though its name is plural; a list would fit the name.
        let call = call.as_array().and_then(|calls| calls.first()).unwrap_or(call);
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        let function = call.get("function");
        let member = |name: &str| text(function.and_then(|function| function.get(name)));
        let name = member("name");
        // A piece without a name never begins a call.
        if name.is_empty() && out.call(0, index).is_none() {
            return out.warn(nameless_call());
        }
        out.tool_call(0, index, &text(call.get("id")), &name, &member("arguments"));
    }

    fn message_end(&mut self, mut event: Object, out: &mut Assembly) -> Result<(), Error> {
        if !self.started {
            return Err(bad("message-end came before message-start"));
        }
        let mut delta = take_object(&mut event, "delta").unwrap_or_default();
        if let Some(word) = take_string(&mut delta, "finish_reason") {
            let said = delta.get("error").and_then(Value::as_str);
            if let Some(error) = error::of_finish(&word, said) {
                return Err(error);
            }
            let reason = finish_reason(&word);
            if reason.is_none() {
                out.warn(unknown_finish(&word));
            }
            out.finish(0, &word, reason.unwrap_or(FinishReason::Stop));
        }
        if error::is_error(&delta) {
            return Err(self.error(delta));
        }
        if let Some(raw) = take_object(&mut delta, "usage") {
            out.usage(usage(&raw));
            out.usage_raw(Value::Object(raw));
        }
        if !self.plan.is_empty() {
            out.message_field(0, PLAN, std::mem::take(&mut self.plan).into(), false);
        }
        if !self.citations.is_empty() {
            let citations = std::mem::take(&mut self.citations);
            out.message_field(0, CITATIONS, citations.into(), true);
        }
        if !self.unknown.is_empty() {
            out.message_field(0, CONTENT, std::mem::take(&mut self.unknown).into(), true);
        }
        for (name, value) in delta.into_iter().filter(|(_, value)| !value.is_null()) {
            out.field(name, value);
        }
        Ok(())
    }

    fn error(&self, object: Object) -> Error {
        classify::in_body(&Value::Object(object), &self.target)
    }
}

fn index(event: &Object) -> Result<u64, Error> {
    let index = event.get("index").and_then(Value::as_u64);
    index.ok_or_else(|| bad("an event has no index"))
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the event stream is malformed: {what}"))
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error> {
        if event.data.trim() == "[DONE]" {
            return Err(unterminated("its message-end event"));
        }
        let read = foreign::read(event.data).map_err(|what| bad(&format!("an event {what}")))?;
        out.mended(&read);
        let Value::Object(mut object) = read.value else {
            return Err(bad("an event is not a JSON object"));
        };
        let kind = take_string(&mut object, "type").unwrap_or_else(|| event.name.to_owned());
        let delta = object.get("delta").and_then(|delta| delta.get("message"));
        match kind.as_str() {
            "message-start" => self.message_start(&object, out)?,
            "content-start" => {
                let content = delta.and_then(|message| message.get("content"));
                if matches!(content.and_then(Piece::of), Some(Piece::Text(_))) {
                    let at = object.get("index").and_then(Value::as_u64).unwrap_or_default();
                    self.texts.entry(at).or_insert(out.characters(0));
                    out.keeps(1);
                }
                self.content(delta, true, out);
            }
            "content-delta" => {
                self.content(delta, false, out);
                let tokens = match object.get(LOGPROBS) {
                    Some(Value::Array(pieces)) => logprobs(pieces),
                    Some(piece) => logprobs(std::slice::from_ref(piece)),
                    None => None,
                };
                tokens.into_iter().for_each(|tokens| out.logprobs(0, tokens));
            }
            "tool-plan-delta" => {
                let plan = delta.and_then(|message| message.get("tool_plan"));
                if let Some(Value::String(part)) = plan {
                    out.delta_field(0, PLAN, part.as_str().into());
                    self.plan.push_str(part);
                }
            }
            "tool-call-start" | "tool-call-delta" => {
                Self::tool_call(index(&object)?, delta, out);
            }
            "citation-start" => {
                let cited = delta.and_then(|message| message.get("citations"));
                let cited = match cited {
                    Some(Value::Array(items)) => items.iter().collect(),
                    Some(Value::Null) | None => Vec::new(),
                    Some(citation) => vec![citation],
                };
                cited.into_iter().for_each(|citation| self.cite(citation, out));
            }
            "message-end" => {
                self.message_end(object, out)?;
                return Ok(Progress::Done);
            }
            _ if kind == "error" || error::is_error(&object) => return Err(self.error(object)),
            // The ends of parts, `debug`, and unknown events.
            _ => {}
        }
        Ok(Progress::More)
    }

    fn end(&mut self, _: &mut Assembly) -> Result<(), Error> {
        Err(unterminated("its message-end event"))
    }
}
