//! A credential adds to an outgoing request the proof of who sends it.
//!
//! A credential belongs to one provider and is asked by `call` alone; adapters see none. It is
//! asked again for each attempt, so that a key changed meanwhile counts from the next attempt on.

mod key;
mod secrets;

pub use key::KeyRef;
pub use secrets::Secrets;

use std::sync::Arc;

use ::http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind};
use crate::wire::{Request, Scheme};
use key::Key;

/// The proof for one provider of who sends a request.
#[derive(Debug)]
pub struct Credential {
    /// The provider's name in the configuration, for messages.
    provider: Arc<str>,
    key: Key,
}

impl Credential {
    /// Makes the credential of the provider with this name. It reads nothing yet.
    #[must_use]
    pub fn new(provider: Arc<str>, key: KeyRef) -> Self {
        Credential { provider, key: Key::new(key) }
    }

    /// The key, if it is known without a look at a file.
    #[must_use]
    pub fn known(&self) -> Option<SecretString> {
        self.key.known()
    }

    /// Adds the credential to a request, and returns the key that it sends. `blocking` is the
    /// runtime whose threads read files; the default is the call's. The error kind is
    /// `authentication` if there is no key, or none that can be sent.
    pub async fn authorize(
        &self,
        scheme: Scheme,
        request: &mut Request,
        blocking: Option<&Handle>,
    ) -> Result<Option<SecretString>, Error> {
        let Some(key) = self.key.read(&self.provider, blocking).await? else { return Ok(None) };
        let (name, before) = scheme.header();
        // The memory has the final size, because moving the text would leave a copy of the key
        // behind.
        let text = [before.as_bytes(), key.expose_secret().as_bytes()].concat();
        let mut value = HeaderValue::try_from(text).map_err(|_| {
            Error::new(
                ErrorKind::Authentication,
                format!("the key of {} has characters that no header can hold", self.provider),
            )
        })?;
        value.set_sensitive(true);
        request.headers.push((name, value));
        Ok(Some(key))
    }

    /// Records that the provider refused the credential, so that a key file is read again next
    /// time.
    pub fn refused(&self) {
        self.key.forget();
    }
}
