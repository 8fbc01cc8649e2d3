//! Why a question to Redis has no answer. None of it is an error of a call.

use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::settings::Address;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody is asked now: there is no connection, or the circuit is open.
    Away,
    /// No answer came in time.
    Late,
    /// The server refuses, with this word (`LOADING`, `NOPERM`, …).
    Refused(String),
    /// The server has no memory left for writes.
    Full,
    /// A key holds what is not ours, or the answer has a form that ours never have.
    Foreign,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Away => "there is no connection",
            Fault::Late => "no answer came in time",
            Fault::Refused(word) => word,
            Fault::Full => "OOM",
            Fault::Foreign => "WRONGTYPE",
        })
    }
}

impl Fault {
    /// Whether the server refuses every question for now, and not this one alone.
    pub(super) fn is_of_all(&self) -> bool {
        const WORDS: [&str; 9] = [
            "AUTH",
            "BUSY",
            "CLUSTERDOWN",
            "LOADING",
            "MASTERDOWN",
            "MISCONF",
            "NOAUTH",
            "NOPERM",
            "READONLY",
        ];
        matches!(self, Fault::Refused(word) if WORDS.contains(&word.as_str()))
    }
}

/// What a node says instead of an answer.
#[derive(Debug)]
pub(super) enum Turned {
    Down(Fault),
    /// The script is not known to it.
    NoScript,
    /// The slot is another node's, from now on.
    Moved(u16, Address),
    /// The key is at another node already, though the slot is not.
    Ask(Address),
}

impl From<Fault> for Turned {
    fn from(fault: Fault) -> Self {
        Turned::Down(fault)
    }
}

/// What an error means.
pub(super) fn meaning(error: &RedisError) -> Turned {
    let word = || error.code().unwrap_or("ERR").chars().take(32).collect::<String>();
    let place = || {
        let (place, slot) = error.redirect_node()?;
        let (host, port) = place.rsplit_once(':')?;
        let host = host.trim_matches(['[', ']']).to_owned();
        Some((slot, Address { host, port: port.parse().ok()? }))
    };
    Turned::Down(match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoScript) => return Turned::NoScript,
        ErrorKind::Server(ServerErrorKind::Moved) => match place() {
            Some((slot, to)) => return Turned::Moved(slot, to),
            None => Fault::Refused(word()),
        },
        ErrorKind::Server(ServerErrorKind::Ask) => match place() {
            Some((_, to)) => return Turned::Ask(to),
            None => Fault::Refused(word()),
        },
        ErrorKind::Server(ServerErrorKind::ResponseError) | ErrorKind::Extension => {
            // Older servers put the word of what failed in a script behind a word of their own.
            let text = error.detail().unwrap_or_default();
            match error.code() {
                Some("WRONGTYPE") => Fault::Foreign,
                Some("OOM") => Fault::Full,
                _ if text.contains("WRONGTYPE") => Fault::Foreign,
                _ if text.contains("OOM command") => Fault::Full,
                _ if text.contains("can't run this command") => Fault::Refused("NOPERM".to_owned()),
                _ => Fault::Refused(word()),
            }
        }
        ErrorKind::Server(_) => Fault::Refused(word()),
        ErrorKind::AuthenticationFailed => Fault::Refused("AUTH".to_owned()),
        ErrorKind::UnexpectedReturnType => Fault::Foreign,
        // What is no answer at all ends the connection, whose further answers would be another's.
        _ => Fault::Away,
    })
}
