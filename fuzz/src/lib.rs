//! What the targets share: providers to decode for, and cuts of a body.
//!
//! The input of a `decode_*` target is a head of three bytes and a body: how it is read (even: as a
//! stream; odd: whole, with a status), which server's dialect, and where a stream is cut. What must
//! hold: nothing panics, and a stream says the same however it is cut.
#![forbid(unsafe_code)]

pub mod vectors;

use http::HeaderMap;
use liter_llm_core::Config;
use liter_llm_core::config::ProviderConfig;
use liter_llm_core::provider::{Progress, StreamReader, Target, registry};
use liter_llm_core::wire::Reply;

/// Bytes of an input before the body.
pub const HEAD: usize = 3;

pub(crate) const STATUSES: [u16; 6] = [200, 400, 401, 404, 429, 503];

/// Whether an input may hold the operation of debug builds that panics.
#[must_use]
pub fn panics_on_purpose(input: &[u8]) -> bool {
    input.windows(11).any(|window| window == b"debug_panic")
}

/// Every built-in provider, one that is only compatible, and one with Responses as its format.
#[must_use]
pub fn config() -> Config {
    let document = br#"{"providers":{
        "mine":{"kind":"compatible","base_url":"http://localhost/v1"},
        "bedrock":{"region":"us-east-1","api_key":"k"},
        "responses":{"kind":"openai","api":"responses"}}}"#;
    Config::parse(document).unwrap_or_else(|error| panic!("{error}"))
}

/// The providers of `config` that have chats in one wire format.
#[must_use]
pub fn providers(wanted: impl Fn(&str) -> bool) -> Vec<ProviderConfig> {
    let chats = config().providers.into_iter().filter(|provider| provider.row.chat().is_some());
    chats.filter(|provider| wanted(provider.row.name)).collect()
}

/// Reads `input` as an answer of one of `providers`.
pub fn decode(providers: &[ProviderConfig], input: &[u8]) {
    let Some((&[how, dialect, seed], body)) = input.split_first_chunk::<HEAD>() else { return };
    let provider = &providers[usize::from(dialect) % providers.len()];
    let target = provider.target("m");
    if how % 2 == 1 {
        let status = STATUSES[usize::from(how / 2) % STATUSES.len()];
        let reply = Reply { status, headers: &HeaderMap::new(), body, received: None };
        let adapter = provider.row.adapter();
        let _ = provider.row.chat().unwrap().decode(&reply, &target);
        // The same body as an answer to other operations.
        let _ = adapter.models().map(|models| models.decode(&reply, &target));
        let _ = adapter.count_tokens().map(|count| count.decode(&reply, &target));
        return;
    }
    let whole = stream(&target, [body]);
    let cut = stream(&target, cuts(body, seed));
    assert_eq!(whole, cut, "a stream depends on where it is cut");
}

/// A streamed body's answer, or its error, as text.
fn stream<'a>(target: &Target, parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let adapter = registry::row(target.kind).unwrap().chat().unwrap();
    let mut reader = StreamReader::new(adapter, target, false);
    for part in parts {
        match reader.push(part) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => break,
            Err(error) => return format!("{error:?}"),
        }
    }
    match reader.end(&HeaderMap::new()) {
        Ok(()) => format!("{:?}", reader.into_completion()),
        Err(error) => format!("{error:?}"),
    }
}

/// The frames of an event stream: one a line, its name up to the first space. A name that ends in
/// `Exception` is one of an exception. A line that begins with `#` stays as it is.
#[must_use]
pub fn frames(lines: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if let Some(raw) = line.strip_prefix(b"#") {
            out.extend_from_slice(raw);
            continue;
        }
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (name, payload) = (String::from_utf8_lossy(&line[..space.min(99)]), &line[space..]);
        let kind = if name.ends_with("Exception") { "exception" } else { "event" };
        out.extend(liter_llm_simulator::frames::frame(kind, &name, payload));
    }
    out
}

/// `bytes` in parts of one to sixteen bytes, by a small generator of its own.
pub fn cuts(mut bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed) + 1;
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (part, rest) = bytes.split_at(bytes.len().min((state >> 28) as usize + 1));
        bytes = rest;
        Some(part)
    })
}
