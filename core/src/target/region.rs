//! The targets that stay in the region that a caller asks for, or that move there.

use crate::config::{Config, ProviderConfig, RouteTarget};
use crate::error::{Error, ErrorKind};
use crate::provider::regions::is_within;

/// Keeps only the targets that stay in this region. Returns how many of the first `own` remain.
pub(super) fn keep_region(
    config: &Config,
    asked: &str,
    own: usize,
    targets: &mut Vec<RouteTarget>,
    model_of: &dyn Fn(&RouteTarget) -> Option<String>,
) -> Result<usize, Error> {
    for target in targets.iter_mut() {
        target.moved = config.providers[target.provider].moves_to(asked);
    }
    let why_not = |target: &RouteTarget| {
        let settings = &config.providers[target.provider];
        let region = target.moved.or(target.region.as_deref()).or(settings.region.as_deref());
        if !region.is_some_and(|region| is_within(region, asked)) {
            return Some(elsewhere(settings, region, asked));
        }
        let model = model_of(target).unwrap_or_default();
        let reason = settings.row.contradiction(&model, region, Some(asked))?;
        Some(format!("{}'s model leaves it: {reason}", settings.name))
    };
    let reason = targets.first().and_then(why_not).unwrap_or_default();
    let own = targets[..own].iter().filter(|target| why_not(target).is_none()).count();
    targets.retain(|target| why_not(target).is_none());
    if targets.is_empty() {
        let message = format!(
            "no target of this call is in the region that options.region asks for ({reason})"
        );
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with(|e| e.param = Some("options.region".to_owned())));
    }
    Ok(own)
}

/// Where a provider is, if it is not where the caller wants it, and what to do.
fn elsewhere(settings: &ProviderConfig, region: Option<&str>, asked: &str) -> String {
    let name = &settings.name;
    match (region, settings.row.region_words()) {
        (Some(region), _) => format!("{name} is in {region}"),
        (None, words) if words.is_empty() => {
            format!("{name} has no region: nothing says where it answers")
        }
        (None, words) if settings.regions().next().is_some() => {
            format!("{name} has no region {asked:?}: it has {words}")
        }
        (None, words) => format!(
            "{name} has no region in the configuration: give providers.{name}.region, which may be \
             {words}"
        ),
    }
}
