//! One provider's wire format, and the registry of those that are built in.
//!
//! Adapters are pure: no I/O, no clock, no retries, no keys; the pipeline does those once for all.
//! An adapter turns a [`Request`] into an [`HttpRequest`], and what comes back into an [`Answer`],
//! chunks or an [`Error`].

mod anthropic;
mod assembly;
pub mod classify;
mod cohere;
mod openai;
mod reader;
pub mod registry;
pub mod shared;

pub use assembly::Assembly;
pub use reader::StreamReader;
pub use registry::Row;

use ::http::{HeaderMap, Method};

use crate::codec::Object;
use crate::config::ProviderConfig;
use crate::error::{Error, ErrorKind};
use crate::http::SseEvent;
use crate::json::Value;
use crate::model::{Choice, Request, Unsupported, Usage, Warning};

/// One provider's wire format.
pub trait Provider: Send + Sync {
    /// How the key travels.
    fn auth(&self) -> Auth;

    /// The HTTP request for `request`. What the provider cannot take goes to `notes`.
    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<HttpRequest, Error>;

    /// A request that costs nothing and that the provider answers where it is well: its list of
    /// models.
    fn health_probe(&self, target: &Target<'_>) -> HttpRequest;

    /// Reads a complete answer of any status.
    fn decode(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        target: &Target<'_>,
    ) -> Result<Answer, Error>;

    /// A reader for one streamed answer.
    fn stream_decoder(&self, target: &Target<'_>) -> Box<dyn StreamDecoder>;
}

/// Reads the events of one streamed answer.
pub trait StreamDecoder: Send {
    /// Takes one event. Deltas go to `out`; an error event is an `Err`.
    fn event(&mut self, event: SseEvent<'_>, out: &mut Assembly) -> Result<Progress, Error>;

    /// The HTTP body ended, as its framing says properly, without a terminal event so far.
    /// `Ok` only where this provider ends its streams so.
    fn end(&mut self, out: &mut Assembly) -> Result<(), Error>;
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More events are expected.
    More,
    /// This was the terminal event.
    Done,
}

/// How the key travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// The key as the value of this header.
    Header(&'static str),
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The provider's settings.
    pub provider: &'a ProviderConfig,
    /// The model to ask for.
    pub model: &'a str,
}

/// A request on the wire, without its key.
#[derive(Debug)]
pub struct HttpRequest {
    /// `POST`, of all but a health probe.
    pub method: Method,
    /// Path to append to the base URL: `/chat/completions`.
    pub path: &'static str,
    /// Headers beside `content-type: application/json`, the key and the configured ones.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body; empty: none.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request with a body.
    #[must_use]
    pub fn post(
        path: &'static str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> HttpRequest {
        HttpRequest { method: Method::POST, path, headers, body }
    }

    /// A request without one.
    #[must_use]
    pub fn get(path: &'static str, headers: Vec<(&'static str, String)>) -> HttpRequest {
        HttpRequest { method: Method::GET, path, headers, body: Vec::new() }
    }
}

/// What a provider answered, before the pipeline adds what is ours.
#[derive(Debug, Default)]
pub struct Answer {
    /// The provider's id.
    pub id: Option<String>,
    /// Seconds since 1970, where the provider says it.
    pub created: Option<i64>,
    /// The model's name, as the provider gives it.
    pub model: Option<String>,
    /// The answers.
    pub choices: Vec<Choice>,
    /// Token counts.
    pub usage: Option<Usage>,
    /// The provider's own usage object.
    pub usage_raw: Option<Value>,
    /// The first choice's finish reason in the provider's word.
    pub finish_reason_raw: Option<String>,
    /// Top-level members that have no place in a response.
    pub fields: Object,
    /// What the adapter has to say about the answer.
    pub warnings: Vec<Warning>,
}

/// Collects what could not be done as asked.
#[derive(Debug)]
pub struct Notes {
    policy: Unsupported,
    warnings: Vec<Warning>,
}

impl Notes {
    /// An empty collection under `policy`.
    #[must_use]
    pub fn new(policy: Unsupported) -> Self {
        Notes { policy, warnings: Vec::new() }
    }

    /// The provider cannot take `param`: a warning, or an error where the caller asked for one.
    pub fn unsupported(&mut self, param: &str, message: impl Into<String>) -> Result<(), Error> {
        let message = message.into();
        if self.policy == Unsupported::Error {
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with(|e| e.param = Some(param.to_owned())));
        }
        self.warn("unsupported_parameter", param, message);
        Ok(())
    }

    /// Something that the caller should know, whatever the policy.
    pub fn warn(&mut self, code: &'static str, param: &str, message: impl Into<String>) {
        let param = Some(param.to_owned());
        self.warnings.push(Warning { code, message: message.into(), param });
    }

    /// The warnings.
    #[must_use]
    pub fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }
}
