//! The library's version, and its orderly end.

use std::ffi::c_char;
use std::time::Duration;

use crate::{
    LITER_LLM_ABI_VERSION, LITER_LLM_E_INTERNAL, LITER_LLM_FAILED, LITER_LLM_OK, engine, guard,
    invoke,
};

/// The ABI version of this library: LITER_LLM_ABI_VERSION of the header it was built with.
#[unsafe(no_mangle)]
pub extern "C" fn liter_llm_abi_version() -> u32 {
    LITER_LLM_ABI_VERSION
}

/// "1.4.0". Static; not freed.
#[unsafe(no_mangle)]
pub extern "C" fn liter_llm_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// For hosts that want an orderly end (tests, leak checkers): cancels, flushes telemetry, joins the
/// library's threads. 0: all stopped within `timeout_ms`. A later call starts them anew.
#[unsafe(no_mangle)]
pub extern "C" fn liter_llm_shutdown(timeout_ms: u32) -> i32 {
    guard(LITER_LLM_E_INTERNAL, || {
        let stopped = engine::stop(Duration::from_millis(timeout_ms.into()));
        invoke::free_default_client();
        if stopped { LITER_LLM_OK } else { LITER_LLM_FAILED }
    })
}
