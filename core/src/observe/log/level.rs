//! How much a record matters.

/// How much a record matters. A listener of a level hears that level and those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Calls that failed.
    Error = 1,
    /// Waits, fallbacks, breakers, and records that were dropped.
    Warn = 2,
    /// Calls that ended well, or were cancelled.
    Info = 3,
    /// Attempts, and contents where they are asked for.
    Debug = 4,
}

impl Level {
    /// The level's name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}
