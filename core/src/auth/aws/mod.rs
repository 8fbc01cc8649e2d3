//! AWS's credentials: keys from one of several sources, with which each request is signed.
//!
//! Temporary keys are fetched again before they expire, by one flight for all. Keys that are still
//! valid are used meanwhile. Keys in files are read again when they are older than a second.
//!
//! A refused signature may mean that this machine's clock is wrong. The provider's `Date` then gives
//! the time, and the call is signed once more. It may also mean that temporary keys have ended
//! early. Then the call is signed once more with the next ones.

mod ask;
mod metadata;
mod profile;
mod sign;
mod source;
mod web_identity;

pub use sign::{Scope, is_signed};
pub use source::{Metadata, Profile, Source, WebIdentity};

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use super::fetch::{self, Network};
use super::flight::Flights;
use crate::error::{Error, ErrorKind};
use crate::wire::{Plane, Request, headers};
use sign::Keys;
use source::Found;

/// A clock that is wrong by less than this is not the reason of a refusal: AWS allows 5 minutes.
const SKEW: i64 = 240;

/// The classes of refusals of a signature's time [sdk].
const CLOCK: [&str; 3] = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"];

/// The classes of refusals of keys that have ended [spec].
const ENDED: [&str; 2] = ["ExpiredTokenException", "ExpiredToken"];

/// Where a provider's keys come from, and what is signed with them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a signature is for.
    pub scope: Scope,
    /// The same for requests to the control plane, if its URL is known.
    pub control: Option<Scope>,
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
    /// The source may give other keys by now.
    changes: bool,
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
    keys: Flights<Found>,
    /// The provider's time minus that of this machine, in seconds.
    clock: Arc<AtomicI64>,
}

impl Aws {
    pub(super) fn new(settings: Arc<Settings>, network: Network) -> Self {
        Aws { settings, network, keys: Flights::new(), clock: Arc::default() }
    }

    /// The keys that are known, without a signature.
    pub(super) fn known(&self) -> Option<Signed> {
        let keys = self.keys.known().map(|found| found.keys);
        let keys = keys.or_else(|| self.settings.sources.iter().find_map(Source::known))?;
        let signature = SecretString::default();
        Some(Signed { keys, signature, clock: 0, changes: false })
    }

    /// Waits until there are keys. `blocking` is the runtime that asks the sources; the default is the
    /// call's.
    pub(super) async fn ready(
        &self,
        provider: &Arc<str>,
        blocking: Option<&Handle>,
    ) -> Result<(), Error> {
        self.found(provider, blocking).await.map(drop)
    }

    /// Signs a request.
    pub(super) async fn sign(
        &self,
        provider: &Arc<str>,
        request: &mut Request,
        blocking: Option<&Handle>,
    ) -> Result<Box<Signed>, Error> {
        let found = self.found(provider, blocking).await?;
        let changes = found.changes();
        let (keys, clock) = (found.keys, self.clock.load(Ordering::Relaxed));
        let now = unix(SystemTime::now()) + clock;
        let Settings { scope, control, .. } = &*self.settings;
        let scope = match request.plane {
            Plane::Data => scope,
            Plane::Control => control.as_ref().unwrap_or(scope),
        };
        let signature = sign::sign(request, &keys, scope, now)
            .map_err(|error| error.with(|e| e.provider = Some(provider.to_string())))?;
        Ok(Box::new(Signed { keys, signature, clock, changes }))
    }

    async fn found(&self, provider: &Arc<str>, blocking: Option<&Handle>) -> Result<Found, Error> {
        let lasts = |found: &Found, time| found.lasts(time, now(&self.clock));
        let fetch = || {
            let asking = Asking {
                settings: Arc::clone(&self.settings),
                network: self.network.clone(),
                provider: Arc::clone(provider),
                blocking: blocking.cloned(),
                clock: Arc::clone(&self.clock),
            };
            asking.ask()
        };
        self.keys.get(blocking, lasts, fetch).await
    }

    /// Records a refusal of a signature: its class, and the head of the answer. Returns whether the
    /// same request may pass once it is signed again.
    ///
    /// If its time was another one than the provider's, the keys may be right. Otherwise they are
    /// forgotten, unless they were replaced meanwhile.
    pub(super) fn refused(&self, signed: &Signed, class: Option<&str>, head: &HeaderMap) -> bool {
        let is = |classes: &[&str]| class.is_some_and(|class| classes.contains(&class));
        let mended = self.heard(signed, head);
        if mended || is(&CLOCK) {
            return mended;
        }
        self.keys.forget(|known| Arc::ptr_eq(&known.keys, &signed.keys));
        signed.changes && is(&ENDED)
    }

    /// Learns the provider's time. Returns whether it was another one than that of the signature.
    fn heard(&self, signed: &Signed, head: &HeaderMap) -> bool {
        let Some(theirs) = headers::date(head) else { return false };
        let clock = theirs - unix(SystemTime::now());
        if (clock - signed.clock).abs() < SKEW {
            return false;
        }
        self.clock.store(clock, Ordering::Relaxed);
        true
    }
}

/// What one flight needs.
struct Asking {
    settings: Arc<Settings>,
    network: Network,
    provider: Arc<str>,
    blocking: Option<Handle>,
    clock: Arc<AtomicI64>,
}

impl Asking {
    /// Asks the sources in their order. One that is there but fails is the answer: a later one would
    /// be another identity.
    async fn ask(self) -> Result<Found, Error> {
        let (provider, blocking) = (&*self.provider, self.blocking.as_ref());
        let mut absent = Vec::new();
        for source in &self.settings.sources {
            match ask::keys(source, &self.network, provider, blocking).await {
                // The clock may have been mended with a wrong date.
                Ok(Some(found))
                    if [now(&self.clock), SystemTime::now()]
                        .into_iter()
                        .any(|now| found.lasts(Duration::ZERO, now)) =>
                {
                    return Ok(found);
                }
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

/// The provider's time. A correction beyond all time is none.
fn now(clock: &AtomicI64) -> SystemTime {
    let (now, clock) = (SystemTime::now(), clock.load(Ordering::Relaxed));
    let by = Duration::from_secs(clock.unsigned_abs());
    let then = if clock < 0 { now.checked_sub(by) } else { now.checked_add(by) };
    then.unwrap_or(now)
}

/// Seconds since 1970.
fn unix(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::KeyRef;
    use crate::http::Lookups;

    /// The id of the keys that sign now.
    async fn id(aws: &Aws) -> Result<String, String> {
        let (provider, mut request) = (Arc::from("bedrock"), Request::get("/"));
        let signed = aws.sign(&provider, &mut request, None).await;
        let id = |signed: Box<Signed>| signed.keys.id.expose_secret().to_owned();
        signed.map(id).map_err(|error| error.message.clone())
    }

    fn aws(source: Source) -> Aws {
        let scope = Scope {
            region: "eu-west-1".into(),
            service: "bedrock",
            host: "h".into(),
            base_path: String::new(),
            query: String::new(),
        };
        let settings = Settings { scope, control: None, sources: vec![source] };
        Aws::new(settings.into(), Network { lookups: Lookups::default(), network: None })
    }

    #[tokio::test(start_paused = true)]
    async fn keys_in_files_are_read_again_when_they_change() {
        let path = std::env::temp_dir().join(format!("liter-aws-{}-changes", std::process::id()));
        let file = KeyRef::File(path.clone());
        let secret = KeyRef::Literal("secret".to_owned().into());
        let keys = Source::Keys { name: "x", id: file, secret, token: None };
        let profile = Source::Profile(Profile {
            name: "default".into(),
            asked: true,
            credentials: path.clone(),
            config: "/nowhere".into(),
        });
        let profiled =
            |id: &str| format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = s\n");
        for (source, written) in [(keys, str::to_owned as fn(&str) -> String), (profile, profiled)]
        {
            let aws = aws(source);
            std::fs::write(&path, written("AKID1")).unwrap();
            assert_eq!(id(&aws).await.unwrap(), "AKID1");
            std::fs::write(&path, written("AKID2")).unwrap();
            assert_eq!(id(&aws).await.unwrap(), "AKID1", "files are read once a second at most");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(id(&aws).await.unwrap(), "AKID2");
            std::fs::remove_file(&path).unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(id(&aws).await.is_err());
        }
    }

    /// Keys that a date far in the future has ended are still used if their source gives no others.
    #[tokio::test]
    async fn a_wrong_date_makes_no_keys_useless() {
        let found = |seconds| {
            let expires = Some(SystemTime::now() + Duration::from_secs(seconds));
            let secret = |text: &str| SecretString::from(text.to_owned());
            let keys = Keys { id: secret("a"), secret: secret("b"), token: None };
            Found { keys: Arc::new(keys), expires, seen: None }
        };
        let clock = AtomicI64::new(3_600);
        assert!(!found(3_000).lasts(Duration::ZERO, now(&clock)));
        assert!(found(3_000).lasts(Duration::ZERO, SystemTime::now()));
        assert!(found(4_000).lasts(Duration::ZERO, now(&clock)));
        clock.store(i64::MAX, Ordering::Relaxed);
        assert!(found(4_000).lasts(Duration::ZERO, now(&clock)), "beyond all time");
        clock.store(-3_600, Ordering::Relaxed);
        assert!(found(0).lasts(Duration::from_secs(3_000), now(&clock)));
    }
}
