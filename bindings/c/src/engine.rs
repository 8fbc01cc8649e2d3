//! The process's one tokio runtime: started by the first request, forgotten in a forked child, never
//! torn down at exit.
//!
//! Nothing here takes a lock that a fork could leave behind locked: the engine is an atomic pointer,
//! and the fork handler only clears it and counts the generation up. An engine is never freed (a few
//! hundred bytes for each `liter_llm_shutdown`; its runtime is), so that a thread may use the one it has
//! seen.
//!
//! Work runs on the library's threads, except that of a call whose caller waits (`lane`). The end of
//! the engine ends both.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};
use std::time::Duration;

use liter_llm_core::{Error, ErrorKind};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::lane::Lanes;
use crate::{guard, logs, sys};

/// Threads, and what lives as long as they do.
pub(crate) struct Engine {
    /// `None` once it has been stopped. No handle is kept beside it, as one holds on to the runtime's
    /// memory and descriptors.
    runtime: RwLock<Option<Runtime>>,
    /// The client of `liter_llm_invoke`, made from the environment.
    pub(crate) default_client: Mutex<Option<Arc<Lanes>>>,
    /// Its end has begun: connections go away under the requests that use them, and the calls that run
    /// on their callers' threads end.
    stop: watch::Sender<bool>,
    /// Keeps those before it reachable, so that a leak checker does not take them for leaks.
    _previous: Option<&'static Engine>,
}

/// The last one made, running or not.
static LATEST: AtomicPtr<Engine> = AtomicPtr::new(std::ptr::null_mut());
static ENGINE: AtomicPtr<Engine> = AtomicPtr::new(std::ptr::null_mut());
static STARTING: AtomicBool = AtomicBool::new(false);
static GENERATION: AtomicU32 = AtomicU32::new(0);
static FORK_HANDLER: AtomicBool = AtomicBool::new(false);

/// Name look-ups are the only blocking work; two at a time keep the library at 2 + cores threads.
const BLOCKING_THREADS: usize = 2;

/// Runs in the child of a fork, where none of the library's threads exist.
unsafe extern "C" fn after_fork() {
    ENGINE.store(std::ptr::null_mut(), Ordering::SeqCst);
    STARTING.store(false, Ordering::SeqCst);
    logs::forget();
    GENERATION.fetch_add(1, Ordering::SeqCst);
}

/// How many forks this process is away from where the library was loaded. Handles carry it: one of
/// another generation belongs to a parent.
pub(crate) fn generation() -> u32 {
    // Set behind the call: two threads may both register the handler, which does no harm, but none
    // gets a generation that a fork would not count.
    if !FORK_HANDLER.load(Ordering::SeqCst) {
        sys::at_fork(after_fork);
        FORK_HANDLER.store(true, Ordering::SeqCst);
    }
    GENERATION.load(Ordering::SeqCst)
}

/// The engine, if a request has started it.
pub(crate) fn running() -> Option<&'static Engine> {
    // SAFETY: an engine that was published is never freed.
    unsafe { ENGINE.load(Ordering::Acquire).as_ref() }
}

/// The engine; started where it is not running.
pub(crate) fn start() -> std::io::Result<&'static Engine> {
    loop {
        if let Some(engine) = running() {
            return Ok(engine);
        }
        if STARTING.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
            continue;
        }
        // Another thread may have finished between the look and the swap.
        let engine = match running() {
            Some(engine) => Ok(engine),
            None => build().map(|engine| {
                let engine: &'static Engine = Box::leak(Box::new(engine));
                LATEST.store(std::ptr::from_ref(engine).cast_mut(), Ordering::Release);
                ENGINE.store(std::ptr::from_ref(engine).cast_mut(), Ordering::Release);
                engine
            }),
        };
        STARTING.store(false, Ordering::Release);
        return engine;
    }
}

fn build() -> std::io::Result<Engine> {
    generation();
    let build = || {
        sys::with_signals_blocked(|| {
            // Where the system refuses a thread, tokio panics and never frees what it has built.
            let probe = std::thread::Builder::new().name("liter-llm".to_owned()).spawn(|| ())?;
            let _ = probe.join();
            Builder::new_multi_thread()
                .worker_threads(worker_threads())
                .max_blocking_threads(BLOCKING_THREADS)
                .thread_name("liter-llm")
                .on_thread_start(sys::block_signals)
                .enable_io()
                .enable_time()
                .build()
        })
    };
    // Its panic, should the last thread go to somebody else in between.
    let runtime = guard(Err(std::io::ErrorKind::ResourceBusy.into()), build)?;
    Ok(Engine {
        runtime: RwLock::new(Some(runtime)),
        default_client: Mutex::new(None),
        stop: watch::Sender::new(false),
        // SAFETY: an engine that was published is never freed.
        _previous: unsafe { LATEST.load(Ordering::Acquire).as_ref() },
    })
}

/// `LITER_LLM_WORKER_THREADS`, else one for each core up to four.
fn worker_threads() -> usize {
    let asked = std::env::var("LITER_LLM_WORKER_THREADS").ok();
    match asked.and_then(|text| text.trim().parse::<usize>().ok()) {
        Some(threads) => threads.clamp(1, 256),
        None => std::thread::available_parallelism().map_or(1, usize::from).min(4),
    }
}

/// Stops the engine; a later call starts a new one. Whether all threads ended in time.
pub(crate) fn stop(timeout: Duration) -> bool {
    let engine = ENGINE.swap(std::ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: an engine that was published is never freed.
    let Some(engine) = (unsafe { engine.as_ref() }) else { return true };
    engine.stop.send_replace(true);
    let runtime = engine.runtime.write().unwrap_or_else(PoisonError::into_inner).take();
    let start = std::time::Instant::now();
    if let Some(runtime) = runtime {
        runtime.shutdown_timeout(timeout);
    }
    engine.default_client.lock().unwrap_or_else(PoisonError::into_inner).take();
    start.elapsed() < timeout
}

impl Engine {
    /// `error`, unless it is only how a request saw the end of the engine.
    pub(crate) fn blame(&self, error: Error) -> Error {
        if *self.stop.borrow() { unsaid() } else { error }
    }

    /// Where a lane sends its name look-ups; `None`: the threads have stopped.
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
        let runtime = self.runtime.read().unwrap_or_else(PoisonError::into_inner);
        runtime.as_ref().map(|runtime| runtime.spawn(future).abort_handle())
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
            // There is room for one, and nobody else says anything.
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
