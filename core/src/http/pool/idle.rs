//! Connections that no call uses, and the task that closes those whose server has left.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::lease::Http1;
use super::settling::lock;

/// How often they are looked at: a socket that its server closed is given back within a second.
const SWEEP: Duration = Duration::from_millis(500);
/// So many are looked at before calls may have them again.
const BATCH: usize = 32;

/// Idle connections, the one that was used last at the back.
pub(in crate::http) struct Idle {
    connections: Mutex<VecDeque<Http1>>,
    most: usize,
    /// Whose threads look at them; that of the calls where there is no other. One that runs only
    /// while a call does would look too late.
    engine: Option<Handle>,
    swept: AtomicBool,
}

/// Says that nobody sweeps any more, also where the runtime drops the task.
struct Sweeping(Weak<Idle>);

impl Drop for Sweeping {
    fn drop(&mut self) {
        if let Some(idle) = self.0.upgrade() {
            idle.swept.store(false, Ordering::SeqCst);
        }
    }
}

impl Sweeping {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let Some(idle) = self.0.upgrade() else { return };
            if !idle.sweep(Instant::now()) {
                // It has been said already; another task may run by now.
                return self.0 = Weak::new();
            }
        }
    }
}

impl Idle {
    pub(super) fn new(most: usize, engine: Option<Handle>) -> Self {
        Idle { connections: Mutex::default(), most, engine, swept: AtomicBool::new(false) }
    }

    /// One that is still open, as far as can be told without waiting.
    pub(super) fn take(&self, now: Instant) -> Option<Http1> {
        loop {
            // Looked at outside of the lock.
            let mut connection = lock(&self.connections).pop_back()?;
            if connection.is_usable(now) {
                return Some(connection);
            }
        }
    }

    /// Keeps one, unless there are as many as there may be: then the oldest goes.
    pub(super) fn keep(self: &Arc<Self>, connection: Http1) {
        let mut connections = lock(&self.connections);
        connections.push_back(connection);
        let over = (connections.len() > self.most).then(|| connections.pop_front());
        drop(connections);
        drop(over);
        self.sweep_later();
    }

    pub(super) fn clear(&self) {
        let connections = std::mem::take(&mut *lock(&self.connections));
        drop(connections);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.connections).len()
    }

    /// Starts the task, where none runs. It ends when none is idle, or nobody keeps them.
    fn sweep_later(self: &Arc<Self>) {
        if self.swept.swap(true, Ordering::SeqCst) {
            return;
        }
        let sweeping = Sweeping(Arc::downgrade(self));
        if let Some(runtime) = self.engine.clone().or_else(|| Handle::try_current().ok()) {
            runtime.spawn(sweeping.run());
        }
    }

    /// Closes those that are not usable; whether there are others, or may be by now.
    fn sweep(&self, now: Instant) -> bool {
        let mut at = 0;
        loop {
            let mut gone = Vec::new();
            let mut connections = lock(&self.connections);
            for _ in 0..BATCH.min(connections.len().saturating_sub(at)) {
                if connections[at].is_usable(now) {
                    at += 1;
                } else {
                    gone.extend(connections.remove(at));
                }
            }
            if at >= connections.len() {
                if connections.is_empty() {
                    // Under the lock: whoever keeps one from here on starts the task again.
                    self.swept.store(false, Ordering::SeqCst);
                    return false;
                }
                return true;
            }
        }
    }
}
