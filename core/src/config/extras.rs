//! What an entry of the configuration adds to each request: a query, members of the body, and
//! another header for its key.

use std::sync::Arc;

use ::http::HeaderName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::codec::{Fields, Object, finish_near, wrong};
use crate::error::Error;
use crate::json::Value;
use crate::model::FRAMING;
use crate::provider::{Row, SWITCHES};
use crate::wire::Scheme;

/// All characters but the unreserved ones (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Reads `query`, as the query of a URL without its `?`.
pub(super) fn read_query(fields: &mut Fields) -> Result<String, Error> {
    let mut query = String::new();
    for (name, value) in fields.object("query")?.unwrap_or_default() {
        let Value::String(value) = value else {
            return Err(wrong(&format!("{}.{name}", fields.at("query")), "a string", &value));
        };
        if !query.is_empty() {
            query.push('&');
        }
        query.extend(utf8_percent_encode(&name, RESERVED));
        query.push('=');
        query.extend(utf8_percent_encode(&value, RESERVED));
    }
    Ok(query)
}

/// Reads `body`: members that are added to each chat. What each request says itself is none of them.
pub(super) fn read_body(fields: &mut Fields) -> Result<Option<Arc<Object>>, Error> {
    let Some(body) = fields.object("body")? else { return Ok(None) };
    match ["messages", "stream"].into_iter().find(|name| body.contains_key(name)) {
        None => Ok(Some(Arc::new(body))),
        Some(name) => {
            let path = format!("{}.{name}", fields.at("body"));
            let message = format!("{path} is what each request says itself: leave it out");
            Err(Error::invalid(path, message))
        }
    }
}

/// Reads `auth`: the header of the key.
pub(super) fn read_auth(fields: &mut Fields) -> Result<Option<Scheme>, Error> {
    let Some(object) = fields.object("auth")? else { return Ok(None) };
    let mut auth = Fields::new(object, fields.at("auth"));
    let path = auth.at("header");
    let header = auth.string("header")?.unwrap_or_else(|| "authorization".to_owned());
    let name = HeaderName::try_from(&header).map_err(|_| {
        Error::invalid(path.as_str(), format!("{path} is not the name of a header"))
    })?;
    if FRAMING.contains(&name.as_str()) {
        let message = format!("{path} is decided by the connection: name another header");
        return Err(Error::invalid(path, message));
    }
    let bearer = auth.bool("bearer")?.unwrap_or(name == ::http::header::AUTHORIZATION);
    finish_near(auth, "auth", &["header", "bearer"], "docs/compatibility.md")?;
    Ok(Some(Scheme::Named { name, bearer }))
}

/// Reads `api_version`, which two kinds have.
pub(super) fn read_api_version(row: &Row, fields: &mut Fields) -> Result<Option<Arc<str>>, Error> {
    let given = fields.string("api_version")?;
    if given.is_some() && !row.takes_api_version() {
        let path = fields.at("api_version");
        let message = format!("{path}: {} has no API version to choose", row.name);
        return Err(Error::invalid(path, message));
    }
    Ok(given.map(Arc::from))
}

/// Refuses switches that stand beside their member.
pub(super) fn refuse_switches(fields: &mut Fields) -> Result<(), Error> {
    match SWITCHES.iter().find(|switch| fields.value(switch).is_some()) {
        None => Ok(()),
        Some(switch) => {
            let (path, right) = (fields.at(switch), fields.at("switches"));
            let message = format!("{path} is a switch: write {right}.{switch}");
            Err(Error::invalid(path, message))
        }
    }
}
