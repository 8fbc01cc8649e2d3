//! Assembles deltas into chunks and the whole answer.
//!
//! Each adapter's stream decoder writes to an [`Assembly`]. Every delta is written twice: into the
//! chunk that the caller sees, and into the answer that ends the stream. So the two cannot differ.

mod bounds;
mod members;
mod texts;
mod which;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::which::{Counted, Text};
use super::foreign::Halves;
use super::{Completion, ids};
use crate::json::{Key, Value};
use crate::model::{
    Choice, Chunk, ChunkChoice, Delta, FinishReason, FunctionDelta, ToolCall, ToolCallDelta, Usage,
    Warning,
};

const OBJECT: &str = "chat.completion.chunk";

/// One streamed answer so far.
#[derive(Debug, Default)]
pub struct Assembly {
    answer: Completion,
    /// The answer's id and model, which every chunk has.
    id: Option<Arc<str>>,
    model: Option<Arc<str>>,
    /// Where a tool call is among its choice's, by the choice and the adapter's index of the call.
    calls: BTreeMap<(u64, u64), usize>,
    /// Choices whose role was delivered, in order.
    started: Vec<u64>,
    open: Option<Chunk>,
    chunks: Vec<Chunk>,
    merge: bool,
    committed: bool,
    /// Halves of characters, once one has come. Each text has its own, because a half waits for its
    /// other half.
    halves: Option<Vec<(u64, Text, Halves)>>,
    /// How far the characters of texts were counted, for choices with places in their texts.
    counted: Vec<Counted>,
    /// How many values without a unified place were kept.
    kept: usize,
    /// What it has more of than any answer.
    flooded: Option<&'static str>,
}

impl Assembly {
    /// An empty answer; `merge` joins adjacent text deltas until the chunks are taken.
    #[must_use]
    pub fn new(merge: bool) -> Self {
        Assembly { merge, ..Assembly::default() }
    }

    /// A complete answer, as one chunk. It comes from a server that does not stream.
    #[must_use]
    pub fn from_completion(answer: Completion) -> Self {
        let mut chunk = Chunk { object: OBJECT, usage: answer.usage.clone(), ..Chunk::default() };
        for choice in &answer.choices {
            let message = &choice.message;
            let calls = message.tool_calls.iter().enumerate();
            let delta = Delta {
                role: Some("assistant"),
                content: message.content.clone(),
                reasoning: message.reasoning.clone(),
                refusal: message.refusal.clone(),
                tool_calls: calls
                    .map(|(i, call)| ToolCallDelta {
                        index: i as u64,
                        id: Some(call.id.clone()),
                        kind: Some("function"),
                        function: FunctionDelta {
                            name: Some(call.name.clone()),
                            arguments: Some(call.arguments.clone()),
                        },
                    })
                    .collect(),
                annotations: message.annotations.clone(),
                images: message.images.clone(),
                audio: message.audio.clone(),
                provider_fields: message.provider_fields.clone(),
            };
            let (finish_reason, logprobs) = (choice.finish_reason, choice.logprobs.clone());
            chunk.choices.push(ChunkChoice { index: choice.index, delta, finish_reason, logprobs });
        }
        Assembly { answer, open: Some(chunk), committed: true, ..Assembly::default() }
    }

    /// The answer's id, model and time. The first value counts, because gateways insert a second
    /// start into a stream that failed over.
    pub fn meta(&mut self, id: Option<&str>, model: Option<&str>, created: Option<i64>) {
        self.names([id, model].into_iter().flatten());
        let answer = &mut self.answer;
        if let (None, Some(id)) = (&answer.id, id.filter(|id| !id.is_empty())) {
            answer.id = Some(id.to_owned());
        }
        if let (None, Some(model)) = (&answer.model, model.filter(|model| !model.is_empty())) {
            answer.model = Some(model.to_owned());
        }
        answer.created = answer.created.or(created);
    }

    /// Begins a choice, so that it exists even without content.
    pub fn start(&mut self, choice: u64) {
        self.choice(choice);
        self.delta(choice);
    }

    /// Adds a part of a tool call. A known id or name is not repeated, because some servers send
    /// the name in each delta.
    pub fn tool_call(&mut self, choice: u64, index: u64, id: &str, name: &str, arguments: &str) {
        self.committed = true;
        self.names([id, name].into_iter());
        let position = match self.calls.get(&(choice, index)) {
            Some(position) => *position,
            None => {
                let calls = &mut self.choice(choice).message.tool_calls;
                calls.push(ToolCall::new(String::new(), String::new(), String::new()));
                let position = calls.len() - 1;
                self.calls.insert((choice, index), position);
                position
            }
        };
        let made = || {
            let (answer, created) = (self.answer.id.as_deref(), self.answer.created);
            ids::made(answer, created, choice, position as u64, name)
        };
        let call = self.call(choice, index);
        let nameless = call.is_none_or(|call| call.id.is_empty());
        // The first piece of a call already needs its id.
        let own = if nameless && id.is_empty() { Some(made()) } else { None };
        let id = own.as_deref().unwrap_or(id);
        let call = &mut self.choice(choice).message.tool_calls[position];
        // Groq and Cohere write `null` for no arguments, which is no object.
        let arguments =
            if call.arguments.is_empty() && ids::no_arguments(arguments) { "" } else { arguments };
        let new_id = call.id.is_empty() && !id.is_empty();
        let new_name = call.name.is_empty() && !name.is_empty();
        if new_id {
            call.id.push_str(id);
        }
        if new_name {
            call.name.push_str(name);
        }
        call.arguments.push_str(arguments);
        let delta = ToolCallDelta {
            index: position as u64,
            id: new_id.then(|| id.to_owned()),
            kind: new_id.then_some("function"),
            function: FunctionDelta {
                name: new_name.then(|| name.to_owned()),
                arguments: Some(arguments.to_owned()),
            },
        };
        self.delta(choice).delta.tool_calls.push(delta);
    }

    /// A tool call so far.
    #[must_use]
    pub fn call(&self, choice: u64, index: u64) -> Option<&ToolCall> {
        let position = *self.calls.get(&(choice, index))?;
        self.known(choice)?.message.tool_calls.get(position)
    }

    /// How many tool calls a choice has so far.
    #[must_use]
    pub fn calls(&self, choice: u64) -> u64 {
        self.known(choice).map_or(0, |choice| choice.message.tool_calls.len() as u64)
    }

    /// Sets why a choice ended: the provider's word and our finish reason.
    pub fn finish(&mut self, choice: u64, raw: &str, reason: FinishReason) {
        self.choice(choice).finish_reason = Some(reason);
        self.delta(choice).finish_reason = Some(reason);
        if self.answer.choices.first().is_some_and(|first| first.index == choice) {
            self.answer.finish_reason_raw = Some(raw.to_owned());
        }
    }

    /// Sets the token counts. The last ones count, because providers restate them.
    pub fn usage(&mut self, usage: Usage) {
        self.answer.usage = Some(usage.clone());
        self.chunk().usage = Some(usage);
    }

    /// Sets the provider's own object of token counts. The last one counts.
    pub fn usage_raw(&mut self, raw: Value) {
        self.answer.usage_raw = Some(raw);
    }

    /// Adds a top-level member that has no place in a response. The last one counts, but an
    /// object's members are merged, because Groq sends its seed in the first chunk and its counts
    /// in the last [rec].
    pub fn field(&mut self, name: impl Into<Key>, mut value: Value) {
        self.settle(&mut value);
        let name = name.into();
        // There is one look-up, because nearly every chunk has such a member, and nearly none is an
        // object.
        if let Value::Object(more) = value {
            self.keeps(more.nodes());
            match self.answer.fields.get_mut(&name) {
                Some(Value::Object(known)) => known.extend(more),
                _ => drop(self.answer.fields.insert(name, Value::Object(more))),
            }
            return;
        }
        let nodes = value.nodes();
        if self.answer.fields.insert(name, value).is_none() || nodes > 1 {
            self.keeps(nodes);
        }
    }

    /// Adds a member of a choice that has no place in a response. The last one counts, but an
    /// object's members are merged, because Azure's filters report one after the other [rec].
    pub fn choice_field(&mut self, choice: u64, name: impl Into<Key>, mut value: Value) {
        self.settle(&mut value);
        self.keeps(value.nodes());
        let (name, fields) = (name.into(), &mut self.choice(choice).provider_fields);
        match (fields.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(fields.insert(name, value)),
        }
    }

    /// Adds a member of a message that has no place in a response. `in_chunk` means that the chunk
    /// shows it too.
    pub fn message_field(
        &mut self,
        choice: u64,
        name: &'static str,
        mut value: Value,
        in_chunk: bool,
    ) {
        self.settle(&mut value);
        if in_chunk {
            let delta = &mut self.delta(choice).delta;
            delta.provider_fields.insert(name, value.clone());
        }
        self.choice(choice).message.provider_fields.insert(name, value);
    }

    /// Adds a member of a delta that has no place in a chunk. Only the chunk shows it.
    pub fn delta_field(&mut self, choice: u64, name: impl Into<Key>, mut value: Value) {
        self.settle(&mut value);
        self.delta(choice).delta.provider_fields.insert(name, value);
    }

    /// The choice being assembled, for adapters that keep lists in its fields.
    pub fn choice(&mut self, index: u64) -> &mut Choice {
        let place = self.place(index);
        let choices = &mut self.answer.choices;
        let position = place.unwrap_or_else(|position| {
            choices.insert(position, Choice { index, ..Choice::default() });
            position
        });
        &mut choices[position]
    }

    fn known(&self, choice: u64) -> Option<&Choice> {
        self.place(choice).ok().map(|position| &self.answer.choices[position])
    }

    /// Where a choice is, or would be: choices are in the order of their indexes.
    fn place(&self, choice: u64) -> Result<usize, usize> {
        self.answer.choices.binary_search_by_key(&choice, |known| known.index)
    }

    /// Adds a warning about the answer.
    pub fn warn(&mut self, warning: Warning) {
        self.answer.warnings.push(warning);
    }

    /// Whether there is a choice and every choice so far has its finish reason.
    #[must_use]
    pub fn finished(&self) -> bool {
        let choices = &self.answer.choices;
        !choices.is_empty() && choices.iter().all(|choice| choice.finish_reason.is_some())
    }

    /// Whether content has arrived. From then on nothing is retried.
    #[must_use]
    pub fn committed(&self) -> bool {
        self.committed
    }

    /// The first choice's text so far.
    #[must_use]
    pub fn text_so_far(&self) -> &str {
        let first = self.answer.choices.first();
        first.and_then(|choice| choice.message.content.as_deref()).unwrap_or_default()
    }

    /// Ends one provider event. Its deltas are one chunk.
    pub fn end_event(&mut self) {
        if self.merge && self.open.as_ref().is_some_and(only_text) {
            return;
        }
        self.close_chunk();
    }

    /// The number of chunks that wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.chunks.len()
    }

    /// The chunks since the last call.
    pub fn take_chunks(&mut self) -> Vec<Chunk> {
        self.close_chunk();
        std::mem::take(&mut self.chunks)
    }

    /// The whole answer.
    #[must_use]
    pub fn into_completion(self) -> Completion {
        self.answer
    }

    fn close_chunk(&mut self) {
        if let Some(mut chunk) = self.open.take() {
            // A start with an id sets the id here. Chunks before it have no id to show.
            let answer = &self.answer;
            chunk.id = shared(&mut self.id, answer.id.as_deref());
            chunk.created = answer.created;
            chunk.model = shared(&mut self.model, answer.model.as_deref());
            // Everybody reads `choices[0]`, also in a chunk of counts alone.
            if chunk.choices.is_empty() {
                let index = answer.choices.first().map_or(0, |choice| choice.index);
                chunk.choices.reserve_exact(1);
                chunk.choices.push(ChunkChoice { index, ..ChunkChoice::default() });
            }
            self.chunks.push(chunk);
        }
    }

    fn chunk(&mut self) -> &mut Chunk {
        self.open.get_or_insert_with(|| Chunk { object: OBJECT, ..Chunk::default() })
    }

    fn delta(&mut self, index: u64) -> &mut ChunkChoice {
        let place = self.started.binary_search(&index);
        let first = place.is_err();
        if let Err(place) = place {
            self.started.insert(place, index);
        }
        let chunk = self.chunk();
        let position = match chunk.choices.iter().position(|choice| choice.index == index) {
            Some(position) => position,
            None => {
                // Usually there is one choice, and it is large, so more room would be waste.
                chunk.choices.reserve_exact(1);
                chunk.choices.push(ChunkChoice { index, ..ChunkChoice::default() });
                chunk.choices.len() - 1
            }
        };
        let choice = &mut chunk.choices[position];
        if first {
            choice.delta.role = Some("assistant");
        }
        choice
    }
}

/// A text of the answer, copied once for all its chunks. It does not change once it is set.
fn shared(copy: &mut Option<Arc<str>>, text: Option<&str>) -> Option<Arc<str>> {
    if copy.is_none() {
        *copy = text.map(Arc::from);
    }
    copy.clone()
}

/// Whether the chunk holds only text, so that the next text may join it.
fn only_text(chunk: &Chunk) -> bool {
    chunk.usage.is_none()
        && chunk.choices.iter().all(|choice| {
            let delta = &choice.delta;
            choice.finish_reason.is_none()
                && delta.tool_calls.is_empty()
                && delta.refusal.is_none()
                && delta.provider_fields.is_empty()
                && choice.logprobs.is_none()
                && delta.annotations.is_empty()
                && delta.images.is_empty()
                && delta.audio.is_none()
                && (delta.content.is_none() || delta.reasoning.is_none())
        })
}

fn append(to: &mut Option<String>, text: impl AsRef<str> + Into<String>) {
    match to {
        Some(so_far) => so_far.push_str(text.as_ref()),
        None => *to = Some(text.into()),
    }
}
