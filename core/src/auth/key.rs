//! Keys: read late, held zeroised, shown never.
//!
//! A secret has no `Debug` that shows it, no `Display` and no `Serialize`. Its text is taken out in
//! one place, [`super::Credential`], and only for the origin that the key belongs to.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::time::Instant;

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
}

/// How long a key file counts as unchanged without a look at it.
const FRESH: Duration = Duration::from_secs(1);

/// One key, with what is kept of its file.
#[derive(Debug)]
pub(super) struct Key {
    from: KeyRef,
    file: Mutex<Option<FileKey>>,
}

/// What was read of a key file.
#[derive(Clone, Debug)]
struct FileKey {
    key: SecretString,
    /// What changes when the file does.
    mark: Mark,
    /// When it was looked at last; `None`: it has to be looked at.
    seen: Option<Instant>,
}

/// A file's length, time of change and number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark(u64, Option<SystemTime>, u64);

impl Mark {
    fn of(file: &Metadata) -> Self {
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(file);
        #[cfg(not(unix))]
        let number = 0;
        Mark(file.len(), file.modified().ok(), number)
    }
}

impl Key {
    pub(super) fn new(from: KeyRef) -> Self {
        Key { from, file: Mutex::default() }
    }

    /// The key, or `None` where the server asks for none.
    pub(super) async fn read(
        &self,
        provider: &str,
        blocking: Option<&Handle>,
    ) -> Result<Option<SecretString>, Error> {
        let key = match &self.from {
            KeyRef::None => return Ok(None),
            KeyRef::Literal(key) => key.clone(),
            KeyRef::Env(name) => match std::env::var(name) {
                Ok(value) => SecretString::from(value.trim().to_owned()),
                Err(_) => {
                    let what = format!(
                        "no key for {provider}: set the environment variable {name}, or \
                         providers.{provider}.api_key in the configuration"
                    );
                    return Err(missing(provider, what));
                }
            },
            // Boxed: few keys lie in files, and every call would carry its future about.
            KeyRef::File(path) => Box::pin(self.read_file(path, provider, blocking)).await?,
        };
        if key.expose_secret().is_empty() {
            return Err(missing(provider, format!("the key for {provider} is empty")));
        }
        Ok(Some(key))
    }

    /// The key as it is known now, without reading a file.
    pub(super) fn known(&self) -> Option<SecretString> {
        match &self.from {
            KeyRef::None => None,
            KeyRef::Literal(key) => Some(key.clone()),
            KeyRef::Env(name) => std::env::var(name).ok().map(|key| key.trim().into()),
            KeyRef::File(_) => self.lock().as_ref().map(|file| file.key.clone()),
        }
    }

    /// The file is looked at before its key is used again.
    pub(super) fn forget(&self) {
        if let Some(file) = &mut *self.lock() {
            file.seen = None;
        }
    }

    /// Reads a key file on a thread that may wait for it, and only where it has changed.
    async fn read_file(
        &self,
        path: &Path,
        provider: &str,
        blocking: Option<&Handle>,
    ) -> Result<SecretString, Error> {
        let known = self.lock().clone();
        if let Some(file) = &known
            && file.seen.is_some_and(|seen| seen.elapsed() < FRESH)
        {
            return Ok(file.key.clone());
        }
        let at = path.to_owned();
        let work = move || changed(&at, known);
        let reading = match blocking {
            Some(handle) => handle.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        };
        let read = reading.await.unwrap_or_else(|_| Err(std::io::ErrorKind::Interrupted.into()));
        let file = read.map_err(|error| {
            let path = path.display();
            missing(
                provider,
                format!("no key for {provider}: cannot read {path}: {}", error.kind()),
            )
        })?;
        let key = file.key.clone();
        *self.lock() = Some(FileKey { seen: Some(Instant::now()), ..file });
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, Option<FileKey>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a key file holds now; `known`, where it is still the same.
fn changed(path: &Path, known: Option<FileKey>) -> std::io::Result<FileKey> {
    let mark = Mark::of(&std::fs::metadata(path)?);
    if let Some(known) = known.filter(|known| known.mark == mark) {
        return Ok(known);
    }
    let key = SecretString::from(std::fs::read_to_string(path)?.trim().to_owned());
    Ok(FileKey { key, mark, seen: None })
}

fn missing(provider: &str, what: String) -> Error {
    Error::new(ErrorKind::Authentication, what).with(|e| e.provider = Some(provider.to_owned()))
}
