//! Server-sent events: the same events come out, however the bytes are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use liter_llm_core::wire::SseParser;

/// The events, as text; after the first fault nothing more is read.
fn events<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut parser = SseParser::default();
    let mut found = Vec::new();
    for part in parts {
        parser.push(part);
        loop {
            match parser.next_event() {
                Ok(Some(event)) => found.push(format!("{event:?}")),
                Ok(None) => break,
                Err(error) => {
                    found.push(format!("{error:?}"));
                    return found;
                }
            }
        }
    }
    found.push(format!("{:?}", parser.last_event()));
    found
}

fuzz_target!(|input: &[u8]| {
    let Some((&seed, bytes)) = input.split_first() else { return };
    let whole = events([bytes]);
    assert_eq!(whole, events(liter_llm_fuzz::cuts(bytes, seed)));
    assert_eq!(whole, events(bytes.chunks(1)));
});
