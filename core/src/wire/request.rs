//! A request and a whole answer on the wire.

use std::borrow::Cow;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::error::Error;

/// A request on the wire, relative to the provider's base URL.
///
/// An adapter makes it without a key. A credential adds its headers, and reads the whole request if
/// it signs.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, `POST` for every request with a body.
    pub method: Method,
    /// The path, which follows the base URL: `/chat/completions`.
    pub path: Cow<'static, str>,
    /// The query after the path, without its `?`, percent-encoded. Empty means none.
    pub query: Cow<'static, str>,
    /// Headers besides `content-type: application/json` and the configured ones.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The JSON body. Empty means none.
    pub body: Vec<u8>,
}

/// How a key travels with a provider's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// The key is the value of this header.
    Header(&'static str),
}

/// A whole answer of any status.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, decompressed.
    pub body: &'a [u8],
}

impl Request {
    /// Makes a request with a body.
    #[must_use]
    pub fn post(path: impl Into<Cow<'static, str>>, body: Vec<u8>) -> Request {
        Request { body, ..Request::new(Method::POST, path.into()) }
    }

    /// Makes a request without a body.
    #[must_use]
    pub fn get(path: impl Into<Cow<'static, str>>) -> Request {
        Request::new(Method::GET, path.into())
    }

    fn new(method: Method, path: Cow<'static, str>) -> Request {
        let query = Cow::Borrowed("");
        Request { method, path, query, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header. It is an error if the value has characters that no header can hold.
    pub fn header(&mut self, name: &'static str, value: &str) -> Result<(), Error> {
        let value = HeaderValue::try_from(value).map_err(|_| {
            Error::invalid(name, format!("the value of the header {name} is not valid in HTTP"))
        })?;
        self.headers.push((HeaderName::from_static(name), value));
        Ok(())
    }
}
