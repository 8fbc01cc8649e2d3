//! The engine's JSON: values that keep their order and the text of their numbers.
//!
//! A provider's unknown members have to survive a round trip. A number goes out as it came in:
//! `1e5`, `0.10`, more digits than any type holds. `parse` reads a document. `write` is the serde
//! serializer of every outgoing document. `object` holds members in a list. `scan` finds the end of
//! a run of plain text for both. `docs/adr/0007-json-values.md` says why these are our own.

mod key;
mod number;
mod object;
mod parse;
mod scan;
mod value;
mod write;

pub use key::Key;
pub use number::Number;
pub use object::Object;
pub use parse::{Fault, MAX_DEPTH, MAX_NODES, parse, parse_finite};
pub use value::Value;
pub use write::{MARK, Marked, to_vec, write, write_behind};

/// Makes an object of the members given, `json!({"type": "text", "text": text})`. Values are moved
/// in by their `Into<Value>`. A nested object is a `json!` of its own.
macro_rules! json {
    ({ $($name:literal : $value:expr),* $(,)? }) => {
        $crate::json::Value::Object($crate::json::Object::unique(vec![
            $(($crate::json::Key::from($name), $crate::json::Value::from($value))),*
        ]))
    };
}
pub(crate) use json;

#[cfg(test)]
mod tests;
