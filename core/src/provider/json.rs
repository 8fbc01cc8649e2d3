//! Reads a provider's JSON leniently: a member of the wrong type stays in its place.

use crate::codec::Object;
use crate::json::Value;

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

/// A count, even if a provider writes it as `12.0`.
#[must_use]
pub fn count(value: Option<&Value>) -> Option<u64> {
    let number = value?.as_number()?;
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        (float >= 0.0 && float.fract() == 0.0 && float < 9e15).then_some(float as u64)
    })
}
