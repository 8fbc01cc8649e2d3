//! A secret that is no provider's key: the password of a server beside the engine.

use secrecy::SecretString;
use tokio::runtime::Handle;

use super::key::{Key, KeyRef};

/// A secret, read when it is needed.
#[derive(Debug)]
pub struct Secret {
    /// Its member in the configuration, for messages.
    at: &'static str,
    key: Key,
    /// The variable that was not set.
    unset: Option<String>,
}

impl Secret {
    /// The secret of the member `at`. It reads nothing yet.
    #[must_use]
    pub fn new(at: &'static str, from: KeyRef) -> Self {
        let unset = match &from {
            KeyRef::Env(name, None) => Some(name.clone()),
            _ => None,
        };
        Secret { at, key: Key::new(from), unset }
    }

    /// The secret as it is now, or `None` if there is none. `refused` means that the last one was
    /// refused, so that its source is asked again. The error is the reason, without the secret.
    pub async fn read(
        &self,
        refused: bool,
        blocking: Option<&Handle>,
    ) -> Result<Option<SecretString>, String> {
        if let Some(name) = &self.unset {
            return Err(format!("{}: the environment variable {name} is not set", self.at));
        }
        if refused && let Some(known) = self.key.known() {
            let _ = self.key.renew(&known, self.at, blocking).await;
        }
        self.key.read(self.at, blocking).await.map_err(|error| error.message.clone())
    }
}
