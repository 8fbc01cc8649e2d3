//! Answers to requests for embeddings and rankings, of every provider that has them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use liter_llm_fuzz::vectors::check;

fuzz_target!(|input: &[u8]| check(input));
