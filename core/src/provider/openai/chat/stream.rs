//! Decodes a streamed answer of chat completions.

use std::collections::BTreeMap;

use super::decode::{Top, call_fields, error_in, failed_finish};
use super::message::{
    CallPiece, Finish, Piece, Source, continue_custom, finish, merge, said, usage,
};
use super::whole::Growing;
use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::{Key, Value};
use crate::model::Warning;
use crate::provider::citation;
use crate::provider::finish_remark;
use crate::provider::history::{CALL_FIELDS, CUSTOM_CALLS};
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::nameless_call;
use crate::provider::openai::dialect::Dialect;
use crate::provider::reader::unterminated;
use crate::provider::{Assembly, Progress, StreamDecoder, Target, classify, foreign};
use crate::wire::Event;

/// The largest number of pieces that wait for their call's name. Each new call looks among them.
const MOST_NAMELESS: usize = 64;

/// Reads the events of one stream.
pub(in crate::provider::openai) struct Decoder {
    open_end: bool,
    target: Target,
    /// By their indexes.
    choices: BTreeMap<u64, ChoiceState>,
}

/// The state of a choice.
#[derive(Default)]
struct ChoiceState {
    index: u64,
    /// The member in which this server sends reasoning.
    source: Option<Source>,
    /// Our number of a call, by the server's. The last call with a number counts.
    calls: BTreeMap<u64, u64>,
    /// Our number of a call, by its id.
    ids: BTreeMap<String, u64>,
    /// The call that the last piece belonged to.
    last_call: Option<u64>,
    /// Where a custom tool's call is among them, by the server's number.
    customs: BTreeMap<u64, usize>,
    /// Pieces that came before the name of their call.
    nameless: Vec<CallPiece>,
    /// The arguments of each call, by our number, as far as they were asked about.
    arguments: Vec<Growing>,
}

impl Decoder {
    pub fn new(dialect: &Dialect, target: &Target) -> Self {
        Decoder { open_end: dialect.open_end, target: target.clone(), choices: BTreeMap::new() }
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error> {
        let data = event.data.trim();
        if data == "[DONE]" {
            if self.choices.is_empty() {
                let what = "the stream ended without a single choice";
                return Err(Error::new(ErrorKind::BadResponse, what));
            }
            self.finished(out);
            return Ok(Progress::Done);
        }
        let value = match foreign::read(data) {
            Ok(read) => {
                out.mended(&read);
                read.value
            }
            Err(_) if event.name == "error" => Value::String(data.to_owned()),
            Err(error) => {
                let what = format!("an event of the stream {error}");
                return Err(Error::new(ErrorKind::BadResponse, what));
            }
        };
        let mut object = match value {
            Value::Object(object) if event.name != "error" => object,
            value if event.name == "error" => {
                return Err(classify::in_body(&value, &self.target));
            }
            _ => {
                let what = "an event of the stream is not a JSON object";
                return Err(Error::new(ErrorKind::BadResponse, what));
            }
        };
        if let Some(error) = error_in(&object, &self.target) {
            return Err(error);
        }
        let choices = take_list(&mut object, "choices").unwrap_or_default();
        let top = Top::take(&mut object);
        out.meta(top.id.as_deref(), top.model.as_deref(), top.created);
        for choice in choices {
            if out.flooded().is_some() {
                break;
            }
            let Value::Object(choice) = choice else {
                let what = "a choice in the stream is not an object";
                return Err(Error::new(ErrorKind::BadResponse, what));
            };
            self.choice(choice, out)?;
        }
        if let Some(raw) = top.usage {
            out.usage(usage(&raw));
            out.usage_raw(Value::Object(raw));
        }
        for (name, value) in said(object) {
            out.field(name, value);
        }
        Ok(Progress::More)
    }

    fn end(&mut self, out: &mut Assembly) -> Result<(), Error> {
        if !(self.open_end && out.finished()) {
            return Err(unterminated("its [DONE] event"));
        }
        self.finished(out);
        out.warn(Warning {
            code: "stream_end_unmarked",
            message: "the stream ended without [DONE]; each choice had said why it ended".into(),
            param: None,
        });
        Ok(())
    }
}

impl Decoder {
    /// Warns about pieces that no call has claimed, and gives the sources that the answer names
    /// beside its text to the first choice, if that has no annotations.
    fn finished(&self, out: &mut Assembly) {
        if self.choices.values().any(|choice| !choice.nameless.is_empty()) {
            out.warn(nameless_call());
        }
        if let Some(first) = out.unannotated() {
            let sources = citation::of_answer(out.fields());
            sources.into_iter().for_each(|source| out.annotation(first, source));
        }
    }

    fn choice(&mut self, mut object: Object, out: &mut Assembly) -> Result<(), Error> {
        let index = count(object.shift_remove("index").as_ref()).unwrap_or(0);
        let new = || ChoiceState { index, ..ChoiceState::default() };
        let state = self.choices.entry(index).or_insert_with(new);
        out.start(index);
        let delta = take_object(&mut object, "delta");
        if delta.is_some() {
            // Perplexity repeats the whole message beside each delta, and Together repeats the text
            // [rec].
            object.shift_remove("message");
            object.shift_remove("text");
        }
        let delta = delta.or_else(|| take_object(&mut object, "message")).unwrap_or_default();
        state.piece(Piece::read(delta), out);
        if let Some(Value::Object(logprobs)) = object.shift_remove("logprobs") {
            out.logprobs(index, logprobs);
        }
        if let Some(word) = take_string(&mut object, "finish_reason").filter(|w| !w.is_empty()) {
            match finish(&word, out.calls(index) > 0) {
                Finish::Failed => return Err(failed_finish(&word)),
                Finish::Reason { reason, known } => {
                    out.finish(index, &word, reason);
                    if let Some(remark) = finish_remark(&word, known) {
                        out.warn(remark);
                    }
                }
            }
        }
        for (name, value) in said(object) {
            out.choice_field(index, name, value);
        }
        Ok(())
    }
}

impl ChoiceState {
    fn piece(&mut self, piece: Piece, out: &mut Assembly) {
        let index = self.index;
        if let Some(text) = piece.content {
            out.text(index, text);
        }
        if let Some((source, text)) = piece.reasoning
            && *self.source.get_or_insert(source) == source
        {
            out.reasoning(index, text);
        }
        if let Some(text) = piece.refusal {
            out.refusal(index, &text);
        }
        for mut call in piece.calls {
            if out.flooded().is_some() {
                break;
            }
            if self.is_repeated(&call, out) {
                continue;
            }
            let Some(number) = self.number(&mut call, out) else {
                // More pieces than that are dropped.
                if self.nameless.len() < MOST_NAMELESS {
                    self.nameless.push(call);
                }
                continue;
            };
            self.last_call = Some(number);
            out.tool_call(index, number, &call.id, &call.name, &call.arguments);
            let Some(known) = out.call(index, number) else { continue };
            let kept = call_fields(number, &known.id, std::mem::take(&mut call.fields));
            // A call keeps its first id.
            if known.id == call.id {
                self.ids.entry(call.id).or_insert(number);
            }
            if let Some(kept) = kept {
                self.field(CALL_FIELDS, Value::Array(vec![kept]), out);
            }
        }
        if let Some(more) = piece.more {
            more.annotations.into_iter().for_each(|annotation| out.annotation(index, annotation));
            more.images.into_iter().for_each(|image| out.image(index, image));
            more.audio.into_iter().for_each(|audio| out.audio(index, audio));
        }
        for (name, value) in piece.fields {
            self.field(name, value, out);
        }
    }

    /// Adds a member without a unified place. The chunk has it unchanged, and the answer has it
    /// merged with the earlier ones.
    fn field(&mut self, name: impl Into<Key>, mut value: Value, out: &mut Assembly) {
        let name = name.into();
        out.settle(&mut value);
        out.delta_field(self.index, name.clone(), value.clone());
        out.keeps(value.nodes());
        match value {
            Value::Array(pieces) if name == CUSTOM_CALLS => self.custom_calls(pieces, out),
            value => merge(&mut out.choice(self.index).message.provider_fields, name, value),
        }
    }

    /// Adds pieces of custom tools' calls. The text of a call is continued under its index.
    fn custom_calls(&mut self, pieces: Vec<Value>, out: &mut Assembly) {
        let fields = &mut out.choice(self.index).message.provider_fields;
        if !fields.contains_key(CUSTOM_CALLS) {
            fields.insert(CUSTOM_CALLS, Value::Array(Vec::new()));
        }
        let Some(Value::Array(calls)) = fields.get_mut(CUSTOM_CALLS) else { return };
        for piece in pieces {
            let index = piece.get("index").and_then(Value::as_u64);
            let known = index.and_then(|index| self.customs.get(&index));
            if let Some(call) = known.and_then(|at| calls.get_mut(*at))
                && continue_custom(call, &piece)
            {
                continue;
            }
            if let Some(index) = index {
                self.customs.entry(index).or_insert(calls.len());
            }
            calls.push(piece);
        }
        let calls = calls.len();
        out.has_parts(calls);
    }

    /// Our number of the call that a piece belongs to. Servers leave out the index (Mistral), or
    /// give each of several calls the index 0, so that only their ids differ [rec]. Others change a
    /// call's id in the middle of it. So the index counts first, then the id. A piece without a
    /// name never begins a call: `None` if no call exists yet that it may belong to.
    fn number(&mut self, piece: &mut CallPiece, out: &Assembly) -> Option<u64> {
        let by_index = match piece.index {
            Some(theirs) => self.calls.get(&theirs).copied(),
            None => self.last_call,
        };
        let known = self.by_id(&piece.id).or(by_index);
        if let Some(number) = known
            && !self.is_another(piece, number, out)
        {
            return Some(number);
        }
        if piece.name.is_empty() {
            return None;
        }
        self.claim(piece);
        let number = out.calls(self.index);
        if let Some(theirs) = piece.index {
            self.calls.insert(theirs, number);
        }
        Some(number)
    }

    /// Gives a new call the pieces that came before its name.
    fn claim(&mut self, piece: &mut CallPiece) {
        let index = piece.index;
        let mut arguments = String::new();
        for early in self.nameless.extract_if(.., |early| early.index == index) {
            if piece.id.is_empty() {
                piece.id = early.id;
            }
            arguments.push_str(&early.arguments);
            piece.fields.extend(early.fields);
        }
        piece.arguments.insert_str(0, &arguments);
    }

    fn by_id(&self, id: &str) -> Option<u64> {
        if id.is_empty() { None } else { self.ids.get(id).copied() }
    }

    /// Whether a server repeats a whole call after its pieces.
    fn is_repeated(&self, piece: &CallPiece, out: &Assembly) -> bool {
        let known = self.by_id(&piece.id).and_then(|number| out.call(self.index, number));
        // The piece has the whole text, so this costs no more than to read it.
        known.is_some_and(|call| {
            call.name == piece.name
                && call.arguments == piece.arguments
                && Growing::default().is_object(&call.arguments)
        })
    }

    /// Whether a piece begins a new call: it names a function, and it has another id or comes when
    /// the arguments of the call so far are complete.
    fn is_another(&mut self, piece: &CallPiece, number: u64, out: &Assembly) -> bool {
        let Some(call) = out.call(self.index, number) else { return true };
        if piece.name.is_empty() {
            return false;
        }
        if !piece.id.is_empty() && !call.id.is_empty() {
            return piece.id != call.id;
        }
        // Our numbers are those of the calls in their order, of which there are few.
        let place = number as usize;
        if self.arguments.len() <= place {
            self.arguments.resize_with(place + 1, Growing::default);
        }
        self.arguments[place].is_object(&call.arguments)
    }
}
