//! Takes the secrets of a call out of what its provider said, because a provider may repeat them.
//!
//! Secrets are removed before a text is shortened: half a key is not recognized as one. The content
//! of an answer stays as it came.

use super::Call;
use crate::auth::{Proof, Secrets};
use crate::error::Error;
use crate::json::{Object, Value};
use crate::operation::Answer;
use crate::services::Services;

/// Most characters of a provider's text in an error's message, code, parameter or id.
const MOST_TEXT: usize = 2_000;

/// Most bytes of a provider's own error.
const MOST_KEPT: usize = 64 << 10;

impl Call {
    /// The secrets that went out with an attempt at a target. `key` is the one that was sent.
    pub(super) fn secrets<'a>(
        &'a self,
        services: &'a Services,
        target: usize,
        key: Option<&'a Proof>,
    ) -> Secrets<'a> {
        let configured = &services.settings(&self.targets[target]).http;
        let own = self.options.headers.as_deref().unwrap_or_default();
        let proxy = configured.proxy.as_ref().and_then(|proxy| proxy.basic_auth());
        Secrets { key, headers: [&configured.headers, own], query: &configured.query, proxy }
    }
}

/// The error of an attempt without secrets. An error without a status has nothing of an answer.
pub(super) fn error(secrets: &Secrets<'_>, mut error: Error) -> Error {
    if error.status.is_none() {
        return error;
    }
    let e = &mut *error;
    let texts = [&mut e.code, &mut e.param, &mut e.request_id].into_iter().flatten();
    for text in texts.chain([&mut e.message]) {
        clean(secrets, text);
        if let Some((end, _)) = text.char_indices().nth(MOST_TEXT) {
            text.truncate(end);
            text.push('…');
        }
    }
    clean_object(secrets, &mut e.ratelimit);
    if let Some(own) = &mut e.provider_error {
        own.each_text(&mut |text| secrets.redact(text));
        own.each_name(&mut |name| secrets.redact(name));
        shorten(own);
    }
    error
}

/// The document of an answer, without secrets in what the engine adds to the content.
pub(super) fn answer(secrets: &Secrets<'_>, mut answer: Answer) -> Answer {
    let (warnings, liter) = answer.additions();
    let texts = [&mut liter.provider_request_id, &mut liter.finish_reason_raw];
    texts.into_iter().flatten().for_each(|text| clean(secrets, text));
    clean_object(secrets, &mut liter.ratelimit);
    clean_object(secrets, &mut liter.provider_fields);
    if let Some(usage) = &mut liter.usage_raw {
        usage.each_text(&mut |text| secrets.redact(text));
    }
    warnings.iter_mut().for_each(|warning| clean(secrets, &mut warning.message));
    answer
}

fn clean(secrets: &Secrets<'_>, text: &mut String) {
    if let Some(clean) = secrets.redact(text) {
        *text = clean;
    }
}

fn clean_object(secrets: &Secrets<'_>, object: &mut Object) {
    object.each_text(&mut |text| secrets.redact(text));
}

/// Cuts a provider's own error that is too long to be kept. Its text stays, whatever it was.
fn shorten(own: &mut Value) {
    let mut text = match *own {
        Value::String(ref mut text) if text.len() > MOST_KEPT => std::mem::take(text),
        Value::String(_) => return,
        ref other => other.to_string(),
    };
    if text.len() > MOST_KEPT {
        text.truncate(text.floor_char_boundary(MOST_KEPT));
        *own = Value::from(text);
    }
}
