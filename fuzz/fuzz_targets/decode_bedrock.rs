//! Amazon Bedrock's Converse, whose streams are AWS's event streams.
//!
//! A frame with a wrong checksum is refused before anything is read. So the body of a stream's input
//! has one payload on each line, with the name of its event before it, and the target makes the
//! frames. A line that begins with `#` is bytes as they are.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use liter_llm_core::config::ProviderConfig;
use liter_llm_fuzz::{HEAD, decode, frames, providers};

static PROVIDERS: LazyLock<Vec<ProviderConfig>> =
    LazyLock::new(|| providers(|row| row == "bedrock"));

fuzz_target!(|input: &[u8]| {
    let Some((head, body)) = input.split_first_chunk::<HEAD>() else { return };
    if head[0] % 2 == 1 {
        return decode(&PROVIDERS, input);
    }
    decode(&PROVIDERS, &[head, frames(body).as_slice()].concat());
});
