//! Decodes a streamed answer: each event is a response with the next parts of each candidate.
//!
//! There is no terminal event. An answer is complete if the body ends properly and each candidate
//! has said why it ended, or if the prompt was blocked.

use std::collections::HashSet;

use super::calls::Pieces;
use super::logprobs::{self, LOGPROBS};
use super::parts::{self, Finish, PARTS, Said};
use super::sources::{self, CITATIONS};
use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::FinishReason;
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::reader::unterminated;
use crate::provider::{
    Assembly, Progress, StreamDecoder, Target, citation, classify, finish_remark, foreign,
};
use crate::wire::{Event, retry_after};

/// The reader of one answer.
#[derive(Debug)]
pub(super) struct Decoder {
    target: Target,
    /// By index, in the order of their first parts.
    candidates: Vec<Candidate>,
    usage: Option<Object>,
    /// Why the prompt was refused.
    blocked: bool,
}

/// A candidate so far.
#[derive(Debug)]
struct Candidate {
    index: u64,
    parts: Vec<Value>,
    /// A call whose arguments still come.
    pieces: Option<Pieces>,
    /// The citations so far, as text.
    cited: HashSet<String>,
}

impl Decoder {
    pub(super) fn new(target: &Target) -> Self {
        Decoder { target: target.clone(), candidates: Vec::new(), usage: None, blocked: false }
    }

    /// Reads a response: a whole answer, or the next piece of one.
    pub(super) fn response(&mut self, mut object: Object, out: &mut Assembly) -> Result<(), Error> {
        if object.get("error").is_some_and(|error| !error.is_null()) {
            return Err(classify::in_body(&Value::Object(object), &self.target));
        }
        let id = take_string(&mut object, "responseId");
        let model = take_string(&mut object, "modelVersion");
        let created = take_string(&mut object, "createTime");
        let created = created.as_deref().and_then(retry_after::unix_time);
        out.meta(id.as_deref(), model.as_deref(), created);
        if let Some(usage) = take_object(&mut object, "usageMetadata") {
            // Each event restates what it knows; the last one counts.
            self.usage = Some(usage);
        }
        for (place, candidate) in
            take_list(&mut object, "candidates").into_iter().flatten().enumerate()
        {
            // Each is looked up among those before it.
            if let Some(what) = out.flooded() {
                return Err(bad(&format!("it has {what}")));
            }
            let Value::Object(candidate) = candidate else {
                return Err(bad("a candidate is not a JSON object"));
            };
            self.candidate(candidate, place, out)?;
        }
        if let Some(Value::Object(feedback)) = object.get("promptFeedback") {
            self.feedback(feedback, out);
        }
        for (name, value) in object.into_iter().filter(|(_, value)| !value.is_null()) {
            out.field(name, value);
        }
        Ok(())
    }

    fn candidate(
        &mut self,
        mut object: Object,
        place: usize,
        out: &mut Assembly,
    ) -> Result<(), Error> {
        // The first candidate may leave its index out.
        let index = count(object.shift_remove("index").as_ref()).unwrap_or(place as u64);
        out.start(index);
        let at = match self.candidates.iter().position(|known| known.index == index) {
            Some(at) => at,
            None => {
                self.candidates.push(Candidate::new(index));
                self.candidates.len() - 1
            }
        };
        let mut content = take_object(&mut object, "content").unwrap_or_default();
        for part in take_list(&mut content, "parts").unwrap_or_default() {
            self.candidates[at].part(part, out)?;
        }
        let word = match object.shift_remove("finishReason") {
            Some(Value::String(word)) => Some(word),
            Some(Value::Number(number)) => Some(number.as_str().to_owned()),
            _ => None,
        };
        let said = object.get("finishMessage").and_then(Value::as_str).map(str::to_owned);
        self.candidates[at].members(object, out);
        if let Some(word) =
            word.filter(|word| !word.is_empty() && word != "FINISH_REASON_UNSPECIFIED")
        {
            self.finish(at, &word, said.as_deref(), out)?;
        }
        Ok(())
    }

    fn finish(
        &mut self,
        at: usize,
        word: &str,
        said: Option<&str>,
        out: &mut Assembly,
    ) -> Result<(), Error> {
        let candidate = &mut self.candidates[at];
        candidate.close(out);
        match parts::finish(word, out.calls(candidate.index) > 0) {
            Finish::Failed => Err(failed(word, said)),
            Finish::Reason { reason, known } => {
                // Older models say it with each piece [rec].
                if out.choice(candidate.index).finish_reason.is_none()
                    && let Some(remark) = finish_remark(word, known)
                {
                    out.warn(remark);
                }
                out.finish(candidate.index, word, reason);
                Ok(())
            }
        }
    }

    /// A prompt that was refused has no candidate.
    fn feedback(&mut self, feedback: &Object, out: &mut Assembly) {
        let word = ["blockReason", "blockReasonMessage"].map(|name| feedback.get(name));
        if word.iter().flatten().all(|word| word.is_null()) {
            return;
        }
        self.blocked = true;
        let word = word[0].and_then(Value::as_str).unwrap_or_default();
        out.start(0);
        out.finish(0, word, FinishReason::ContentFilter);
    }

    /// Writes what is known only at the end of the answer.
    pub(super) fn settle(&mut self, out: &mut Assembly) -> Result<(), Error> {
        if self.candidates.is_empty() && !self.blocked {
            return Err(bad("it has no candidates"));
        }
        for candidate in &mut self.candidates {
            candidate.close(out);
            let parts = std::mem::take(&mut candidate.parts);
            let cited = sources::annotations(out.choice(candidate.index), &parts);
            let Some(cited) = cited else {
                return Err(bad("its citations are larger than 32 MiB"));
            };
            cited.into_iter().for_each(|cited| out.annotation(candidate.index, cited));
            if parts::needs_verbatim(&parts) {
                out.message_field(candidate.index, PARTS, Value::Array(parts), true);
            }
        }
        if let Some(raw) = self.usage.take() {
            out.usage(parts::usage(&raw));
            out.usage_raw(Value::Object(raw));
        }
        Ok(())
    }

    /// Ends a stream whose body ended properly.
    pub(super) fn ended(&mut self, out: &mut Assembly) -> Result<(), Error> {
        if !out.finished() {
            return Err(unterminated("the finish reason of each candidate"));
        }
        self.settle(out)
    }
}

impl Candidate {
    fn new(index: u64) -> Self {
        Candidate { index, parts: Vec::new(), pieces: None, cited: HashSet::new() }
    }

    fn part(&mut self, part: Value, out: &mut Assembly) -> Result<(), Error> {
        match parts::said(&part) {
            Said::Text(text) => out.text(self.index, text),
            Said::Reasoning(text) => out.reasoning(self.index, text),
            Said::Call(call) => {
                let goes_on = call.get("willContinue").and_then(Value::as_bool) == Some(true);
                if self.pieces.is_some() || goes_on || call.contains_key("partialArgs") {
                    return self.piece(&part, goes_on, out);
                }
                self.call(call, out);
            }
            // An image or speech, a call that nobody can read, or a part of another kind.
            Said::Other => self.media(&part, out),
        }
        let nodes = part.nodes();
        if parts::add(&mut self.parts, part) {
            out.keeps(nodes);
        }
        Ok(())
    }

    fn call(&self, call: &Object, out: &mut Assembly) {
        let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = out.calls(self.index);
        out.tool_call(self.index, number, text("id"), text("name"), &parts::arguments(call));
    }

    /// An image or speech. What the model drew while it thought is no part of its answer.
    fn media(&self, part: &Value, out: &mut Assembly) {
        let Some(media) = part.get("inlineData").filter(|_| !parts::is_thought(part)) else {
            return;
        };
        let text = |name: &str| media.get(name).and_then(Value::as_str).unwrap_or_default();
        let (kind, data) = (text("mimeType"), text("data"));
        if kind.starts_with("image/") {
            out.image(self.index, citation::image_data(kind, data));
        } else if kind.starts_with("audio/") {
            let audio = [("data", Value::from(data)), ("format", Value::from(kind))];
            out.audio(self.index, Object::from_iter(audio));
        }
    }

    /// A part of a call whose arguments come in pieces.
    fn piece(&mut self, part: &Value, goes_on: bool, out: &mut Assembly) -> Result<(), Error> {
        let (Value::Object(members), Said::Call(call)) = (part, parts::said(part)) else {
            return Ok(());
        };
        let begins = call.get("name").is_some_and(|name| !name.is_null());
        if begins {
            self.close(out);
            self.pieces = Some(Pieces::begin(members.clone()));
        }
        let Some(made) = self.pieces.as_mut().and_then(|pieces| pieces.add(call)) else {
            return Err(bad("a piece of a call's arguments has no place"));
        };
        out.keeps(if begins { part.nodes() + made } else { made });
        if !goes_on {
            self.close(out);
        }
        Ok(())
    }

    /// Ends the call whose arguments came in pieces.
    fn close(&mut self, out: &mut Assembly) {
        let Some(pieces) = self.pieces.take() else { return };
        let part = pieces.end();
        if let Said::Call(call) = parts::said(&part) {
            self.call(call, out);
        }
        self.parts.push(part);
    }

    /// The members that have no place in a response. Citations come with the text that they are
    /// about, so those of each piece count.
    fn members(&mut self, object: Object, out: &mut Assembly) {
        for (name, value) in object.into_iter().filter(|(_, value)| !value.is_null()) {
            match value {
                Value::Object(members) if name == CITATIONS => self.cite(members, out),
                Value::Object(mut result) if name == LOGPROBS => {
                    if let Some(tokens) = logprobs::take(&mut result) {
                        out.logprobs(self.index, tokens);
                    }
                    if !result.is_empty() {
                        out.choice_field(self.index, name, result.into());
                    }
                }
                value => out.choice_field(self.index, name, value),
            }
        }
    }

    /// Adds the lists of citations. A piece may restate those before it.
    fn cite(&mut self, lists: Object, out: &mut Assembly) {
        let mut all = match out.choice(self.index).provider_fields.get_mut(CITATIONS) {
            Some(Value::Object(all)) => std::mem::take(all),
            _ => Object::new(),
        };
        for (name, value) in lists {
            let Value::Array(mut items) = value else {
                out.keeps(value.nodes());
                all.insert(name, value);
                continue;
            };
            items.retain(|item| self.cited.insert(format!("{name}:{item}")));
            out.keeps(items.iter().map(Value::nodes).sum());
            match all.get_mut(&name) {
                Some(Value::Array(so_far)) => so_far.extend(items),
                _ => drop(all.insert(name, items)),
            }
        }
        out.choice(self.index).provider_fields.insert(CITATIONS, Value::Object(all));
    }
}

fn failed(word: &str, said: Option<&str>) -> Error {
    let message = match said {
        Some(said) => format!("the answer failed (finishReason {word}): {said}"),
        None => format!("the answer failed (finishReason {word})"),
    };
    Error::new(ErrorKind::Unavailable, message).with(|e| e.code = Some(word.to_owned()))
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the answer is malformed: {what}"))
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error> {
        // Gateways add the mark of OpenAI's streams.
        if event.data.trim() == "[DONE]" {
            self.ended(out)?;
            return Ok(Progress::Done);
        }
        let read = foreign::read(event.data).map_err(|what| bad(&format!("an event {what}")))?;
        out.mended(&read);
        let Value::Object(object) = read.value else {
            return Err(bad("an event is not a JSON object"));
        };
        self.response(object, out)?;
        Ok(Progress::More)
    }

    fn end(&mut self, out: &mut Assembly) -> Result<(), Error> {
        self.ended(out)
    }
}
