//! How and where a request is done. Never in the cache key, never in the audit hash.

use crate::codec::{Fields, Object, parse_object};
use crate::error::{Error, ErrorKind};

/// The options of one call.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The provider's name in the configuration.
    pub provider: Option<String>,
    /// The whole call's time, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The longest silence inside a stream, in milliseconds.
    pub idle_ms: Option<u64>,
    /// Joins text deltas that arrive in one read of the socket.
    pub merge_deltas: Option<bool>,
    /// What happens to a parameter that the provider cannot take.
    pub unsupported: Option<Unsupported>,
    /// Unknown members of a request are an error, not a warning.
    pub strict: Option<bool>,
    /// For `liter_llm_submit`: the call runs on the thread that reads the queue, while it reads.
    pub inline: Option<bool>,
}

/// What happens to a parameter that the provider cannot take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsupported {
    /// It is left out, and `warnings` says so.
    #[default]
    Warn,
    /// The call fails before anything is sent.
    Error,
}

/// Options of the contract that this build does not have yet: an error, never ignored.
const NOT_YET: [&str; 14] = [
    "retry",
    "fallback",
    "fanout",
    "hedge",
    "cache",
    "limit",
    "region",
    "idempotency_key",
    "traceparent",
    "tracestate",
    "baggage",
    "tags",
    "on_break",
    "health",
];

impl Options {
    /// Reads an options document.
    pub fn parse(bytes: &[u8]) -> Result<Options, Error> {
        Self::read(parse_object(bytes, "options")?)
    }

    /// These options, and `other`'s where these say nothing.
    #[must_use]
    pub fn or(self, other: Options) -> Options {
        Options {
            provider: self.provider.or(other.provider),
            timeout_ms: self.timeout_ms.or(other.timeout_ms),
            idle_ms: self.idle_ms.or(other.idle_ms),
            merge_deltas: self.merge_deltas.or(other.merge_deltas),
            unsupported: self.unsupported.or(other.unsupported),
            strict: self.strict.or(other.strict),
            inline: self.inline.or(other.inline),
        }
    }

    pub(super) fn read(object: Object) -> Result<Options, Error> {
        let mut fields = Fields::new(object, "options");
        let options = Options {
            provider: fields.string("provider")?.filter(|name| !name.is_empty()),
            timeout_ms: fields.whole("timeout_ms", 1)?,
            idle_ms: fields.whole("idle_ms", 1)?,
            merge_deltas: fields.bool("merge_deltas")?,
            unsupported: fields.word("unsupported", &["warn", "error"])?.map(|word| match word {
                "error" => Unsupported::Error,
                _ => Unsupported::Warn,
            }),
            strict: fields.bool("strict")?,
            inline: fields.bool("inline")?,
        };
        match fields.rest().keys().next() {
            None => Ok(options),
            Some(name) => {
                let path = format!("options.{name}");
                let (kind, message) = if NOT_YET.contains(&name.as_str()) {
                    (ErrorKind::Unsupported, format!("{path} is not in this build: leave it out"))
                } else {
                    (
                        ErrorKind::InvalidRequest,
                        format!("{path} is not an option: see docs/contract.md"),
                    )
                };
                Err(Error::new(kind, message).with(|e| e.param = Some(path)))
            }
        }
    }
}
