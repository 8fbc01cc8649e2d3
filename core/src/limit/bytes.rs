//! The bytes of a client's calls in flight, so that many large answers at once do not fill the
//! memory of the process.
//!
//! A call that finds no room fails at once, as one over `max_in_flight` does. If it waited, calls
//! that hold a part each could wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind};

/// What is smaller is not counted: `max_in_flight` bounds it. So most calls cost nothing here.
const STEP: usize = 64 << 10;

/// The room that all calls of a client share.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    taken: AtomicUsize,
}

/// A part of the room, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Room { most, taken: AtomicUsize::new(0) })
    }

    fn take(&self, bytes: usize) -> Result<(), Error> {
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        match self.taken.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(taken) => Err(full(taken, bytes, self.most)),
        }
    }
}

#[cold]
fn full(taken: usize, bytes: usize, most: usize) -> Error {
    let message = format!(
        "no room for {bytes} bytes more: the requests and answers in flight have {taken} already, \
         and this client's max_bytes_in_flight is {most}: wait for some calls to end, or raise it \
         in the configuration"
    );
    // It says nothing about the provider.
    Error::new(ErrorKind::RateLimit, message).with(|e| e.own_timer = true)
}

impl Held {
    pub(crate) fn new(room: &Arc<Room>) -> Self {
        Held { room: Arc::clone(room), bytes: 0 }
    }

    /// Holds `bytes` in all. A growth of less than a step is counted with the next one.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Error> {
        let more = bytes.saturating_sub(self.bytes);
        if more >= STEP {
            self.room.take(more)?;
            self.bytes = bytes;
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.room.taken.fetch_sub(self.bytes, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_given_back() {
        let room = Room::new(10 * STEP);
        let mut one = Held::new(&room);
        one.hold(STEP - 1).unwrap();
        assert_eq!(room.taken.load(Ordering::Relaxed), 0, "small parts are free");
        one.hold(6 * STEP).unwrap();
        let mut other = Held::new(&room);
        let error = other.hold(5 * STEP).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimit);
        assert!(error.message.contains("max_bytes_in_flight is 655360"), "{error}");
        other.hold(4 * STEP).unwrap();
        assert!(one.hold(7 * STEP).is_err());
        drop(other);
        one.hold(10 * STEP).unwrap();
        drop(one);
        assert_eq!(room.taken.load(Ordering::Relaxed), 0);
    }
}
