//! Errors, in a closed list of kinds.
//!
//! Kinds are coarse on purpose: two failures have different kinds only if a caller would handle
//! them differently. `bindings/conformance/errors.json` repeats the numbers, names and meanings for
//! every language, and a test compares the two.

mod line;
mod trace;

use std::fmt;

use serde::Serialize;

pub use trace::{AttemptTrace, Trace};

use crate::json::{Object, Value, to_vec};

/// A failed request. It is small to move, because the members are behind one pointer.
#[derive(Clone)]
pub struct Error(Box<ErrorBody>);

/// The members of an error document; see `docs/errors.md`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorBody {
    /// What kind of failure this is.
    pub kind: ErrorKind,
    /// Who failed, how, how often, and why, in one line: `openai/gpt-4.1-mini: 429 rate limited,
    /// retry after 2 s (3 attempts; request req_1): Slow down`. Further targets follow. Holds no
    /// key, no prompt and nothing of a response body but the provider's own error text.
    // In this type it is the reason alone: the line is made when the error is written.
    pub message: String,
    /// Why it failed: the provider's own words, or what the engine found. Absent if `message` is no
    /// more than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The provider's name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's own code or type, as it gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long the provider asked to wait, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The provider's id of the request, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The member of the request that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// The answer's rate limit headers, as they came.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub ratelimit: Object,
    /// The provider's own error: the JSON of its body or of its event, or its text; at most 64 KiB.
    /// The provider's key does not appear in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_error: Option<Value>,
    /// What had come of a stream when it broke, or of a request in several parts when one failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// One entry for each attempt that was made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// How the call went, where `options.telemetry` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<Trace>>,
    /// A timer ran out that this call alone had asked for, which says nothing about the provider.
    #[serde(skip)]
    pub(crate) own_timer: bool,
    /// No server was there: it refused the connection, or its machine was not reached.
    #[serde(skip)]
    pub(crate) unreached: bool,
}

/// What had come before a stream broke, or before one of several parts failed.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Partial {
    /// The first choice's text so far.
    pub text: String,
    /// The inputs of `op: "embed"` whose vectors had come when another part of them failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Done>,
}

/// Some inputs of a list, one after the other.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {
    /// The place of the first one, from 0.
    pub from: usize,
    /// The place after the last one.
    pub to: usize,
}

/// One attempt at a target.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attempt {
    /// `provider/model`.
    pub target: String,
    /// The HTTP status, where an answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The kind of failure; absent when the attempt succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ErrorKind>,
    /// What went wrong, in at most 300 characters; absent when the attempt succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long the attempt took, in milliseconds.
    pub ms: u64,
    /// It ran beside another one that was slow.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hedge: bool,
    /// Work that is in no answer may have been done, and billed. The attempt failed after its request
    /// had gone out, and the provider did not refuse it. Or its request went out once more, because
    /// a reused connection ended before one byte of an answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_be_billed: bool,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal $retryable:literal,)*) => {
        /// The closed list of kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum ErrorKind { $($(#[$doc])* $variant = $number,)* }

        impl ErrorKind {
            /// Every kind, in the order of their numbers.
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$variant,)*];

            /// The name in documents.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(ErrorKind::$variant => $name,)* }
            }

            /// Whether the same request may succeed later, if the provider does not say.
            #[must_use]
            pub fn retryable(self) -> bool {
                match self { $(ErrorKind::$variant => $retryable,)* }
            }
        }
    };
}

kinds! {
    /// The request is wrong: mend it.
    InvalidRequest = 1 "invalid_request" false,
    /// The prompt and the answer do not fit the model's context: shorten, or take a larger model.
    ContextLength = 2 "context_length" false,
    /// This provider, model or build cannot do what was asked.
    Unsupported = 3 "unsupported" false,
    /// The key is missing or refused.
    Authentication = 4 "authentication" false,
    /// The key may not do this.
    Permission = 5 "permission" false,
    /// No such provider, model or resource.
    NotFound = 6 "not_found" false,
    /// Too many requests or tokens: wait.
    RateLimit = 7 "rate_limit" true,
    /// Credit or a spending limit is used up: waiting does not help.
    Quota = 8 "quota" false,
    /// The provider's filter refused the prompt or the answer.
    ContentFilter = 9 "content_filter" false,
    /// The provider is overloaded or failing.
    Unavailable = 10 "unavailable" true,
    /// A 2xx answer that is not what the provider specifies.
    BadResponse = 11 "bad_response" false,
    /// A stream that ended without its terminal event.
    StreamBroken = 12 "stream_broken" true,
    /// No connection could be made, or it was lost.
    Connection = 13 "connection" true,
    /// A timer ran out.
    Timeout = 14 "timeout" true,
    /// The caller cancelled, or the client was closed.
    Cancelled = 15 "cancelled" false,
    /// A bug in this library.
    Internal = 16 "internal" false,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Error {
    /// An error of `kind` with its default `retryable`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(ErrorBody {
            kind,
            message: message.into(),
            reason: None,
            provider: None,
            model: None,
            status: None,
            code: None,
            retryable: kind.retryable(),
            retry_after_ms: None,
            request_id: None,
            param: None,
            ratelimit: Object::new(),
            provider_error: None,
            partial: None,
            attempts: Vec::new(),
            trace: None,
            own_timer: false,
            unreached: false,
        }))
    }

    /// An error for a caller's request that is wrong at `param`.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidRequest, message).with(|e| e.param = Some(param.into()))
    }

    /// An error for what needs a cargo feature that this library was built without.
    pub(crate) fn not_built(param: impl Into<String>, what: &str, feature: &str) -> Self {
        let message = format!(
            "{what} needs the cargo feature {feature}, which this library was built without"
        );
        Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some(param.into()))
    }

    /// Sets members: `error.with(|e| e.status = Some(429))`.
    #[must_use]
    pub fn with(mut self, set: impl FnOnce(&mut ErrorBody)) -> Self {
        set(&mut self.0);
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error document: `{"error":{…}}`, compact.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let partial = self.partial.as_ref().map_or(0, |partial| partial.text.len());
        to_vec(self, 512 + 3 * self.message.len() + partial)
    }
}

impl std::ops::Deref for Error {
    type Target = ErrorBody;
    fn deref(&self) -> &ErrorBody {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut ErrorBody {
        &mut self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}
