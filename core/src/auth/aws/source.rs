//! The sources of AWS's keys. Each says that it is not there, gives keys, or fails.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::sign::Keys;
use crate::auth::KeyRef;
use crate::auth::key::Key;
use crate::codec::Object;
use crate::http;
use crate::json::Value;
use crate::wire::retry_after;

/// One source of keys.
#[derive(Clone, Debug)]
pub enum Source {
    /// Keys in the configuration or the environment.
    Keys {
        /// Where they are, for messages.
        name: &'static str,
        /// The access key's id.
        id: KeyRef,
        /// The secret access key.
        secret: KeyRef,
        /// The token of temporary keys.
        token: Option<KeyRef>,
    },
    /// A profile of AWS's files.
    Profile(Profile),
    /// A role for a token in a file (IRSA).
    WebIdentity(WebIdentity),
    /// The metadata server of a container, or of a machine.
    Metadata(Metadata),
    /// A variable of the environment that says something impossible. Only a call that needs keys
    /// fails by it.
    Wrong {
        /// The variable.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// A profile of AWS's files.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Whether the name was asked for, so that it has to be there.
    pub asked: bool,
    /// The file of keys, `~/.aws/credentials`.
    pub credentials: PathBuf,
    /// The file of settings, `~/.aws/config`.
    pub config: PathBuf,
}

/// A role that is assumed with a token.
#[derive(Clone, Debug)]
pub struct WebIdentity {
    /// The file with the token. It is read each time, because it is replaced.
    pub token_file: PathBuf,
    /// The role's ARN.
    pub role: String,
    /// The name of the session.
    pub session: String,
    /// How AWS's token service is reached.
    pub http: http::Settings,
}

/// A server that gives keys to what runs on it.
#[derive(Clone, Debug)]
pub enum Metadata {
    /// The server of a container. The base URL is the whole URL.
    Container {
        /// How it is reached.
        http: http::Settings,
        /// The value of the `authorization` header.
        token: Option<KeyRef>,
    },
    /// The server of a machine (IMDSv2).
    Machine {
        /// How it is reached.
        http: http::Settings,
    },
}

impl Source {
    /// The keys, if they are known without a look at a file or server.
    pub(super) fn known(&self) -> Option<Arc<Keys>> {
        let Source::Keys { id, secret, token, .. } = self else { return None };
        let known = |from: &KeyRef| Key::new(from.clone()).known();
        let token = token.as_ref().and_then(known);
        Some(Arc::new(Keys { id: known(id)?, secret: known(secret)?, token }))
    }

    /// Its name in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Source::Keys { name, .. } => (*name).to_owned(),
            Source::Profile(profile) => {
                format!("the profile {} of {}", profile.name, profile.credentials.display())
            }
            Source::WebIdentity(web) => format!("the web identity of {}", web.role),
            Source::Wrong { name, .. } => name.clone(),
            Source::Metadata(Metadata::Container { .. }) => "the container's server".to_owned(),
            Source::Metadata(Metadata::Machine { .. }) => {
                "the machine's metadata server".to_owned()
            }
        }
    }
}

/// The time for which files count as unchanged without a look.
const SEEN: Duration = Duration::from_secs(1);

/// Keys, and until when they are valid.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) keys: Arc<Keys>,
    pub(super) expires: Option<SystemTime>,
    /// When the files were read that the keys are from.
    pub(super) seen: Option<Instant>,
}

impl Found {
    /// Whether the keys are valid for longer than this. `now` is the provider's time.
    pub(super) fn lasts(&self, time: Duration, now: SystemTime) -> bool {
        self.seen.is_none_or(|seen| seen.elapsed() < SEEN)
            && self.expires.is_none_or(|expires| expires > now + time)
    }

    /// Whether the source may give other keys later.
    pub(super) fn changes(&self) -> bool {
        self.seen.is_some() || self.expires.is_some()
    }
}

/// The keys of a document: `{"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}`.
pub(super) fn of_document(document: &Object) -> Result<Found, String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    found(text("AccessKeyId"), text("SecretAccessKey"), text("Token"), text("Expiration"))
}

/// Keys with these texts. Those without an end are asked for again after an hour at the latest.
pub(super) fn found(id: &str, secret: &str, token: &str, expires: &str) -> Result<Found, String> {
    if id.is_empty() || secret.is_empty() {
        return Err("its answer has no keys".to_owned());
    }
    let at = retry_after::unix_time(expires).and_then(|at| u64::try_from(at).ok());
    let at = at.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at));
    let secret_of = |text: &str| SecretString::from(text.to_owned());
    let token = Some(token).filter(|token| !token.is_empty()).map(secret_of);
    let keys = Keys { id: secret_of(id), secret: secret_of(secret), token };
    let hour = || SystemTime::now() + Duration::from_secs(3_600);
    Ok(Found { keys: keys.into(), expires: Some(at.unwrap_or_else(hour)), seen: None })
}

/// The text of a secret that is there.
pub(super) fn text(secret: &SecretString) -> &str {
    secret.expose_secret()
}
