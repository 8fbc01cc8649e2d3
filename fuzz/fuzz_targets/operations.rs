//! A caller's documents of every operation, as a client takes them: read, sent to its targets and
//! ended. Nothing panics, and each call ends, though no provider can be reached.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use liter_llm_core::http::{Connecting, Network};
use liter_llm_core::{Client, Wanted};
use liter_llm_fuzz::panics_on_purpose;
use tokio::runtime::{Builder, Runtime};

/// A network without a single server.
struct Nobody;

impl Network for Nobody {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> Connecting<'a> {
        Box::pin(async { Err(std::io::ErrorKind::ConnectionRefused.into()) })
    }
}

/// With a clock that jumps, so that a wait for a retry takes no time.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().start_paused(true).build().unwrap());

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    Client::with_network(liter_llm_fuzz::config(), Vec::new(), Arc::new(Nobody), 1)
});

/// Longer than any call may take by default.
const LONG: Duration = Duration::from_secs(1_200);

fuzz_target!(|input: &[u8]| {
    if panics_on_purpose(input) {
        return;
    }
    // What is behind the first zero byte are the options beside the document.
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let (request, options) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    RUNTIME.block_on(async {
        let admission = CLIENT.admit().unwrap();
        let call = CLIENT.start(admission, request, options, Wanted::default());
        // A call that asks for more time than that is given up, as a caller may.
        if let Ok(outcome) = tokio::time::timeout(LONG, call).await {
            assert!(outcome.is_err(), "an answer from nobody");
        }
    });
    assert_eq!(CLIENT.in_flight(), 0);
});
