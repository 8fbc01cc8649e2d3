//! What an answer of Anthropic's says was used and billed.

use crate::json::Value;
use crate::model::{Billed, Unit};
use crate::provider::json::count;
use crate::provider::reported::{Reported, inner};

/// Reads the usage of a message. Its counts stand beside each other: `input_tokens` holds neither what
/// was read from the cache nor what was written to it [doc].
pub(in crate::provider) fn billed<'a>(said: &Reported<'a>) -> Option<Billed<'a>> {
    count(said.raw.get("input_tokens"))?;
    let mut billed = Billed {
        service_tier: said.word("service_tier"),
        speed: said.word("speed"),
        ..Billed::default()
    };
    let add = |billed: &mut Billed<'_>, of: &dyn Fn(&str) -> Option<&'a Value>| {
        let n = |name: &str| count(of(name)).unwrap_or(0);
        let hour = inner(of("cache_creation"), "ephemeral_1h_input_tokens");
        let day = inner(of("cache_creation"), "ephemeral_24h_input_tokens");
        let minutes = inner(of("cache_creation"), "ephemeral_5m_input_tokens");
        // The sum alone means five minutes.
        let all = n("cache_creation_input_tokens").max(minutes + hour + day);
        billed.counts.add(Unit::Input, n("input_tokens"));
        billed.counts.add(Unit::CacheRead, n("cache_read_input_tokens"));
        billed.counts.add(Unit::CacheWrite1h, hour + day);
        billed.counts.add(Unit::CacheWrite, all - hour - day);
        billed.counts.add(Unit::Output, n("output_tokens"));
    };
    add(&mut billed, &|name| said.raw.get(name));
    let thinking = inner(said.raw.get("output_tokens_details"), "thinking_tokens");
    let output = billed.counts.get(Unit::Output);
    billed.answer(output, [(Unit::Reasoning, thinking.min(output)), NONE, NONE, NONE]);
    billed.inconsistent |= thinking > output;
    let searches = inner(said.raw.get("server_tool_use"), "web_search_requests");
    billed.counts.add(Unit::Searches, searches);
    // The counts at the top are the sums of the iterations of type `message`. Others stand beside them
    // [rec], and may be of another model.
    let iterations = said.raw.get("iterations").and_then(Value::as_array);
    for own in iterations.into_iter().flatten() {
        match (own.get("type").and_then(Value::as_str), own.get("model")) {
            (Some("message") | None, _) => {}
            (Some(_), Some(Value::String(_))) => billed.another_model = true,
            (Some(_), _) => add(&mut billed, &|name| own.get(name)),
        }
    }
    Some(billed)
}

const NONE: (Unit, u64) = (Unit::OutputAudio, 0);
