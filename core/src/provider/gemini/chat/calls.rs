//! A function call whose arguments come in pieces. Vertex sends them so where the caller asked for
//! it (`streamFunctionCallArguments`): first the name, then values at paths of the arguments
//! (`{"jsonPath": "$.city", "stringValue": "Par", "willContinue": true}`), then an empty call.

use crate::codec::Object;
use crate::json::{MAX_DEPTH, Value};

/// The most arguments and list items that a path may reach.
const MOST: usize = 1_024;

/// The most steps of a path. The answer around the arguments must be readable when it comes back.
const DEEPEST: usize = MAX_DEPTH / 2;

/// A call so far.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The call's part, as its first piece came.
    part: Object,
    /// The arguments so far.
    args: Value,
}

impl Pieces {
    /// Begins a call with its first part.
    pub(super) fn begin(part: Object) -> Pieces {
        let args = part.get("functionCall").and_then(|call| call.get("args")).cloned();
        Pieces { part, args: args.unwrap_or_else(|| Value::Object(Object::new())) }
    }

    /// Adds the values of one piece. Returns how many values that made; `None` if a path is not one
    /// of this API.
    pub(super) fn add(&mut self, call: &Object) -> Option<usize> {
        let mut made = 0;
        let pieces = call.get("partialArgs").and_then(Value::as_array);
        for piece in pieces.into_iter().flatten() {
            let path = piece.get("jsonPath").and_then(Value::as_str)?;
            let place = place(&mut self.args, path.strip_prefix('$')?, &mut made)?;
            made += put(place, piece)?;
        }
        Some(made)
    }

    /// The call's part, as a whole call would have come.
    pub(super) fn end(mut self) -> Value {
        if let Some(Value::Object(call)) = self.part.get_mut("functionCall") {
            call.shift_remove("willContinue");
            call.shift_remove("partialArgs");
            call.insert("args", self.args);
        }
        Value::Object(self.part)
    }
}

/// The place at a path: `.name`, `['name']` and `[0]`, one after the other. `made` counts the places
/// that were not there.
fn place<'a>(mut at: &'a mut Value, mut path: &str, made: &mut usize) -> Option<&'a mut Value> {
    for _ in 0..=DEEPEST {
        if path.is_empty() {
            return Some(at);
        }
        if let Some(rest) = path.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            at = member(at, &rest[..end], made)?;
            path = &rest[end..];
            continue;
        }
        let rest = path.strip_prefix('[')?;
        if let Some(quote) = rest.chars().next().filter(|first| matches!(first, '\'' | '"')) {
            let (name, rest) = rest[1..].split_once(&format!("{quote}]"))?;
            at = member(at, name, made)?;
            path = rest;
        } else {
            let (index, rest) = rest.split_once(']')?;
            at = item(at, index.parse().ok()?, made)?;
            path = rest;
        }
    }
    None
}

fn member<'a>(at: &'a mut Value, name: &str, made: &mut usize) -> Option<&'a mut Value> {
    if at.is_null() {
        *at = Value::Object(Object::new());
    }
    let Value::Object(members) = at else { return None };
    if !members.contains_key(name) {
        if members.len() >= MOST {
            return None;
        }
        members.insert(name.to_owned(), Value::Null);
        *made += 1;
    }
    members.get_mut(name)
}

fn item<'a>(at: &'a mut Value, index: usize, made: &mut usize) -> Option<&'a mut Value> {
    if at.is_null() {
        *at = Value::Array(Vec::new());
    }
    let Value::Array(items) = at else { return None };
    // Items come in order, so an index names one that is there or the next one.
    if index == items.len() && index < MOST {
        items.push(Value::Null);
        *made += 1;
    }
    items.get_mut(index)
}

/// Puts a piece's value at its place. A text continues the text that is there. Returns how many
/// values the place got beside itself. What was there is not counted again: a piece that only
/// announces a path may name all the arguments.
fn put(place: &mut Value, piece: &Value) -> Option<usize> {
    if let Some(text) = piece.get("stringValue").and_then(Value::as_str) {
        match place {
            Value::String(so_far) => so_far.push_str(text),
            Value::Null => *place = text.into(),
            _ => return None,
        }
        return Some(0);
    }
    let value = ["numberValue", "boolValue"].iter().find_map(|name| piece.get(name));
    match value {
        Some(value) => *place = value.clone(),
        None if piece.get("nullValue").is_some() => *place = Value::Null,
        // A piece without a value only announces its path.
        None => {}
    }
    Some(value.map_or(0, |value| value.nodes() - 1))
}
