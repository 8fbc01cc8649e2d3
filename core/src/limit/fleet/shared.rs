//! What the calls of a fleet's member share: its scopes and their lines, its places in flight, and
//! whether Redis' counts are complete.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::Gate;
use super::super::limits::{Limited, Limits};
use super::rules::Settled;
use crate::redis::{Redis, unique};

/// For so long the share holds after Redis was away.
pub(super) const OLD: Duration = Duration::from_secs(61);

/// The most that is kept for a Redis that is away.
const MOST_KEPT: usize = 16_384;

/// What the calls of a member share.
pub(super) struct Shared {
    pub(super) redis: Redis,
    /// `{ll:<namespace>}`, which puts all keys into one slot.
    pub(super) tag: String,
    /// This process, by a random name, which a forked child does not share.
    pub(super) process: String,
    pub(super) attempts: AtomicU64,
    /// The processes that were alive last.
    pub(super) processes: AtomicU32,
    pub(super) scopes: Mutex<Vec<Weak<Scope>>>,
    /// The places in flight, by attempt.
    pub(super) leases: Mutex<HashMap<String, Vec<String>>>,
    /// What is to be settled, and since when.
    pub(super) outbox: Mutex<Vec<(Instant, Settled)>>,
    /// Something is to be settled that Redis did not take.
    pub(super) owed: AtomicBool,
    /// Wakes the task.
    pub(super) wake: Arc<Notify>,
    /// Places were given back.
    pub(super) freed: Notify,
    pub(super) running: AtomicBool,
    /// Redis knows this process.
    pub(super) known: AtomicBool,
    pub(super) trust: Mutex<Trust>,
}

/// Whether Redis' counts are complete.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Calls went without Redis since it last answered.
    pub(super) alone: bool,
    /// Until when its counts are old for that.
    pub(super) old: Option<Instant>,
    /// There is a new connection, and nobody knows yet whether it has its counts still.
    pub(super) doubted: bool,
    /// Until when its counts are old because it lost them.
    pub(super) lost: Option<Instant>,
    pub(super) connections: u64,
    /// Since when it knows of fewer processes than this one does.
    pub(super) fewer: Option<Instant>,
}

/// What limits hold for: a model at a provider, or a whole provider.
pub(crate) struct Scope {
    pub(super) key: String,
    pub(super) limits: Limits,
    /// This process's share. `None` means that there are no limits.
    pub(super) share: Option<Gate>,
    pub(super) line: Line,
}

/// The calls of this process that wait for one scope, in their order.
#[derive(Default)]
pub(super) struct Line {
    pub(super) waiting: AtomicUsize,
    pub(super) turn: tokio::sync::Mutex<()>,
    /// What holds the first one back.
    pub(super) held: Mutex<Option<Limited>>,
}

/// A call's place in a line.
pub(super) struct InLine<'a>(&'a Line);

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// The error of a call that may not stand in it.
    pub(super) fn behind(&self) -> Limited {
        let behind = Limited { retry_after: None, what: "another call's turn comes first" };
        lock(&self.held).unwrap_or(behind)
    }

    pub(super) fn join(&self) -> InLine<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        InLine(self)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Its task ends.
        self.wake.notify_one();
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// `replicas` is the number of processes until it is known.
    pub(super) fn new(redis: Redis, replicas: u32) -> Self {
        let tag = format!("{{ll:{}}}", redis.namespace());
        Shared {
            redis,
            tag,
            process: format!("{:016x}", unique()),
            attempts: AtomicU64::new(0),
            processes: AtomicU32::new(replicas),
            scopes: Mutex::default(),
            leases: Mutex::default(),
            outbox: Mutex::default(),
            owed: AtomicBool::new(false),
            wake: Arc::default(),
            freed: Notify::new(),
            running: AtomicBool::new(false),
            known: AtomicBool::new(false),
            trust: Mutex::default(),
        }
    }

    /// The scope of this name.
    pub(super) fn scope(&self, name: &str, limits: Limits) -> Arc<Scope> {
        let share = limits.share(self.processes.load(Ordering::Relaxed));
        let scope = Arc::new(Scope {
            key: format!("{}:{name}", self.tag),
            limits,
            share: (limits != Limits::default()).then(|| Gate::new(share)),
            line: Line::default(),
        });
        if scope.share.is_some() {
            let mut scopes = lock(&self.scopes);
            scopes.retain(|known| known.strong_count() > 0);
            scopes.push(Arc::downgrade(&scope));
        }
        scope
    }

    /// Whether Redis' counts may be old, so that the share counts, too.
    pub(super) fn is_strict(&self) -> bool {
        let now = Instant::now();
        let trust = lock(&self.trust);
        trust.doubted || trust.old.max(trust.lost).is_some_and(|until| now < until)
    }

    /// Redis has answered.
    pub(super) fn answered(&self) {
        let connections = self.redis.connections();
        let mut trust = lock(&self.trust);
        if std::mem::take(&mut trust.alone) {
            trust.old = Some(Instant::now() + OLD);
        }
        if trust.connections != connections {
            if trust.connections != 0 {
                // The task looks whether this process is still known there.
                trust.doubted = true;
                self.wake.notify_one();
            }
            trust.connections = connections;
        }
        if self.owed.swap(false, Ordering::Relaxed) {
            self.wake.notify_one();
        }
    }

    /// Settles beside the calls.
    pub(super) fn send(&self, items: impl IntoIterator<Item = Settled>) {
        let now = Instant::now();
        let mut outbox = lock(&self.outbox);
        outbox.extend(items.into_iter().map(|item| (now, item)));
        drop_excess(&mut outbox);
        drop(outbox);
        self.wake.notify_one();
    }
}

/// Drops the oldest ones that are too many. Leases end by themselves, and tokens count as estimated.
pub(super) fn drop_excess(outbox: &mut Vec<(Instant, Settled)>) {
    let excess = outbox.len().saturating_sub(MOST_KEPT);
    outbox.drain(..excess);
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
