//! `/sim,fault=cut,times=1,run=my_test/v1/…`: answers that go wrong on purpose, by name.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::provider::Provider;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error status in the provider's own words.
    Refusal(Refusal),
    /// TCP RST in place of an answer.
    Reset,
    /// No answer, for ever.
    Silence,
    /// A page of HTML under status 200.
    Html,
    /// The connection is lost in the middle of the body.
    Cut,
    /// Nothing more comes from the middle of the body on, for ever.
    Stall,
    /// JSON that ends too early: an event in the middle of a stream, or the whole body.
    Malformed,
    /// A stream that ends in good order, with its whole text and without its last events.
    NoTerminator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    RateLimit,
    ServerError,
    Unavailable,
    Authentication,
    ContextLength,
}

/// The names that a path may give. docs/testing.md has the same (`scripts/check_faults.py`).
const FAULTS: [(&str, Fault); 12] = [
    ("rate_limit", Fault::Refusal(Refusal::RateLimit)),
    ("server_error", Fault::Refusal(Refusal::ServerError)),
    ("unavailable", Fault::Refusal(Refusal::Unavailable)),
    ("authentication", Fault::Refusal(Refusal::Authentication)),
    ("context_length", Fault::Refusal(Refusal::ContextLength)),
    ("reset", Fault::Reset),
    ("silence", Fault::Silence),
    ("html", Fault::Html),
    ("cut", Fault::Cut),
    ("stall", Fault::Stall),
    ("malformed", Fault::Malformed),
    ("no_terminator", Fault::NoTerminator),
];

pub(super) const PAGE: &str = "<html><body><h1>502 Bad Gateway</h1></body></html>\n";

impl Fault {
    /// The fault of this name, or a message with all names.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        FAULTS.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault).ok_or_else(|| {
            let names: Vec<_> = FAULTS.iter().map(|(known, _)| *known).collect();
            format!("fault={name}: the faults are {}", names.join(", "))
        })
    }
}

impl Refusal {
    /// Status, Anthropic's type, OpenAI's code, and the message.
    pub(super) fn words(
        self,
        provider: Provider,
    ) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::RateLimit => (
                429,
                "rate_limit_error",
                "rate_limit_exceeded",
                "Rate limit reached: the simulator was asked for it.",
            ),
            Self::ServerError => (
                500,
                "api_error",
                "server_error",
                "The server had an error: the simulator was asked for it.",
            ),
            Self::Unavailable => {
                // Anthropic has a status of its own.
                let status = if provider == Provider::Anthropic { 529 } else { 503 };
                (
                    status,
                    "overloaded_error",
                    "server_is_overloaded",
                    "Overloaded: the simulator was asked for it.",
                )
            }
            Self::Authentication => (
                401,
                "authentication_error",
                "invalid_api_key",
                "Incorrect API key: the simulator was asked for it.",
            ),
            Self::ContextLength => (
                400,
                "invalid_request_error",
                "context_length_exceeded",
                "prompt is too long: 200001 tokens > 200000 maximum",
            ),
        }
    }
}

/// How often each `/sim,…` segment has been asked for, where it says `times`.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, usize>>);

impl Turns {
    /// Whether this is one of the first `times` requests under this segment.
    pub(super) fn take(&self, segment: &str, times: usize) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(segment.to_owned()).or_default();
        *count += 1;
        *count <= times
    }

    /// Begins anew.
    pub(crate) fn reset(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
