//! The members of a document of credentials. No message quotes a value.

use secrecy::SecretString;

use crate::json::Value;

/// The text in a member that has to be there.
pub(super) fn text<'a>(document: &'a Value, name: &str) -> Result<&'a str, String> {
    let text = document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| missing(name))
}

/// The text in a member, if there is one.
pub(super) fn optional(document: &Value, name: &str) -> Option<String> {
    text(document, name).ok().map(str::to_owned)
}

/// The secret in a member that has to be there.
pub(super) fn secret(document: &Value, name: &str) -> Result<SecretString, String> {
    text(document, name).map(SecretString::from)
}

pub(super) fn missing(name: &str) -> String {
    format!("it has no {name}")
}
