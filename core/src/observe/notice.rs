//! A notice says what a call has met on its way, besides the outcomes of its attempts.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::provider::Target;
use crate::target::Tally;

/// What a call has met, and at which target.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// The target that it is about.
    pub target: &'a Target,
    /// What happens there.
    pub met: Met<'a>,
    /// The failure that has led to it.
    pub reason: Option<&'a Reason>,
    /// How long the call waits, or the target is passed over, as far as that is known.
    pub how_long: Option<Duration>,
    /// The target's counters, if the target is a model.
    pub(crate) tally: Option<&'a Tally>,
}

/// What a call can meet.
#[derive(Clone, Copy, Debug)]
pub enum Met<'a> {
    /// The call asks the target again, after a wait.
    Retry,
    /// The call goes on to this target.
    Fallback(&'a Target),
    /// The call waits for room under a limit of this name.
    Limit(&'static str),
    /// The breaker of the target, or of its provider's key, has opened.
    BreakerOpened {
        /// Whether it is the key's.
        key: bool,
    },
    /// The breaker has closed again.
    BreakerClosed {
        /// Whether it is the key's.
        key: bool,
    },
}

/// A failure without its texts.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The provider's code.
    pub code: Option<String>,
}

impl From<&Error> for Reason {
    fn from(error: &Error) -> Self {
        Reason { kind: error.kind(), status: error.status, code: error.code.clone() }
    }
}

/// What happened to a server beside the providers.
#[derive(Clone, Copy, Debug)]
pub struct ServiceNotice<'a> {
    /// Which one: `redis`.
    pub service: &'static str,
    /// `None` means that it works again. `Some(true)` means that somebody has to look at it.
    pub failed: Option<bool>,
    /// What happened, without secrets and without texts of a caller.
    pub message: &'a str,
}
