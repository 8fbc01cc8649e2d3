//! An item of an answer that comes in pieces, and the whole item that it is in the end.

use std::collections::{BTreeMap, VecDeque};

use super::items::{self, Which};
use crate::codec::Object;
use crate::json::Value;
use crate::model::ToolCall;
use crate::provider::{Assembly, citation};

/// An item so far.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) id: String,
    /// What was delivered of its texts, by their places.
    pub(super) texts: BTreeMap<(Which, u64), Text>,
    /// The number of its call, and what was delivered of its arguments.
    pub(super) call: Option<(u64, String)>,
    /// The whole item.
    pub(super) whole: Option<Value>,
}

/// What was delivered of a text.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) said: String,
    /// The number of characters of the answer before it.
    start: u64,
    annotations: usize,
    logprobs: usize,
}

impl Text {
    /// A text that begins now.
    pub(super) fn begin(which: Which, out: &mut Assembly) -> Text {
        let start = if which == Which::Content { out.characters(0) } else { 0 };
        Text { start, ..Text::default() }
    }

    /// Delivers an annotation.
    pub(super) fn annotate(&mut self, annotation: Value, out: &mut Assembly) {
        self.annotations += 1;
        if let Some(annotation) = citation::openai(annotation, self.start) {
            out.annotation(0, annotation);
        }
    }

    /// Delivers log probabilities. Those of the whole text have some that have come.
    pub(super) fn tokens(&mut self, tokens: &[Value], are_whole: bool, out: &mut Assembly) {
        let known = if are_whole { self.logprobs } else { 0 };
        let new = tokens.get(known..).unwrap_or_default();
        if !new.is_empty() {
            self.logprobs += new.len();
            out.logprobs(0, Object::from_iter([("content", Value::from(new.to_vec()))]));
        }
    }

    /// Delivers what has not come of a whole text's annotations and log probabilities.
    pub(super) fn beside(&mut self, part: &Value, out: &mut Assembly) {
        let list =
            |name: &str| part.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for annotation in list("annotations").get(self.annotations..).unwrap_or_default() {
            self.annotate(annotation.clone(), out);
        }
        self.tokens(list("logprobs"), true, out);
    }
}

/// For each whole item of a response, the place of the one that came in pieces. `None`: it did not
/// come before.
///
/// It is the one with its id or its call's id. Gateways give the items of the whole response other
/// ids, and leave some out, so that others have their indexes. So it is else the one with its index
/// or the first that is left, if that may be this one.
pub(super) fn found(
    came: &[Item],
    places: &BTreeMap<u64, usize>,
    output: &[Value],
    out: &Assembly,
) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; output.len()];
    let mut taken = vec![false; came.len()];
    let mut take = |found: &mut Option<usize>, at: Option<usize>| {
        if let Some(at) =
            at.filter(|at| found.is_none() && !std::mem::replace(&mut taken[*at], true))
        {
            *found = Some(at);
        }
    };
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut alike: BTreeMap<(&str, &str), VecDeque<usize>> = BTreeMap::new();
    for (at, item) in came.iter().enumerate() {
        let call = item.call(out);
        let ids = [item.id.as_str(), call.map_or("", |call| &call.id)];
        names.extend(ids.into_iter().filter(|id| !id.is_empty()).map(|id| (id, at)));
        if let Some(kind) = item.kind(out) {
            alike.entry(kind).or_default().push_back(at);
        }
    }
    for (item, found) in output.iter().zip(&mut found) {
        take(found, names.get(items::text(item, "id")).copied());
        take(found, names.get(items::call_id(item)).copied());
    }
    for ((index, item), found) in (0..).zip(output).zip(&mut found) {
        let at = places.get(&index).copied();
        let fits = |at: &usize| {
            came[*at].is_blank()
                || kind_of(item).is_some_and(|kind| came[*at].kind(out) == Some(kind))
        };
        take(found, at.filter(fits));
    }
    for (item, found) in output.iter().zip(&mut found) {
        let Some(left) = kind_of(item).and_then(|kind| alike.get_mut(&kind)) else { continue };
        while found.is_none()
            && let Some(at) = left.pop_front()
        {
            take(found, Some(at));
        }
    }
    found
}

/// What makes an item like another one. `None`: a call with an id of its own is like no other.
fn kind_of(item: &Value) -> Option<(&str, &str)> {
    match items::kind(item) {
        "function_call" if items::text(item, "call_id").is_empty() => {
            Some(("function_call", items::text(item, "name")))
        }
        "function_call" => None,
        kind => Some((kind, "")),
    }
}

impl Item {
    fn call<'a>(&self, out: &'a Assembly) -> Option<&'a ToolCall> {
        out.call(0, self.call.as_ref()?.0)
    }

    /// Whether it has only been announced.
    fn is_blank(&self) -> bool {
        self.whole.is_none() && self.call.is_none() && self.texts.is_empty()
    }

    /// What makes it like a whole item.
    fn kind<'a>(&'a self, out: &'a Assembly) -> Option<(&'a str, &'a str)> {
        if let Some(whole) = &self.whole {
            return kind_of(whole);
        }
        if let Some(call) = self.call(out) {
            return Some(("function_call", &call.name));
        }
        let (which, _) = self.texts.keys().next()?;
        Some((if which.is_reasoning() { "reasoning" } else { "message" }, ""))
    }
}
