//! A program that prints a key: `exec:["prog","arg"]`.
//!
//! It runs without a shell, in a process group of its own, with the environment as it was when the
//! configuration was made, and with nothing to read. What it says on stderr is dropped. It is
//! started and ended in the middle of a host: no signal handler is set, only this child is waited
//! for, and the path is looked up here, because the standard library forks where it has to look,
//! and handlers of a fork are the host's.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::time::{Instant, timeout, timeout_at};

use super::token::{Issue, Issuing, Token};
use crate::codec::parse_foreign_text;
use crate::json::Value;

/// The time for one run.
const LIMIT: Duration = Duration::from_secs(10);

/// The most bytes that it may print.
const MOST: usize = 64 << 10;

/// The life of a key that says nothing of it.
const LIFE: Duration = Duration::from_secs(300);

/// How long a key is used beyond its life while the program fails.
const GRACE: Duration = Duration::from_secs(3_600);

/// How long is waited for the rest of what an ended program printed.
const REST: Duration = Duration::from_millis(100);

/// The folders of programs if `PATH` is not set.
const FOLDERS: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program, its arguments and its environment.
#[derive(Clone)]
pub struct Program {
    command: Vec<String>,
    environment: Arc<BTreeMap<String, SecretString>>,
}

impl Program {
    /// Reads the list of texts behind `exec:`. `None` means that it is none.
    pub(super) fn parse(
        list: &str,
        environment: impl FnOnce() -> BTreeMap<String, SecretString>,
    ) -> Option<Program> {
        let Ok(Value::Array(items)) = parse_foreign_text(list) else { return None };
        let text = |item: &Value| item.as_str().filter(|t| !t.contains('\0')).map(str::to_owned);
        let command: Vec<String> = items.iter().map(text).collect::<Option<_>>()?;
        command.first().filter(|program| !program.is_empty())?;
        Some(Program { command, environment: Arc::new(environment()) })
    }

    fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// Where it may be, in the order of `PATH`.
    fn places(&self) -> Vec<PathBuf> {
        let program = self.program();
        if program.contains('/') {
            return vec![PathBuf::from(program)];
        }
        let path = self.environment.get("PATH").map_or(FOLDERS, ExposeSecret::expose_secret);
        // An empty entry is the working folder.
        let place = |folder: PathBuf| match folder.as_os_str().is_empty() {
            true => PathBuf::from(".").join(program),
            false => folder.join(program),
        };
        std::env::split_paths(path).map(place).collect()
    }

    /// Starts it. This may wait for a disk.
    fn start(&self) -> Result<Running, String> {
        let mut reason = "it is not there".to_owned();
        for place in self.places() {
            let mut command = Command::new(place);
            command
                .args(self.command.get(1..).unwrap_or_default())
                .env_clear()
                .envs(self.environment.iter().map(|(name, text)| (name, text.expose_secret())))
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            match command.spawn() {
                Ok(child) => return Ok(Running(Some(child))),
                Err(error) => match error.kind() {
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {}
                    std::io::ErrorKind::PermissionDenied => {
                        reason = "it is not executable".to_owned();
                    }
                    kind => return Err(format!("it cannot be started: {kind}")),
                },
            }
        }
        Err(reason)
    }

    async fn run(&self) -> Result<Token, String> {
        let end = Instant::now() + LIMIT;
        let own = self.clone();
        let starting = tokio::task::spawn_blocking(move || own.start());
        let late = || format!("it took more than {} s, and was ended", LIMIT.as_secs());
        let started = timeout_at(end, starting).await.map_err(|_| late())?;
        let mut running = started.map_err(|_| "it was interrupted".to_owned())??;
        let mut printed = Zeroizing::new(Vec::with_capacity(MOST + 1));
        timeout_at(end, running.finish(&mut printed)).await.map_err(|_| late())??;
        token(&printed)
    }
}

/// Arguments and environment may hold secrets.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.program()).finish()
    }
}

impl Issue for Program {
    fn issue(&self) -> Issuing<'_> {
        Box::pin(self.run())
    }

    fn name(&self) -> String {
        format!("the program {}", self.program())
    }
}

/// A child that is ended, with all that it started, and waited for when this is dropped.
struct Running(Option<Child>);

impl Running {
    /// Reads what the child prints until it ends. A process that it left behind is not waited for.
    async fn finish(&mut self, printed: &mut Vec<u8>) -> Result<(), String> {
        let Some(child) = &mut self.0 else { return Ok(()) };
        let wrong = |error: std::io::Error| format!("its output is lost: {}", error.kind());
        let Some(stdout) = child.stdout.take() else { return Ok(()) };
        let pipe = Receiver::from_owned_fd(OwnedFd::from(stdout)).map_err(wrong)?;
        let mut pipe = pipe.take(MOST as u64 + 1);
        // No signal tells of its end: the handler of SIGCHLD is the host's.
        let (mut rest, mut is_open) = (Duration::from_millis(1), true);
        let ended = loop {
            tokio::select! {
                read = pipe.read_buf(printed), if is_open => match read.map_err(wrong)? {
                    0 => is_open = false,
                    _ if printed.len() > MOST => return Err(too_long()),
                    _ => {}
                },
                () = tokio::time::sleep(rest) => {
                    rest = (rest * 2).min(Duration::from_millis(20));
                    match child.try_wait() {
                        Ok(None) => {}
                        Ok(Some(status)) => break Some(status),
                        // The host waited for it, or ignores its children: nobody knows its status.
                        Err(_) => break None,
                    }
                }
            }
        };
        while is_open && let Ok(read) = timeout(REST, pipe.read_buf(printed)).await {
            is_open = read.map_err(wrong)? > 0;
            if printed.len() > MOST {
                return Err(too_long());
            }
        }
        self.0 = None;
        match ended.map(|status| (status.code(), status.signal())) {
            None | Some((Some(0), _)) => Ok(()),
            Some((Some(code), _)) => Err(format!("it ended with exit code {code}")),
            Some((None, signal)) => {
                Err(format!("it was ended by signal {}", signal.unwrap_or_default()))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        // Nobody has waited for the child, so that the number is still its own.
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        // A thread of its own, because a process may be slow to end. If there is none, the child
        // stays as an entry of the table of processes.
        let waiting = std::thread::Builder::new().name("liter-llm-wait".to_owned());
        drop(waiting.spawn(move || child.wait()));
    }
}

fn too_long() -> String {
    format!("it printed more than {} KiB", MOST >> 10)
}

/// The key that was printed: a text, or `{"value": …, "ttl_s": …}`.
fn token(printed: &[u8]) -> Result<Token, String> {
    let text = std::str::from_utf8(printed).map_err(|_| "it printed no UTF-8".to_owned())?.trim();
    if text.is_empty() {
        return Err("it printed nothing".to_owned());
    }
    if !text.starts_with('{') {
        return Ok(Token::new(SecretString::from(text), LIFE).with_grace(GRACE));
    }
    let printed = parse_foreign_text(text).map_err(|fault| format!("what it printed {fault}"))?;
    let value = printed.get("value").and_then(Value::as_str).map(str::trim);
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Err("what it printed has no text in value".to_owned());
    };
    let life = match printed.get("ttl_s").filter(|ttl| !ttl.is_null()) {
        None => LIFE,
        Some(ttl) => match ttl.as_f64().map(Duration::try_from_secs_f64) {
            Some(Ok(life)) if !life.is_zero() => life,
            _ => return Err("what it printed has no number above 0 in ttl_s".to_owned()),
        },
    };
    Ok(Token::new(SecretString::from(value), life).with_grace(GRACE))
}
