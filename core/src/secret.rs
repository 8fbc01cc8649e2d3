//! Keys: read late, held zeroised, shown never.
//!
//! A secret has no `Debug` that shows it, no `Display` and no `Serialize`. Its text is taken out in
//! one place, `http`, and only for the origin that the key belongs to.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, ErrorKind};

/// Where a key is found. References are resolved at the first use, so that a client can be made
/// before the key exists, and a missing key is an error of the call that needs it.
#[derive(Clone, Debug)]
pub enum KeyRef {
    /// `env:NAME`.
    Env(String),
    /// `file:/path`; surrounding white space is cut off.
    File(PathBuf),
    /// The key itself, in the configuration document.
    Literal(SecretString),
    /// The server asks for none (a local Ollama or vLLM).
    None,
}

impl KeyRef {
    /// Reads `env:NAME`, `file:/path`, or the key itself.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Some(name) = text.strip_prefix("env:") {
            KeyRef::Env(name.to_owned())
        } else if let Some(path) = text.strip_prefix("file:") {
            KeyRef::File(PathBuf::from(path))
        } else {
            KeyRef::Literal(SecretString::from(text.to_owned()))
        }
    }

    /// The key, or `None` where the server asks for none.
    pub fn resolve(&self, provider: &str) -> Result<Option<SecretString>, Error> {
        let missing = |what: String| {
            Err(Error::new(ErrorKind::Authentication, what)
                .with(|e| e.provider = Some(provider.to_owned())))
        };
        let key = match self {
            KeyRef::None => return Ok(None),
            KeyRef::Literal(key) => key.clone(),
            KeyRef::Env(name) => match std::env::var(name) {
                Ok(value) => SecretString::from(value.trim().to_owned()),
                Err(_) => {
                    return missing(format!(
                        "no key for {provider}: set the environment variable {name}, or \
                         providers.{provider}.api_key in the configuration"
                    ));
                }
            },
            KeyRef::File(path) => match std::fs::read_to_string(path) {
                Ok(value) => SecretString::from(value.trim().to_owned()),
                Err(error) => {
                    return missing(format!(
                        "no key for {provider}: cannot read {}: {}",
                        path.display(),
                        error.kind()
                    ));
                }
            },
        };
        if key.expose_secret().is_empty() {
            return missing(format!("the key for {provider} is empty"));
        }
        Ok(Some(key))
    }

    /// `text` without the key: some servers repeat it in their complaint about it.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        let key = self.resolve("").ok()??;
        let key = key.expose_secret();
        // A key of a few characters is a word that a message may well hold.
        (key.len() >= 8 && text.contains(key)).then(|| text.replace(key, "[key]"))
    }
}
