//! Makes an attempt's request ready: the provider's format, the headers of the call, and the key.

use ::http::{HeaderName, HeaderValue, Request};
use bytes::Bytes;
use http_body_util::Full;

use super::{Call, refusal};
use crate::auth::Proof;
use crate::error::{Error, ErrorKind};
use crate::http::until;
use crate::limit::{self, Held};
use crate::observe::CallId;
use crate::provider::Notes;
use crate::services::Services;
use crate::target::ChosenTarget;
use crate::wire::Scheme;

/// A request that is ready to be sent.
pub(super) struct Prepared {
    pub(super) request: Request<Full<Bytes>>,
    /// The room that the request's body takes.
    pub(super) held: Held,
    /// The estimated number of tokens that the request uses.
    pub(super) tokens: u64,
    pub(super) sent: Sent,
}

/// What is kept of a request that was sent.
pub(super) struct Sent {
    /// The key that went out with it. It may have changed since in its file.
    pub(super) key: Option<Proof>,
    pub(super) notes: Notes,
}

/// Writes the request in the provider's format and adds the key.
pub(super) async fn prepare(
    services: &Services,
    call: &Call,
    index: usize,
) -> Result<Prepared, Error> {
    let chosen = &call.targets[index];
    let adapter = services.settings(chosen).row.adapter();
    let own = refusal::asked_of(call, chosen);
    let operation = own.as_ref().unwrap_or(&call.operation);
    let mut notes = refusal::notes(call);
    let mut wire = operation.encode(adapter, chosen.target(), &mut notes)?;
    refusal::leave_out(call, index, &mut wire, &mut notes);
    let mut held = Held::new(&services.room);
    held.hold(wire.body.len())?;
    let idempotency = idempotency_key(services, call, chosen, &mut notes)?;
    let tokens = limit::estimate(wire.body.len(), operation.max_tokens());
    let pool = &services.pools[chosen.provider];
    let credential = &services.credentials[chosen.provider];
    let scheme = services.settings(chosen).scheme();
    let headers = own_headers(call, &scheme)?;
    let authorized = credential.authorize(scheme, &mut wire, pool.blocking());
    let authorized = until(|| call.deadline, authorized).await;
    let key = authorized.unwrap_or_else(|| Err(no_key_in_time()))?;
    let header = services.settings(chosen).idempotency_header.as_ref();
    let request = pool.prepare(wire, headers, header.zip(idempotency))?;
    Ok(Prepared { request, held, tokens, sent: Sent { key, notes } })
}

/// The headers of `options.headers`. The key's header is none of them, whatever its name is here.
fn own_headers<'a>(
    call: &'a Call,
    scheme: &Scheme,
) -> Result<&'a [(HeaderName, HeaderValue)], Error> {
    let Some(headers) = &call.options.headers else { return Ok(&[]) };
    let (key, _) = scheme.clone().header();
    if headers.iter().any(|(name, _)| *name == key) {
        let path = format!("options.headers.{key}");
        let message = format!("{path}: the key stands in the configuration, as api_key");
        return Err(Error::invalid(path, message));
    }
    Ok(headers)
}

fn no_key_in_time() -> Error {
    Error::new(ErrorKind::Timeout, "the call's time ran out while its key was read")
}

/// The idempotency key, which makes all attempts of this call count once if the server has such a
/// header.
fn idempotency_key<'a>(
    services: &Services,
    call: &'a Call,
    chosen: &ChosenTarget,
    notes: &mut Notes,
) -> Result<Option<&'a str>, Error> {
    let own = call.options.idempotency_key.as_deref();
    let settings = services.settings(chosen);
    if settings.idempotency_header.is_none() {
        if own.is_some() {
            let message = format!(
                "{} has no header for idempotency_key: name it in \
                 providers.{0}.idempotency_header, if there is one",
                settings.name
            );
            notes.unsupported("options.idempotency_key", message)?;
        }
        return Ok(None);
    }
    let made = || call.idempotency.get_or_init(|| CallId::new(services.process).text("")).as_str();
    // A part of a request has one of its own, made of the caller's.
    Ok(Some(call.idempotency.get().map(String::as_str).or(own).unwrap_or_else(made)))
}
