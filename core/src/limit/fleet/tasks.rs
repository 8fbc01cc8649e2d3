//! What a fleet does beside the calls: it settles, renews leases, and says that this process is alive.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::rules::{LEASE, Settled, alive, settle};
use super::shared::{OLD, Scope, Shared, drop_excess, lock};
use crate::redis::Fault;

/// How often leases are renewed.
const BEAT: Duration = Duration::from_secs(10);

/// A process that was silent for so long is dead.
const DEAD: Duration = Duration::from_secs(30);

/// The longest that Redis may take for a question that no call waits for, or what calls wait if that
/// is longer.
const PATIENCE: Duration = Duration::from_millis(250);

/// The most items that are settled at once.
const MOST: usize = 256;

/// Starts the task where it is not running.
pub(super) fn start(shared: &Arc<Shared>) {
    if shared.running.load(Ordering::Relaxed) || shared.running.swap(true, Ordering::AcqRel) {
        return;
    }
    let running = Running(Arc::downgrade(shared));
    // Without a home it is dropped, and started again by the next call.
    if let Some(home) = shared.redis.home() {
        home.spawn(run(running, Arc::clone(&shared.wake)));
    }
}

/// The task runs. It may end with its runtime.
struct Running(Weak<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.running.store(false, Ordering::Release);
        }
    }
}

async fn run(running: Running, wake: Arc<Notify>) {
    let mut beat = Instant::now();
    loop {
        {
            let Some(shared) = running.0.upgrade() else { return };
            let now = Instant::now();
            if now >= beat || shared.is_doubted() {
                shared.beat(now >= beat).await;
                if now >= beat {
                    beat = Instant::now() + BEAT;
                }
            }
            shared.settle_all().await;
        }
        let _ = timeout_at(beat, wake.notified()).await;
    }
}

impl Shared {
    /// Late answers open the circuit, so none is late here that a call would have waited for.
    fn patience(&self) -> Duration {
        PATIENCE.max(self.redis.timeout())
    }

    /// Whether Redis may have lost its counts.
    fn is_doubted(&self) -> bool {
        lock(&self.trust).doubted
    }

    /// Says that this process is alive, and renews its leases if they are due.
    async fn beat(&self, renews: bool) {
        let key = format!("{}:alive", self.tag);
        let first = !self.known.load(Ordering::Relaxed);
        if let Ok((processes, missing)) =
            alive(&self.redis, &key, &self.process, DEAD, self.patience()).await
        {
            self.known.store(true, Ordering::Relaxed);
            let mut trust = lock(&self.trust);
            trust.doubted = false;
            if missing && !first {
                trust.lost = Some(Instant::now() + OLD);
                // The others are missing there, too.
                trust.fewer = None;
            }
            drop(trust);
            self.are_alive(processes);
        }
        if renews {
            let leases = lock(&self.leases).clone();
            let renew = |(id, keys): (String, Vec<String>)| {
                keys.into_iter().map(move |key| Settled::Renew { key, id: id.clone() })
            };
            let items: Vec<Settled> = leases.into_iter().flat_map(renew).collect();
            for items in items.chunks(MOST) {
                let _ = settle(&self.redis, items, self.patience()).await;
            }
        }
    }

    /// Takes the number of processes into use. A smaller one counts only once it has lasted, as
    /// processes that are alive may not have said so yet.
    fn are_alive(&self, processes: u32) {
        let known = self.processes.load(Ordering::Relaxed);
        {
            let (now, mut trust) = (Instant::now(), lock(&self.trust));
            if processes < known && now < *trust.fewer.get_or_insert(now) + DEAD {
                return;
            }
            trust.fewer = None;
        }
        if processes == known {
            return;
        }
        self.processes.store(processes, Ordering::Relaxed);
        let scopes: Vec<Arc<Scope>> = lock(&self.scopes).iter().filter_map(Weak::upgrade).collect();
        for scope in scopes {
            if let Some(share) = &scope.share {
                share.put_under(scope.limits.share(processes));
            }
        }
    }

    /// Keeps what Redis did not take, for the next beat or its next answer. What cannot be settled
    /// twice is dropped, as it may have been taken all the same.
    fn owe(&self, mut sent: Vec<(Instant, Settled)>) {
        sent.retain(|(_, item)| matches!(item, Settled::Release { .. } | Settled::Pause { .. }));
        if sent.is_empty() {
            return;
        }
        let mut outbox = lock(&self.outbox);
        outbox.splice(..0, sent);
        drop_excess(&mut outbox);
        drop(outbox);
        self.owed.store(true, Ordering::Relaxed);
    }

    async fn settle_all(&self) {
        loop {
            let sent: Vec<(Instant, Settled)> = {
                let mut outbox = lock(&self.outbox);
                let count = outbox.len().min(MOST);
                outbox.drain(..count).collect()
            };
            if sent.is_empty() {
                return;
            }
            let items: Vec<Settled> = sent.iter().filter_map(still).collect();
            if items.is_empty() {
                continue;
            }
            if let Err(fault) = settle(&self.redis, &items, self.patience()).await {
                if fault != Fault::Foreign {
                    self.owe(sent);
                }
                return;
            }
            if items.iter().any(|item| matches!(item, Settled::Release { .. })) {
                self.freed.notify_waiters();
            }
        }
    }
}

/// What is still to be settled of what waits since then: a lease that has ended needs no release, and a
/// pause has become shorter.
fn still((since, item): &(Instant, Settled)) -> Option<Settled> {
    let age = since.elapsed();
    match item {
        Settled::Release { .. } if age > LEASE * 2 => None,
        Settled::Pause { key, time } => {
            let time = time.checked_sub(age).filter(|left| !left.is_zero())?;
            Some(Settled::Pause { key: key.clone(), time })
        }
        item => Some(item.clone()),
    }
}

const _: () = assert!(LEASE.as_secs() > 2 * BEAT.as_secs(), "a beat may be missed");
