//! Log records are events, so no thread of the library ever enters the host to log.
//!
//! A record says that a call ended, and with which outcome. It holds no key, no prompt and no text
//! of an answer. The listener outlives the engine, and a forked child forgets it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, Weak};

use liter_llm_core::observe::{CallFacts, CallOutcome};
use liter_llm_core::{Client, Config, Observer};
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

/// A client of this configuration, whose calls those who want log records hear of.
pub(crate) fn client(config: Config) -> Client {
    Client::with_observers(config, vec![Arc::new(Recorder)])
}

/// Makes a record of each call that has ended.
struct Recorder;

impl Observer for Recorder {
    fn call_ended(&self, call: &CallFacts, outcomes: &[CallOutcome<'_>]) {
        let Some(logs) = LOGS.get() else { return };
        match outcomes {
            [outcome] if outcome.failed.is_some() => logs.emit(ERROR, || failed(outcome)),
            [outcome] => logs.emit(INFO, || answered(call, outcome)),
            several => logs.emit(INFO, || fanned_out(several)),
        }
    }
}

fn answered(call: &CallFacts, outcome: &CallOutcome<'_>) -> Value {
    let mut record = json!({
        "level": "info",
        "event": if call.operation == "http" { "http" } else { "call" },
        "operation": call.operation,
        "provider": outcome.provider,
        "request_id": outcome.request_id,
        "total_ms": outcome.total_ms,
        "attempts": outcome.attempts,
    });
    match call.operation {
        "http" => record["status"] = json!(outcome.status),
        _ => {
            record["model"] = json!(outcome.model);
            record["usage"] = json!(outcome.usage);
        }
    }
    record
}

fn fanned_out(outcomes: &[CallOutcome<'_>]) -> Value {
    let failures = outcomes.iter().filter(|outcome| outcome.failed.is_some()).count();
    json!({
        "level": "info",
        "event": "fanout",
        "results": outcomes.len() - failures,
        "failures": failures,
    })
}

fn failed(outcome: &CallOutcome<'_>) -> Value {
    json!({
        "level": "error",
        "event": "call",
        "kind": outcome.failed.map(|failed| failed.kind),
        "provider": outcome.provider,
        "model": outcome.model,
        "status": outcome.status,
        "code": outcome.failed.and_then(|failed| failed.code),
        "retryable": outcome.failed.map(|failed| failed.retryable),
        "attempts": outcome.attempts,
    })
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
