//! What a span of a call needs beside the call's last document.

use serde::Serialize;

use crate::json::Object;

/// How a call went, for the span of the package that made it. It is there only where
/// `options.telemetry` asks for it.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trace {
    /// When the call began, in nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Until its end, in milliseconds.
    pub total_ms: f64,
    /// `chat`, `embed`, …
    pub operation: &'static str,
    /// The provider that answered; else the first that was to be asked.
    pub provider: String,
    /// The model that it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The kind of that provider, such as `openai`.
    pub kind: &'static str,
    /// Its host and port.
    pub server: String,
    /// The route that the request names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The times of the attempts, in the order of the list of attempts.
    pub attempts: Vec<AttemptTrace>,
    /// The parameters that were asked for, by the names of a request.
    #[serde(skip_serializing_if = "Object::is_empty")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")
    )]
    pub request: Object,
}

/// The times of one attempt, in milliseconds since the call began.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttemptTrace {
    /// When it began.
    pub start_ms: f64,
    /// When it ended. An attempt that still runs ends with the call.
    pub end_ms: f64,
    /// When its request went out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_ms: Option<f64>,
    /// When its first content came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<f64>,
    /// Host and port of its target.
    pub server: String,
}
