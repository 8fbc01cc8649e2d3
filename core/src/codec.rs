//! The codec turns bytes into documents, within limits, and documents into checked values.
//!
//! This is the one place that parses the caller's JSON. `provider` parses the provider's JSON
//! through [`parse_foreign`]. Error messages name the path and the type that was found, never the
//! value, because a value may be a prompt.

mod near;
pub(crate) mod url;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::json::{Fault, Key, MAX_DEPTH, MAX_NODES, Number, Value, parse, parse_finite};

pub(crate) use self::near::did_you_mean;
pub use crate::json::Object;

/// The largest document, in bytes: requests, options, configurations, and a provider's answer.
pub const MAX_DOCUMENT: usize = 32 << 20;

/// The longest name of a model, a provider or a target, in bytes.
pub const MAX_NAME: usize = 1_024;

/// Parses a document of the caller. `what` names it in errors ("request").
pub fn parse_object(bytes: &[u8], what: &str) -> Result<Object, Error> {
    if bytes.len() > MAX_DOCUMENT {
        return Err(Error::invalid(
            what,
            format!(
                "the {what} has {} bytes; the limit is {MAX_DOCUMENT} (32 MiB). Send large files by \
                 reference (a URL or a provider's file id)",
                bytes.len()
            ),
        ));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid(what, format!("the {what} is empty; send a JSON object")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the {what} is not UTF-8: byte {} is invalid", error.valid_up_to());
        Error::invalid(what, message)
    })?;
    match parse(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Error::invalid(
            what,
            format!("the {what} must be a JSON object, not {}", type_name(&other)),
        )),
        Err(fault) => Err(Error::invalid(what, format!("the {what} {}", syntax(&fault)))),
    }
}

/// Parses JSON that a provider sent. `Err` describes the fault without any of the text.
pub fn parse_foreign(bytes: &[u8]) -> Result<Value, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse_foreign_text(text),
        Err(error) => Err(format!("is not UTF-8: byte {} is invalid", error.valid_up_to())),
    }
}

/// Parses a provider's JSON that is known to be UTF-8, like [`parse_foreign`].
pub fn parse_foreign_text(text: &str) -> Result<Value, String> {
    parse_foreign_finite(text).map(|read| read.0)
}

/// Parses a provider's JSON. A number that no language can hold (`1e400`) becomes `null`. The flag
/// says whether there was one.
pub fn parse_foreign_finite(text: &str) -> Result<(Value, bool), String> {
    parse_finite(text).map_err(|fault| syntax(&fault))
}

/// Describes a fault by its position. It never quotes the input.
fn syntax(fault: &Fault) -> String {
    if fault.is_depth() {
        return format!("is nested deeper than {MAX_DEPTH} levels");
    }
    if fault.is_nodes() {
        return format!("has more than {MAX_NODES} values (strings, numbers, lists, objects)");
    }
    format!("is not valid JSON: {fault}")
}

/// The type of a value for messages: "a string", "a number" …
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Takes known members out of an object and reports faults in them. The members left at the end are
/// unknown. `null` counts as absent, because every provider's SDK sends it that way.
pub struct Fields {
    object: Object,
    /// The bits of the members' names. Most readers ask for many more members than the object has.
    names: u64,
    path: Path,
}

/// The path of a value in its document. It becomes text only for a message.
#[derive(Debug)]
pub enum Path {
    /// A path as text.
    Text(Cow<'static, str>),
    /// An item of the list with this name: `messages[2]`.
    Item(&'static str, usize),
}

impl From<&'static str> for Path {
    fn from(text: &'static str) -> Self {
        Path::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Path {
    fn from(text: String) -> Self {
        Path::Text(Cow::Owned(text))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Text(text) => f.write_str(text),
            Path::Item(list, i) => write!(f, "{list}[{i}]"),
        }
    }
}

impl Fields {
    /// Makes a reader of `object`, whose path is `path` ("" for the document itself).
    #[must_use]
    pub fn new(object: Object, path: impl Into<Path>) -> Self {
        let names = object.keys().fold(0, |names, name| names | Key::bit(name));
        Fields { object, names, path: path.into() }
    }

    /// Makes a reader of a value that must be an object.
    pub fn of(value: Value, path: impl Into<Path>) -> Result<Self, Error> {
        let path = path.into();
        match value {
            Value::Object(object) => Ok(Fields::new(object, path)),
            other => Err(wrong(&path.to_string(), "an object", &other)),
        }
    }

    /// The path of a member, for messages.
    #[must_use]
    pub fn at(&self, name: &str) -> String {
        match &self.path {
            Path::Text(text) if text.is_empty() => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// Whether a member may be there whose name has one of these bits.
    pub(crate) fn may_have(&self, bits: u64) -> bool {
        self.names & bits != 0
    }

    /// Whether a member is there that was not taken yet, and is not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    /// Takes any value but `null`. A `null` is left in its place, so that the other members need
    /// not move.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        if self.names & Key::bit(name) == 0 {
            return None;
        }
        self.object.get_mut(name).map(Value::take).filter(|value| !value.is_null())
    }

    /// Takes a string.
    pub fn string(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(&self.at(name), "a string", &other)),
        }
    }

    /// Takes the name of a model, a provider or a target. An empty one counts as absent.
    pub fn name(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.string(name)?.filter(|text| !text.is_empty()) {
            Some(text) => short(text, || self.at(name)).map(Some),
            None => Ok(None),
        }
    }

    /// Takes a boolean.
    pub fn bool(&mut self, name: &str) -> Result<Option<bool>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong(&self.at(name), "true or false", &other)),
        }
    }

    /// Takes a number, with its original text.
    pub fn number(&mut self, name: &str) -> Result<Option<Number>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(other) => Err(wrong(&self.at(name), "a number", &other)),
        }
    }

    /// Takes a whole number of at least `least`.
    pub fn whole(&mut self, name: &str, least: u64) -> Result<Option<u64>, Error> {
        match self.number(name)? {
            None => Ok(None),
            Some(number) => match number.as_u64().filter(|&n| n >= least) {
                Some(n) => Ok(Some(n)),
                None => {
                    let path = self.at(name);
                    let message = format!("{path} must be a whole number of at least {least}");
                    Err(Error::invalid(path, message))
                }
            },
        }
    }

    /// Takes a list.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(wrong(&self.at(name), "a list", &other)),
        }
    }

    /// Takes an object.
    pub fn object(&mut self, name: &str) -> Result<Option<Object>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(wrong(&self.at(name), "an object", &other)),
        }
    }

    /// Takes a time in milliseconds.
    pub fn millis(&mut self, name: &str, least: u64) -> Result<Option<Duration>, Error> {
        Ok(self.whole(name, least)?.map(Duration::from_millis))
    }

    /// Takes an object as a reader. `Some(None)` means that the member is `false`.
    pub fn object_or_false(&mut self, name: &str) -> Result<Option<Option<Fields>>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(false)) => Ok(Some(None)),
            Some(Value::Object(object)) => Ok(Some(Some(Fields::new(object, self.at(name))))),
            Some(other) => Err(wrong(&self.at(name), "an object or false", &other)),
        }
    }

    /// Takes one of `words`.
    pub fn word(
        &mut self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, Error> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        match words.iter().find(|word| **word == text) {
            Some(word) => Ok(Some(word)),
            None => {
                let path = self.at(name);
                let message = format!("{path} must be one of {}", words.join(", "));
                Err(Error::invalid(path, message))
            }
        }
    }

    /// The error for a required member that is missing.
    #[must_use]
    pub fn missing(&self, name: &str, hint: &str) -> Error {
        let path = self.at(name);
        let message = format!("{path} is missing: {hint}");
        Error::invalid(path, message)
    }

    /// The members that no reader has taken, without `null` ones.
    #[must_use]
    pub fn rest(self) -> Object {
        let mut object = self.object;
        object.retain(|_, value| !value.is_null());
        object
    }

    /// Adds the paths of the members that no reader has taken.
    pub fn rest_into(self, unknown: &mut Vec<String>) {
        let of_value = |(name, value): (&Key, &Value)| (!value.is_null()).then(|| self.at(name));
        unknown.extend(self.object.iter().filter_map(of_value));
    }
}

/// The error "`path` must be `expected`, not …".
#[must_use]
pub fn wrong(path: &str, expected: &str, found: &Value) -> Error {
    Error::invalid(path, format!("{path} must be {expected}, not {}", type_name(found)))
}

/// Checks that a name is not too long. It is looked up, repeated in messages and kept in tables.
pub(crate) fn short(name: String, path: impl FnOnce() -> String) -> Result<String, Error> {
    if name.len() <= MAX_NAME {
        return Ok(name);
    }
    let path = path();
    let message = format!("{path} has {} bytes; a name has {MAX_NAME} at most", name.len());
    Err(Error::invalid(path, message))
}

/// Checks that a configuration has no unknown member. A person writes it, so an unknown member is a
/// mistake.
pub(crate) fn finish(fields: Fields, what: &str) -> Result<(), Error> {
    finish_near(fields, what, &[], "docs/contract.md")
}

/// Like [`finish`], with the nearest of the `known` names and the page that lists them.
pub(crate) fn finish_near(
    fields: Fields,
    what: &str,
    known: &[&str],
    page: &str,
) -> Result<(), Error> {
    let mut unknown = Vec::new();
    fields.rest_into(&mut unknown);
    match unknown.first() {
        None => Ok(()),
        Some(path) => {
            let name = path.rsplit('.').next().unwrap_or(path);
            let near = did_you_mean(name, known.iter().copied()).unwrap_or_default();
            let message = format!("{path} is not a member of {what}: see {page}{near}");
            Err(Error::invalid(path.as_str(), message))
        }
    }
}

/// Converts a count to a smaller type. A count that does not fit is as good as no limit.
pub(crate) fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn numbers_keep_their_text() {
        let text = br#"{"a":1.0,"b":0.10,"c":123456789012345678901234567890,"d":1e5}"#;
        let object = parse_object(text, "request").unwrap();
        assert_eq!(crate::json::to_vec(&object, 0), text);
    }

    #[test]
    fn bad_input_is_named_and_not_quoted() {
        for (bytes, word) in [
            (&b""[..], "empty"),
            (b" \n", "empty"),
            (b"{\"a\": secret}", "not valid JSON"),
            (b"[1]", "not a list"),
            (b"\"secret\"", "not a string"),
            (b"{\"a\":\"\xff\"}", "not UTF-8"),
        ] {
            let error = parse_object(bytes, "request").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.message.contains(word), "{}", error.message);
            assert!(!error.message.contains("secret"), "{}", error.message);
        }
        let deep = [b"{\"a\":".repeat(200), b"1".to_vec(), b"}".repeat(200)].concat();
        let error = parse_object(&deep, "request").unwrap_err();
        assert!(error.message.contains("deeper than 128"), "{}", error.message);
    }
}
