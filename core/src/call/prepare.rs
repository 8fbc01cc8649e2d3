//! Makes an attempt's request ready: the provider's format, the headers of the call, and at last the
//! credential.

use ::http::{HeaderMap, HeaderName, HeaderValue, Request};
use bytes::Bytes;
use http_body_util::Full;
use tokio::time::Instant;

use super::{Call, budget, refusal, targets};
use crate::auth::Proof;
use crate::error::{Error, ErrorKind};
use crate::http::{Deadline, until};
use crate::limit::{self, Held};
use crate::observe::CallId;
use crate::provider::Notes;
use crate::services::Services;
use crate::target::ChosenTarget;
use crate::wire::{self, Plane};

/// A request that only lacks its credential.
pub(super) struct Prepared<'a> {
    pub(super) request: Bare<'a>,
    /// The room that the request's body takes.
    pub(super) held: Held,
    /// The estimated number of tokens that the request uses.
    pub(super) tokens: u64,
    pub(super) notes: Notes,
    /// What it asks of its budgets.
    pub(super) plan: Option<Box<budget::Plan>>,
}

/// A request without its credential.
pub(super) struct Bare<'a> {
    wire: wire::Request,
    idempotency: Option<&'a str>,
}

impl Bare<'_> {
    /// The plane that is asked.
    pub(super) fn plane(&self) -> Plane {
        self.wire.plane
    }
}

/// A request that is ready to be sent, and the credential that it has.
pub(super) type Authorized = (Request<Full<Bytes>>, Option<Proof>);

/// Writes the request in the provider's format. It is an error if there is no credential for it.
pub(super) async fn prepare<'a>(
    services: &Services,
    call: &'a Call,
    index: usize,
) -> Result<Prepared<'a>, Error> {
    let chosen = &call.targets[index];
    let adapter = services.settings(chosen).row.adapter();
    let own = refusal::asked_of(call, chosen);
    let operation = own.as_ref().unwrap_or(&call.operation);
    let mut notes = refusal::notes(call);
    let mut wire = operation.encode(adapter, chosen.target(), &mut notes)?;
    refusal::leave_out(call, index, &mut wire, &mut notes);
    let blocking = services.pool(chosen, wire.plane)?.blocking();
    let mut held = Held::new(&services.room);
    held.hold(wire.body.len())?;
    let idempotency = idempotency_key(services, call, chosen, &mut notes)?;
    let tokens = limit::estimate(wire.body.len(), operation.max_tokens());
    let plan = budget::plan(services, call, index, operation, wire.body.len());
    let plan = plan.map_err(|error| call.place(error, index))?;
    own_headers(services, call, chosen)?;
    let ready = services.credentials[chosen.provider].ready(blocking);
    until(|| call.deadline, ready).await.unwrap_or_else(|| Err(no_key_in_time()))?;
    Ok(Prepared { request: Bare { wire, idempotency }, held, tokens, notes, plan })
}

/// Adds the credential to a request, right before it is sent: a signature is valid for minutes, and
/// the wait for a limit may be longer.
pub(super) async fn authorize(
    services: &Services,
    call: &Call,
    index: usize,
    request: Bare<'_>,
) -> Result<Authorized, Error> {
    let chosen = &call.targets[index];
    let pool = services.pool(chosen, request.plane())?;
    let settings = services.settings(chosen);
    let headers = own_headers(services, call, chosen)?;
    let Bare { mut wire, idempotency } = request;
    let credential = &services.credentials[chosen.provider];
    let authorized = credential.authorize(settings.scheme(), &mut wire, pool.blocking());
    let authorized = until(|| call.deadline, authorized).await;
    let key = authorized.unwrap_or_else(|| Err(no_key_in_time()))?;
    let header = settings.idempotency_header.as_ref();
    let mut request = pool.prepare(wire, headers, header.zip(idempotency))?;
    if settings.trace_context {
        for (name, value) in &call.trace_headers {
            // What the caller wrote by hand counts.
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    Ok((request, key))
}

/// The timers of an attempt.
pub(super) fn deadline(services: &Services, call: &Call, index: usize, began: Instant) -> Deadline {
    let mut timeouts = services.settings(&call.targets[index]).http.timeouts;
    if targets::first_token(services, call, index).is_some() {
        timeouts.first_token = None;
    }
    let (stream, start) = (call.operation.streams(), call.facts().began);
    Deadline::new(&timeouts, stream, start, began, call.deadline, call.options.idle_ms)
}

/// Tells the credential of an attempt that it was refused, if it was. Returns whether the next one
/// may pass.
pub(super) async fn refused(
    services: &Services,
    call: &Call,
    index: usize,
    key: Option<&Proof>,
    error: &Error,
    head: Option<Box<HeaderMap>>,
) -> bool {
    if error.kind() != ErrorKind::Authentication {
        return false;
    }
    let head = head.unwrap_or_default();
    let provider = call.targets[index].provider;
    let (credential, blocking) =
        (&services.credentials[provider], services.pools[provider].data.blocking());
    let telling = credential.refused(key, error.code.as_deref(), &head, blocking);
    until(|| call.deadline, telling).await.unwrap_or(false)
}

/// The headers of `options.headers`. The key's header is none of them, whatever its name is here.
fn own_headers<'a>(
    services: &Services,
    call: &'a Call,
    chosen: &ChosenTarget,
) -> Result<&'a [(HeaderName, HeaderValue)], Error> {
    let Some(headers) = &call.options.headers else { return Ok(&[]) };
    let (scheme, credential) =
        (services.settings(chosen).scheme(), &services.credentials[chosen.provider]);
    if let Some((key, _)) = headers.iter().find(|(name, _)| credential.owns(&scheme, name)) {
        let path = format!("options.headers.{key}");
        let message = match credential.signs() {
            true => format!("{path}: the request is signed with the keys of the configuration"),
            false => format!("{path}: the key stands in the configuration, as api_key"),
        };
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
