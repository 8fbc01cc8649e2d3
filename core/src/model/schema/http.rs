//! The documents of a request that is passed through (`model::http`).

use schemars::JsonSchema;
use serde::Serialize;

use super::OptionsDocument;

/// A request of the caller's own, to be passed through. A member that is not listed is an error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "HttpRequest", deny_unknown_fields)]
pub struct HttpRequestDocument {
    /// The operation.
    pub op: HttpOp,
    /// Where to: `http` or `https`, with path and query; at the origin of a provider's `base_url`.
    pub url: String,
    /// The method; `GET` where absent.
    pub method: Option<String>,
    /// Pairs of name and value. A value's characters, U+0000 to U+00FF, are its bytes.
    pub headers: Option<Vec<[String; 2]>>,
    /// The body, as text.
    pub body: Option<String>,
    /// The body, as base64.
    pub body_base64: Option<String>,
    /// Whether the answer is wanted as it arrives.
    pub stream: Option<bool>,
    /// How it is done; options given beside the request win.
    pub options: Option<OptionsDocument>,
}

/// The operation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HttpOp {
    /// An HTTP request that is passed through.
    Http,
}

/// The answer to a request that was passed through: `model::HttpAnswer` as it is written. Has `body`
/// or `body_base64`, and neither at the end of a stream.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "HttpResponse", deny_unknown_fields)]
pub struct HttpResponseDocument {
    /// `http.response`.
    pub object: String,
    /// The HTTP status.
    pub status: u16,
    /// Pairs of name and value.
    pub headers: Vec<[String; 2]>,
    /// The body, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body, where it is not: base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The provider's name in the configuration.
    pub provider: String,
    /// Everything volatile or ours.
    pub liter: crate::model::Liter,
}

/// What a stream that is passed through brings: `model::HttpEvent` as it is written.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "HttpEvent")]
#[serde(untagged)]
pub enum HttpEventDocument {
    /// The answer's head, first.
    Head {
        /// `http.head`.
        object: HttpHead,
        /// The HTTP status.
        status: u16,
        /// Pairs of name and value.
        headers: Vec<[String; 2]>,
    },
    /// The next bytes of the body, where they are UTF-8.
    Text {
        /// `http.data`.
        object: HttpData,
        /// The bytes, as text.
        data: String,
    },
    /// The next bytes of the body, where they are not.
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
