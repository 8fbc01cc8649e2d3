//! The regions that the environment names, and their form.

use super::environment::Environment;
use super::members::Members;
use crate::provider::Row;
use crate::provider::regions::is_amazon_region;

/// The variables that AWS's SDKs and its command line read for the region [sdk].
const VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// The region of AWS that the environment gives.
pub(super) fn of_environment(environment: &Environment) -> Option<String> {
    VARIABLES.iter().find_map(|name| environment.some(name))
}

/// The same for a provider whose base URL follows from it.
pub(super) fn of_row(members: &Members<'_>) -> Option<String> {
    members.row.takes_region().then(|| of_environment(members.environment)).flatten()
}

/// Whether a word has the form of a region. It becomes a part of hosts, of which one gets tokens, so
/// it may hold nothing else.
pub(super) fn is_well_formed(row: &Row, word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if row.takes_region() {
        is_amazon_region(word)
    } else {
        !word.is_empty()
            && word.bytes().all(plain)
            && !word.starts_with('-')
            && !word.ends_with('-')
    }
}
