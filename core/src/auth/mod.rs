//! Credentials: a request is handed in on its way out and comes back with what proves who sends it.
//!
//! A credential belongs to one provider and is asked by `call` alone; adapters see none. It is asked
//! anew for each attempt, so that a key that was changed meanwhile counts from the next one on.

mod key;

pub use key::KeyRef;

use std::sync::Arc;

use ::http::header::AUTHORIZATION;
use ::http::{HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind};
use crate::wire::{Request, Scheme};
use key::Key;

/// What proves to one provider who sends a request.
#[derive(Debug)]
pub struct Credential {
    /// The provider's name in the configuration, for messages.
    provider: Arc<str>,
    key: Key,
}

impl Credential {
    /// The credential of the provider of this name. Reads nothing yet.
    #[must_use]
    pub fn new(provider: Arc<str>, key: KeyRef) -> Self {
        Credential { provider, key: Key::new(key) }
    }

    /// Adds to a request what proves who sends it. `blocking`: the runtime whose threads read files;
    /// else that of the call. An error of kind `authentication`: there is no key, or none that can
    /// be sent.
    pub async fn authorize(
        &self,
        scheme: Scheme,
        request: &mut Request,
        blocking: Option<&Handle>,
    ) -> Result<(), Error> {
        let Some(key) = self.key.read(&self.provider, blocking).await? else { return Ok(()) };
        let (name, before) = match scheme {
            Scheme::Bearer => (AUTHORIZATION, "Bearer "),
            Scheme::Header(name) => (HeaderName::from_static(name), ""),
        };
        // In memory of its size, so that it is not moved, which would leave a copy behind.
        let text = [before.as_bytes(), key.expose_secret().as_bytes()].concat();
        let mut value = HeaderValue::try_from(text).map_err(|_| {
            Error::new(
                ErrorKind::Authentication,
                format!("the key of {} has characters that no header can hold", self.provider),
            )
        })?;
        value.set_sensitive(true);
        request.headers.push((name, value));
        Ok(())
    }

    /// The provider refused the credential: what is kept of a key file is read again next time.
    pub fn refused(&self) {
        self.key.forget();
    }

    /// `text` without the key: some servers repeat it in their complaint about it. `None`: it holds
    /// no key.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        let key = self.key.known()?;
        let key = key.expose_secret();
        // A key of a few characters is a word that a message may well hold.
        (key.len() >= 8 && text.contains(key)).then(|| text.replace(key, "[key]"))
    }
}
