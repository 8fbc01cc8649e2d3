//! Variables of the environment that settings may come from.

/// The variable of this name, if it is set and not empty.
pub(super) fn env(name: &str) -> Option<String> {
    if name.is_empty() { None } else { std::env::var(name).ok().filter(|value| !value.is_empty()) }
}
