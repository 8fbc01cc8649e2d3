//! A key is read late, zeroised in memory, and never shown.
//!
//! A secret has no `Debug` that shows it, no `Display` and no `Serialize`. Only
//! [`super::Credential`] takes its text out, and only for the origin that the key belongs to.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::time::Instant;

#[cfg(unix)]
use super::exec::Program;
#[cfg(unix)]
use super::token::Tokens;
use crate::error::{Error, ErrorKind};

/// The environment as the configuration sees it.
pub(crate) trait Variables {
    /// The variable of this name, if it is set.
    fn variable(&self, name: &str) -> Option<String>;

    /// Every variable, for a program that is started.
    fn all(&self) -> BTreeMap<String, SecretString>;
}

/// Where to find a key. A file is read at its first use, so that a client can be made before the key
/// exists. A missing key is an error of the call that needs it.
#[derive(Clone, Debug)]
pub enum KeyRef {
    /// `env:NAME`, and what it was when the configuration was made: the environment is not read
    /// again.
    Env(String, Option<SecretString>),
    /// `file:/path`. White space around the key is removed.
    File(PathBuf),
    /// `exec:["prog","arg"]`: a program prints it.
    #[cfg(unix)]
    Exec(Program),
    /// The key itself, in the configuration document.
    Literal(SecretString),
    /// The server needs no key (a local Ollama or vLLM).
    None,
}

impl KeyRef {
    /// Reads `env:NAME`, `file:/path`, `exec:["prog","arg"]`, or the key itself. `path` is the
    /// member's, for messages.
    pub(crate) fn parse(path: &str, text: &str, variables: &dyn Variables) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix("env:") {
            Ok(KeyRef::of_variable(name, |name| variables.variable(name)))
        } else if let Some(path) = text.strip_prefix("file:") {
            Ok(KeyRef::File(PathBuf::from(path)))
        } else if let Some(list) = text.strip_prefix("exec:") {
            KeyRef::of_program(path, list, variables)
        } else {
            Ok(KeyRef::Literal(SecretString::from(text.to_owned())))
        }
    }

    #[cfg(unix)]
    fn of_program(path: &str, list: &str, variables: &dyn Variables) -> Result<Self, Error> {
        Program::parse(list, || variables.all()).map(KeyRef::Exec).ok_or_else(|| {
            let message = format!(
                "{path}: exec: is followed by a program and its arguments as JSON, such as \
                 exec:[\"/usr/local/bin/key\",\"staging\"]"
            );
            Error::invalid(path, message)
        })
    }

    #[cfg(not(unix))]
    fn of_program(path: &str, _list: &str, _variables: &dyn Variables) -> Result<Self, Error> {
        Err(Error::invalid(path, format!("{path}: exec: needs a Unix system")))
    }

    /// The key that the variable of this name holds now.
    pub(crate) fn of_variable(name: &str, variable: impl FnOnce(&str) -> Option<String>) -> Self {
        let key = variable(name).map(|key| SecretString::from(key.trim().to_owned()));
        KeyRef::Env(name.to_owned(), key)
    }
}

/// The time for which a key file counts as unchanged without a check.
const FRESH: Duration = Duration::from_secs(1);

/// The largest key file, in bytes.
const MOST: u64 = 64 << 10;

/// One key, with the cached content of its file.
#[derive(Debug)]
pub(super) struct Key {
    from: KeyRef,
    file: Mutex<Option<FileKey>>,
    /// What the program printed.
    #[cfg(unix)]
    printed: Option<Tokens>,
}

/// The cached content of a key file.
#[derive(Clone, Debug)]
struct FileKey {
    key: SecretString,
    /// The mark of the file, which changes when the file does.
    mark: Mark,
    /// When the file was last checked. `None` means that it has to be checked.
    seen: Option<Instant>,
}

/// A file's length, time of change and inode number.
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
        #[cfg(unix)]
        let printed = match &from {
            KeyRef::Exec(program) => Some(Tokens::new(Arc::new(program.clone()))),
            _ => None,
        };
        Key {
            from,
            file: Mutex::default(),
            #[cfg(unix)]
            printed,
        }
    }

    /// The key, if it is known without a look at a file.
    pub(super) fn known(&self) -> Option<SecretString> {
        match &self.from {
            KeyRef::Env(_, key) => key.clone(),
            KeyRef::Literal(key) => Some(key.clone()),
            KeyRef::File(_) => self.lock().as_ref().map(|file| file.key.clone()),
            #[cfg(unix)]
            KeyRef::Exec(_) => self.printed.as_ref()?.known(),
            KeyRef::None => None,
        }
    }

    /// The key, or `None` if the server needs none.
    pub(super) async fn read(
        &self,
        provider: &str,
        blocking: Option<&Handle>,
    ) -> Result<Option<SecretString>, Error> {
        let key = match &self.from {
            KeyRef::None => return Ok(None),
            KeyRef::Literal(key) => key.clone(),
            KeyRef::Env(name, key) => match key {
                Some(key) => key.clone(),
                None => {
                    let what = format!(
                        "no key for {provider}: set the environment variable {name}, or \
                         providers.{provider}.api_key in the configuration"
                    );
                    return Err(missing(provider, what));
                }
            },
            // Boxed: few keys are in files, and without the box every call's future would have room
            // for this one.
            KeyRef::File(path) => Box::pin(self.read_file(path, provider, blocking)).await?,
            #[cfg(unix)]
            KeyRef::Exec(_) => match &self.printed {
                Some(tokens) => Box::pin(tokens.get(provider, blocking)).await?.text().clone(),
                None => return Ok(None),
            },
        };
        if key.expose_secret().is_empty() {
            return Err(missing(provider, self.empty(provider)));
        }
        Ok(Some(key))
    }

    /// What to do about an empty key.
    fn empty(&self, provider: &str) -> String {
        let advice = match &self.from {
            KeyRef::Env(name, _) => format!("the environment variable {name} is set to nothing"),
            KeyRef::File(path) => format!("{} has nothing in it", path.display()),
            _ => format!(
                "give providers.{provider}.api_key a key, or leave it out so that the environment's \
                 counts"
            ),
        };
        format!("the key for {provider} is empty: {advice}")
    }

    /// Whether there is a key that can be read, or none is needed. Only a file is looked at, and a
    /// program run.
    pub(super) async fn ready(&self, provider: &str, handle: Option<&Handle>) -> Result<(), Error> {
        match &self.from {
            KeyRef::None => Ok(()),
            KeyRef::Literal(key) | KeyRef::Env(_, Some(key)) if !key.expose_secret().is_empty() => {
                Ok(())
            }
            _ => self.read(provider, handle).await.map(drop),
        }
    }

    /// Asks for the key again, because the provider refused this one: the file is checked before its
    /// next use, and the program runs. Returns whether there is another key now.
    pub(super) async fn renew(
        &self,
        refused: &SecretString,
        provider: &str,
        blocking: Option<&Handle>,
    ) -> bool {
        if let Some(file) = &mut *self.lock() {
            file.seen = None;
        }
        #[cfg(unix)]
        if let Some(tokens) = &self.printed {
            return tokens.renew(refused, provider, blocking).await;
        }
        let _ = (refused, provider, blocking);
        false
    }

    /// Reads a key file on a thread that may block, and only if the file has changed.
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
        let read = reading.await.unwrap_or_else(|_| Err("it was interrupted".to_owned()));
        let file = read.map_err(|reason| {
            let path = path.display();
            missing(provider, format!("no key for {provider}: cannot read {path}: {reason}"))
        })?;
        let key = file.key.clone();
        *self.lock() = Some(FileKey { seen: Some(Instant::now()), ..file });
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, Option<FileKey>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The content of a key file now, or `known` if the file is unchanged.
fn changed(path: &Path, known: Option<FileKey>) -> Result<FileKey, String> {
    if let Some(known) = known {
        let file = std::fs::metadata(path).map_err(|error| error.kind().to_string())?;
        if known.mark == Mark::of(&file) {
            return Ok(known);
        }
    }
    let (content, file) = crate::file::read(path, MOST)?;
    let text = std::str::from_utf8(&content).map_err(|_| "it is not UTF-8".to_owned())?;
    let key = SecretString::from(text.trim().to_owned());
    Ok(FileKey { key, mark: Mark::of(&file), seen: None })
}

fn missing(provider: &str, what: String) -> Error {
    Error::new(ErrorKind::Authentication, what).with(|e| e.provider = Some(provider.to_owned()))
}
