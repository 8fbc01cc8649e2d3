//! A credential adds to an outgoing request the proof of who sends it.
//!
//! A credential belongs to one provider and is asked by `call` alone; adapters see none. It is
//! asked again for each attempt, so that a key changed meanwhile counts from the next attempt on.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "azure")]
pub mod azure;
#[cfg(unix)]
mod exec;
#[cfg(any(feature = "aws", feature = "azure", feature = "google"))]
mod fetch;
#[cfg(any(unix, feature = "aws", feature = "azure", feature = "google"))]
mod flight;
#[cfg(feature = "google")]
pub mod google;
#[cfg(any(feature = "azure", feature = "google"))]
mod jwt;
mod key;
#[cfg(any(feature = "azure", feature = "google"))]
mod oauth;
mod proof;
#[cfg(feature = "redis")]
mod secret;
mod secrets;
#[cfg(any(unix, feature = "azure", feature = "google"))]
mod token;

#[cfg(any(feature = "aws", feature = "azure"))]
pub use fetch::far;
#[cfg(any(feature = "aws", feature = "azure", feature = "google"))]
pub use fetch::{Network, near};
pub use key::KeyRef;
pub(crate) use key::Variables;
#[cfg(any(feature = "azure", feature = "google"))]
pub use oauth::Reach;
#[cfg(feature = "azure")]
pub(crate) use oauth::{near_url, secret_url};
pub use proof::Proof;
#[cfg(feature = "redis")]
pub use secret::Secret;
pub use secrets::Secrets;

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind};
use crate::wire::{Request, Scheme};
use key::Key;
#[cfg(any(feature = "azure", feature = "google"))]
use token::Tokens;

/// The proof for one provider of who sends a request.
#[derive(Debug)]
pub struct Credential {
    /// The provider's name in the configuration, for messages.
    provider: Arc<str>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Key(Key),
    #[cfg(feature = "aws")]
    Aws(aws::Aws),
    #[cfg(any(feature = "azure", feature = "google"))]
    Token(Tokens),
}

impl Credential {
    /// Makes the credential of the provider with this name. It reads nothing yet.
    #[must_use]
    pub fn new(provider: Arc<str>, key: KeyRef) -> Self {
        Credential { provider, kind: Kind::Key(Key::new(key)) }
    }

    /// The same with AWS's keys instead, if there are settings for them.
    #[cfg(feature = "aws")]
    #[must_use]
    pub fn signing(self, settings: Option<Arc<aws::Settings>>, network: &Network) -> Self {
        let Some(settings) = settings else { return self };
        Credential { kind: Kind::Aws(aws::Aws::new(settings, network.clone())), ..self }
    }

    /// The same with Google's tokens instead, if there are settings for them.
    #[cfg(feature = "google")]
    #[must_use]
    pub fn of_google(self, settings: Option<Arc<google::Settings>>, network: &Network) -> Self {
        let Some(settings) = settings else { return self };
        let google = google::Google::new(settings, network.clone(), Arc::clone(&self.provider));
        Credential { kind: Kind::Token(Tokens::new(Arc::new(google))), ..self }
    }

    /// The same with Entra ID's tokens instead, if there are settings for them.
    #[cfg(feature = "azure")]
    #[must_use]
    pub fn of_entra(self, settings: Option<Arc<azure::Settings>>, network: &Network) -> Self {
        let Some(settings) = settings else { return self };
        let entra = azure::Entra::new(settings, network.clone(), Arc::clone(&self.provider));
        Credential { kind: Kind::Token(Tokens::new(Arc::new(entra))), ..self }
    }

    /// What is known of the credential without a look at a file, or at another source.
    #[must_use]
    pub fn known(&self) -> Option<Proof> {
        match &self.kind {
            Kind::Key(key) => key.known().map(Proof::Key),
            #[cfg(feature = "aws")]
            Kind::Aws(aws) => aws.known().map(Box::new).map(Proof::Signed),
            #[cfg(any(feature = "azure", feature = "google"))]
            Kind::Token(tokens) => tokens.known().map(Proof::Key),
        }
    }

    /// Whether requests are signed.
    #[must_use]
    pub fn signs(&self) -> bool {
        match &self.kind {
            #[cfg(feature = "aws")]
            Kind::Aws(_) => true,
            _ => false,
        }
    }

    /// Whether the credential needs this header for itself.
    #[must_use]
    pub fn owns(&self, scheme: &Scheme, name: &HeaderName) -> bool {
        match &self.kind {
            #[cfg(feature = "aws")]
            Kind::Aws(_) => aws::is_signed(name),
            _ => scheme.clone().header().0 == *name,
        }
    }

    /// Waits until the credential is there, so that a call without one fails before it waits for
    /// anything else. The arguments and errors are those of [`Credential::authorize`].
    pub async fn ready(&self, blocking: Option<&Handle>) -> Result<(), Error> {
        match &self.kind {
            Kind::Key(key) => key.ready(&self.provider, blocking).await,
            #[cfg(feature = "aws")]
            Kind::Aws(aws) => Box::pin(aws.ready(&self.provider, blocking)).await,
            #[cfg(any(feature = "azure", feature = "google"))]
            Kind::Token(tokens) => Box::pin(tokens.get(&self.provider, blocking)).await.map(drop),
        }
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
        let key = match &self.kind {
            Kind::Key(key) => key.read(&self.provider, blocking).await?,
            #[cfg(feature = "aws")]
            Kind::Aws(aws) => {
                // Boxed: few providers sign, and each call's future would have room for it.
                let signed = Box::pin(aws.sign(&self.provider, request, blocking)).await?;
                return Ok(Some(Proof::Signed(signed)));
            }
            #[cfg(any(feature = "azure", feature = "google"))]
            Kind::Token(tokens) => {
                let token = Box::pin(tokens.get(&self.provider, blocking)).await?;
                request.headers.extend(token.project());
                Some(token.text().clone())
            }
        };
        let Some(key) = key else { return Ok(None) };
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
    /// key file is read again next time, AWS's keys are fetched again, and a program or an issuer of
    /// tokens is asked at once. `class` is the code of the refusal, `head` its headers. Returns
    /// whether the same request may pass once it has the credential as it is now: there is another
    /// one, or the clock of a signature was wrong.
    pub async fn refused(
        &self,
        proof: Option<&Proof>,
        class: Option<&str>,
        head: &HeaderMap,
        blocking: Option<&Handle>,
    ) -> bool {
        let _ = (class, head);
        match (&self.kind, proof) {
            // Boxed: few keys are refused, and each call's future would have room for it.
            (Kind::Key(own), Some(Proof::Key(key))) => {
                Box::pin(own.renew(key, &self.provider, blocking)).await
            }
            #[cfg(any(feature = "azure", feature = "google"))]
            (Kind::Token(tokens), Some(Proof::Key(key))) => {
                Box::pin(tokens.renew(key, &self.provider, blocking)).await
            }
            #[cfg(feature = "aws")]
            (Kind::Aws(aws), Some(Proof::Signed(signed))) => aws.refused(signed, class, head),
            _ => false,
        }
    }
}
