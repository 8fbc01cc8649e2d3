//! The question of a call, for the cache: all that would be sent to a target, without the proof of
//! who sends it.

use std::sync::Arc;

use super::{Call, refusal, split};
use crate::cache::{Cache, Question};
use crate::error::Error;
use crate::http::Settings;
use crate::model::{CacheMode, Warning};
use crate::operation::{Cacheable, Operation};
use crate::services::Services;
use crate::wire;

/// A question that may be answered from the cache.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) cache: Arc<Cache>,
    pub(super) question: Question,
    /// The target that would be asked.
    pub(super) target: usize,
    /// What that target could not be asked.
    pub(super) warnings: Vec<Warning>,
}

/// What a call asks one of its targets. `None`: its answer is not kept. The error is about the
/// options.
pub(super) fn ask(
    services: &Services,
    cache: &Arc<Cache>,
    call: &Call,
    target: usize,
) -> Result<Option<Asked>, Error> {
    let options = call.options.cache.unwrap_or_default();
    let tenant = call.options.tenant.as_deref().unwrap_or_default();
    let mode = options.mode.unwrap_or_default();
    if mode == CacheMode::Bypass || !cache.takes(tenant) {
        return Ok(None);
    }
    let chosen = &call.targets[target];
    let own = refusal::asked_of(call, chosen);
    let operation = own.as_ref().unwrap_or(&call.operation);
    match operation.cacheable(chosen.target().body.as_deref()) {
        Cacheable::Yes => {}
        Cacheable::IfAsked if mode != CacheMode::Default => {}
        Cacheable::IfAsked | Cacheable::Never => return Ok(None),
    }
    // Which of several targets answers the parts is known too late.
    if call.targets.len() > 1 && split::parts(services, call).is_some() {
        return Ok(None);
    }
    let whole;
    let operation = match operation.streams() {
        true => {
            whole = Operation::clone(operation).streamed(false);
            &whole
        }
        false => operation,
    };
    let settings = services.settings(chosen);
    let mut notes = refusal::notes(call);
    let adapter = settings.row.adapter();
    // What is refused is refused by the attempt, which says it as ever.
    let Ok(mut wire) = operation.encode(adapter, chosen.target(), &mut notes) else {
        return Ok(None);
    };
    refusal::leave_out(call, target, &mut wire, &mut notes);
    let shape = operation.shape();
    // In another region it is asked at another host.
    let region = chosen.target().region.as_deref().unwrap_or_default();
    let names =
        [operation.name(), &settings.name, settings.row.name, &chosen.target().model, region];
    let parts = parts(&names, &shape, &settings.http, call, &wire);
    let question = cache.question(tenant, options, &parts)?;
    Ok(Some(Asked { cache: Arc::clone(cache), question, target, warnings: notes.into_warnings() }))
}

/// All that reaches the provider but the credential, and what its answer is shaped by.
fn parts<'a>(
    names: &[&'a str; 5],
    shape: &'a str,
    settings: &'a Settings,
    call: &'a Call,
    wire: &'a wire::Request,
) -> Vec<&'a [u8]> {
    let base = &settings.base_url;
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let place = [base.scheme_str().unwrap_or_default(), authority, base.path()];
    let request = [wire.method.as_str(), &wire.path, &wire.query, &settings.query, shape];
    let own = call.options.headers.as_deref().unwrap_or_default();
    let mut parts: Vec<&[u8]> = Vec::with_capacity(32);
    parts.extend(names.iter().chain(&place).chain(&request).map(|text| text.as_bytes()));
    for headers in [&wire.headers, &settings.headers, own] {
        for (name, value) in headers {
            parts.extend([name.as_str().as_bytes(), value.as_bytes()]);
        }
        // No list of headers is another one's beginning.
        parts.push(b"");
    }
    parts.push(&wire.body);
    parts
}
