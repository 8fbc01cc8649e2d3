//! Decodes a streamed answer: events that build up blocks.
//!
//! `messageStop` says why the answer ended, and `metadata` has the counts. The stream is over when
//! both have come. An answer whose body ends properly after `messageStop` alone is complete, too.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::blocks::{self, CONTENT, Finish, Said};
use crate::codec::{Object, parse_foreign_text};
use crate::error::{Error, ErrorKind};
use crate::json::{Value, json};
use crate::provider::bedrock::error;
use crate::provider::json::{take_list, take_object, take_string};
use crate::provider::reader::unterminated;
use crate::provider::{Assembly, Progress, StreamDecoder, Target, finish_remark, foreign};
use crate::wire::Event;

/// The reader of one answer.
#[derive(Debug)]
pub(super) struct Decoder {
    target: Target,
    /// In the order of their first events.
    blocks: Vec<Block>,
    /// Where the block with an index is.
    places: BTreeMap<u64, usize>,
    /// `messageStop` has come.
    stopped: bool,
    /// `metadata` has come.
    counted: bool,
}

/// A block so far.
#[derive(Debug, Default)]
struct Block {
    body: Object,
    /// The text of a call's input. A single piece of it is no JSON.
    input: String,
    citations: Vec<Value>,
    /// Reasoning that is hidden: pieces of bytes, each in base64.
    redacted: Vec<String>,
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
            blocks: Vec::new(),
            places: BTreeMap::new(),
            stopped: false,
            counted: false,
        }
    }

    /// Reads a whole answer.
    pub(super) fn whole(&mut self, mut object: Object, out: &mut Assembly) -> Result<(), Error> {
        let mut output = take_object(&mut object, "output").unwrap_or_default();
        let Some(mut message) = take_object(&mut output, "message") else {
            return Err(bad("the answer is malformed: it has no output.message"));
        };
        out.start(0);
        for (index, block) in take_list(&mut message, "content").into_iter().flatten().enumerate() {
            let Value::Object(body) = block else {
                return Err(bad("the answer is malformed: a block is not a JSON object"));
            };
            self.open(index as u64, body, out).close(out);
        }
        if !self.stop(&mut object, out)? {
            return Err(bad("the answer is malformed: it has no stopReason"));
        }
        self.metadata(object, out);
        Ok(())
    }

    fn block_start(&mut self, mut event: Object, out: &mut Assembly) -> Result<(), Error> {
        let index = index(&event)?;
        if self.places.contains_key(&index) {
            return Err(malformed("a block began twice"));
        }
        self.open(index, take_object(&mut event, "start").unwrap_or_default(), out);
        Ok(())
    }

    fn open(&mut self, index: u64, body: Object, out: &mut Assembly) -> &mut Block {
        let mut block = Block { start: out.characters(0), ..Block::default() };
        let body = Value::Object(body);
        match blocks::said(&body) {
            Said::Text(text) => out.text(0, text),
            Said::Reasoning(text) => out.reasoning(0, text),
            Said::Call(call) => {
                let text = |name| call.get(name).and_then(Value::as_str).unwrap_or_default();
                let number = out.calls(0);
                out.tool_call(0, number, text("toolUseId"), text("name"), "");
                block.call = Some(number);
            }
            Said::Other => blocks::cited(&body).for_each(|text| out.text(0, text)),
        }
        out.keeps(body.nodes());
        if let Value::Object(body) = body {
            block.body = body;
        }
        let place = self.blocks.len();
        self.places.insert(index, place);
        self.blocks.push(block);
        &mut self.blocks[place]
    }

    fn block_delta(&mut self, mut event: Object, out: &mut Assembly) -> Result<(), Error> {
        let index = index(&event)?;
        let Some(delta) = take_object(&mut event, "delta") else {
            return Err(malformed("a delta of a block has no delta"));
        };
        // Only calls, results and images begin with an event of their own.
        let block = match self.places.get(&index) {
            Some(place) => &mut self.blocks[*place],
            None => self.open(index, Object::new(), out),
        };
        if block.closed {
            return Err(malformed("a delta belongs to no open block"));
        }
        for (name, value) in delta {
            block.add(name.as_str(), value, out)?;
        }
        Ok(())
    }

    fn block_stop(&mut self, event: &Object, out: &mut Assembly) -> Result<(), Error> {
        if let Some(place) = self.places.get(&index(event)?) {
            self.blocks[*place].close(out);
        }
        Ok(())
    }

    /// Reads why the answer ended. Returns whether it says so.
    fn stop(&mut self, event: &mut Object, out: &mut Assembly) -> Result<bool, Error> {
        let Some(word) = take_string(event, "stopReason") else { return Ok(false) };
        self.stopped = true;
        self.places.clear();
        let mut blocks: Vec<Value> = Vec::new();
        for mut block in std::mem::take(&mut self.blocks) {
            block.close(out);
            let mut body = block.whole();
            out.settle(&mut body);
            blocks.push(body);
        }
        // A block without a delta says nothing.
        blocks.retain(|block| block.as_object().is_some_and(|block| !block.is_empty()));
        if blocks::needs_verbatim(&blocks) {
            out.message_field(0, CONTENT, Value::Array(blocks), true);
        }
        match blocks::finish(&word) {
            Finish::Failed => {
                let message = format!("the answer failed (stopReason {word})");
                let error = Error::new(ErrorKind::Unavailable, message);
                Err(error.with(|e| e.code = Some(word)))
            }
            Finish::Reason { reason, known } => {
                if let Some(remark) = finish_remark(&word, known) {
                    out.warn(remark);
                }
                out.finish(0, &word, reason);
                Ok(true)
            }
        }
    }

    /// Reads the counts, and keeps what has no place in a response (`metrics`, `trace`).
    fn metadata(&mut self, mut event: Object, out: &mut Assembly) {
        if let Some(raw) = take_object(&mut event, "usage") {
            self.counted = true;
            out.usage(blocks::usage(&raw));
            out.usage_raw(Value::Object(raw));
        }
        rest(event, out);
    }

    fn progress(&self) -> Progress {
        if self.stopped && self.counted { Progress::Done } else { Progress::More }
    }
}

/// Keeps the members that have no place in a response. `p` only makes all frames look alike.
fn rest(event: Object, out: &mut Assembly) {
    for (name, value) in event.into_iter().filter(|(name, value)| name != "p" && !value.is_null()) {
        out.field(name, value);
    }
}

impl Block {
    /// Adds one member of a delta.
    fn add(&mut self, name: &str, value: Value, out: &mut Assembly) -> Result<(), Error> {
        match (name, value) {
            (_, Value::Null) => {}
            ("text", Value::String(text)) => {
                out.text(0, text.as_str());
                append(&mut self.body, "text", &text);
            }
            // The name and the id of the call would be lost with its beginning.
            ("toolUse", _) if !self.body.contains_key("toolUse") => {
                return Err(malformed("a piece of a call has no beginning"));
            }
            ("toolUse", Value::Object(mut piece)) => {
                let part = take_string(&mut piece, "input").unwrap_or_default();
                if let (Some(call), false) = (self.call, part.is_empty()) {
                    out.tool_call(0, call, "", "", &part);
                }
                self.input.push_str(&part);
            }
            ("reasoningContent", Value::Object(piece)) => self.reasoning(piece, out),
            ("citation", citation) => {
                out.keeps(citation.nodes());
                self.citations.push(citation);
            }
            ("toolResult", Value::Array(items)) => {
                out.keeps(items.iter().map(Value::nodes).sum());
                within(&mut self.body, "toolResult", |result| match result.get_mut("content") {
                    Some(Value::Array(so_far)) => so_far.extend(items),
                    _ => drop(result.insert("content", items)),
                });
            }
            // `image`, and whatever comes next: later members are added to the earlier ones.
            (name, Value::Object(members)) => {
                out.keeps(members.nodes());
                within(&mut self.body, name, |body| body.extend(members));
            }
            (name, value) => {
                out.keeps(value.nodes());
                self.body.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    fn reasoning(&mut self, piece: Object, out: &mut Assembly) {
        for (name, value) in piece {
            let Value::String(text) = value else { continue };
            if name == "text" {
                out.reasoning(0, text.as_str());
            }
            if name == "redactedContent" {
                self.redacted.push(text);
                continue;
            }
            if !matches!(name.as_str(), "text" | "signature") {
                out.keeps(1);
            }
            within(&mut self.body, "reasoningContent", |body| {
                within(body, "reasoningText", |said| append(said, name.as_str(), &text));
            });
        }
    }

    /// Ends the block.
    fn close(&mut self, out: &mut Assembly) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.show(out);
        let Some(Value::Object(call)) = self.body.get_mut("toolUse") else { return };
        if !self.input.is_empty() {
            let input = parse_foreign_text(&self.input);
            call.insert("input", input.unwrap_or_else(|_| blocks::input(&self.input)));
        } else if !call.contains_key("input") {
            call.insert("input", Object::new());
        } else if let Some(number) = self.call {
            out.tool_call(0, number, "", "", &blocks::arguments(call));
        }
    }

    /// Delivers its citations, as the end of its text is known now, and its image.
    fn show(&self, out: &mut Assembly) {
        let came = self.body.get("citationsContent").and_then(|cited| cited.get("citations"));
        let came = came.and_then(Value::as_array).into_iter().flatten();
        for citation in came.chain(&self.citations) {
            let span = Some((self.start, out.characters(0)));
            if let Some(annotation) = blocks::annotation(citation, span) {
                out.annotation(0, annotation);
            }
        }
        if let Some(image) = self.body.get("image").and_then(blocks::image) {
            out.image(0, image);
        }
    }

    /// The block, as it would have come in a whole answer.
    fn whole(self) -> Value {
        let mut body = self.body;
        if !self.redacted.is_empty() {
            let hidden = joined(&self.redacted);
            within(&mut body, "reasoningContent", |body| {
                drop(body.insert("redactedContent", hidden))
            });
        }
        if !self.citations.is_empty() {
            let text = body.shift_remove("text").unwrap_or_else(|| "".into());
            let content = vec![json!({ "text": text })];
            let cited = json!({"content": content, "citations": self.citations});
            body.insert("citationsContent", cited);
        }
        Value::Object(body)
    }
}

/// Changes the object under this name, which is made if it is not there.
fn within(object: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    if let Some(Value::Object(inner)) = object.get_mut(name) {
        return change(inner);
    }
    let mut inner = Object::new();
    change(&mut inner);
    object.insert(name.to_owned(), inner);
}

fn append(object: &mut Object, name: &str, text: &str) {
    match object.get_mut(name) {
        Some(Value::String(so_far)) => so_far.push_str(text),
        _ => drop(object.insert(name.to_owned(), text)),
    }
}

/// Pieces of bytes, each in base64, as one.
fn joined(pieces: &[String]) -> String {
    let bytes: Result<Vec<_>, _> = pieces.iter().map(|piece| STANDARD.decode(piece)).collect();
    bytes.map_or_else(|_| pieces.concat(), |bytes| STANDARD.encode(bytes.concat()))
}

fn index(event: &Object) -> Result<u64, Error> {
    let index = event.get("contentBlockIndex").and_then(Value::as_u64);
    index.ok_or_else(|| malformed("an event has no contentBlockIndex"))
}

fn malformed(what: &str) -> Error {
    bad(&format!("the event stream is malformed: {what}"))
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadResponse, what)
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error> {
        if event.failed {
            return Err(error::of_frame(event, &self.target));
        }
        let read =
            foreign::read(event.data).map_err(|what| malformed(&format!("an event {what}")))?;
        out.mended(&read);
        let Value::Object(mut object) = read.value else {
            return Err(malformed("an event is not a JSON object"));
        };
        match event.name {
            "contentBlockStart" | "contentBlockDelta" | "messageStop" if self.stopped => {
                return Err(malformed("something came after messageStop"));
            }
            "messageStart" => out.start(0),
            "contentBlockStart" => self.block_start(object, out)?,
            "contentBlockDelta" => self.block_delta(object, out)?,
            "contentBlockStop" => self.block_stop(&object, out)?,
            "messageStop" => {
                if !self.stop(&mut object, out)? {
                    return Err(malformed("messageStop has no stopReason"));
                }
                rest(object, out);
            }
            "metadata" => self.metadata(object, out),
            // Unknown events: any content of theirs would be a block or a delta.
            _ => {}
        }
        Ok(self.progress())
    }

    fn end(&mut self, _: &mut Assembly) -> Result<(), Error> {
        if self.stopped { Ok(()) } else { Err(unterminated("its messageStop event")) }
    }
}
