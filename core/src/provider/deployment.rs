//! Azure's deployments: with a version of the API, the path names the model, and the query the
//! version [rec].

use std::borrow::Cow;

use super::Target;
use crate::error::Error;
use crate::wire::Request;

/// `POST path` of the target's deployment, or `POST path` where no version is configured.
pub(super) fn post(
    target: &Target,
    path: impl Into<Cow<'static, str>>,
    body: Vec<u8>,
) -> Result<Request, Error> {
    let path = path.into();
    if target.api_version.is_none() {
        return Ok(Request::post(path, body));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let model = &*target.model;
    if model.is_empty() || !model.bytes().all(plain) || model.bytes().all(|byte| byte == b'.') {
        let message = "model must be the name of a deployment, which has letters, digits, '-', '_' \
                       and '.': with api_version, Azure's path has it";
        return Err(Error::invalid("model", message));
    }
    Ok(versioned(target, Request::post(format!("/deployments/{model}{path}"), body)))
}

/// The request with the version in its query, if one is configured.
pub(super) fn versioned(target: &Target, request: Request) -> Request {
    match &target.api_version {
        Some(version) => Request { query: format!("api-version={version}").into(), ..request },
        None => request,
    }
}
