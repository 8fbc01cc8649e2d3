//! A credential adds to an outgoing request the proof of who sends it.
//!
//! A credential belongs to one provider and is asked by `call` alone; adapters see none. It is
//! asked again for each attempt, so that a key changed meanwhile counts from the next attempt on.

#[cfg(feature = "aws")]
pub mod aws;
mod key;
mod proof;
mod secrets;

pub use key::KeyRef;
pub use proof::Proof;
pub use secrets::Secrets;

use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret;
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
    #[cfg(feature = "aws")]
    aws: Option<aws::Aws>,
}

impl Credential {
    /// Makes the credential of the provider with this name. It reads nothing yet.
    #[must_use]
    pub fn new(provider: Arc<str>, key: KeyRef) -> Self {
        Credential {
            provider,
            key: Key::new(key),
            #[cfg(feature = "aws")]
            aws: None,
        }
    }

    /// The same with AWS's keys instead, if there are settings for them.
    #[cfg(feature = "aws")]
    #[must_use]
    pub fn signing(self, settings: Option<Arc<aws::Settings>>, network: aws::Network) -> Self {
        let aws = settings.map(|settings| aws::Aws::new(settings, network));
        Credential { aws, ..self }
    }

    /// The key, if it is known without a look at a file.
    #[must_use]
    pub fn known(&self) -> Option<Proof> {
        self.key.known().map(Proof::Key)
    }

    /// Adds the credential to a request, and returns what it sends. `blocking` is the
    /// runtime whose threads read files; the default is the call's. The error kind is
    /// `authentication` if there is no key, or none that can be sent.
    pub async fn authorize(
        &self,
        scheme: Scheme,
        request: &mut Request,
        blocking: Option<&Handle>,
    ) -> Result<Option<Proof>, Error> {
        #[cfg(feature = "aws")]
        if let Some(aws) = &self.aws {
            // Boxed: few providers sign, and each call's future would have room for it.
            let signed = Box::pin(aws.sign(&self.provider, request, blocking)).await?;
            return Ok(Some(Proof::Signed(signed)));
        }
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
        Ok(Some(Proof::Key(key)))
    }

    /// Records that the provider refused the credential, so that a key file is read again next
    /// time, and AWS's keys are fetched again.
    pub fn refused(&self) {
        self.key.forget();
        #[cfg(feature = "aws")]
        if let Some(aws) = &self.aws {
            aws.refused();
        }
    }

    /// Whether a refused signature had a wrong time, by the head of the refusal. The next one has the
    /// provider's time, so the request may pass once it is signed again.
    #[must_use]
    pub fn was_untimely(&self, proof: &Proof, head: &HeaderMap) -> bool {
        match proof {
            Proof::Key(_) => {
                let _ = head;
                false
            }
            #[cfg(feature = "aws")]
            Proof::Signed(signed) => self.aws.as_ref().is_some_and(|aws| aws.heard(signed, head)),
        }
    }
}
