//! Decodes an answer: each line of a stream has the next piece of the message. The line that says
//! `done` has the counts, and ends the answer. An error in the middle is a line of its own.

use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::{FinishReason, Usage};
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::reader::unterminated;
use crate::provider::{
    Assembly, Progress, StreamDecoder, Target, classify, foreign, ids, nameless_call,
    unknown_finish,
};
use crate::wire::{Event, retry_after};

/// The members of the last line that count tokens [rec].
const PROMPT: &str = "prompt_eval_count";
const COMPLETION: &str = "eval_count";

/// The reader of one answer.
#[derive(Debug)]
pub(super) struct Decoder {
    target: Target,
    /// The time of the first line, to the nanosecond. It distinguishes the ids of this answer's calls
    /// from those of others, as an answer has no id.
    made_at: Option<String>,
}

impl Decoder {
    pub(super) fn new(target: &Target) -> Self {
        Decoder { target: target.clone(), made_at: None }
    }

    /// Reads an answer that came whole.
    pub(super) fn whole(&mut self, mut object: Object, out: &mut Assembly) -> Result<(), Error> {
        // Servers that speak this format may leave it out.
        if !object.contains_key("done") && object.contains_key("message") {
            object.insert("done", true);
        }
        match self.line(object, out)? {
            Progress::Done => Ok(()),
            Progress::More => Err(bad("it says that it is not done")),
        }
    }

    /// Reads a line: the next piece of an answer, its end, or an error.
    fn line(&mut self, mut object: Object, out: &mut Assembly) -> Result<Progress, Error> {
        if object.get("error").is_some_and(|error| !error.is_null()) {
            return Err(classify::in_body(&Value::Object(object), &self.target));
        }
        let done = object.shift_remove("done").and_then(|done| done.as_bool());
        let message = take_object(&mut object, "message");
        if done.is_none() && message.is_none() {
            return Err(bad("it has no message: it is no answer to a chat"));
        }
        let model = take_string(&mut object, "model");
        if let Some(at) = take_string(&mut object, "created_at") {
            let seconds = retry_after::unix_time(&at);
            out.meta(None, None, seconds);
            self.made_at.get_or_insert(at);
        }
        out.meta(None, model.as_deref(), None);
        out.start(0);
        self.message(message.unwrap_or_default(), out);
        if let Some(logprobs) = take_list(&mut object, "logprobs") {
            add_logprobs(logprobs, out);
        }
        if done != Some(true) {
            // Members such as `remote_model` are the same in each line.
            self.rest(object, out);
            return Ok(Progress::More);
        }
        self.finish(take_string(&mut object, "done_reason"), out);
        counts(&mut object, out);
        self.rest(object, out);
        Ok(Progress::Done)
    }

    fn message(&self, mut message: Object, out: &mut Assembly) {
        message.shift_remove("role");
        if let Some(text) = take_string(&mut message, "thinking").filter(|text| !text.is_empty()) {
            out.reasoning(0, text);
        }
        if let Some(text) = take_string(&mut message, "content").filter(|text| !text.is_empty()) {
            out.text(0, text);
        }
        for call in take_list(&mut message, "tool_calls").unwrap_or_default() {
            self.tool_call(&call, out);
        }
        for (name, value) in message.into_iter().filter(|(_, value)| !value.is_null()) {
            out.keeps(value.nodes());
            out.delta_field(0, name.clone(), value.clone());
            out.choice(0).message.provider_fields.insert(name, value);
        }
    }

    /// A call comes whole. Its `index` counts from 0 in each line, so the calls are numbered here.
    fn tool_call(&self, call: &Value, out: &mut Assembly) {
        let function = call.get("function");
        let member = |name: &str| function.and_then(|function| function.get(name));
        let name = member("name").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            return out.warn(nameless_call());
        }
        let arguments = match member("arguments") {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(arguments) => arguments.to_string(),
        };
        let place = out.calls(0);
        let made = || ids::made(self.made_at.as_deref(), None, 0, place, name);
        let given = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let id = given.map_or_else(made, str::to_owned);
        out.tool_call(0, place, &id, name, &arguments);
    }

    fn finish(&self, word: Option<String>, out: &mut Assembly) {
        // Versions before 0.1.39 say no reason [unverified].
        let word = word.unwrap_or_default();
        let reason = finish_reason(&word, out.calls(0) > 0);
        if reason.is_none() {
            out.warn(unknown_finish(&word));
        }
        out.finish(0, &word, reason.unwrap_or(FinishReason::Stop));
    }

    fn rest(&self, object: Object, out: &mut Assembly) {
        for (name, value) in object.into_iter().filter(|(_, value)| !value.is_null()) {
            out.field(name, value);
        }
    }
}

/// Our finish reason for a word. An answer with calls ends with `stop` [rec].
fn finish_reason(word: &str, calls: bool) -> Option<FinishReason> {
    Some(match word {
        "stop" | "" if calls => FinishReason::ToolCalls,
        "stop" | "" => FinishReason::Stop,
        "length" => FinishReason::Length,
        _ => return None,
    })
}

/// The counts of tokens. A prompt that is in the cache has none in older versions [doc].
fn counts(object: &mut Object, out: &mut Assembly) {
    let mut raw = Object::new();
    for name in [PROMPT, COMPLETION] {
        if let Some(value) = object.shift_remove(name).filter(|value| !value.is_null()) {
            raw.insert(name, value);
        }
    }
    if raw.is_empty() {
        return;
    }
    let (prompt, completion) = (count(raw.get(PROMPT)), count(raw.get(COMPLETION)));
    out.usage(Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt.zip(completion).map(|(a, b)| a.saturating_add(b)),
        ..Usage::default()
    });
    out.usage_raw(Value::Object(raw));
}

/// Adds log probabilities, in the form that OpenAI has for them: the items are the same [sdk 0.6].
fn add_logprobs(items: Vec<Value>, out: &mut Assembly) {
    out.keeps(items.iter().map(Value::nodes).sum());
    let kept = &mut out.choice(0).logprobs;
    if kept.is_none() {
        *kept = Some(Value::Object(Object::from_iter([("content", Value::Array(Vec::new()))])));
    }
    let content = kept.as_mut().and_then(Value::as_object_mut);
    if let Some(Value::Array(content)) = content.and_then(|content| content.get_mut("content")) {
        content.extend(items);
    }
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the answer is malformed: {what}"))
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error> {
        let read = foreign::read(event.data).map_err(|what| bad(&format!("a line {what}")))?;
        out.mended(&read);
        let Value::Object(object) = read.value else {
            return Err(bad("a line is not a JSON object"));
        };
        self.line(object, out)
    }

    fn end(&mut self, _: &mut Assembly) -> Result<(), Error> {
        Err(unterminated("a line that says done"))
    }
}
