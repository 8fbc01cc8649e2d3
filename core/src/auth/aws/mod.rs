//! AWS's credentials: keys from one of several sources, with which each request is signed.
//!
//! Temporary keys are fetched again before they expire, by one call for all: the others wait for it.
//! If that fails, keys that are still valid are used on. A refused signature may mean that this
//! machine's clock is wrong. The provider's `Date` then gives the time, and the call is signed once
//! more.

mod ask;
mod metadata;
mod profile;
mod sign;
mod source;
mod web_identity;

pub use sign::Scope;
pub use source::{Metadata, Profile, Source, WebIdentity};

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use super::fetch::{self, Network};
use crate::error::{Error, ErrorKind};
use crate::wire::{Request, headers};
use sign::Keys;
use source::Found;

/// Temporary keys are fetched again when they are valid for less than this.
const EARLY: Duration = Duration::from_secs(300);

/// A clock that is wrong by less than this is not the reason of a refusal: AWS allows 5 minutes.
const SKEW: i64 = 240;

/// Where a provider's keys come from, and what is signed with them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What each signature is for.
    pub scope: Scope,
    /// The sources, in the order in which they are asked.
    pub sources: Vec<Source>,
}

/// What a signed request was sent with.
#[derive(Clone, Debug)]
pub struct Signed {
    keys: Arc<Keys>,
    signature: SecretString,
    /// What the clock was corrected by, in seconds.
    clock: i64,
}

impl Signed {
    pub(super) fn each(&self, mut secret: impl FnMut(&str)) {
        let Keys { id, secret: key, token } = &*self.keys;
        for text in [id, key, &self.signature].into_iter().chain(token) {
            secret(text.expose_secret());
        }
    }
}

/// The credentials of one provider.
pub(super) struct Aws {
    settings: Arc<Settings>,
    network: Network,
    found: Mutex<Option<Found>>,
    /// Held by the call that asks the sources.
    asking: tokio::sync::Mutex<()>,
    /// The provider's time minus that of this machine, in seconds.
    clock: AtomicI64,
}

impl Aws {
    pub(super) fn new(settings: Arc<Settings>, network: Network) -> Self {
        let (found, asking) = (Mutex::default(), tokio::sync::Mutex::default());
        Aws { settings, network, found, asking, clock: AtomicI64::new(0) }
    }

    /// Signs a request.
    pub(super) async fn sign(
        &self,
        provider: &str,
        request: &mut Request,
        blocking: Option<&Handle>,
    ) -> Result<Box<Signed>, Error> {
        let keys = self.keys(provider, blocking).await?;
        let clock = self.clock.load(Ordering::Relaxed);
        let now = unix(SystemTime::now()) + clock;
        let signature = sign::sign(request, &keys, &self.settings.scope, now)
            .map_err(|error| error.with(|e| e.provider = Some(provider.to_owned())))?;
        Ok(Box::new(Signed { keys, signature, clock }))
    }

    /// Forgets the keys, because the provider refused them.
    pub(super) fn refused(&self) {
        *self.lock() = None;
    }

    /// Learns the provider's time from the head of a refusal. Returns whether it was another one than
    /// that of the signature, so that the same request may pass now.
    pub(super) fn heard(&self, signed: &Signed, head: &HeaderMap) -> bool {
        let Some(theirs) = headers::date(head) else { return false };
        let clock = theirs - unix(SystemTime::now());
        if (clock - signed.clock).abs() < SKEW {
            return false;
        }
        self.clock.store(clock, Ordering::Relaxed);
        true
    }

    async fn keys(&self, provider: &str, blocking: Option<&Handle>) -> Result<Arc<Keys>, Error> {
        if let Some(keys) = self.known(EARLY) {
            return Ok(keys);
        }
        let _turn = self.asking.lock().await;
        // Another call may have asked meanwhile.
        if let Some(keys) = self.known(EARLY) {
            return Ok(keys);
        }
        // Boxed: few calls ask, and each one's future would have room for it.
        match Box::pin(self.ask(provider, blocking)).await {
            Ok(found) => {
                let keys = Arc::clone(&found.keys);
                *self.lock() = Some(found);
                Ok(keys)
            }
            Err(error) => self.known(Duration::ZERO).ok_or(error),
        }
    }

    fn known(&self, time: Duration) -> Option<Arc<Keys>> {
        self.lock().as_ref().filter(|found| found.lasts(time)).map(|found| Arc::clone(&found.keys))
    }

    /// Asks the sources in their order. One that is there but fails is the answer: a later one would
    /// be another identity.
    async fn ask(&self, provider: &str, blocking: Option<&Handle>) -> Result<Found, Error> {
        let mut absent = Vec::new();
        for source in &self.settings.sources {
            match ask::keys(source, &self.network, provider, blocking).await {
                Ok(Some(found)) if found.lasts(Duration::ZERO) => return Ok(found),
                Ok(Some(_)) => return Err(failed(provider, source, "its keys have expired")),
                Ok(None) => absent.push(source.name()),
                Err(reason) => return Err(failed(provider, source, &reason)),
            }
        }
        let message = format!(
            "no credentials for {provider}: give an api_key or aws in providers.{provider}, or set \
             AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (not there: {})",
            absent.join(", ")
        );
        Err(refusal(provider, message))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn failed(provider: &str, source: &Source, reason: &str) -> Error {
    let name = source.name();
    refusal(provider, format!("no credentials for {provider} from {name}: {reason}"))
}

fn refusal(provider: &str, message: String) -> Error {
    Error::new(ErrorKind::Authentication, message).with(|e| e.provider = Some(provider.to_owned()))
}

/// Seconds since 1970.
fn unix(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
