//! Forks: the process to which an object belongs.
//!
//! A forked child has none of the library's threads, and any lock of its parent may be held for
//! ever. So the child touches nothing of the parent's. The one fork handler counts a generation up,
//! and an object of another generation is not visible any more. This needs no list of handlers, and
//! a file that keeps state for the process registers nothing here.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use crate::sys;

static GENERATION: AtomicU32 = AtomicU32::new(1);
static HANDLER: AtomicBool = AtomicBool::new(false);

/// Runs in the child of a fork.
unsafe extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
}

/// How many forks this process is away from where the library was loaded, from 1. Handles carry it: one
/// of another generation belongs to a parent.
pub(crate) fn generation() -> u32 {
    // This is set after the call, so two threads may both register the handler. That does no harm
    // (a generation may count by two). No thread gets a generation that a fork would not count.
    if !HANDLER.load(Ordering::SeqCst) {
        sys::at_fork(in_child);
        HANDLER.store(true, Ordering::SeqCst);
    }
    GENERATION.load(Ordering::SeqCst)
}

/// One value of the process's own, made when it is first wanted. A forked child has none until it makes
/// its own. What was made is never freed, so that a thread may use the value that it has seen.
pub(crate) struct Own<T: 'static> {
    current: AtomicPtr<Made<T>>,
    /// Keeps what is not current any more reachable, so that a leak checker does not take it for a leak.
    latest: AtomicPtr<Made<T>>,
    /// The generation in which a thread makes the value; 0: none does. That of a parent's thread does
    /// not hold a child up.
    making: AtomicU32,
}

struct Made<T: 'static> {
    generation: u32,
    value: T,
    _previous: Option<&'static Made<T>>,
}

impl<T: Send + Sync> Own<T> {
    pub(crate) const fn new() -> Self {
        let null = std::ptr::null_mut();
        Own {
            current: AtomicPtr::new(null),
            latest: AtomicPtr::new(null),
            making: AtomicU32::new(0),
        }
    }

    /// This process's, if it has one.
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: what was published is never freed.
        let made = unsafe { self.current.load(Ordering::Acquire).as_ref() }?;
        (made.generation == generation()).then_some(&made.value)
    }

    /// This process's; made where it has none. Threads that come meanwhile wait.
    pub(crate) fn get_or_try_make<E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&'static T, E> {
        let generation = generation();
        loop {
            if let Some(value) = self.get() {
                return Ok(value);
            }
            let making = self.making.load(Ordering::Relaxed);
            if making == generation {
                std::thread::yield_now();
                continue;
            }
            let (order, on_loss) = (Ordering::Acquire, Ordering::Relaxed);
            if self.making.compare_exchange(making, generation, order, on_loss).is_ok() {
                break;
            }
        }
        let _done = Done(&self.making);
        // Another thread may have finished between the look and the exchange.
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let value = make()?;
        // SAFETY: what was published is never freed.
        let previous = unsafe { self.latest.load(Ordering::Acquire).as_ref() };
        let made: &'static Made<T> =
            Box::leak(Box::new(Made { generation, value, _previous: previous }));
        let pointer = std::ptr::from_ref(made).cast_mut();
        self.latest.store(pointer, Ordering::Release);
        self.current.store(pointer, Ordering::Release);
        Ok(&made.value)
    }

    /// The same, of what cannot fail.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &'static T {
        let Ok(value) = self.get_or_try_make(|| Ok::<T, Infallible>(make()));
        value
    }

    /// This process's, which it has no longer.
    pub(crate) fn take(&self) -> Option<&'static T> {
        let taken = self.current.swap(std::ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: what was published is never freed.
        let made = unsafe { taken.as_ref() }?;
        (made.generation == generation()).then_some(&made.value)
    }
}

/// Lets the next thread in, also where making panicked.
struct Done<'a>(&'a AtomicU32);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}
