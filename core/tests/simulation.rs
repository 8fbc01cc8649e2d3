//! Whole schedules in virtual time: a client, its calls, and providers that fail in every way, all
//! drawn from one seed. Whatever is drawn, the promises of `docs/architecture.md` hold.
//!
//! `LITER_LLM_SIM_SEED=n` replays one seed and prints what happened; `LITER_LLM_SIM_RUNS=n` runs
//! more of them.
#![allow(clippy::unwrap_used)]

#[path = "simulation/fault.rs"]
mod fault;
#[path = "simulation/hint.rs"]
mod hint;
#[path = "simulation/invariant.rs"]
mod invariant;
#[path = "simulation/network.rs"]
mod network;
#[path = "simulation/run.rs"]
mod run;
#[path = "simulation/schedule.rs"]
mod schedule;
#[path = "simulation/wire.rs"]
mod wire;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;

use run::{Ending, Report, run};

/// How many seeds are run where nobody says.
const RUNS: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// Runs a seed; panics with all that is known if a promise is broken.
fn checked(seed: u64) -> Report {
    let report = run(seed);
    let wrong = invariant::check(&report);
    if !wrong.is_empty() || number("LITER_LLM_SIM_SEED").is_some() {
        let schedule = &report.schedule;
        println!("configuration: {:#}", schedule.config);
        for (target, plan) in schedule.targets.iter().enumerate() {
            println!("t{target}: {plan:?}");
        }
        for (call, plan) in schedule.calls.iter().enumerate() {
            println!("call {call}: {plan:?}");
        }
        println!("{}", report.world.log().trace);
    }
    assert!(
        wrong.is_empty(),
        "\nLITER_LLM_SIM_SEED={seed} breaks a promise:\n  {}\n",
        wrong.join("\n  ")
    );
    report
}

#[test]
fn every_schedule_keeps_the_promises() {
    if let Some(seed) = number("LITER_LLM_SIM_SEED") {
        checked(seed);
        return;
    }
    let runs = number("LITER_LLM_SIM_RUNS").unwrap_or(RUNS);
    let mut endings: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..runs {
        let report = checked(seed);
        for call in &report.calls {
            let ending = match &call.end.as_ref().unwrap().1 {
                Ending::Answer { .. } => "ok",
                Ending::Cancelled => "given up",
                Ending::Failure(error) => error.kind().name(),
            };
            *endings.entry(ending).or_default() += 1;
        }
        for exchange in &report.world.log().exchanges {
            *faults.entry(exchange.fault.name()).or_default() += 1;
        }
    }
    println!("{runs} schedules; calls: {endings:?}; requests: {faults:?}");
    // Else the promises were kept by chance.
    if runs >= RUNS {
        assert!(fault::Fault::NAMES.iter().all(|name| faults.contains_key(name)), "{faults:?}");
        assert!(endings["ok"] > 1_000, "{endings:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..50 {
        let trace = |report: Report| report.world.log().trace.clone();
        let (first, second) = (trace(run(seed)), trace(run(seed)));
        assert!(first == second, "seed {seed}:\n{first}\nand then:\n{second}");
    }
}
