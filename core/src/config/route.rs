//! A named route is a list of targets and a policy that chooses among them.

use std::sync::Arc;

use super::base_url;
use super::provider::{self, ProviderConfig};
use super::rules::{self, FloorRule};
use crate::codec::{Fields, finish, saturated};
use crate::error::Error;
use crate::json::Value;
use crate::model::{Hedge, Parameters, RetryOverlay, checked_quality};

/// The slack of a route that names none, in percent.
const SLACK: u32 = 10;

/// A named list of targets.
#[derive(Clone, Debug)]
pub struct RouteConfig {
    /// The route's name, given instead of a provider's name.
    pub name: String,
    /// The policy for the order of the targets.
    pub(crate) policy: RoutePolicy,
    /// The targets, in order.
    pub targets: Vec<RouteTarget>,
    /// Targets that cost so much more than the cheapest count as equal under `cost`.
    pub(crate) slack_percent: u32,
    /// Which requests need a target of which quality.
    pub(crate) rules: Vec<FloorRule>,
    /// The retry policy of calls through this route.
    pub retry: Option<RetryOverlay>,
    /// The hedges of calls through this route.
    pub hedge: Option<Hedge>,
}

/// One target of a route.
#[derive(Clone, Debug)]
pub struct RouteTarget {
    /// The provider's index in the configuration.
    pub provider: usize,
    /// The model. `None` takes that of the request.
    pub model: Option<String>,
    /// The region. `None` takes that of the provider.
    pub region: Option<String>,
    /// The region that the call has chosen, where the provider's entry says none.
    pub moved: Option<&'static str>,
    /// The target's share under `weighted`.
    pub weight: u32,
    /// The parameters that differ in requests to this target.
    pub parameters: Option<Arc<Parameters>>,
    /// How good its answers are, as its user judges.
    pub quality: Option<u8>,
}

/// How a route orders its targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RoutePolicy {
    /// The order of the list.
    #[default]
    Priority,
    /// In proportion to the weights. The same key always goes to the same target, while that target
    /// is there.
    Weighted,
    /// The quicker of two targets drawn at random. The calls already in flight count.
    Latency,
    /// The target with the fewest calls in flight.
    LeastInFlight,
    /// The target at which the call is likely to cost the least.
    Cost,
}

/// The names of the policies.
const POLICIES: [&str; 5] = ["priority", "weighted", "latency", "least_in_flight", "cost"];

impl RoutePolicy {
    /// Its name in documents.
    pub(crate) fn name(self) -> &'static str {
        POLICIES[self as usize]
    }
}

impl RouteConfig {
    pub(super) fn read(
        name: &str,
        mut fields: Fields,
        providers: &[ProviderConfig],
    ) -> Result<Self, Error> {
        if provider::find(providers, name).is_some() {
            let path = format!("routes.{name}");
            let message = format!("{path}: a provider has this name; give the route another");
            return Err(Error::invalid(path, message));
        }
        let path = fields.at("targets");
        let items = fields.list("targets")?.unwrap_or_default();
        if items.is_empty() {
            return Err(fields.missing("targets", "a list of targets"));
        }
        let targets = items
            .into_iter()
            .enumerate()
            .map(|(i, item)| RouteTarget::read(item, &format!("{path}[{i}]"), providers))
            .collect::<Result<Vec<_>, _>>()?;
        let policy = match fields.word("policy", &POLICIES)? {
            Some("weighted") => RoutePolicy::Weighted,
            Some("latency") => RoutePolicy::Latency,
            Some("least_in_flight") => RoutePolicy::LeastInFlight,
            Some("cost") => RoutePolicy::Cost,
            _ => RoutePolicy::Priority,
        };
        let best = targets.iter().filter_map(|target: &RouteTarget| target.quality).max();
        let route = RouteConfig {
            name: name.to_owned(),
            policy,
            slack_percent: fields.whole("slack_percent", 0)?.map_or(SLACK, saturated),
            rules: rules::read(&mut fields, best.unwrap_or(1))?,
            targets,
            retry: RetryOverlay::read(&mut fields)?,
            hedge: Hedge::read(&mut fields)?,
        };
        finish(fields, "a route")?;
        Ok(route)
    }
}

impl RouteTarget {
    /// Reads `"provider/model"`, or an object.
    fn read(value: Value, path: &str, providers: &[ProviderConfig]) -> Result<Self, Error> {
        let mut fields = match value {
            Value::String(text) => {
                let (provider, model) =
                    target(&text, providers).map_err(|error| at(error, path))?;
                let (region, parameters) = (None, None);
                let moved = None;
                let quality = None;
                let (weight, moved) = (1, moved);
                return Ok(RouteTarget {
                    provider,
                    model,
                    region,
                    moved,
                    weight,
                    parameters,
                    quality,
                });
            }
            other => Fields::of(other, path.to_owned())?,
        };
        let Some(name) = fields.string("target")? else {
            return Err(fields.missing("target", "provider/model, or a provider's name"));
        };
        let place = fields.at("target");
        let (provider, model) = target(&name, providers).map_err(|error| at(error, &place))?;
        let parameters = match fields.object("parameters")? {
            Some(object) => {
                let fields = Fields::new(object, fields.at("parameters"));
                Some(Arc::new(Parameters::read(fields)?))
            }

            None => None,
        };
        let region = fields.string("region")?;
        if let Some(asked) = &region {
            let (path, settings) = (fields.at("region"), &providers[provider]);
            base_url::may_be(
                settings.row,
                &settings.http.base_url,
                settings.region.as_deref(),
                asked,
            )
            .map_err(|reason| Error::invalid(&path, format!("{path} {reason}")))?;
        }
        let read = RouteTarget {
            provider,
            model,
            region,
            moved: None,
            weight: fields.whole("weight", 0)?.map_or(1, |n| u32::try_from(n).unwrap_or(u32::MAX)),
            parameters,
            quality: checked_quality(fields.whole("quality", 1)?, || fields.at("quality"))?,
        };
        finish(fields, "a target")?;
        Ok(read)
    }
}

/// Reads `provider/model`, or a provider\'s name alone.
pub(crate) fn target(
    text: &str,
    providers: &[ProviderConfig],
) -> Result<(usize, Option<String>), Error> {
    if let Some(provider) = provider::find(providers, text) {
        return Ok((provider, None));
    }
    let (name, model) = text.split_once('/').unwrap_or((text, ""));
    let provider = provider::index(providers, name)?;
    Ok((provider, Some(model.to_owned()).filter(|model| !model.is_empty())))
}

/// Returns the error with the path of the target.
pub(crate) fn at(error: Error, path: &str) -> Error {
    let message = format!("{path}: {}", error.message);
    error.with(|e| {
        e.message = message;
        e.param = Some(path.to_owned());
    })
}
