//! The clock of the calendar, for what depends on the date.

use std::time::SystemTime;

use tokio::time::Instant;

/// The time in milliseconds since 1970. It moves as tokio's clock does, which a test may move.
pub(super) fn now() -> u64 {
    let (real, told) = (std::time::Instant::now(), Instant::now().into_std());
    let time = match told.checked_duration_since(real) {
        Some(ahead) => SystemTime::now() + ahead,
        None => SystemTime::now() - real.duration_since(told),
    };
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
