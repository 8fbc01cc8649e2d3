//! The response document: the provider's answer, and what the engine adds.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Call;
use super::served::{Content, Head, Served};
use crate::model::{Liter, Timing, Warning};
use crate::operation::{Answer, Decoded, Envelope};
use crate::services::Services;
use crate::wire::headers;

/// The document of an attempt that was answered as a whole.
pub(crate) fn respond(services: &Services, call: &Call, served: Served) -> Answer {
    let Served { target, head, warnings, first_content, content, .. } = served;
    let decoded = match content {
        Content::Whole(decoded) => decoded,
        Content::Stream(opened) => Decoded::of_stream(*opened.reader),
    };
    document(services, call, target, &head, warnings, first_content, decoded)
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
    decoded.into_answer(Envelope {
        date: headers::date(&head.headers),
        provider: call.targets[target].target().provider.to_string(),
        warnings,
        liter: Liter {
            v: 1,
            request_id: unique(services, "llm_"),
            provider_request_id: headers::request_id(&head.headers),
            attempts: call.attempts(),
            timing: Timing {
                queue_ms: call.ledger.began().map_or(0.0, since),
                ttft_ms: first_content.map(since),
                total_ms: since(Instant::now()),
            },
            ratelimit: headers::rate_limits(&head.headers),
            ..Liter::default()
        },
    })
}

/// A unique id. A keyed hash of the process id and a count costs no system call. A forked process
/// inherits key and count, but its clients have another process id.
pub(super) fn unique(services: &Services, prefix: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    static KEY: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let key = KEY.get_or_init(RandomState::new);
    let call = (services.process, COUNT.fetch_add(1, Ordering::Relaxed));
    let mut id = String::with_capacity(prefix.len() + 32);
    id.push_str(prefix);
    for half in 0..2 {
        let number = key.hash_one((call, half));
        let digit = |at: u32| char::from(HEX[(number >> (at * 4)) as usize & 15]);
        id.extend((0..16).rev().map(digit));
    }
    id
}

pub(super) fn millis(duration: Duration) -> f64 {
    // Microseconds are fine enough for a reader.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
