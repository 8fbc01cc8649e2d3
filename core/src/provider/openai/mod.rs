//! OpenAI chat completions, and the dialects of the servers that speak it.

use ::http::HeaderMap;

use super::{Answer, Auth, HttpRequest, Notes, Provider, StreamDecoder, Target};
use crate::error::{Error, ErrorKind};
use crate::model::Request;

/// What is peculiar to one server.
#[derive(Debug)]
pub struct Dialect {}

/// OpenAI itself.
pub const OPENAI: Dialect = Dialect {};

/// A server of which nothing is known.
pub const GENERIC: Dialect = Dialect {};

impl Provider for Dialect {
    fn auth(&self) -> Auth {
        Auth::Bearer
    }
    fn encode(&self, _: &Request, _: &Target<'_>, _: &mut Notes) -> Result<HttpRequest, Error> {
        Err(Error::new(ErrorKind::Internal, "not built"))
    }
    fn decode(&self, _: u16, _: &HeaderMap, _: &[u8], _: &Target<'_>) -> Result<Answer, Error> {
        Err(Error::new(ErrorKind::Internal, "not built"))
    }
    fn stream_decoder(&self, _: &Target<'_>) -> Box<dyn StreamDecoder> {
        unimplemented!()
    }
}
