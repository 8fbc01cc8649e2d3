//! The process's one tokio runtime. The first request starts it, a forked child forgets it, and the
//! process's exit never tears it down.
//!
//! Nothing here takes a lock that a fork could leave locked ([`fork`](crate::fork)). An engine is
//! never freed, but its runtime is. That costs a few hundred bytes for each `liter_llm_shutdown`.
//!
//! Work runs on the library's threads, except a call whose caller waits for it (`lane`). The end of
//! the engine ends both.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, mpsc};
use std::time::Duration;

use liter_llm_core::{Environment, Error, ErrorKind};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::fork::Own;
use crate::{guard, sys, thread};

/// Threads, and what lives as long as they do.
pub(crate) struct Engine {
    /// `None` once it has been stopped. No handle is kept beside it, as one holds on to the runtime's
    /// memory and descriptors.
    runtime: RwLock<Option<Runtime>>,
    /// Its end has begun: connections go away under the requests that use them, and the calls that run
    /// on their callers' threads end.
    stop: watch::Sender<bool>,
}

static ENGINE: Own<Engine> = Own::new();

/// The largest number of threads that block: for name look-ups, and for files that hold keys. A thread
/// starts when all others are busy, and ends after some seconds without work. Nobody can end a look-up
/// by a dead resolver, so there must be a thread for each host that it holds up.
const BLOCKING_THREADS: usize = 256;

/// The engine, if a request has started it.
pub(crate) fn running() -> Option<&'static Engine> {
    ENGINE.get()
}

/// The engine; started where it is not running.
pub(crate) fn start() -> std::io::Result<&'static Engine> {
    ENGINE.get_or_try_make(build)
}

fn build() -> std::io::Result<Engine> {
    let build = || {
        sys::with_signals_blocked(|| {
            // tokio panics when the system refuses a thread, and never frees what it has built.
            let probe = thread::builder().spawn(|| ())?;
            let _ = probe.join();
            Builder::new_multi_thread()
                .worker_threads(worker_threads())
                .max_blocking_threads(BLOCKING_THREADS)
                .thread_stack_size(thread::STACK)
                .thread_name("liter-llm")
                .on_thread_start(|| {
                    sys::block_signals();
                    thread::belongs_to_library();
                })
                .enable_io()
                .enable_time()
                .build()
        })
    };
    // This catches tokio's panic if another part of the process takes the last thread in between.
    let runtime = guard(Err(std::io::ErrorKind::ResourceBusy.into()), build)?;
    Ok(Engine { runtime: RwLock::new(Some(runtime)), stop: watch::Sender::new(false) })
}

/// `LITER_LLM_WORKER_THREADS` of the last client that has it. 0: of none.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Takes the number of threads from the environment of a new client. It counts from the next start.
pub(crate) fn set_threads(environment: &Environment) {
    let asked = environment.get("LITER_LLM_WORKER_THREADS");
    if let Some(threads) = asked.and_then(|text| text.trim().parse::<usize>().ok()) {
        ASKED.store(threads.clamp(1, 256), Ordering::Relaxed);
    }
}

/// The number that was asked for, else one for each core up to four.
fn worker_threads() -> usize {
    match ASKED.load(Ordering::Relaxed) {
        0 => std::thread::available_parallelism().map_or(1, usize::from).min(4),
        threads => threads,
    }
}

/// Stops the engine; a later call starts a new one. Whether all threads ended in time.
pub(crate) fn stop(timeout: Duration) -> bool {
    let Some(engine) = ENGINE.take() else { return true };
    engine.stop.send_replace(true);
    let runtime = engine.runtime.write().unwrap_or_else(PoisonError::into_inner).take();
    let start = std::time::Instant::now();
    if let Some(runtime) = runtime {
        runtime.shutdown_timeout(timeout);
    }
    start.elapsed() < timeout
}

impl Engine {
    /// `error`, unless it is only how a request saw the end of the engine.
    pub(crate) fn blame(&self, error: Error) -> Error {
        if *self.stop.borrow() { unsaid() } else { error }
    }

    /// The library's threads; `None`: they have stopped.
    pub(crate) fn handle(&self) -> Option<Handle> {
        let runtime = self.runtime.read().unwrap_or_else(PoisonError::into_inner);
        runtime.as_ref().map(|runtime| runtime.handle().clone())
    }

    /// Runs `future` until the engine ends; `None`: it did.
    pub(crate) async fn until_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            biased;
            outcome = future => Some(outcome),
            _ = stop.wait_for(|stop| *stop) => None,
        }
    }

    /// Runs `future` on the library's threads. `None`: they have stopped, and it was dropped.
    pub(crate) fn spawn<F>(&self, future: F) -> Option<AbortHandle>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        // The lock is free again before the future can be dropped: its end may ring a doorbell.
        let handle = self.handle()?;
        Some(handle.spawn(future).abort_handle())
    }

    /// Runs `future` on the library's threads and waits for it. The error: it was dropped, by the end
    /// of the engine or by a panic.
    pub(crate) fn wait<T, F>(&self, future: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        let mut answer = Answer(Some(sender));
        self.spawn(async move {
            let value = future.await;
            answer.say(Ok(value));
        });
        receiver.recv().unwrap_or_else(|_| Err(unsaid()))
    }
}

/// Tells whoever waits, at the latest when it is dropped.
struct Answer<T>(Option<mpsc::SyncSender<Result<T, Error>>>);

impl<T> Answer<T> {
    fn say(&mut self, value: Result<T, Error>) {
        if let Some(sender) = self.0.take() {
            // The channel has room for one message, and there is no other sender.
            let _ = sender.try_send(value);
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if self.0.is_some() {
            self.say(Err(unsaid()));
        }
    }
}

/// The error of work that was dropped before its end.
pub(crate) fn unsaid() -> Error {
    if std::thread::panicking() {
        panicked()
    } else {
        Error::new(ErrorKind::Cancelled, "the request was cancelled")
    }
}

/// The error of work that panicked.
pub(crate) fn panicked() -> Error {
    let message = "a bug in liter-llm: the request panicked; please report it";
    Error::new(ErrorKind::Internal, message)
}
