//! A model of the queue: its own code, whose threads shuttle runs in thousands of orders. A deadlock, a
//! wake-up that gets lost (no wait of the model ends by itself), and a panic fail the test, and the
//! failure prints the order that leads there.
//!
//! The doorbell takes every lock of the queue. So one that rang under a lock would stop the model.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::thread;

use super::{Doorbell, HEAD, Queue};
use crate::{
    LITER_LLM_E_CLOSED, LITER_LLM_E_SPACE, LITER_LLM_EVENT_CHUNK, LITER_LLM_EVENT_ERROR,
    LITER_LLM_EVENT_LOG, LITER_LLM_EVENT_RESULT,
};

/// Orders that are tried of each model.
const ORDERS: usize = 3_000;

/// What the doorbell is given.
struct Host {
    queue: Arc<Queue>,
    /// `notify` without a doorbell has returned: the doorbell must not run any more.
    ended: AtomicBool,
    rings: AtomicUsize,
}

unsafe extern "C" fn ring(host: *mut c_void) {
    // SAFETY: the model frees its host when all its threads have ended.
    let host = unsafe { &*host.cast::<Host>() };
    assert!(!host.ended.load(Ordering::SeqCst), "rung after its end");
    host.queue.next_size();
    drop(crate::sync::lock(&host.queue.bell.state));
    assert!(!host.ended.load(Ordering::SeqCst), "still running after its end");
    host.rings.fetch_add(1, Ordering::SeqCst);
}

impl Host {
    fn new() -> Arc<Host> {
        let queue = Arc::new(Queue::new(64));
        Arc::new(Host { queue, ended: AtomicBool::new(false), rings: AtomicUsize::new(0) })
    }

    fn hang(&self) {
        let user_data = std::ptr::from_ref(self).cast_mut().cast();
        self.queue.notify(Some(Doorbell { call: ring, user_data }));
    }

    fn unhang(&self) {
        self.queue.notify(None);
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// The kinds and tokens of the events in `records`.
fn events(mut records: &[u8]) -> Vec<(u32, u64)> {
    let word = |at: &[u8]| u32::from_ne_bytes(at[..4].try_into().unwrap());
    let mut events = Vec::new();
    while !records.is_empty() {
        let token = u64::from_ne_bytes(records[..8].try_into().unwrap());
        events.push((word(&records[8..]), token));
        let len = word(&records[16..]) as usize;
        records = &records[HEAD + len.next_multiple_of(8)..];
    }
    events
}

/// Reads until the queue is closed and empty. How often each kind came for each token.
fn read_all(queue: &Queue) -> HashMap<(u32, u64), usize> {
    let mut seen = HashMap::new();
    let mut buf = vec![0; 96];
    loop {
        let got = queue.read(&mut buf, None);
        if got == i64::from(LITER_LLM_E_CLOSED) {
            return seen;
        }
        if got == i64::from(LITER_LLM_E_SPACE) {
            buf.resize(queue.next_size(), 0);
            continue;
        }
        for event in events(&buf[..usize::try_from(got).unwrap()]) {
            *seen.entry(event).or_default() += 1;
        }
    }
}

fn lost(count: u64) -> Vec<u8> {
    count.to_string().into_bytes()
}

/// One request: its chunks and its last event.
fn request(queue: &Queue, token: u64) -> bool {
    if queue.begin(token, false).is_err() {
        return false;
    }
    for _ in 0..2 {
        // The reader may have closed; a stream that waits for it is then aborted, as here.
        let mut room = std::pin::pin!(queue.chunks(token, vec![b'x'; 40], 1));
        let waker = std::task::Waker::noop();
        let _ = room.as_mut().poll(&mut std::task::Context::from_waker(waker));
    }
    queue.end(token, LITER_LLM_EVENT_RESULT, 0, vec![b'{'; 8].into());
    true
}

/// Logs, notify, close, submits and a cancel at once, while a reader waits. Every request that began
/// ends once.
fn everything() {
    let host = Host::new();
    host.hang();
    let on_thread = |body: fn(&Host)| {
        let host = Arc::clone(&host);
        thread::spawn(move || body(&host))
    };
    let requests = [1, 2].map(|token| {
        let queue = Arc::clone(&host.queue);
        thread::spawn(move || request(&queue, token))
    });
    let others = [
        on_thread(|host| (0..3).for_each(|_| host.queue.log(b"{}".to_vec(), lost))),
        on_thread(Host::unhang),
        on_thread(|host| {
            host.queue.cancel(1);
            host.queue.close();
        }),
    ];
    let seen = read_all(&host.queue);
    for (token, request) in (1..).zip(requests) {
        let ends = [LITER_LLM_EVENT_RESULT, LITER_LLM_EVENT_ERROR]
            .map(|kind| seen.get(&(kind, token)).copied().unwrap_or(0));
        // The reader goes when the queue is closed and no request is left.
        assert_eq!(ends, [usize::from(request.join().unwrap()), 0], "token {token}: {seen:?}");
        assert!(seen.get(&(LITER_LLM_EVENT_CHUNK, token)).is_none_or(|chunks| *chunks <= 2));
    }
    others.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(seen.get(&(LITER_LLM_EVENT_LOG, 0)).is_none_or(|logs| *logs <= 3), "{seen:?}");
}

/// The handle is freed while requests run and log records come: they find nobody to tell.
fn freed() {
    let host = Host::new();
    host.hang();
    let threads = [1, 2].map(|token| {
        let weak = Arc::downgrade(&host.queue);
        thread::spawn(move || {
            if let Some(queue) = weak.upgrade() {
                request(&queue, token);
                queue.log(b"{}".to_vec(), lost);
            }
        })
    });
    host.queue.discard();
    host.ended.store(true, Ordering::SeqCst);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A host that reads only when the doorbell rings gets every event.
fn rung_for_each() {
    let host = Host::new();
    let rung = Arc::new((shuttle::sync::Mutex::new(false), shuttle::sync::Condvar::new()));
    type Rung = (shuttle::sync::Mutex<bool>, shuttle::sync::Condvar);
    unsafe extern "C" fn wake(rung: *mut c_void) {
        // SAFETY: the model keeps it until `notify` without a doorbell has returned.
        let rung = unsafe { &*rung.cast::<Rung>() };
        *crate::sync::lock(&rung.0) = true;
        rung.1.notify_one();
    }
    let producers = [1, 2].map(|token| {
        let queue = Arc::clone(&host.queue);
        thread::spawn(move || request(&queue, token))
    });
    let user_data = Arc::as_ptr(&rung).cast_mut().cast();
    host.queue.notify(Some(Doorbell { call: wake, user_data }));
    let mut ends = 0;
    let mut buf = vec![0; 128];
    while ends < 2 {
        let mut due = crate::sync::lock(&rung.0);
        while !*due {
            due = rung.1.wait(due).unwrap();
        }
        *due = false;
        drop(due);
        let got = host.queue.read(&mut buf, Some(Duration::ZERO));
        let records = events(&buf[..usize::try_from(got).unwrap()]);
        ends += records.iter().filter(|(kind, _)| *kind == LITER_LLM_EVENT_RESULT).count();
    }
    producers.into_iter().for_each(|thread| assert!(thread.join().unwrap()));
    host.queue.notify(None);
}

#[test]
fn logs_notify_close_submit_and_cancel_in_any_order() {
    shuttle::check_random(everything, ORDERS);
    shuttle::check_pct(everything, ORDERS, 3);
}

#[test]
fn free_in_any_order() {
    shuttle::check_random(freed, ORDERS);
    shuttle::check_pct(freed, ORDERS, 3);
}

#[test]
fn no_event_without_a_ring() {
    shuttle::check_random(rung_for_each, ORDERS);
    shuttle::check_pct(rung_for_each, ORDERS, 3);
}

/// What nobody reads stays bounded, by records and by bytes. The oldest goes, and a record says how
/// many went.
#[test]
fn the_oldest_log_records_are_dropped_and_counted() {
    shuttle::check_random(|| dropped_and_counted(12_000, 300, 10_001), 1);
    shuttle::check_random(|| dropped_and_counted(6_000, 1_000, 5_000), 1);
}

/// So many records of so many bytes; at most `most` are kept, with the one that tells.
fn dropped_and_counted(records: u64, width: usize, most: u64) {
    let queue = Queue::new(64);
    queue.begin(1, false).unwrap();
    for number in 0..records {
        queue.log(format!("{number:0width$}").into_bytes(), lost);
    }
    queue.end(1, LITER_LLM_EVENT_RESULT, 0, b"{}".to_vec().into());
    queue.log(b"last".to_vec(), lost);
    let mut buf = vec![0; 6 << 20];
    let got = usize::try_from(queue.read(&mut buf, Some(Duration::ZERO))).unwrap();
    assert!(got < (4 << 20) + 4_096, "{got} bytes");
    let payload = |at: usize, len: usize| &buf[at + HEAD..at + HEAD + len];
    let told: u64 = String::from_utf8_lossy(payload(0, 4)).parse().unwrap();
    let kinds = events(&buf[..got]);
    // The record that tells, and those that were kept.
    let logs = kinds.iter().filter(|(kind, _)| *kind == LITER_LLM_EVENT_LOG).count() as u64;
    assert!((1_000..=most).contains(&logs), "{logs} records");
    assert_eq!(told + logs - 1, records + 1);
    assert_eq!(payload(got - HEAD - 8, 4), b"last");
    assert_eq!(kinds[kinds.len() - 2], (LITER_LLM_EVENT_RESULT, 1));
}
