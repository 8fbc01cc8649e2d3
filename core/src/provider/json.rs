//! Reads a provider's JSON leniently: a member of the wrong type stays in its place.

use crate::codec::Object;
use crate::json::Value;

/// The member of a message that holds the items of a Responses answer, as they came.
pub(super) const RESPONSES_OUTPUT: &str = "responses_output";

/// Takes a string member. Any other type but `null` stays in its place.
pub fn take_string(object: &mut Object, name: &str) -> Option<String> {
    match object.take_if(name, |value| matches!(value, Value::String(_) | Value::Null)) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Takes an object member. Any other type but `null` stays in its place.
pub fn take_object(object: &mut Object, name: &str) -> Option<Object> {
    match object.take_if(name, |value| matches!(value, Value::Object(_) | Value::Null)) {
        Some(Value::Object(inner)) => Some(inner),
        _ => None,
    }
}

/// Takes a list member. Any other type but `null` stays in its place.
pub fn take_list(object: &mut Object, name: &str) -> Option<Vec<Value>> {
    match object.take_if(name, |value| matches!(value, Value::Array(_) | Value::Null)) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    }
}

/// The largest whole number that every language holds exactly, 2^53 - 1.
const MOST: u64 = (1 << 53) - 1;

/// A count, even if a provider writes it as `12.0`. A larger number than every language can hold is
/// no count.
#[must_use]
pub fn count(value: Option<&Value>) -> Option<u64> {
    let number = value?.as_number()?;
    let whole = number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        (float >= 0.0 && float.fract() == 0.0).then_some(float as u64)
    });
    whole.filter(|count| *count <= MOST)
}
