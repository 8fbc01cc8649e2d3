//! Log records as events: no thread of the library ever enters the host to log.
//!
//! A record says that a call ended, and how; it holds no key, no prompt and no text of an answer.
//! Who listens outlives the engine, and is forgotten in a forked child.

use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError, Weak};

use liter_llm_core::{Error, Outcome};
use serde_json::{Value, json};

use crate::queue::Queue;

/// The queues that want log records.
#[derive(Default)]
struct Logs {
    queues: Mutex<Vec<(Weak<Queue>, u8)>>,
    /// The most that any queue wants: the one thing that a call looks at when nobody listens.
    most: AtomicU8,
}

/// NULL until a queue asks for log records. Never freed.
static LOGS: AtomicPtr<Logs> = AtomicPtr::new(std::ptr::null_mut());

const ERROR: u8 = 1;
const INFO: u8 = 3;

/// The parent's queues are none of a forked child's, and their lock may be held for ever.
pub(crate) fn forget() {
    LOGS.store(std::ptr::null_mut(), Ordering::SeqCst);
}

fn listeners() -> Option<&'static Logs> {
    // SAFETY: what was published is never freed.
    unsafe { LOGS.load(Ordering::Acquire).as_ref() }
}

/// Sets what `queue` wants: 0 nothing, 1 errors … 5 everything.
pub(crate) fn set(queue: &Weak<Queue>, level: u8) {
    if listeners().is_none() {
        let fresh = Box::into_raw(Box::<Logs>::default());
        let null = std::ptr::null_mut();
        if LOGS.compare_exchange(null, fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: another thread was first; this one was seen by nobody.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }
    if let Some(logs) = listeners() {
        logs.set(queue, level);
    }
}

/// A call ended well.
pub(crate) fn succeeded(answer: &Outcome) {
    if let Some(logs) = listeners() {
        logs.succeeded(answer);
    }
}

/// A call failed.
pub(crate) fn failed(error: &Error) {
    if let Some(logs) = listeners() {
        logs.failed(error);
    }
}

impl Logs {
    fn set(&self, queue: &Weak<Queue>, level: u8) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|(other, _)| other.strong_count() > 0 && !other.ptr_eq(queue));
        if level > 0 {
            queues.push((queue.clone(), level));
        }
        let most = queues.iter().map(|(_, level)| *level).max().unwrap_or(0);
        self.most.store(most, Ordering::Relaxed);
    }

    fn succeeded(&self, answer: &Outcome) {
        self.emit(INFO, || match answer {
            Outcome::Answer(liter_llm_core::Answer::Chat(response)) => json!({
                "level": "info",
                "event": "call",
                "provider": response.provider,
                "model": response.model,
                "request_id": response.liter.request_id,
                "total_ms": response.liter.timing.total_ms,
                "usage": response.usage,
                "attempts": response.liter.attempts,
            }),
            Outcome::Many(many) => json!({
                "level": "info",
                "event": "fanout",
                "results": many.results.len(),
                "failures": many.failures.len(),
            }),
            Outcome::Http(answer) => json!({
                "level": "info",
                "event": "http",
                "provider": answer.provider,
                "status": answer.status,
                "request_id": answer.liter.request_id,
                "total_ms": answer.liter.timing.total_ms,
                "attempts": answer.liter.attempts,
            }),
        });
    }

    fn failed(&self, error: &Error) {
        self.emit(ERROR, || {
            json!({
                "level": "error",
                "event": "call",
                "kind": error.kind(),
                "provider": error.provider,
                "model": error.model,
                "status": error.status,
                "code": error.code,
                "retryable": error.retryable,
                "attempts": error.attempts,
            })
        });
    }

    fn emit(&self, level: u8, record: impl FnOnce() -> Value) {
        if self.most.load(Ordering::Relaxed) < level {
            return;
        }
        let mut record = record();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        record["time_ms"] = json!(now.map_or(0, |now| now.as_millis() as u64));
        let payload = record.to_string().into_bytes();
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (queue, wanted) in queues {
            if let (true, Some(queue)) = (wanted >= level, queue.upgrade()) {
                queue.log(payload.clone());
            }
        }
    }
}
