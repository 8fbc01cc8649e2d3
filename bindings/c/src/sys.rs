//! System calls that the standard library lacks: signal masks, `pthread_atfork`, event descriptors.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Blocks SIGPIPE and every asynchronous signal while `body` runs, so that threads which it starts
/// inherit the mask: one write to a closed peer would kill a host with default SIGPIPE, and a host's
/// handlers must run on the host's threads.
pub(crate) fn with_signals_blocked<T>(body: impl FnOnce() -> T) -> T {
    /// Gives the caller its own mask back, also where `body` panics.
    struct Restore(MaybeUninit<libc::sigset_t>);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: the mask was filled below.
            unsafe {
                libc::pthread_sigmask(libc::SIG_SETMASK, self.0.as_ptr(), std::ptr::null_mut())
            };
        }
    }
    let mut before = Restore(MaybeUninit::uninit());
    // SAFETY: `before` has room for a mask, which the call fills.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &asynchronous(), before.0.as_mut_ptr()) };
    body()
}

/// Whether the calling thread has lost its thread-local data: it runs its last destructors.
pub(crate) fn thread_is_ending() -> bool {
    /// Its drop is what makes an end of it.
    struct Probe;
    impl Drop for Probe {
        fn drop(&mut self) {}
    }
    thread_local!(static PROBE: Probe = const { Probe });
    PROBE.try_with(|_| ()).is_err()
}

/// Blocks the same signals in the calling thread, for good.
pub(crate) fn block_signals() {
    // SAFETY: the mask is a valid one, and no old mask is asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &asynchronous(), std::ptr::null_mut()) };
}

/// Every signal but those that a fault raises in the very thread that caused it.
fn asynchronous() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigfillset fills the set; sigdelset takes valid signal numbers.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        for fault in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGABRT,
            libc::SIGTRAP,
            libc::SIGSYS,
        ] {
            libc::sigdelset(set.as_mut_ptr(), fault);
        }
        set.assume_init()
    }
}

/// Has `child` run in the child of every later fork. It may do only what is safe in a signal handler.
pub(crate) fn at_fork(child: unsafe extern "C" fn()) {
    // SAFETY: the library is linked with `-z nodelete`: `child` stays mapped.
    unsafe { libc::pthread_atfork(None, None, Some(child)) };
}

/// A descriptor that is readable while it is raised.
pub(crate) struct Flag {
    fd: OwnedFd,
    raised: bool,
}

impl Flag {
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> io::Result<Flag> {
        // SAFETY: no pointers are involved; a negative answer is an error.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Flag { fd: unsafe { OwnedFd::from_raw_fd(fd) }, raised: false })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> io::Result<Flag> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Makes the descriptor readable.
    pub(crate) fn raise(&mut self) {
        if !self.raised {
            self.raised = true;
            let one = 1u64.to_ne_bytes();
            // SAFETY: eight readable bytes. The counter is 0, so the write neither blocks nor fails.
            unsafe { libc::write(self.fd(), one.as_ptr().cast(), one.len()) };
        }
    }

    /// Makes the descriptor unreadable.
    pub(crate) fn lower(&mut self) {
        if self.raised {
            self.raised = false;
            let mut count = [0u8; 8];
            // SAFETY: eight writable bytes. The descriptor does not block.
            unsafe { libc::read(self.fd(), count.as_mut_ptr().cast(), count.len()) };
        }
    }
}
