//! JSON as the engine holds it: values that keep their order and their numbers' text.
//!
//! A provider's members that nobody knows have to survive a round trip, and a number goes out as it
//! came in: `1e5`, `0.10`, more digits than any type holds. `parse` reads a document, `write` is the
//! serde serializer that every document leaves through, `object` holds members in a list, `scan`
//! finds the bytes that end a run of plain text for both. `docs/adr/0007-json-values.md` says why
//! these are ours.

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
pub use parse::{Fault, MAX_DEPTH, parse};
pub use value::Value;
pub use write::{to_vec, write};

/// An object of the members given, `json!({"type": "text", "text": text})`. Values are moved in,
/// each by its `Into<Value>`; an object inside is a `json!` of its own.
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
