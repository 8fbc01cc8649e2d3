//! Anthropic.

use ::http::HeaderMap;

use super::{Answer, Auth, HttpRequest, Notes, Provider, StreamDecoder, Target};
use crate::error::{Error, ErrorKind};
use crate::model::Request;

/// The adapter.
#[derive(Debug)]
pub struct Anthropic;

impl Provider for Anthropic {
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
