//! Decodes a streamed answer: named events that build up content blocks.
//!
//! Text, reasoning and tool calls are delivered as they come. Every block is also assembled as in a
//! complete answer, because signed thinking, citations and the provider's own tools are sent back
//! whole. The only terminal event is `message_stop`.

use std::collections::BTreeMap;

use super::blocks::{self, CONTENT};
use super::decode::{CHOICE_MEMBERS, rest};
use crate::codec::{Object, parse_foreign_text};
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::{FinishReason, Warning};
use crate::provider::anthropic::error;
use crate::provider::finish_remark;
use crate::provider::json::{take_list, take_object, take_string};
use crate::provider::reader::unterminated;
use crate::provider::{Assembly, Progress, StreamDecoder, Target, foreign};
use crate::wire::Event;

/// The reader of one stream.
#[derive(Debug)]
pub(super) struct Decoder {
    target: Target,
    started: bool,
    /// In the order of their first events, which is the order of their indexes.
    blocks: Vec<Block>,
    /// Where the block with an index is.
    places: BTreeMap<u64, usize>,
    usage: Object,
    /// A chunk has shown the usage.
    usage_shown: bool,
}

/// A block so far.
#[derive(Debug)]
struct Block {
    body: Object,
    /// The text of `input`. A single delta of it is no JSON.
    input: String,
    /// The index of the message's tool call that this block is.
    call: Option<u64>,
    /// The number of characters of the answer before it.
    start: u64,
    closed: bool,
}

impl Decoder {
    pub(super) fn new(target: &Target) -> Self {
        Decoder {
            target: target.clone(),
            started: false,
            blocks: Vec::new(),
            places: BTreeMap::new(),
            usage: Object::new(),
            usage_shown: false,
        }
    }

    fn message_start(&mut self, mut event: Object, out: &mut Assembly) -> Result<(), Error> {
        let Some(mut message) = take_object(&mut event, "message") else {
            return Err(bad("message_start has no message"));
        };
        if self.started {
            // A gateway that fails over in the middle inserts a second message [rec]. The caller
            // already has part of the first, which cannot be taken back. Both together are no
            // answer.
            if !self.blocks.is_empty() {
                let what = "a second message began in the middle of the first";
                return Err(Error::new(ErrorKind::StreamBroken, what));
            }
            out.warn(Warning {
                code: "repeated_start",
                message: "the stream began twice; the first id and model are given".to_owned(),
                param: None,
            });
        }
        let id = take_string(&mut message, "id");
        let model = take_string(&mut message, "model");
        out.meta(id.as_deref(), model.as_deref(), None);
        if !std::mem::replace(&mut self.started, true) {
            out.start(0);
        }
        if let Some(usage) = take_object(&mut message, "usage") {
            self.merge_usage(usage);
        }
        // A server that does not stream block by block may put blocks here.
        let blocks = take_list(&mut message, "content").unwrap_or_default();
        for (index, block) in blocks.into_iter().enumerate() {
            if let Value::Object(body) = block {
                self.open(index as u64, body, out);
            }
        }
        for (name, value) in rest(message) {
            out.field(name, value);
        }
        Ok(())
    }

    fn block_start(&mut self, mut event: Object, out: &mut Assembly) -> Result<(), Error> {
        let index = index(&event)?;
        let Some(body) = take_object(&mut event, "content_block") else {
            return Err(bad("content_block_start has no content_block"));
        };
        if self.places.contains_key(&index) {
            return Err(bad("a content block began twice"));
        }
        self.open(index, body, out);
        Ok(())
    }

    fn open(&mut self, index: u64, body: Object, out: &mut Assembly) {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (mut call, mut start) = (None, 0);
        match text("type") {
            // An empty text counts too: the answer then has an empty text.
            "text" => {
                start = out.characters(0);
                out.text(0, text("text"));
            }
            "thinking" if !text("thinking").is_empty() => out.reasoning(0, text("thinking")),
            "tool_use" => {
                let number = out.calls(0);
                out.tool_call(0, number, text("id"), text("name"), "");
                call = Some(number);
            }
            _ => {}
        }
        out.keeps(body.nodes());
        self.places.insert(index, self.blocks.len());
        self.blocks.push(Block { body, input: String::new(), call, start, closed: false });
    }

    fn block(&mut self, index: u64) -> Option<&mut Block> {
        self.places.get(&index).map(|place| &mut self.blocks[*place])
    }

    fn block_delta(&mut self, mut event: Object, out: &mut Assembly) -> Result<(), Error> {
        let index = index(&event)?;
        let Some(mut delta) = take_object(&mut event, "delta") else {
            return Err(bad("content_block_delta has no delta"));
        };
        let kind = take_string(&mut delta, "type").unwrap_or_default();
        let Some(block) = self.block(index).filter(|block| !block.closed) else {
            return Err(bad("a delta belongs to no open content block"));
        };
        match kind.as_str() {
            "input_json_delta" => {
                let part = take_string(&mut delta, "partial_json").unwrap_or_default();
                if let (Some(call), false) = (block.call, part.is_empty()) {
                    out.tool_call(0, call, "", "", &part);
                }
                block.input.push_str(&part);
            }
            "citations_delta" => {
                if let Some(citation) = delta.shift_remove("citation") {
                    out.keeps(citation.nodes());
                    match block.body.get_mut("citations") {
                        Some(Value::Array(citations)) => citations.push(citation),
                        _ => {
                            let list = Value::Array(vec![citation]);
                            block.body.insert("citations", list);
                        }
                    }
                }
            }
            _ => {
                let member = |name: &str| delta.get(name).and_then(Value::as_str);
                match block.body.get("type").and_then(Value::as_str) {
                    Some("text") => out.text(0, member("text").unwrap_or_default()),
                    Some("thinking") if member("thinking").is_some_and(|text| !text.is_empty()) => {
                        out.reasoning(0, member("thinking").unwrap_or_default());
                    }
                    _ => {}
                }
                // Nearly every delta has one text, which joins another.
                if delta.len() > 1 || !delta.values().all(Value::is_string) {
                    out.keeps(delta.nodes());
                }
                extend(&mut block.body, delta);
            }
        }
        Ok(())
    }

    fn block_stop(&mut self, event: &Object, out: &mut Assembly) -> Result<(), Error> {
        let index = index(event)?;
        if let Some(block) = self.block(index) {
            block.close(out);
        }
        Ok(())
    }

    fn message_delta(&mut self, mut event: Object, out: &mut Assembly) {
        let mut delta = take_object(&mut event, "delta").unwrap_or_default();
        if let Some(word) = take_string(&mut delta, "stop_reason") {
            let reason = blocks::finish_reason(&word);
            if let Some(remark) = finish_remark(&word, reason.is_some()) {
                out.warn(remark);
            }
            out.finish(0, &word, reason.unwrap_or(FinishReason::Stop));
        }
        for (name, value) in CHOICE_MEMBERS.iter().filter_map(|name| delta.shift_remove_entry(name))
        {
            if !value.is_null() {
                out.choice_field(0, name, value);
            }
        }
        if let Some(usage) = take_object(&mut event, "usage") {
            self.merge_usage(usage);
        }
        if !self.usage.is_empty() {
            out.usage(blocks::usage(&self.usage));
            self.usage_shown = true;
        }
        for (name, value) in rest(delta).chain(rest(event)) {
            out.field(name, value);
        }
    }

    fn message_stop(&mut self, out: &mut Assembly) -> Result<(), Error> {
        if !self.started {
            return Err(bad("message_stop came before message_start"));
        }
        for block in &mut self.blocks {
            block.close(out);
        }
        if self.usage_shown {
            out.usage_raw(Value::Object(std::mem::take(&mut self.usage)));
        }
        let blocks = std::mem::take(&mut self.blocks);
        let blocks = blocks.into_iter().map(|block| {
            let mut body = Value::Object(block.body);
            out.settle(&mut body);
            body
        });
        let blocks: Vec<_> = blocks.collect();
        if blocks::needs_verbatim(&blocks) {
            out.message_field(0, CONTENT, Value::Array(blocks), true);
        }
        Ok(())
    }

    /// Merges counts. They are cumulative: a later count replaces an earlier one [doc]. `null`
    /// changes nothing, even if a gateway sends it after a number [rec].
    fn merge_usage(&mut self, usage: Object) {
        self.usage.extend(usage.into_iter().filter(|(_, value)| !value.is_null()));
    }
}

fn index(event: &Object) -> Result<u64, Error> {
    let index = event.get("index").and_then(Value::as_u64);
    index.ok_or_else(|| bad("an event has no index"))
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the event stream is malformed: {what}"))
}

impl Block {
    /// Ends the block. A call without a delta has the input of its start, which is `{}`.
    fn close(&mut self, out: &mut Assembly) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        if !self.input.is_empty() {
            let input =
                parse_foreign_text(&self.input).unwrap_or_else(|_| blocks::input(&self.input));
            self.body.insert("input", input);
        } else if let (Some(call), Some(input)) = (self.call, self.body.get("input")) {
            out.tool_call(0, call, "", "", &blocks::arguments(input));
        }
        self.annotate(out);
    }

    /// Delivers the citations of its text, whose end is known now.
    fn annotate(&mut self, out: &mut Assembly) {
        if !self.body.contains_key("citations") {
            return;
        }
        let span = Some((self.start, out.characters(0)));
        let body = Value::Object(std::mem::take(&mut self.body));
        if body.get("type").is_some_and(|kind| *kind == *"text") {
            blocks::annotations(&body, span).for_each(|annotation| out.annotation(0, annotation));
        }
        if let Value::Object(body) = body {
            self.body = body;
        }
    }
}

/// Adds a delta to its block: texts and lists are appended, and anything else replaces. This covers
/// `text_delta`, `thinking_delta` and `signature_delta`, and it keeps deltas of unknown types.
fn extend(block: &mut Object, delta: Object) {
    for (name, value) in delta {
        match (block.get_mut(&name), value) {
            (_, Value::Null) => {}
            (Some(Value::String(so_far)), Value::String(text)) => so_far.push_str(&text),
            (Some(Value::Array(so_far)), Value::Array(items)) => so_far.extend(items),
            (_, value) => {
                block.insert(name, value);
            }
        }
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error> {
        if event.data.trim() == "[DONE]" {
            return Err(unterminated("its message_stop event"));
        }
        let read = foreign::read(event.data).map_err(|what| bad(&format!("an event {what}")))?;
        out.mended(&read);
        let Value::Object(mut object) = read.value else {
            return Err(bad("an event is not a JSON object"));
        };
        let kind = take_string(&mut object, "type").unwrap_or_else(|| event.name.to_owned());
        match kind.as_str() {
            "message_start" => self.message_start(object, out)?,
            "content_block_start" => self.block_start(object, out)?,
            "content_block_delta" => self.block_delta(object, out)?,
            "content_block_stop" => self.block_stop(&object, out)?,
            "message_delta" => self.message_delta(object, out),
            "message_stop" => {
                self.message_stop(out)?;
                return Ok(Progress::Done);
            }
            _ if kind == "error" || error::is_error(&object) => {
                return Err(error::in_body(&Value::Object(object), &self.target));
            }
            // `ping`, and unknown events: any content of theirs would be a block or a delta.
            _ => {}
        }
        Ok(Progress::More)
    }

    fn end(&mut self, _: &mut Assembly) -> Result<(), Error> {
        Err(unterminated("its message_stop event"))
    }
}
