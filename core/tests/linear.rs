//! Every reader and writer costs no more than its input is long.
//!
//! Each kind of input is made four times as long, which may cost 2.5 times as much for each doubling
//! at most. What is linear costs twice as much. What looks each part up among all before it, or
//! reads again what it has read, costs four times as much.
//!
//! Cost is the time of this thread on a processor, the least of several runs. Other processes can
//! only add to it, and a run that they disturbed is made again.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "linear/answers.rs"]
mod answers;
#[path = "linear/bedrock.rs"]
mod bedrock;
#[allow(dead_code)]
#[path = "wire/corpus.rs"]
mod corpus;
#[path = "linear/limits.rs"]
mod limits;
#[path = "linear/members.rs"]
mod members;
#[path = "linear/ollama.rs"]
mod ollama;
#[path = "linear/requests.rs"]
mod requests;
#[path = "linear/streams.rs"]
mod streams;
#[path = "linear/wire.rs"]
mod wire;

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How much longer the second input is.
const TIMES: usize = 4;
/// The most that it may cost: 2.5 for each of two doublings.
const MOST: f64 = 2.5 * 2.5;
/// Runs before the cost is judged, and runs after which it is too high.
const RUNS: std::ops::Range<usize> = 2..12;

/// Fails unless `work` on an input of `n` parts costs in proportion to `n`. `make` makes the input.
#[track_caller]
fn linear<I>(kind: &str, n: usize, make: impl Fn(usize) -> I, work: impl Fn(&I)) {
    let (short, long) = (make(n), make(n * TIMES));
    let mut least = [Duration::MAX; 2];
    for run in 0..RUNS.end {
        for (input, least) in [&short, &long].into_iter().zip(&mut least) {
            *least = cost(|| work(input)).min(*least);
        }
        if run + 1 >= RUNS.start && ratio(least) <= MOST {
            if std::env::var_os("LITER_LLM_COSTS").is_some() {
                eprintln!("{kind}: {:.1} ({:?})", ratio(least), least[0]);
            }
            return;
        }
        // Far above, no chance helps, and what is not linear takes long.
        if run + 1 > RUNS.start && ratio(least) > 2.0 * MOST {
            break;
        }
    }
    panic!("{kind}: {n} parts cost {:?}, {TIMES} times as many {:?}", least[0], least[1]);
}

fn ratio(costs: [Duration; 2]) -> f64 {
    costs[1].as_secs_f64() / costs[0].as_secs_f64()
}

/// The processor time of this thread that `work` takes.
fn cost(work: impl FnOnce()) -> Duration {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
    };
    let start = now();
    work();
    now() - start
}

/// The measure itself: it passes what is linear and finds what is not.
#[test]
fn a_square_is_found() {
    let sum = |most: &usize| {
        std::hint::black_box((0..*most).fold(0, |sum: usize, i| std::hint::black_box(sum ^ i)));
    };
    linear("a line", 50_000, |n| n, sum);
    let square = || linear("a square", 200, |n| n * n, sum);
    assert!(std::panic::catch_unwind(square).is_err());
}
