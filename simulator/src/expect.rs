//! Compares a request with its case. Every difference becomes one sentence with both values in it.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use crate::document::{Pairs, present};
use crate::request::Request;

/// The `expect` member of an exchange. A member that is left out is not checked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: Pairs<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    body: Option<Value>,
    /// The body's bytes, exactly.
    body_hex: Option<String>,
    /// The least time since the request before.
    after_ms: Option<u64>,
}

/// The most differences that are reported for one body. The first few show what is wrong, and more
/// are noise.
const MAX_BODY_DIFFERENCES: usize = 8;

impl Expect {
    pub(crate) fn has_path(&self) -> bool {
        self.path.is_some()
    }

    pub(crate) fn is_for(&self, path: &str) -> bool {
        self.path.as_deref() == Some(path)
    }

    /// What is wrong with a request that came this many milliseconds after the one before.
    pub(crate) fn too_early(&self, since: Option<u128>) -> Option<String> {
        let least = u128::from(self.after_ms?);
        match since {
            Some(since) if since >= least => None,
            Some(since) => Some(format!("came after {since} ms, expected {least} ms or more")),
            None => Some(format!("is the first, expected {least} ms or more after another")),
        }
    }

    /// All differences between the request and the expectation; `path` is the target below the case's base URL.
    pub(crate) fn differences(&self, request: &Request<'_>, path: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(expected) = &self.method
            && expected != request.method
        {
            found.push(format!("method: expected {expected:?}, got {:?}", request.method));
        }
        if let Some(expected) = &self.path
            && expected != path
        {
            found.push(format!("path: expected {expected:?}, got {path:?}"));
        }
        for (name, expected) in &self.headers.0 {
            let got = request.header(name);
            if *expected != got {
                found.push(format!(
                    "header `{name}`: expected {}, got {}",
                    shown(expected),
                    shown(&got)
                ));
            }
        }
        if let Some(expected) = &self.body {
            match serde_json::from_slice::<Value>(request.body) {
                Ok(got) => {
                    let mut differences = Vec::new();
                    compare("", expected, &got, &mut differences);
                    found.extend(differences.into_iter().take(MAX_BODY_DIFFERENCES));
                }
                Err(error) => found.push(format!(
                    "body: expected {}, got bytes that are not JSON ({error}): {:?}",
                    short(&expected.to_string()),
                    short(&String::from_utf8_lossy(request.body)),
                )),
            }
        }
        if let Some(expected) = &self.body_hex {
            let got: String = request.body.iter().map(|byte| format!("{byte:02x}")).collect();
            if *expected != got {
                found.push(format!("body: expected {}, got {}", short(expected), short(&got)));
            }
        }
        found
    }
}

fn shown(value: &Option<String>) -> String {
    value.as_ref().map_or_else(|| "no such header".to_owned(), |text| format!("{text:?}"))
}

/// Cuts long values, because the message is for a person.
fn short(text: &str) -> String {
    const LENGTH: usize = 300;
    match text.char_indices().nth(LENGTH) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

fn compare(path: &str, expected: &Value, got: &Value, found: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (name, value) in expected {
                let path = member(path, name);
                match got.get(name) {
                    Some(other) => compare(&path, value, other, found),
                    None => found.push(format!(
                        "body{path}: expected {}, got nothing",
                        short(&value.to_string())
                    )),
                }
            }
            for (name, value) in got.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                let path = member(path, name);
                found.push(format!(
                    "body{path}: expected nothing, got {}",
                    short(&value.to_string())
                ));
            }
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (n, (value, other)) in expected.iter().zip(got).enumerate() {
                compare(&format!("{path}[{n}]"), value, other, found);
            }
        }
        (Value::Number(a), Value::Number(b)) if a == b || same_number(a, b) => {}
        (expected, got) if expected == got => {}
        _ => found.push(format!(
            "body{path}: expected {}, got {}",
            short(&expected.to_string()),
            short(&got.to_string())
        )),
    }
}

fn member(path: &str, name: &str) -> String {
    let mut path = path.to_owned();
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    // Writing into a String cannot fail.
    let _ = if plain { write!(path, ".{name}") } else { write!(path, "[{name:?}]") };
    path
}

/// Compares two numbers: 1 and 1.0 are equal. Two integers are compared as integers, because a
/// float would round large ones.
fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}
