//! Log records are events, so no thread of the library ever enters the host to log.
//!
//! The engine makes the records (`liter_llm_core::observe::log`); here is who hears of which. The
//! listeners outlive the engine, and a forked child forgets them.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use liter_llm_core::observe::log::{Level, Log, Sink, dropped};
use liter_llm_core::{Client, Config};

use crate::fork::Own;
use crate::queue::Queue;
use crate::sync::{Mutex, lock};

/// The queues that want log records.
#[derive(Default)]
struct Logs {
    listeners: Mutex<Vec<Listener>>,
    /// The most that any queue wants: the one thing that a call looks at when nobody listens.
    most: AtomicU8,
}

/// A queue, and what it wants.
#[derive(Clone)]
struct Listener {
    queue: Weak<Queue>,
    level: u8,
    /// The number of the one client whose calls it wants to hear of.
    client: Option<u64>,
}

static LOGS: Own<Logs> = Own::new();

/// Sets what `queue` wants: 0 nothing, 1 errors … 4 everything, of all clients or of one.
pub(crate) fn set(queue: &Weak<Queue>, level: u8, client: Option<u64>) {
    LOGS.get_or_make(Logs::default).set(Listener { queue: queue.clone(), level, client });
}

/// A client of this configuration, whose calls those who want log records hear of, and its number.
pub(crate) fn client(config: Config) -> (Client, u64) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    (Client::with_observers(config, vec![Arc::new(Log(Recorder(number)))]), number)
}

/// Gives the records of one client to those who want them.
struct Recorder(u64);

impl Sink for Recorder {
    fn wants(&self, level: Level) -> bool {
        LOGS.get().is_some_and(|logs| logs.most.load(Ordering::Relaxed) >= level as u8)
    }

    fn take(&self, level: Level, record: Vec<u8>) {
        let Some(logs) = LOGS.get() else { return };
        let listeners = lock(&logs.listeners).clone();
        for Listener { queue, level: wanted, client } in listeners {
            let is_its = client.is_none_or(|client| client == self.0);
            if let (true, true, Some(queue)) = (is_its, wanted >= level as u8, queue.upgrade()) {
                queue.log(record.clone(), dropped);
            }
        }
    }
}

impl Logs {
    fn set(&self, listener: Listener) {
        let mut listeners = lock(&self.listeners);
        let is_other = |other: &Weak<Queue>| !other.ptr_eq(&listener.queue);
        listeners.retain(|other| other.queue.strong_count() > 0 && is_other(&other.queue));
        if listener.level > 0 {
            listeners.push(listener);
        }
        let most = listeners.iter().map(|listener| listener.level).max().unwrap_or(0);
        self.most.store(most, Ordering::Relaxed);
    }
}
