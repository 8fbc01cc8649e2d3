//! Whole schedules in virtual time: a client, its calls, and providers that fail in every way, all
//! drawn from one seed. Whatever is drawn, the promises of `docs/architecture.md` hold.
//!
//! `LITER_LLM_SIM_SEED=n` replays one seed and prints what happened; `LITER_LLM_SIM_RUNS=n` runs
//! more of them, both together so many from that seed on.
#![allow(clippy::unwrap_used)]

#[path = "simulation/conserved.rs"]
mod conserved;
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
use std::sync::mpsc;
use std::time::Duration;

use run::{Answer, Ending, Report, run};

/// How many seeds are run where nobody says.
const RUNS: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// Runs a seed; with it comes what is wrong.
fn checked(seed: u64) -> (Report, Vec<String>) {
    let report = run(seed);
    let log = report.world.log();
    let mut wrong = conserved::check(&report, &log);
    wrong.extend(invariant::check(&report, &log));
    drop(log);
    (report, wrong)
}

/// All that is known of a run.
fn print(report: &Report) {
    let schedule = &report.schedule;
    println!("configuration: {:#}", schedule.config);
    for (target, plan) in schedule.targets.iter().enumerate() {
        println!("t{target}: {plan:?}");
    }
    for (call, plan) in schedule.calls.iter().enumerate() {
        println!("call {call}: {plan:?}\n    {}", plan.request);
    }
    println!("{}", report.world.log().trace);
}

/// How a call came to its answer.
fn how(answer: &Answer) -> &'static str {
    let served = answer.attempts.iter().find(|attempt| attempt.kind.is_none());
    let targets = answer.attempts.iter().map(|attempt| &attempt.target);
    match served {
        Some(served) if served.hedge => "hedged",
        _ if answer.attempts.len() == 1 => "at once",
        Some(served) if targets.clone().any(|target| *target != served.target) => "elsewhere",
        _ => "retried",
    }
}

/// Ends the process where a schedule takes so long that it must be going round in circles: a loop in
/// which no time passes is nothing that virtual time could end.
struct Watchdog(mpsc::Sender<u64>);

impl Watchdog {
    fn start() -> Watchdog {
        let (sender, seeds) = mpsc::channel();
        std::thread::spawn(move || {
            let mut seed = None;
            loop {
                match seeds.recv_timeout(Duration::from_secs(60)) {
                    Ok(next) => seed = Some(next),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        eprintln!("LITER_LLM_SIM_SEED={seed:?} does not end");
                        std::process::abort();
                    }
                }
            }
        });
        Watchdog(sender)
    }
}

#[test]
fn every_schedule_keeps_the_promises() {
    let (first, many) = (number("LITER_LLM_SIM_SEED"), number("LITER_LLM_SIM_RUNS"));
    let one = first.filter(|_| many.is_none());
    let runs = many.unwrap_or(RUNS);
    let first = first.unwrap_or(0);
    let mut endings: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    let mut broken = Vec::new();
    let watchdog = Watchdog::start();
    for seed in first..first + one.map_or(runs, |_| 1) {
        watchdog.0.send(seed).unwrap();
        let (report, wrong) = checked(seed);
        if one.is_some() || !wrong.is_empty() && broken.is_empty() {
            print(&report);
        }
        broken.extend(wrong.into_iter().map(|what| format!("seed {seed}: {what}")));
        for call in &report.calls {
            let ending = match call.end.as_ref().map(|(_, ending)| ending) {
                Some(Ending::Answer(_)) if call.restarts > 0 => "begun anew",
                Some(Ending::Answer(answer)) => how(answer),
                Some(Ending::Many(..)) => "many",
                Some(Ending::Cancelled) => "given up",
                Some(Ending::Failure(error)) => error.kind().name(),
                None => "none",
            };
            *endings.entry(ending).or_default() += 1;
        }
        for exchange in &report.world.log().exchanges {
            *faults.entry(exchange.fault.name()).or_default() += 1;
        }
        if broken.len() > 40 {
            break;
        }
    }
    println!("calls: {endings:?}; requests: {faults:?}");
    assert!(
        broken.is_empty(),
        "promises are broken; LITER_LLM_SIM_SEED=n replays one schedule, the first is above\n  {}\n",
        broken.join("\n  ")
    );
    // Else the promises were kept by chance.
    if one.is_none() && runs >= RUNS {
        assert!(fault::Fault::NAMES.iter().all(|name| faults.contains_key(name)), "{faults:?}");
        for (how, least) in [
            ("at once", 1_000),
            ("retried", 200),
            ("elsewhere", 200),
            ("hedged", 10),
            ("begun anew", 20),
            ("many", 100),
        ] {
            let times = endings.get(how).copied().unwrap_or(0);
            assert!(times >= least, "answered {how}: {times} calls of {endings:?}");
        }
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
