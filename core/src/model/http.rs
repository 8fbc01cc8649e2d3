//! An HTTP request of the caller that is passed through, and its answer, both unchanged.
//!
//! It serves the transports that put this engine under a provider's own SDK. A header's value is
//! text of the characters U+0000 to U+00FF, one for each byte (ISO 8859-1, as in the Fetch
//! standard). A body is text if it is UTF-8, otherwise base64.

use std::collections::HashSet;

use ::http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use ::http::{Method, Uri};
use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::response::{Last, Liter};
use crate::codec::{Fields, url, wrong};
use crate::error::Error;
use crate::json::{Value, to_vec, write};

/// A request to pass through.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// The URL: `http` or `https`, with path and query.
    pub url: Uri,
    /// The method.
    pub method: Method,
    /// The headers, without those of a single connection.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether the answer is wanted as a stream.
    pub stream: bool,
}

/// Headers of a single connection (RFC 9110, 7.6.1). The next connection has its own.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The largest number of pairs of a header. Servers refuse fewer than these.
const MOST_HEADERS: usize = 256;

/// Words in the names of headers that hold secrets.
const SECRET: [&str; 5] = ["auth", "cookie", "key", "secret", "token"];

impl HttpCall {
    /// Reads the members of a request document of this operation. Errors quote neither the URL nor
    /// a header's value, because either may hold a secret.
    pub(crate) fn read(mut fields: Fields) -> Result<HttpCall, Error> {
        let url = read_url(&mut fields)?;
        let method = fields.string("method")?.unwrap_or_else(|| "GET".to_owned());
        let method = Method::from_bytes(method.as_bytes()).ok().filter(|m| m != Method::CONNECT);
        let method = method.ok_or_else(|| {
            Error::invalid("method", "method must be an HTTP method, and not CONNECT")
        })?;
        let body = match (fields.string("body")?, fields.string("body_base64")?) {
            (Some(_), Some(_)) => {
                let message = "body and body_base64 exclude each other: give one of them";
                return Err(Error::invalid("body", message));
            }
            (Some(text), None) => Bytes::from(text),
            (None, Some(text)) => Bytes::from(STANDARD.decode(text).map_err(|_| {
                Error::invalid("body_base64", "body_base64 is not base64 with its padding")
            })?),
            (None, None) => Bytes::new(),
        };
        let headers = read_headers(fields.list("headers")?.unwrap_or_default(), &url, body.len())?;
        let call = HttpCall {
            url,
            method,
            headers,
            body,
            stream: fields.bool("stream")?.unwrap_or(false),
        };
        match fields.rest().keys().next() {
            None => Ok(call),
            Some(name) => {
                let message = format!("{name} is not a member of a request of op http");
                Err(Error::invalid(name.as_str(), message))
            }
        }
    }
}

fn read_url(fields: &mut Fields) -> Result<Uri, Error> {
    let Some(text) = fields.string("url")? else {
        return Err(
            fields.missing("url", "the whole URL, such as https://api.openai.com/v1/models")
        );
    };
    url::read(&text)
        .map_err(|fault| Error::invalid("url", format!("url is not a usable URL: {fault}")))
}

fn read_headers(items: Vec<Value>, url: &Uri, body_len: usize) -> Result<HeaderMap, Error> {
    if items.len() > MOST_HEADERS {
        let message = format!("headers: {} pairs, and {MOST_HEADERS} at most", items.len());
        return Err(Error::invalid("headers", message));
    }
    let mut pairs = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let path = format!("headers[{i}]");
        let (name, value) = match &item {
            Value::Array(pair) => match &pair[..] {
                [Value::String(name), Value::String(value)] => (name, value),
                _ => return Err(wrong(&path, "a pair of strings: [name, value]", &item)),
            },
            other => return Err(wrong(&path, "a pair of strings: [name, value]", other)),
        };
        let bytes = value.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>();
        let value = bytes.and_then(|bytes| HeaderValue::try_from(bytes).ok());
        let (Ok(name), Some(mut value)) = (HeaderName::try_from(name), value) else {
            let message = format!("{path} is not a valid HTTP header");
            return Err(Error::invalid(path, message));
        };
        value.set_sensitive(SECRET.iter().any(|word| name.as_str().contains(word)));
        pairs.push((name, value));
    }
    let dropped = HopByHop::among(pairs.iter().map(|(name, value)| (name, value)));
    let mut headers = HeaderMap::with_capacity(pairs.len() + 2);
    for (name, value) in pairs.into_iter().filter(|(name, _)| !dropped.has(name)) {
        if (name == HOST || name == CONTENT_LENGTH) && headers.contains_key(&name) {
            return Err(Error::invalid("headers", format!("the header {name} is given twice")));
        }
        if name == HOST && !value.to_str().is_ok_and(|host| is_host(host, url)) {
            let message = "the header host is not the URL's host: leave it out";
            return Err(Error::invalid("headers", message));
        }
        if name == CONTENT_LENGTH
            && value.to_str().ok() != Some(itoa::Buffer::new().format(body_len))
        {
            let message = format!("the header content-length is not the body's, {body_len}");
            return Err(Error::invalid("headers", message));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

/// Whether a `host` header is that of the URL, with or without the scheme's own port.
fn is_host(host: &str, url: &Uri) -> bool {
    let scheme = url.scheme_str().unwrap_or_default();
    let port = if scheme == "https" { 443 } else { 80 };
    let place = |url: &Uri| {
        let host = url.host().unwrap_or_default().to_ascii_lowercase();
        (host, url.port_u16().unwrap_or(port), url.path() == "/")
    };
    let own = url::read(&format!("{scheme}://{host}"));
    let (name, port, _) = place(url);
    own.is_ok_and(|own| place(&own) == (name, port, true))
}

/// The headers of a single connection: those of HTTP, and those that `connection` lists.
struct HopByHop(HashSet<HeaderName>);

impl HopByHop {
    fn among<'a>(headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>) -> Self {
        let mut listed = HashSet::new();
        for (_, value) in headers.filter(|(name, _)| **name == CONNECTION) {
            let names = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            listed.extend(names.filter_map(|name| HeaderName::from_bytes(name).ok()));
        }
        HopByHop(listed)
    }

    fn has(&self, name: &HeaderName) -> bool {
        // Nearly no connection lists a name.
        HOP_BY_HOP.contains(&name.as_str()) || (!self.0.is_empty() && self.0.contains(name))
    }
}

/// The answer to a request that was passed through, of any status.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers. The document leaves out those of a single connection.
    pub headers: HeaderMap,
    /// The body as it was sent. `None` at the end of a stream, whose events carried it.
    pub body: Option<Bytes>,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The members that are volatile or added by the engine.
    pub liter: Liter,
}

/// An event of a stream that is passed through, before its end.
#[derive(Clone, Debug)]
pub enum HttpEvent {
    /// The answer's head, which comes first.
    Head {
        /// The HTTP status.
        status: u16,
        /// The headers.
        headers: HeaderMap,
    },
    /// The next bytes of the body, never empty.
    Data(Bytes),
}

impl HttpAnswer {
    /// The response document, compact, in canonical member order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_vec(self, self.size())
    }

    /// A guess at the bytes of the document.
    pub(crate) fn size(&self) -> usize {
        1024 + self.body.as_ref().map_or(0, |body| body.len() * 3 / 2)
    }
}

impl HttpEvent {
    /// The approximate length of its document.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            HttpEvent::Head { headers, .. } => 64 + headers.len() * 64,
            HttpEvent::Data(bytes) => 64 + bytes.len() * 3 / 2,
        }
    }

    /// Appends the event's document, compact, in canonical member order.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        write(out, self);
    }
}

impl Serialize for HttpAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("HttpAnswer", 6)?;
        out.serialize_field("object", "http.response")?;
        out.serialize_field("status", &self.status)?;
        out.serialize_field("headers", &Pairs(&self.headers))?;
        if let Some(body) = &self.body {
            content(&mut out, "body", "body_base64", body)?;
        }
        out.serialize_field("provider", &self.provider)?;
        out.serialize_field("liter", &Last(&self.liter))?;
        out.end()
    }
}

impl Serialize for HttpEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("HttpEvent", 3)?;
        match self {
            HttpEvent::Head { status, headers } => {
                out.serialize_field("object", "http.head")?;
                out.serialize_field("status", status)?;
                out.serialize_field("headers", &Pairs(headers))?;
            }
            HttpEvent::Data(bytes) => {
                out.serialize_field("object", "http.data")?;
                content(&mut out, "data", "data_base64", bytes)?;
            }
        }
        out.end()
    }
}

/// Writes bytes as text if they are UTF-8, otherwise as base64, in both cases directly to the
/// output.
fn content<S: SerializeStruct>(
    out: &mut S,
    text: &'static str,
    base64: &'static str,
    bytes: &[u8],
) -> Result<(), S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(body) => out.serialize_field(text, body),
        Err(_) => out.serialize_field(base64, &Base64(bytes)),
    }
}

struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

/// Headers as pairs of name and value, in their order. Repeated headers follow each other.
struct Pairs<'a>(&'a HeaderMap);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let dropped = HopByHop::among(self.0.iter());
        let kept = self.0.iter().filter(|(name, _)| !dropped.has(name));
        serializer.collect_seq(kept.map(|(name, value)| (name.as_str(), latin1(value))))
    }
}

fn latin1(value: &HeaderValue) -> std::borrow::Cow<'_, str> {
    match value.to_str() {
        Ok(text) => text.into(),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect::<String>().into(),
    }
}
