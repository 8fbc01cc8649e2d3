//! A request and a whole answer on the wire.

use std::borrow::Cow;
use std::time::SystemTime;

use ::http::header::AUTHORIZATION;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::error::Error;

/// A request on the wire, relative to the provider's base URL.
///
/// An adapter makes it without a key. A credential adds its headers, and reads the whole request if
/// it signs.
#[derive(Clone, Debug)]
pub struct Request {
    /// The plane that is asked.
    pub plane: Plane,
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

/// A plane of a provider. Each has a base URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plane {
    /// The data plane, which runs models.
    #[default]
    Data,
    /// The control plane, which says what models there are, where the data plane does not.
    Control,
}

/// How a key travels with a provider's requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// The key is the value of this header.
    Header(&'static str),
    /// The same for a header that the configuration names, with or without `Bearer ` before the key.
    Named {
        /// The header.
        name: HeaderName,
        /// Whether `Bearer ` stands before the key.
        bearer: bool,
    },
}

impl Scheme {
    /// The header, and what stands before the key.
    #[must_use]
    pub fn header(self) -> (HeaderName, &'static str) {
        match self {
            Scheme::Bearer => (AUTHORIZATION, "Bearer "),
            Scheme::Header(name) => (HeaderName::from_static(name), ""),
            Scheme::Named { name, bearer } => (name, if bearer { "Bearer " } else { "" }),
        }
    }
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
    /// When it came, by the clock of this machine, for points in time beside a missing or absurd
    /// `Date`. `None` where no wait is asked for: no clock is read for a success.
    pub received: Option<SystemTime>,
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
        Request { plane: Plane::Data, method, path, query, headers: Vec::new(), body: Vec::new() }
    }

    /// The same request to the control plane.
    #[must_use]
    pub fn to_control(self) -> Request {
        Request { plane: Plane::Control, ..self }
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
