//! A JSON value.

use std::fmt;

use serde::{Serialize, Serializer};

use super::number::Number;
use super::object::Object;
use super::write::to_vec;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this is a string.
    #[must_use]
    pub fn is_string(&self) -> bool {
        matches!(self, Value::String(_))
    }

    /// Whether this is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self, Value::Object(_))
    }

    /// The text, if the value is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The number, if the value is one.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        if let Value::Number(number) = self { Some(number) } else { None }
    }

    /// The whole number of at least 0, if the value is one.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number()?.as_u64()
    }

    /// The whole number, if the value is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.as_i64()
    }

    /// The number as a float, if the value is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number()?.as_f64()
    }

    /// Replaces each text in it, at any depth, for which `by` has another one.
    pub(crate) fn each_text(&mut self, by: &mut impl FnMut(&str) -> Option<String>) {
        match self {
            Value::String(text) => {
                if let Some(other) = by(text) {
                    *text = other;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| item.each_text(by)),
            Value::Object(object) => object.each_text(by),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Replaces each name of a member in it, at any depth, for which `by` has another one.
    pub(crate) fn each_name(&mut self, by: &mut impl FnMut(&str) -> Option<String>) {
        match self {
            Value::Array(items) => items.iter_mut().for_each(|item| item.each_name(by)),
            Value::Object(object) => object.each_name(by),
            _ => {}
        }
    }

    /// The boolean, if the value is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The items, if the value is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&Vec<Value>> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The object, if the value is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The object, to change it, if the value is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The member of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// Sets a member of an object. Any other value stays as it is.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Value::Object(object) = self {
            object.insert(name, value);
        }
    }

    /// The approximate length of the value's JSON, with a guess at what escapes add.
    pub(super) fn length(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) | Value::Number(_) => 8,
            Value::String(text) => text.len() + text.len() / 16 + 2,
            Value::Array(items) => 2 + items.iter().map(|item| item.length() + 1).sum::<usize>(),
            Value::Object(object) => object.length(),
        }
    }

    /// The number of values in it, itself included.
    #[must_use]
    pub fn nodes(&self) -> usize {
        match self {
            Value::Array(items) => items.iter().fold(1, |nodes, item| nodes + item.nodes()),
            Value::Object(object) => object.nodes(),
            _ => 1,
        }
    }

    /// Takes the value and leaves `null` in its place.
    #[must_use]
    pub fn take(&mut self) -> Value {
        std::mem::take(self)
    }
}

impl fmt::Display for Value {
    /// Compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&to_vec(self, self.length())))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Object(object) => object.serialize(serializer),
        }
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

macro_rules! from {
    ($($type:ty: $variant:ident $(($convert:expr))?),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Value::$variant($($convert)?(value))
            }
        }
    )*};
}

from! {
    &str: String(str::to_owned),
    &String: String(String::clone),
    u64: Number(Number::from),
    usize: Number(Number::from),
    u32: Number(Number::from),
    i64: Number(Number::from),
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

impl From<&Object> for Value {
    fn from(object: &Object) -> Self {
        Value::Object(object.clone())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Value::Number(number)
    }
}

impl From<f64> for Value {
    /// A float that JSON cannot express becomes `null`.
    fn from(float: f64) -> Self {
        Number::from_f64(float).map_or(Value::Null, Value::Number)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

/// The schema of a value allows anything.
#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator};

    macro_rules! as_in_serde_json {
        ($($ours:ty: $theirs:ty),*) => {$(
            impl JsonSchema for $ours {
                fn inline_schema() -> bool {
                    <$theirs>::inline_schema()
                }
                fn schema_name() -> Cow<'static, str> {
                    <$theirs>::schema_name()
                }
                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    <$theirs>::json_schema(generator)
                }
            }
        )*};
    }

    as_in_serde_json! {
        crate::json::Value: serde_json::Value,
        crate::json::Object: serde_json::Map<String, serde_json::Value>
    }
}
