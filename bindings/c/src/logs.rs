//! Log records as events: no thread of the library ever enters the host to log.
//!
//! A record says that a call ended, and how; it holds no key, no prompt and no text of an answer.
//! Who listens outlives the engine, and is forgotten in a forked child.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, Weak};

use liter_llm_core::{Answer, Error};
use serde_json::{Value, json};

use crate::fork::Own;
use crate::lock;
use crate::queue::Queue;

/// The queues that want log records.
#[derive(Default)]
struct Logs {
    queues: Mutex<Vec<(Weak<Queue>, u8)>>,
    /// The most that any queue wants: the one thing that a call looks at when nobody listens.
    most: AtomicU8,
}

static LOGS: Own<Logs> = Own::new();

const ERROR: u8 = 1;
const INFO: u8 = 3;

/// Sets what `queue` wants: 0 nothing, 1 errors … 5 everything.
pub(crate) fn set(queue: &Weak<Queue>, level: u8) {
    LOGS.get_or_make(Logs::default).set(queue, level);
}

/// A call ended well.
pub(crate) fn succeeded(answer: &Answer) {
    if let Some(logs) = LOGS.get() {
        logs.succeeded(answer);
    }
}

/// A call failed.
pub(crate) fn failed(error: &Error) {
    if let Some(logs) = LOGS.get() {
        logs.failed(error);
    }
}

impl Logs {
    fn set(&self, queue: &Weak<Queue>, level: u8) {
        let mut queues = lock(&self.queues);
        queues.retain(|(other, _)| other.strong_count() > 0 && !other.ptr_eq(queue));
        if level > 0 {
            queues.push((queue.clone(), level));
        }
        let most = queues.iter().map(|(_, level)| *level).max().unwrap_or(0);
        self.most.store(most, Ordering::Relaxed);
    }

    fn succeeded(&self, answer: &Answer) {
        self.emit(INFO, || match answer {
            Answer::Chat(response) => json!({
                "level": "info",
                "event": "call",
                "provider": response.provider,
                "model": response.model,
                "request_id": response.liter.request_id,
                "total_ms": response.liter.timing.total_ms,
                "usage": response.usage,
                "attempts": response.liter.attempts,
            }),
            Answer::Many(many) => json!({
                "level": "info",
                "event": "fanout",
                "results": many.results.len(),
                "failures": many.failures.len(),
            }),
            Answer::Http(answer) => json!({
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
        let queues = lock(&self.queues).clone();
        for (queue, wanted) in queues {
            if let (true, Some(queue)) = (wanted >= level, queue.upgrade()) {
                queue.log(payload.clone());
            }
        }
    }
}
