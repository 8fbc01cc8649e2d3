//! A credential adds to an outgoing request the proof of who sends it.
//!
//! A credential belongs to one provider and is asked by `call` alone; adapters see none. It is
//! asked again for each attempt, so that a key changed meanwhile counts from the next attempt on.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
mod flight;
mod key;
mod proof;
mod secrets;

pub use key::KeyRef;
pub use proof::Proof;
pub use secrets::Secrets;

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};
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

    /// What is known of the credential without a look at a file, or at another source.
    #[must_use]
    pub fn known(&self) -> Option<Proof> {
        #[cfg(feature = "aws")]
        if let Some(aws) = &self.aws {
            return aws.known().map(Box::new).map(Proof::Signed);
        }
        self.key.known().map(Proof::Key)
    }

    /// Whether requests are signed.
    #[must_use]
    pub fn signs(&self) -> bool {
        #[cfg(feature = "aws")]
        return self.aws.is_some();
        #[cfg(not(feature = "aws"))]
        false
    }

    /// Whether the credential needs this header for itself.
    #[must_use]
    pub fn owns(&self, scheme: &Scheme, name: &HeaderName) -> bool {
        #[cfg(feature = "aws")]
        if self.aws.is_some() {
            return aws::is_signed(name);
        }
        scheme.clone().header().0 == *name
    }

    /// Waits until the credential is there, so that a call without one fails before it waits for
    /// anything else. The arguments and errors are those of [`Credential::authorize`].
    pub async fn ready(&self, blocking: Option<&Handle>) -> Result<(), Error> {
        #[cfg(feature = "aws")]
        if let Some(aws) = &self.aws {
            return Box::pin(aws.ready(&self.provider, blocking)).await;
        }
        self.key.ready(&self.provider, blocking).await
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

    /// Records that the provider refused the credential that it was sent, `None` if none is known: a
    /// key file is read again next time, and AWS's keys are fetched again. `class` is the code of
    /// the refusal, `head` its headers. Returns whether the same request may pass once it has the
    /// credential as it is now: the clock of a signature was wrong, or temporary keys had ended.
    pub fn refused(&self, proof: Option<&Proof>, class: Option<&str>, head: &HeaderMap) -> bool {
        match proof {
            None | Some(Proof::Key(_)) => {
                let _ = (class, head);
                self.key.forget();
                false
            }
            #[cfg(feature = "aws")]
            Some(Proof::Signed(signed)) => {
                self.aws.as_ref().is_some_and(|aws| aws.refused(signed, class, head))
            }
        }
    }
}
