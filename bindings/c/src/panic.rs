//! What a panic prints: its place. Its message may quote a text that was being cut, which may be a
//! prompt or a key.

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};

static SET: AtomicBool = AtomicBool::new(false);

/// Has panics print their place only. This library has a copy of the standard library to itself, so
/// no Rust code of the host is concerned.
pub(crate) fn print_places_only() {
    // No `Once`: the child of a fork meanwhile would wait for it for ever.
    if !SET.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(print));
    }
}

fn print(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    // Where nobody takes it, it is lost: `eprintln` would panic.
    let line = format!("liter-llm panicked at {place}: this is a bug, please report the place\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}
