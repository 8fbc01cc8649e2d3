//! One C program for each hazard of a C ABI, compiled and run against the shared library of this
//! profile. Each says in its first lines what it shows; `check.h` holds what they share.

mod common;

use std::sync::{Mutex, PoisonError};

use common::{Bench, compile, here, ok};

/// Runs `tests/<name>.c`. One at a time: some count threads, descriptors, or the simulator's sockets.
fn hazard(name: &str) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let program = compile(&here().join(format!("tests/{name}.c")), &["-std=gnu99"]);
    let bench = Bench::start();
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    ok(&bench.run(&program, &[], &[("PROFILE", profile)]));
}

macro_rules! hazards {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { hazard(stringify!($name)); })*

        /// A program that nobody runs shows nothing.
        #[test]
        fn every_program_is_run() {
            let known = [$(stringify!($name),)* "conformance"];
            for entry in std::fs::read_dir(here().join("tests")).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                if path.extension().is_some_and(|extension| extension == "c") {
                    assert!(known.contains(&name), "{name}.c is not in the list");
                }
            }
        }
    };
}

hazards!(
    bad_input,
    inline,
    flags,
    descriptors,
    no_threads,
    abi,
    panic,
    generate,
    logs,
    threads,
    cancel,
    big_document,
    queue,
    shutdown,
    exit,
    fork,
    backpressure,
    credit,
    leak,
    signals,
    closed_client,
    closed_just_then,
    left_http2,
    lookups,
    ten_thousand,
    half_read,
    big_answer,
    cancel_storm,
    worker_exit,
    event_loops,
    ctrl_c,
    doorbell,
    environment,
    storm,
    unasked,
    unicode
);
