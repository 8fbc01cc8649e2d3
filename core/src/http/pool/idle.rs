//! Idle connections, and the task that closes those whose server has left.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::exclusive::Http1;
use super::settling::lock;

/// How often idle connections are checked. A socket that its server closed is given back within a
/// second.
const SWEEP: Duration = Duration::from_millis(500);
/// How many connections are checked before calls may take them again.
const BATCH: usize = 32;

/// The idle connections of every pool of the process. A child of a fork may find it locked for ever,
/// so nobody waits for it.
static EVERY: Mutex<Vec<Weak<Idle>>> = Mutex::new(Vec::new());

/// The idle connections of one pool. The one that was used last is at the back.
pub(in crate::http) struct Idle {
    connections: Mutex<VecDeque<Http1>>,
    most: usize,
    /// The runtime whose threads check them. `None` means that of the calls. A runtime that runs
    /// only during calls would check too late.
    engine: Option<Handle>,
    /// Whether a task checks them.
    swept: AtomicBool,
    /// Whether the pool is closed: no connection is kept.
    closed: watch::Sender<bool>,
    /// The process id. The child of a fork shares its parent's sockets, and must not touch them.
    process: u32,
}

/// Closes the idle connections of every pool of this process, because no file descriptor is left.
/// `false` means that there was none.
pub fn give_way() -> bool {
    let Ok(mut every) = EVERY.try_lock() else { return false };
    every.retain(|idle| idle.strong_count() > 0);
    let every: Vec<_> = every.iter().filter_map(Weak::upgrade).collect();
    let process = std::process::id();
    let mine = every.iter().filter(|idle| idle.process == process);
    mine.fold(false, |any, idle| idle.clear() | any)
}

/// Says that no task checks any more, also if the runtime drops the task.
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
                // The sweep has said so already, and another task may run by now.
                return self.0 = Weak::new();
            }
        }
    }
}

impl Idle {
    pub(super) fn new(most: usize, engine: Option<Handle>) -> Arc<Self> {
        let idle = Arc::new(Idle {
            connections: Mutex::default(),
            most,
            engine,
            swept: AtomicBool::new(false),
            closed: watch::Sender::new(false),
            process: std::process::id(),
        });
        if let Ok(mut every) = EVERY.try_lock() {
            // It grows with the pools that live, not with those that lived.
            if every.len() == every.capacity() {
                every.retain(|idle| idle.strong_count() > 0);
            }
            every.push(Arc::downgrade(&idle));
        }
        idle
    }

    /// A connection that is still open, as far as that shows without a wait.
    pub(super) fn take(&self, now: Instant) -> Option<Http1> {
        loop {
            // Checked outside of the lock.
            let mut connection = lock(&self.connections).pop_back()?;
            if connection.is_usable(now) {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection. If there are too many, the oldest is closed.
    pub(super) fn keep(self: &Arc<Self>, connection: Http1) {
        let mut connections = lock(&self.connections);
        // Under the lock, so that none comes after the pool was closed.
        if *self.closed.borrow() {
            return;
        }
        connections.push_back(connection);
        let over = (connections.len() > self.most).then(|| connections.pop_front());
        drop(connections);
        drop(over);
        self.sweep_later();
    }

    /// Closes the idle connections, and keeps none from now on.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
        self.clear();
    }

    /// Waits until the pool is closed.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closed = self.closed.subscribe();
        async move {
            let _ = closed.wait_for(|closed| *closed).await;
        }
    }

    /// The runtime whose threads check the connections, if it is not that of the calls.
    pub(super) fn engine(&self) -> Option<&Handle> {
        self.engine.as_ref()
    }

    /// Closes the idle connections. `false` means that there was none.
    fn clear(&self) -> bool {
        let connections = std::mem::take(&mut *lock(&self.connections));
        !connections.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.connections).len()
    }

    /// Starts the task, unless it runs. It ends when no connection is idle, or when the pool is
    /// gone.
    fn sweep_later(self: &Arc<Self>) {
        // Nearly always it runs, and a load costs less than a swap.
        if self.swept.load(Ordering::SeqCst) || self.swept.swap(true, Ordering::SeqCst) {
            return;
        }
        let sweeping = Sweeping(Arc::downgrade(self));
        if let Some(runtime) = self.engine.clone().or_else(|| Handle::try_current().ok()) {
            runtime.spawn(sweeping.run());
        }
    }

    /// Closes the connections that are not usable. `false` means that no other is left.
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
                    // Under the lock: a call that keeps a connection later starts the task again.
                    self.swept.store(false, Ordering::SeqCst);
                    return false;
                }
                return true;
            }
        }
    }
}
