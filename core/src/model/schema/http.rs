//! The documents of a request that is passed through (`model::http`).

use schemars::JsonSchema;
use serde::Serialize;

use super::OptionsDocument;

/// A request of the caller that is passed through. A member that is not listed is an error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "HttpRequest", deny_unknown_fields)]
pub struct HttpRequestDocument {
    /// The operation.
    pub op: HttpOp,
    /// The URL: `http` or `https`, with path and query, at the origin of a provider's `base_url`.
    pub url: String,
    /// The method. Default: `GET`.
    pub method: Option<String>,
    /// Pairs of name and value. A value's characters, U+0000 to U+00FF, are its bytes.
    pub headers: Option<Vec<[String; 2]>>,
    /// The body, as text.
    pub body: Option<String>,
    /// The body, as base64.
    pub body_base64: Option<String>,
    /// Whether the answer is wanted as a stream.
    pub stream: Option<bool>,
    /// How the request is sent. Options beside the request override these.
    pub options: Option<OptionsDocument>,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HttpOp {
    /// An HTTP request that is passed through.
    Http,
}

/// The answer to a request that was passed through, as `model::HttpAnswer` is written. It has
/// `body` or `body_base64`, but neither at the end of a stream.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "HttpResponse", deny_unknown_fields)]
pub struct HttpResponseDocument {
    /// `http.response`.
    pub object: String,
    /// The HTTP status.
    pub status: u16,
    /// Pairs of name and value.
    pub headers: Vec<[String; 2]>,
    /// The body as text, if it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body as base64, if it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The members that are volatile or added by the engine.
    pub liter: crate::model::Liter,
}

/// An event of a stream that is passed through, as `model::HttpEvent` is written.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "HttpEvent")]
#[serde(untagged)]
pub enum HttpEventDocument {
    /// The answer's head, which comes first.
    Head {
        /// `http.head`.
        object: HttpHead,
        /// The HTTP status.
        status: u16,
        /// Pairs of name and value.
        headers: Vec<[String; 2]>,
    },
    /// The next bytes of the body, if they are UTF-8.
    Text {
        /// `http.data`.
        object: HttpData,
        /// The bytes, as text.
        data: String,
    },
    /// The next bytes of the body, if they are not UTF-8.
    Base64 {
        /// `http.data`.
        object: HttpData,
        /// The bytes, as base64.
        data_base64: String,
    },
}

/// The kind of an event.
#[derive(Debug, Serialize, JsonSchema)]
pub enum HttpHead {
    /// A head.
    #[serde(rename = "http.head")]
    Head,
}

/// The kind of an event.
#[derive(Debug, Serialize, JsonSchema)]
pub enum HttpData {
    /// Bytes.
    #[serde(rename = "http.data")]
    Data,
}
