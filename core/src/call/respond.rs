//! The response document: the provider's answer, and what the engine adds.

use tokio::time::Instant;

use super::served::{Content, Head, Served};
use super::{Call, content, priced, redact};
use crate::auth::Proof;
use crate::model::{Liter, Routed, Timing, Warning};
use crate::observe::millis;
use crate::operation::{Answer, Decoded, Envelope};
use crate::services::Services;
use crate::wire::headers;

/// The document of an attempt that was answered as a whole.
pub(crate) fn respond(services: &Services, call: &Call, served: Served) -> Answer {
    let Served { target, head, key, warnings, first_content, content, .. } = served;
    let decoded = match content {
        Content::Whole(decoded) => decoded,
        Content::Stream(opened) => Decoded::of_stream(*opened.reader),
    };
    noted(services, call, target, &warnings);
    let answer = document(services, call, target, &head, warnings, first_content, decoded);
    // A call has one answer.
    let _ = call.held.set(head.held);
    finished(services, call, target, key.as_ref(), answer)
}

/// Remembers for the cache who answered, and which warnings are about the request.
pub(super) fn noted(services: &Services, call: &Call, target: usize, own: &[Warning]) {
    if services.cache.is_some() {
        // It is set once, at the end of the call.
        let _ = call.served.set((target, call.warnings.len() + own.len()));
    }
}

/// The document as its caller gets it.
pub(super) fn finished(
    services: &Services,
    call: &Call,
    target: usize,
    key: Option<&Proof>,
    answer: Answer,
) -> Answer {
    let secrets = call.secrets(services, target, key);
    let answer = redact::answer(&secrets, answer);
    content::answer(services, call, &secrets, &answer);
    answer
}

/// The document of a target's answer. `first_content` is set for a stream.
pub(super) fn document(
    services: &Services,
    call: &Call,
    target: usize,
    head: &Head,
    own_warnings: Vec<Warning>,
    first_content: Option<Instant>,
    decoded: Decoded,
) -> Answer {
    let began = call.facts().began;
    let since = |at: Instant| millis(at.duration_since(began));
    let mut warnings = call.warnings.clone();
    warnings.extend(own_warnings);
    let cost = priced::cost(services, call, target, &decoded, &mut warnings);
    decoded.into_answer(Envelope {
        date: headers::date(&head.headers),
        provider: call.targets[target].target().provider.to_string(),
        warnings,
        liter: Liter {
            v: 1,
            request_id: call.facts().id.to_string(),
            provider_request_id: headers::request_id(&head.headers),
            attempts: call.attempts(),
            timing: Timing {
                queue_ms: call.ledger.began().map_or(0.0, since),
                ttft_ms: first_content.map(since),
                total_ms: since(Instant::now()),
            },
            route: routed(call, target),
            cost,
            ratelimit: headers::rate_limits(&head.headers),
            trace: call.trace(services, target),
            ..Liter::default()
        },
    })
}

/// Why this target was asked, with what the call was likely to cost there.
fn routed(call: &Call, target: usize) -> Option<Box<Routed>> {
    let mut routed = call.routed.clone()?;
    routed.expected_usd = call.targets[target].expected;
    Some(routed)
}
