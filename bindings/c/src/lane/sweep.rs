//! The task that gives back the sockets of idle lanes.
//!
//! A lane's shared connections (HTTP/2) have tasks on its runtime, which runs during calls only. So a
//! socket that its server closed would stay until the lane's next call. While an idle lane has such a
//! connection, a task lets each of them run for a moment, twice a second. Connections for one call at a
//! time need no runtime to be looked at (`core/src/http/pool/idle.rs`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Lane, Lanes};
use crate::engine::Engine;
use crate::sync::lock;

/// How often. A socket that its server closed is given back within a second.
const SWEEP: Duration = Duration::from_millis(500);

impl Lanes {
    /// Starts the task, unless it runs. It ends when no idle lane has a shared connection, when the
    /// client is gone, or with the engine.
    pub(super) fn sweep_later(self: &Arc<Self>, engine: &Engine) {
        if self.swept.load(Ordering::SeqCst) || self.swept.swap(true, Ordering::SeqCst) {
            return;
        }
        let (lanes, swept) = (Arc::downgrade(self), Arc::clone(&self.swept));
        engine.spawn(Sweeping { lanes, swept, over: false }.run());
    }

    /// Lets the tasks of each idle lane run. `false` means that none has a shared connection.
    fn sweep(&self) -> bool {
        let mut any = false;
        let mut place = 0;
        // A lane is taken out meanwhile: what runs on it must not run under the lock. The lane that the
        // next call takes is the last, so a call misses it for a moment only.
        while let Some(lane) = self.idle_at(place) {
            any |= lane.tend();
            self.keep(place, lane);
            place += 1;
        }
        any
    }

    /// Takes an idle lane out. The lock is free again before the lane is used.
    fn idle_at(&self, place: usize) -> Option<Lane> {
        lock(&self.idle).remove(place)
    }
}

impl Lane {
    /// Closes the shared connections whose server has left. `false`: none is left.
    fn tend(&self) -> bool {
        self.turn(std::future::pending());
        self.drive(async { self.client.tend_shared_connections() })
    }
}

/// The task. It holds on to the lanes only on a thread that may wait: whoever lets go of the last hold
/// drops them, and tokio panics where a runtime is dropped by a task.
struct Sweeping {
    lanes: Weak<Lanes>,
    swept: Arc<AtomicBool>,
    /// It has said that it does not run any more.
    over: bool,
}

/// Says that no task runs any more, also if the engine drops the task.
impl Drop for Sweeping {
    fn drop(&mut self) {
        if !self.over {
            self.swept.store(false, Ordering::SeqCst);
        }
    }
}

impl Sweeping {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            if self.look().await {
                continue;
            }
            self.swept.store(false, Ordering::SeqCst);
            // A lane may have come between the look and the store.
            if !self.look().await || self.swept.swap(true, Ordering::SeqCst) {
                self.over = true;
                return;
            }
        }
    }

    /// Sweeps once.
    async fn look(&self) -> bool {
        let lanes = Weak::clone(&self.lanes);
        let sweep = move || lanes.upgrade().is_some_and(|lanes| lanes.sweep());
        tokio::task::spawn_blocking(sweep).await.unwrap_or(false)
    }
}
