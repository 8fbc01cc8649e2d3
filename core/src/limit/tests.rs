//! Gates in virtual time: order, deadlines, cancels, and that no minute sees more than its quota.

mod headers;
mod quotas;
mod rates;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

fn requests(per_minute: u32) -> Gate {
    Gate::new(Limits { requests_per_minute: Some(per_minute), ..Limits::default() })
}

fn tokens(per_minute: u32) -> Gate {
    Gate::new(Limits { tokens_per_minute: Some(per_minute), ..Limits::default() })
}

fn in_flight(most: u32) -> Gate {
    Gate::new(Limits { max_in_flight: Some(most), ..Limits::default() })
}

fn headers(of: &[(&str, &str)]) -> HeaderMap {
    let header = |&(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    of.iter().map(header).collect()
}

/// Passes now, or fails.
async fn try_acquire(gate: &Gate, tokens: u64) -> Result<Permit, Limited> {
    let begun = Instant::now();
    let acquired = gate.acquire(tokens, false, far()).await;
    assert_eq!(Instant::now(), begun, "it waited");
    acquired
}

/// The permits of all calls that pass now.
async fn drain(gate: &Gate) -> Vec<Permit> {
    let mut permits = Vec::new();
    while let Ok(permit) = try_acquire(gate, 1).await {
        permits.push(permit);
        assert!(permits.len() < 10_000);
    }
    permits
}

fn waiting(gate: &Gate) -> (usize, u32) {
    gate.0.lock().load()
}

#[tokio::test(start_paused = true)]
async fn nothing_limited_nothing_locked() {
    let gate = Gate::new(Limits::default());
    let locked = gate.0.lock();
    let permit = pin!(gate.acquire(1_000_000, false, Instant::now()));
    assert!(permit.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    drop(locked);
    assert_eq!(gate.0.totals(), Totals { requests: 1, tokens: 1_000_000 });
}

#[tokio::test(start_paused = true)]
async fn a_tenth_at_once_and_the_rest_evenly() {
    let gate = requests(100);
    assert_eq!(drain(&gate).await.len(), 10);
    let mut more = 0;
    for _ in 0..60 {
        advance(SECOND).await;
        more += drain(&gate).await.len();
    }
    assert!((85..=90).contains(&more), "{more}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_in_time_is_told_at_once() {
    let gate = requests(1);
    let _first = try_acquire(&gate, 0).await.unwrap();
    let begun = Instant::now();
    // The turn does not come within a minute.
    let error = gate.acquire(0, true, far()).await.unwrap_err();
    assert_eq!(error.what, "requests_per_minute");
    assert_eq!(error.retry_after, Some(SECOND * 61));
    advance(SECOND * 10).await;
    let error = gate.acquire(0, true, begun + SECOND * 61).await.unwrap_err();
    assert_eq!(error.retry_after, Some(SECOND * 51));
    assert_eq!(Instant::now(), begun + SECOND * 10);
    // The turn would come in time, but the call may not wait.
    assert!(try_acquire(&gate, 0).await.is_err());
    let _second = gate.acquire(0, true, begun + SECOND * 62).await.unwrap();
    assert_eq!(Instant::now(), begun + SECOND * 61);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_know_waits_until_the_deadline() {
    let gate = in_flight(1);
    let _held = try_acquire(&gate, 0).await.unwrap();
    let begun = Instant::now();
    for (deadline, waits) in [(SECOND * 7, SECOND * 7), (SECOND * 900, MAX_WAIT)] {
        let begun = Instant::now();
        let error = gate.acquire(0, true, begun + deadline).await.unwrap_err();
        assert_eq!(error, Limited { retry_after: None, what: "max_in_flight" });
        assert_eq!(begun.elapsed(), waits);
    }
    assert!(gate.acquire(0, true, begun).await.is_err(), "the deadline is over");
    assert_eq!(waiting(&gate), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served() {
    for gate in [requests(600), tokens(600), in_flight(1)] {
        let (say, said) = mpsc::channel();
        let mut calls = JoinSet::new();
        for n in 0..200_u64 {
            let (gate, say) = (gate.clone(), say.clone());
            calls.spawn(async move {
                let permit = gate.acquire(1 + n % 4, true, far()).await.unwrap();
                say.send(n).unwrap();
                sleep(Duration::from_millis(10)).await;
                drop(permit);
            });
            tokio::task::yield_now().await;
        }
        drop((calls.join_all().await, say));
        let order: Vec<u64> = said.iter().collect();
        assert_eq!(order, (0..200).collect::<Vec<_>>());
        assert_eq!(waiting(&gate), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_overtakes() {
    let gate = tokens(100);
    let _first = try_acquire(&gate, 60).await.unwrap();
    advance(SECOND * 2).await;
    let large = tokio::spawn({
        let gate = gate.clone();
        async move { gate.acquire(50, true, far()).await }
    });
    tokio::task::yield_now().await;
    // The call would fit, but another call waits.
    let error = try_acquire(&gate, 10).await.unwrap_err();
    assert_eq!(error.what, "tokens_per_minute");
    let _large = large.await.unwrap().unwrap();
    let _small = try_acquire(&gate, 10).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_turn_goes_to_the_next() {
    let gate = in_flight(1);
    let held = try_acquire(&gate, 0).await.unwrap();
    let cx = &mut Context::from_waker(Waker::noop());
    let mut first = Box::pin(gate.acquire(0, true, far()));
    let mut second = Box::pin(gate.acquire(0, true, far()));
    let mut third = Box::pin(gate.acquire(0, true, far()));
    assert!(first.as_mut().poll(cx).is_pending());
    assert!(second.as_mut().poll(cx).is_pending());
    assert!(third.as_mut().poll(cx).is_pending());
    drop(second);
    drop(held);
    // The first waiter has its turn, but never looks.
    assert_eq!(waiting(&gate), (1, 1));
    drop(first);
    assert_eq!(waiting(&gate), (0, 1));
    let permit = third.await.unwrap();
    drop(permit);
    assert_eq!(waiting(&gate), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_whom_nobody_drives_does_not_hold_up_the_others() {
    let gate = requests(10);
    let _first = try_acquire(&gate, 0).await.unwrap();
    let mut stuck = Box::pin(gate.acquire(0, true, far()));
    assert!(stuck.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let begun = Instant::now();
    let _second = gate.acquire(0, true, far()).await.unwrap();
    assert!(begun.elapsed() < SECOND * 15, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_cancels_leaves_nothing_behind() {
    let limits = Limits {
        requests_per_minute: Some(3000),
        tokens_per_minute: Some(100_000),
        max_in_flight: Some(5),
    };
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let gate = Gate::new(limits);
        let mut calls = JoinSet::new();
        for _ in 0..300 {
            let (gate, patience) = (gate.clone(), Duration::from_millis(rng.u64(0..2000)));
            let (tokens, work) = (rng.u64(0..500), Duration::from_millis(rng.u64(0..100)));
            calls.spawn(tokio::time::timeout(patience, async move {
                if let Ok(mut permit) = gate.acquire(tokens, true, far()).await {
                    sleep(work).await;
                    permit.settle(tokens / 2, Instant::now());
                }
            }));
            sleep(Duration::from_millis(rng.u64(0..4))).await;
        }
        calls.join_all().await;
        assert_eq!(waiting(&gate), (0, 0), "seed {seed}");
        advance(SECOND * 61).await;
        assert_eq!(drain(&gate).await.len(), 5, "seed {seed}");
    }
}

#[test]
fn callers_on_many_runtimes_share_a_gate() {
    let gate = in_flight(2);
    let passed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.unwrap().block_on(async {
                    for _ in 0..200 {
                        let permit = gate.acquire(1, true, far()).await.unwrap();
                        passed.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                        drop(permit);
                    }
                });
            });
        }
    });
    assert_eq!(passed.load(Ordering::Relaxed), 800);
    assert_eq!(waiting(&gate), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn estimates_are_put_right() {
    let gate = tokens(1000);
    let mut permit = try_acquire(&gate, 900).await.unwrap();
    assert!(try_acquire(&gate, 200).await.is_err());
    permit.settle(100, Instant::now());
    let mut other = try_acquire(&gate, 200).await.unwrap();
    other.settle(900, Instant::now());
    assert!(try_acquire(&gate, 1).await.is_err());
    advance(SECOND * 61).await;
    // The call is larger than any minute, so it goes alone, and the provider judges.
    let _huge = try_acquire(&gate, 1_000_000).await.unwrap();
    assert!(try_acquire(&gate, 1).await.is_err());
    // The window has forgotten the permit's tokens.
    advance(SECOND * 61).await;
    permit.settle(50, Instant::now());
    assert_eq!(try_acquire(&gate, 1000).await.map(drop), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_kept_and_ended_with_care() {
    let gate = Gate::new(Limits::default());
    let begun = Instant::now();
    assert_eq!(gate.cooling(begun), None);
    gate.cool(begun + SECOND * 5);
    gate.cool(begun + SECOND * 3);
    assert_eq!(gate.cooling(begun), Some(SECOND * 5));
    let error = gate.acquire(0, true, begun + SECOND * 4).await.unwrap_err();
    assert_eq!(error.retry_after, Some(SECOND * 5));
    let _first = gate.acquire(0, true, far()).await.unwrap();
    assert_eq!(begun.elapsed(), SECOND * 5);
    assert_eq!(gate.cooling(Instant::now()), None);
    // One call is in flight, and nobody knows whether the provider takes more.
    assert!(try_acquire(&gate, 0).await.is_err());
    for more in [1, 2, 4] {
        advance(SECOND).await;
        assert_eq!(drain(&gate).await.len(), more);
    }
    // At last the pause is forgotten.
    advance(SECOND * 10).await;
    let _free = try_acquire(&gate, 0).await.unwrap();
    assert!(!gate.0.engaged.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_too_long_sends_the_waiting_away() {
    let gate = in_flight(1);
    let _held = try_acquire(&gate, 0).await.unwrap();
    let begun = Instant::now();
    let waiter = tokio::spawn({
        let gate = gate.clone();
        async move { gate.acquire(0, true, begun + SECOND * 20).await }
    });
    advance(SECOND).await;
    gate.cool(begun + SECOND * 30);
    let error = waiter.await.unwrap().unwrap_err();
    assert_eq!(error.retry_after, Some(SECOND * 29));
    assert_eq!(begun.elapsed(), SECOND);
}

#[test]
fn an_estimate_is_never_nothing() {
    assert_eq!(estimate(0, Some(0)), 1);
    assert_eq!(estimate(4000, Some(200)), 1201);
    assert_eq!(estimate(4000, None), 1501);
    assert_eq!(estimate(4000, Some(u64::MAX)), 1001 + u64::from(u32::MAX));
}
