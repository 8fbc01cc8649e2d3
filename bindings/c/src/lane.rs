//! Lanes: a call on the thread that waits for it.
//!
//! A lane is a tokio runtime of one thread with connections of its own. A caller borrows it for the
//! length of a call and drives it itself, so the call needs no other thread. That spares each call
//! two hand-overs between threads, which cost more CPU than the rest of the engine. A client keeps
//! the lanes it has made, as many as there were calls at once.
//!
//! Nobody drives an idle lane, except that a task looks after its shared connections (`sweep`).
//!
//! Two things must not happen on a host's thread. Name look-ups block, so they go to the engine's
//! threads. SIGPIPE must not be raised, so sockets are written to without it
//! (`core/src/http/connect.rs`).

mod sweep;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use liter_llm_core::Client;
use tokio::runtime::{Builder, Runtime};

use crate::engine::Engine;
use crate::sync::{Mutex, lock};

/// The lanes of one client.
pub(crate) struct Lanes {
    client: Client,
    /// The one that was used last is at the back.
    idle: Mutex<VecDeque<Lane>>,
    /// Whether a task looks after them.
    swept: Arc<AtomicBool>,
}

/// One thread's worth of engine.
pub(crate) struct Lane {
    // This comes before the runtime, because a connection that is dropped after it leaves its
    // registration behind.
    pub(crate) client: Client,
    runtime: Runtime,
    /// Where names are looked up.
    engine: &'static Engine,
}

/// Each idle lane holds descriptors (its event loop, its connections): after a burst of blocking calls
/// no more of them stay than a steady program would use.
const MOST_IDLE: usize = 64;

impl Lanes {
    pub(crate) fn new(client: Client) -> Self {
        Lanes { client, idle: Mutex::default(), swept: Arc::default() }
    }

    /// The client, whose connections belong to the library's threads.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// A lane for one call.
    pub(crate) fn take(&self, engine: &'static Engine) -> std::io::Result<Lane> {
        while let Some(lane) = self.idle() {
            // A lane whose engine has ended could look up no name any more.
            if std::ptr::eq(lane.engine, engine) {
                return Ok(lane);
            }
        }
        let build = || Builder::new_current_thread().enable_io().enable_time().build();
        // If no descriptor is left, idle connections give way.
        let runtime = build()
            .or_else(|error| if Client::close_idle_connections() { build() } else { Err(error) })?;
        let Some(handle) = engine.handle() else {
            return Err(std::io::Error::other("liter_llm_shutdown has been called"));
        };
        let client = self.client.with_own_connections(handle);
        Ok(Lane { runtime, client, engine })
    }

    /// An idle lane. The lock is free again before a lane can be dropped.
    fn idle(&self) -> Option<Lane> {
        lock(&self.idle).pop_back()
    }

    /// Drops the idle lanes, and with them their connections.
    pub(crate) fn clear(&self) {
        let idle = std::mem::take(&mut *lock(&self.idle));
        drop(idle);
    }

    /// Takes a lane back; that of a closed client is dropped, and one too many.
    pub(crate) fn give(self: &Arc<Self>, lane: Lane) {
        let engine = lane.engine;
        self.keep(usize::MAX, lane);
        if self.client.shares_connections() {
            self.sweep_later(engine);
        }
    }

    /// Puts a lane in a place among the idle ones.
    fn keep(&self, place: usize, lane: Lane) {
        let mut idle = lock(&self.idle);
        // Under the lock, so that none comes after the lanes of a closed client were dropped.
        if idle.len() < MOST_IDLE && !self.client.is_closed() {
            let place = place.min(idle.len());
            idle.insert(place, lane);
        } else {
            drop(idle);
            drop(lane);
        }
    }
}

impl Lane {
    /// Drives the lane on the calling thread until `future` is done.
    pub(crate) fn drive<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs `body` where timers and tasks belong to the lane: what is dropped there may need that.
    pub(crate) fn within<T>(&self, body: impl FnOnce() -> T) -> T {
        let _context = self.runtime.enter();
        body()
    }

    /// Lets what is ready happen, without waiting. Whether `future` was ready.
    pub(crate) fn turn(&self, future: impl Future<Output = ()>) -> bool {
        self.drive(async {
            let turns = async {
                // The first turn looks at the sockets, and the second runs the tasks that they wake.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            };
            tokio::select! {
                biased;
                () = future => true,
                () = turns => false,
            }
        })
    }
}
