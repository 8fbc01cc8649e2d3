//! The hosts of a provider's regions, of which a call may choose one.

use super::control::reached;
use super::surroundings::Surroundings;
use crate::codec::url;
use crate::http;
use crate::provider::Row;
use crate::provider::regions::Regions;

/// How the provider's host in each region is reached, if it has some.
pub(super) fn elsewhere(
    row: &Row,
    provider: &http::Settings,
    own_proxy: bool,
    around: &Surroundings<'_>,
) -> Vec<(&'static str, http::Settings)> {
    let Regions::Hosts(hosts) = row.regions() else { return Vec::new() };
    let host = |(name, base): &(&'static str, &'static str)| {
        let base = url::read(base).ok()?;
        Some((*name, reached(base, provider, own_proxy, around)))
    };
    hosts.iter().filter_map(host).collect()
}
