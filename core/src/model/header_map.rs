//! Headers that a document adds to requests: of an entry of the configuration, or of one call.

use ::http::{HeaderName, HeaderValue};

use crate::codec::{Fields, wrong};
use crate::error::Error;
use crate::json::Value;

/// Headers about the message's framing and route, which only the connection can set.
pub(crate) const FRAMING: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Takes `headers`, an object of names and values. No error quotes a value, which may be a key.
pub(crate) fn read_headers(
    fields: &mut Fields,
) -> Result<Option<Vec<(HeaderName, HeaderValue)>>, Error> {
    let Some(object) = fields.object("headers")? else { return Ok(None) };
    let mut headers = Vec::with_capacity(object.len());
    for (header, value) in object {
        let path = format!("{}.{header}", fields.at("headers"));
        let Value::String(value) = value else { return Err(wrong(&path, "a string", &value)) };
        match (HeaderName::try_from(header.as_str()), HeaderValue::try_from(value)) {
            (Ok(header), _) if FRAMING.contains(&header.as_str()) => {
                let message = format!("{path} is decided by the connection: leave it out");
                return Err(Error::invalid(path, message));
            }
            (Ok(header), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.push((header, value));
            }
            _ => {
                let message = format!("{path} is not a valid HTTP header");
                return Err(Error::invalid(path, message));
            }
        }
    }
    Ok(Some(headers))
}
