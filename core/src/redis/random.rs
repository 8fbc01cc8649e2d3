//! Random numbers that are nobody else's: names of processes, owners of locks, epochs.

use ring::rand::{SecureRandom as _, SystemRandom};

/// A number that no other process draws, and never 0. The system draws it: a generator in memory has the
/// same state in a forked child.
#[must_use]
pub fn unique() -> u64 {
    let mut bytes = [0; 8];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        // Without random numbers there is no TLS either; the process's number tells children apart.
        return (u64::from(std::process::id()) << 32 | u64::from(fastrand::u32(..))).max(1);
    }
    u64::from_ne_bytes(bytes).max(1)
}
