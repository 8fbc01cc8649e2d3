//! Scripts run on the server, each as one step. A server that does not know one yet gets its text,
//! once.

use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::fault::{Fault, Turned};
use super::{Redis, answer};

/// A script in Lua.
pub struct Script {
    text: &'static str,
    /// SHA-1 of the text, in hexadecimal: its name on the server.
    name: String,
}

impl Script {
    /// A script of this text.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        // Redis names scripts so; nothing here is secret.
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let name = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Script { text, name }
    }
}

impl Redis {
    /// Runs a script. All keys have the slot of the first one. Items of the answer that are no
    /// numbers are a fault.
    pub async fn numbers(
        &self,
        script: &Script,
        keys: &[impl AsRef<[u8]>],
        arguments: &[impl AsRef<[u8]>],
        patience: Duration,
    ) -> Result<Vec<i64>, Fault> {
        let answer = self.run(script, keys, arguments, patience).await?;
        answer::list(answer)?.iter().map(answer::number).collect()
    }

    pub(super) async fn run(
        &self,
        script: &Script,
        keys: &[impl AsRef<[u8]>],
        arguments: &[impl AsRef<[u8]>],
        patience: Duration,
    ) -> Result<Value, Fault> {
        let first = keys.first().map(AsRef::as_ref).unwrap_or_default();
        let command = |how: &str, what: &str| {
            let mut command = redis::cmd(how);
            command.arg(what).arg(keys.len());
            for part in keys.iter().map(AsRef::as_ref).chain(arguments.iter().map(AsRef::as_ref)) {
                command.arg(part);
            }
            command
        };
        let known = command("EVALSHA", &script.name);
        // One timer for both questions.
        let end = Instant::now() + patience;
        match self.ask(first, &known, end).await {
            Ok(answer) => Ok(answer),
            Err(Turned::NoScript) => self.plain(first, &command("EVAL", script.text), end).await,
            Err(Turned::Down(fault)) => Err(fault),
            Err(_) => Err(Fault::Foreign),
        }
    }
}
