//! The environment's variables that settings may come from: read while a configuration is made, and
//! never again.
//!
//! C's `getenv` is undefined beside a `setenv` of another thread, and no lock of this library keeps
//! a host from one. So nothing else here reads the environment: what a call needs (keys, proxies,
//! roots) is taken from it with the configuration. A host whose language has a lock of its own
//! reads the variables under that and hands them over ([`Environment::parse`]).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::auth::Variables;
use crate::codec::{parse_object, wrong};
use crate::error::Error;
use crate::http::Trust;
use crate::json::Value;

/// Variables by name: those that a host handed over, or the process's own.
#[derive(Debug)]
pub struct Environment(Option<BTreeMap<String, SecretString>>);

impl Environment {
    /// The process's own variables. Each is read when it is asked for, so no other thread of the
    /// process may change the environment until the configuration is made.
    #[must_use]
    pub fn process() -> Self {
        Environment(None)
    }

    /// Reads a document: an object of names and values. Only what a configuration asks for outlives
    /// this object. The error kind is `invalid_request`, and no message quotes a value.
    pub fn parse(document: &[u8]) -> Result<Self, Error> {
        let mut variables = BTreeMap::new();
        for (name, value) in parse_object(document, "environment")? {
            let Value::String(value) = value else {
                return Err(wrong(&format!("environment.{name}"), "a string", &value));
            };
            variables.insert(name.to_string(), SecretString::from(value));
        }
        Ok(Environment(Some(variables)))
    }

    /// The variable of this name, if it is set. What is not UTF-8 in it is replaced, so that a wrong
    /// value is not taken for a missing one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        match &self.0 {
            Some(variables) => variables.get(name).map(|value| value.expose_secret().to_owned()),
            // Such names are none, and the standard library may panic at them.
            None if name.is_empty() || name.contains(['=', '\0']) => None,
            None => Some(std::env::var_os(name)?.to_string_lossy().into_owned()),
        }
    }

    /// The variable of this name, if it is set and not empty.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether this variable is `1`.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.trim() == "1")
    }

    /// The roots that are trusted.
    pub(super) fn trust(&self) -> Arc<Trust> {
        let dirs = self.get("SSL_CERT_DIR");
        let dirs = dirs.map(|dirs| std::env::split_paths(&dirs).collect());
        let extra = self.some("LITER_LLM_EXTRA_CA_FILE").map(PathBuf::from);
        Arc::new(Trust::new(self.get("SSL_CERT_FILE").map(PathBuf::from), dirs, extra))
    }
}

impl Variables for Environment {
    fn variable(&self, name: &str) -> Option<String> {
        self.get(name)
    }

    fn all(&self) -> BTreeMap<String, SecretString> {
        if let Some(variables) = &self.0 {
            return variables.clone();
        }
        let pair = |(name, value): (OsString, OsString)| {
            let value = value.to_string_lossy().into_owned();
            (name.to_string_lossy().into_owned(), SecretString::from(value))
        };
        std::env::vars_os().map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_stands_for_the_whole_environment() {
        let given = Environment::parse(br#"{"LITER_A":"one","EMPTY":""}"#).unwrap();
        assert_eq!(given.get("LITER_A").as_deref(), Some("one"));
        assert_eq!((given.get("EMPTY").as_deref(), given.some("EMPTY")), (Some(""), None));
        // PATH is set wherever tests run.
        assert_eq!(given.get("PATH"), None);
        assert!(Environment::process().get("PATH").is_some());
        assert_eq!(Environment::process().get("A=B"), None);
    }

    #[test]
    fn neither_a_fault_nor_debug_shows_a_value() {
        let given = Environment::parse(br#"{"KEY":"sk-canary"}"#).unwrap();
        assert!(!format!("{given:?}").contains("canary"));
        for wrong in [r#"{"KEY":["sk-canary"]}"#, r#"["sk-canary"]"#, r#"{"KEY":"sk-canary"#] {
            let error = Environment::parse(wrong.as_bytes()).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
