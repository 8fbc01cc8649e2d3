//! Decodes a streamed answer: named events that build up items, and at the end the whole response.
//!
//! Texts and arguments are delivered as they come. What a later event says whole (an item's end, the
//! response's end) is compared with that: the rest is delivered, and a contradiction is told. The
//! terminal events are `response.completed`, `response.incomplete` and `response.failed`.

use std::collections::{BTreeMap, VecDeque};

use super::super::OUTPUT;
use super::item::{self, Item, Text};
use super::items::{self, Which};
use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::{Value, json};
use crate::provider::history::CUSTOM_CALLS;
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::reader::unterminated;
use crate::provider::{
    Assembly, Progress, StreamDecoder, Target, classify, finish_remark, foreign,
};
use crate::wire::Event;

/// What an answer repeats of its request.
const ECHO: [&str; 20] = [
    "background",
    "frequency_penalty",
    "include",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "object",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
];

/// The reader of one answer.
#[derive(Debug)]
pub(in crate::provider::openai) struct Decoder {
    target: Target,
    /// In the order of their first events.
    items: Vec<Item>,
    /// Where the item with an index is, and where the last one with an id.
    places: BTreeMap<u64, usize>,
    named: BTreeMap<String, usize>,
    /// A text came in pieces, and was another or a longer one at its end.
    contradicts: bool,
}

impl Decoder {
    pub(in crate::provider::openai) fn new(target: &Target) -> Self {
        Decoder {
            target: target.clone(),
            items: Vec::new(),
            places: BTreeMap::new(),
            named: BTreeMap::new(),
            contradicts: false,
        }
    }

    /// Reads a whole response: a complete answer, or what ends a stream.
    pub(super) fn response(&mut self, mut object: Object, out: &mut Assembly) -> Result<(), Error> {
        let status = object.get("status").and_then(Value::as_str).unwrap_or_default();
        let failed = matches!(status, "failed" | "cancelled");
        if failed || object.get("error").is_some_and(|error| !error.is_null()) {
            return Err(self.failed(object));
        }
        let Some(output) = take_list(&mut object, "output") else {
            // Gateways answer with an error's members alone.
            if ["detail", "message"].iter().any(|name| object.contains_key(name)) {
                return Err(classify::in_body(&Value::Object(object), &self.target));
            }
            let what = "it has no output, so it is no answer of Responses: check base_url and api";
            return Err(bad(what));
        };
        self.meta(&mut object, out);
        out.has_parts(output.len());
        if let Some(what) = out.flooded() {
            return Err(bad(&format!("it has {what}")));
        }
        // Some servers end a stream with an empty list.
        let came = item::found(&self.items, &self.places, &output, out);
        for (item, at) in output.into_iter().zip(came) {
            let at = at.unwrap_or_else(|| self.another(out));
            self.whole(at, item, out);
        }
        self.settle(object, out);
        Ok(())
    }

    fn meta(&self, object: &mut Object, out: &mut Assembly) {
        let (id, model) = (take_string(object, "id"), take_string(object, "model"));
        let created = object.shift_remove("created_at");
        let created =
            created.and_then(|at| at.as_i64().or_else(|| at.as_f64().map(|at| at as i64)));
        let created = created.filter(|at| (1..1 << 53).contains(at));
        out.meta(id.as_deref(), model.as_deref(), created);
        out.start(0);
    }

    /// The place of the item with this index, or else with this id.
    fn place(&mut self, index: Option<u64>, id: &str, out: &mut Assembly) -> usize {
        let known = match index {
            Some(index) => self.places.get(&index).copied(),
            None => self.named.get(id).copied(),
        };
        let at = known.unwrap_or_else(|| self.another(out));
        if let Some(index) = index {
            self.places.insert(index, at);
        }
        if self.items[at].id.is_empty() && !id.is_empty() {
            id.clone_into(&mut self.items[at].id);
            self.named.insert(id.to_owned(), at);
        }
        at
    }

    fn another(&mut self, out: &mut Assembly) -> usize {
        self.items.push(Item::default());
        out.has_parts(self.items.len());
        self.items.len() - 1
    }

    /// Takes an item as far as it is: at its start, or whole.
    fn begun(&mut self, at: usize, item: &Value, out: &mut Assembly) {
        // The events of a text may number it otherwise: Bedrock begins with 1 [rec].
        let mut known: BTreeMap<Which, VecDeque<u64>> = BTreeMap::new();
        for (which, index) in self.items[at].texts.keys() {
            known.entry(*which).or_default().push_back(*index);
        }
        for (which, index, text, part) in items::texts(item) {
            let index = known.get_mut(&which).and_then(VecDeque::pop_front).unwrap_or(index);
            self.text_is(at, which, index, text, out);
            if which == Which::Content && !part.is_null() {
                self.text(at, which, index, out).beside(part, out);
            }
        }
        if items::kind(item) == "function_call" {
            if self.items[at].call.is_none() {
                let number = out.calls(0);
                self.items[at].call = Some((number, String::new()));
                out.tool_call(0, number, items::call_id(item), items::text(item, "name"), "");
            }
            match item.get("arguments") {
                Some(Value::String(text)) => self.arguments_are(at, text, out),
                None | Some(Value::Null) => {}
                Some(other) => self.arguments_are(at, &other.to_string(), out),
            }
        }
    }

    fn whole(&mut self, at: usize, item: Value, out: &mut Assembly) {
        self.begun(at, &item, out);
        // The same item may end twice: itself, and with the response, where its reasoning is
        // encrypted anew. The official clients send the former back [rec].
        if self.items[at].whole.is_none() {
            items::image(&item).into_iter().for_each(|image| out.image(0, image));
            out.keeps(item.nodes());
            self.items[at].whole = Some(item);
        }
    }

    /// The text at this place, which begins if it is not there.
    fn text(&mut self, at: usize, which: Which, index: u64, out: &mut Assembly) -> &mut Text {
        let texts = &mut self.items[at].texts;
        out.has_parts(texts.len());
        texts.entry((which, index)).or_insert_with(|| Text::begin(which, out))
    }

    fn text_more(&mut self, at: usize, which: Which, index: u64, more: &str, out: &mut Assembly) {
        self.text(at, which, index, out).said.push_str(more);
        match which {
            Which::Content => out.text(0, more),
            Which::Refusal => out.refusal(0, more),
            Which::Summary | Which::Thought => out.reasoning(0, more),
        }
    }

    fn text_is(&mut self, at: usize, which: Which, index: u64, text: &str, out: &mut Assembly) {
        let so_far = self.items[at].texts.get(&(which, index)).map_or("", |text| &text.said);
        match text.strip_prefix(so_far) {
            Some("") => {}
            Some(rest) => {
                self.contradicts |= !so_far.is_empty();
                self.text_more(at, which, index, rest, out);
            }
            // Halves of characters are joined only when they are delivered.
            None => self.contradicts |= !text.is_empty() && !out.has_halves(),
        }
    }

    fn arguments_more(&mut self, at: usize, more: &str, out: &mut Assembly) {
        // A call that did not begin has no name yet: its end says all.
        let Some((number, so_far)) = &mut self.items[at].call else { return };
        so_far.push_str(more);
        out.tool_call(0, *number, "", "", more);
    }

    fn arguments_are(&mut self, at: usize, text: &str, out: &mut Assembly) {
        let Some((_, so_far)) = &self.items[at].call else { return };
        match text.strip_prefix(so_far.as_str()) {
            Some("") => {}
            Some(rest) => {
                self.contradicts |= !so_far.is_empty();
                self.arguments_more(at, rest, out);
            }
            None => self.contradicts |= !text.is_empty() && !out.has_halves(),
        }
    }

    /// Writes what is known only at the end of the answer.
    fn settle(&mut self, mut object: Object, out: &mut Assembly) {
        let whole: Vec<Value> =
            self.items.iter_mut().filter_map(|item| item.whole.take()).collect();
        let custom: Vec<Value> = whole
            .iter()
            .filter(|item| items::kind(item) == "custom_tool_call")
            .map(|item| {
                let name = items::text(item, "name");
                let custom = json!({"name": name, "input": items::text(item, "input")});
                json!({"id": items::call_id(item), "type": "custom", "custom": custom})
            })
            .collect();
        let calls = out.calls(0) > 0 || !custom.is_empty();
        if !custom.is_empty() {
            out.message_field(0, CUSTOM_CALLS, Value::Array(custom), true);
        }
        if items::needs_verbatim(&whole) {
            out.message_field(0, OUTPUT, Value::Array(whole), true);
        }
        let (word, reason, known) = items::finish(&object, calls);
        if matches!(word.as_str(), "queued" | "in_progress") {
            out.warn(items::unfinished(&word));
        } else if let Some(remark) = finish_remark(&word, known) {
            out.warn(remark);
        }
        out.finish(0, &word, reason);
        if self.contradicts {
            out.warn(items::contradiction());
        }
        if let Some(raw) = take_object(&mut object, "usage") {
            out.usage(items::usage(&raw));
            out.usage_raw(Value::Object(raw));
        }
        for (name, value) in object {
            let told = ["status", "incomplete_details"].contains(&name.as_str());
            if !told && !ECHO.contains(&name.as_str()) && !crate::model::says_nothing(&value) {
                out.field(name, value);
            }
        }
    }

    /// The error of a response that failed.
    fn failed(&self, mut object: Object) -> Error {
        // The rest repeats the request: its prompt has no place in an error.
        if let Some((name, error)) = object.shift_remove_entry("error")
            && !error.is_null()
        {
            let error = Value::Object(Object::from_iter([(name, error)]));
            return classify::in_body(&error, &self.target);
        }
        let status = object.get("status").and_then(Value::as_str).unwrap_or_default();
        let message = format!("the provider broke off its answer: status is {status:?}");
        Error::new(ErrorKind::Unavailable, message).with(|e| e.code = Some(status.to_owned()))
    }

    /// Takes a piece of an item's text or arguments, or all of it. Events of other names only tell
    /// how far the provider's own tools are.
    fn piece(&mut self, name: &str, event: &Object, out: &mut Assembly) {
        let Some((what, step)) = name.strip_prefix("response.").and_then(|n| n.rsplit_once('.'))
        else {
            return;
        };
        let which = match what {
            "output_text.annotation" | "output_text" => Some((Which::Content, "text")),
            "refusal" => Some((Which::Refusal, "refusal")),
            "reasoning_summary_text" => Some((Which::Summary, "text")),
            "reasoning_text" => Some((Which::Thought, "text")),
            "function_call_arguments" => None,
            _ => return,
        };
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let number = |name: &str| count(event.get(name));
        let at = self.place(number("output_index"), text("item_id").unwrap_or_default(), out);
        let more = text("delta").filter(|_| step == "delta");
        match which {
            Some((which, member)) => {
                let list = if which == Which::Summary { "summary_index" } else { "content_index" };
                let index = number(list).unwrap_or_default();
                if let Some(annotation) = event.get("annotation") {
                    return self.text(at, which, index, out).annotate(annotation.clone(), out);
                }
                match (more, text(member).filter(|_| step == "done")) {
                    (Some(more), _) => self.text_more(at, which, index, more, out),
                    (_, Some(text)) => self.text_is(at, which, index, text, out),
                    _ => {}
                }
                if let (Which::Content, Some(Value::Array(tokens))) = (which, event.get("logprobs"))
                {
                    self.text(at, which, index, out).tokens(tokens, step == "done", out);
                }
            }
            None => match (more, text("arguments").filter(|_| step == "done")) {
                (Some(more), _) => self.arguments_more(at, more, out),
                (_, Some(text)) => self.arguments_are(at, text, out),
                _ => {}
            },
        }
    }

    fn take(
        &mut self,
        name: &str,
        mut event: Object,
        out: &mut Assembly,
    ) -> Result<Progress, Error> {
        match name {
            "error" => return Err(classify::in_body(&Value::Object(event), &self.target)),
            "response.completed" | "response.incomplete" | "response.failed" => {
                let Some(response) = take_object(&mut event, "response") else {
                    return Err(bad("its last event has no response"));
                };
                if name == "response.failed" {
                    return Err(self.failed(response));
                }
                let mut response = response;
                if !response.contains_key("output") {
                    response.insert("output", Vec::<Value>::new());
                }
                self.response(response, out)?;
                return Ok(Progress::Done);
            }
            "response.created" | "response.in_progress" | "response.queued" => {
                let mut response = take_object(&mut event, "response").unwrap_or_default();
                self.meta(&mut response, out);
            }
            "response.output_item.added" | "response.output_item.done" => {
                let index = count(event.get("output_index"));
                let Some(item) = event.shift_remove("item") else { return Ok(Progress::More) };
                let at = self.place(index, items::text(&item, "id"), out);
                if name == "response.output_item.added" {
                    self.begun(at, &item, out);
                } else {
                    self.whole(at, item, out);
                }
            }
            _ => self.piece(name, &event, out),
        }
        Ok(Progress::More)
    }
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the answer is malformed: {what}"))
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error> {
        if event.data.trim() == "[DONE]" {
            return self.end(out).map(|()| Progress::Done);
        }
        let read = foreign::read(event.data).map_err(|what| bad(&format!("an event {what}")))?;
        out.mended(&read);
        let Value::Object(object) = read.value else {
            return Err(bad("an event is not a JSON object"));
        };
        let name = match object.get("type").and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            // A gateway's error has no type.
            None if object.get("error").is_some_and(|error| !error.is_null()) => "error".to_owned(),
            None => event.name.to_owned(),
        };
        self.take(&name, object, out)
    }

    fn end(&mut self, _out: &mut Assembly) -> Result<(), Error> {
        Err(unterminated("response.completed, response.incomplete or response.failed"))
    }
}
