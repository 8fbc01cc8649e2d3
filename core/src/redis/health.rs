//! What all nodes share: the settings, the runtime where they live, and what is said of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::settings::{Report, Settings, Surroundings};

/// The time between two records of the same kind.
const QUIET: Duration = Duration::from_secs(60);

/// What all nodes share.
pub(super) struct Health {
    pub(super) settings: Settings,
    pub(super) around: Arc<dyn Surroundings>,
    /// Where connections live. `None` means the runtime of the next question.
    home: Mutex<Option<Handle>>,
    said: Mutex<Said>,
    /// The connections that were opened.
    connections: AtomicU64,
}

#[derive(Default)]
struct Said {
    away: Option<Instant>,
    foreign: Option<Instant>,
    /// The last record says that it is away.
    is_away: bool,
}

impl Health {
    pub(super) fn new(settings: Settings, around: Arc<dyn Surroundings>) -> Arc<Self> {
        Arc::new(Health {
            settings,
            around,
            home: Mutex::default(),
            said: Mutex::default(),
            connections: AtomicU64::new(0),
        })
    }

    /// Where connections live.
    pub(super) fn home(&self) -> Option<Handle> {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if home.is_none() {
            *home = Handle::try_current().ok();
        }
        home.clone()
    }

    /// Connections live on this runtime from now on.
    pub(super) fn move_to(&self, handle: &Handle) {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if home.as_ref().is_none_or(|home| home.id() != handle.id()) {
            *home = Some(handle.clone());
        }
    }

    /// The runtime has ended.
    pub(super) fn homeless(&self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Counts a new connection.
    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of connections so far. It changes when a server may have lost what it had.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// A node does not answer.
    pub(super) fn away(&self, node: &str, reason: &str) {
        let due = {
            let mut said = self.said();
            let due = is_due(&mut said.away);
            said.is_away |= due;
            due
        };
        if due {
            self.around.report(&Report::Away(format!("{node}: {reason}")));
        }
    }

    /// A node answers again.
    pub(super) fn back(&self) {
        if std::mem::take(&mut self.said().is_away) {
            self.around.report(&Report::Back);
        }
    }

    /// Keys hold what is not ours.
    pub(super) fn foreign(&self, keys: impl FnOnce() -> String) {
        let due = is_due(&mut self.said().foreign);
        if due {
            self.around.report(&Report::Foreign(keys()));
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_due(last: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let due = last.is_none_or(|last| now.saturating_duration_since(last) >= QUIET);
    if due {
        *last = Some(now);
    }
    due
}
