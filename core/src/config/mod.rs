//! The client configuration: a document, or the environment, turned into checked values.
//!
//! Every built-in provider (`provider::registry`) is known without configuration. An entry under
//! `providers` changes one or adds one. `docs/contract.md` lists the members.

mod api;
#[cfg(feature = "aws")]
mod aws;
mod azure;
mod base_url;
mod budgets;
mod cache;
mod control;
mod elsewhere;
#[cfg(feature = "azure")]
mod entra;
mod environment;
mod extras;
#[cfg(feature = "google")]
mod google;
mod identity;
mod limits;
mod looked_at;
mod members;
mod models;
mod names;
mod price_list;
mod prices;
mod provider;
mod proxies;
#[cfg(feature = "redis")]
mod redis;
mod region;
mod route;
mod rules;
mod surroundings;
mod vertex;

#[cfg(feature = "redis")]
pub(crate) use cache::LEAST_SECRET;
pub(crate) use cache::SHARDS;
pub use cache::{CacheConfig, SharedConfig};
pub use environment::Environment;
pub use identity::Identity;
pub use limits::BudgetConfig;
pub(crate) use looked_at::LOOKED_AT;
pub(crate) use names::{not_built, quoted};
pub(crate) use provider::unknown_provider;
pub use provider::{ProbeConfig, ProviderConfig};
#[cfg(feature = "redis")]
pub use redis::{FleetConfig, RedisConfig};
pub use route::{RouteConfig, RouteTarget};
pub(crate) use route::{RoutePolicy, at, target};
pub use rules::FloorRule;

use std::collections::BTreeMap;

use crate::codec::{Fields, MAX_DOCUMENT, Object, finish, parse_object};
use crate::error::Error;
use crate::json::Value;
use crate::limit::budget::Rule;
use crate::model::{Hedge, RetryOverlay, read_wait};
use crate::provider::registry;
use surroundings::Surroundings;

/// A client's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Every provider, in the order of their names.
    pub providers: Vec<ProviderConfig>,
    /// The provider for requests that name none.
    pub default_provider: Option<String>,
    /// The model for requests that name none.
    pub default_model: Option<String>,
    /// The largest number of calls in flight; one more is refused. Also the size of the idle
    /// connection pool.
    pub max_in_flight: usize,
    /// The largest number of bytes of requests and answers in flight.
    pub max_bytes_in_flight: usize,
    /// Named lists of targets, in the order of their names.
    pub routes: Vec<RouteConfig>,
    /// The retry policy of calls that set none.
    pub retry: RetryOverlay,
    /// The budget of retries and fallbacks.
    pub retry_budget: BudgetConfig,
    /// The hedges of calls that set none.
    pub hedge: Option<Hedge>,
    /// Whether targets that keep failing are passed over.
    pub breaker: bool,
    /// Whether calls wait for a limit.
    pub wait: bool,
    /// Whether observers are shown what calls ask and answer (`LITER_LLM_LOG_BODIES`).
    pub log_bodies: bool,
    /// Whether the quotas and pauses that an answer reports apply to later calls.
    pub learn_limits: bool,
    /// The cache, if there is one.
    pub cache: Option<CacheConfig>,
    /// The Redis that several processes share.
    #[cfg(feature = "redis")]
    pub redis: Option<RedisConfig>,
    /// What they share there.
    #[cfg(feature = "redis")]
    pub fleet: FleetConfig,
    /// The budgets of money, in the order of their names.
    pub(crate) budgets: Vec<Rule>,
}

const MAX_IN_FLIGHT: usize = 16_384;

const MAX_BYTES_IN_FLIGHT: usize = 1 << 30;

impl Config {
    /// Reads the configuration from the process's environment, now.
    pub fn from_env() -> Result<Config, Error> {
        Self::from_environment(&Environment::process())
    }

    /// Reads the configuration from an environment: `LITER_LLM_CONFIG` (a path, or a document that
    /// starts with `{`), `LITER_LLM_PROVIDER`, `LITER_LLM_MODEL`.
    pub fn from_environment(environment: &Environment) -> Result<Config, Error> {
        let mut config = match environment.some("LITER_LLM_CONFIG") {
            Some(text) if text.trim_start().starts_with('{') => {
                Config::parse_in(text.as_bytes(), environment)?
            }
            Some(path) => {
                let read = crate::file::read(path.as_ref(), MAX_DOCUMENT as u64);
                let (bytes, _) = read.map_err(|reason| {
                    let message = format!("cannot read LITER_LLM_CONFIG ({path}): {reason}");
                    Error::invalid("LITER_LLM_CONFIG", message)
                })?;
                Config::parse_in(&bytes, environment)?
            }
            None => Config::read(Fields::new(Object::new(), ""), environment)?,
        };
        if let Some(name) = environment.some("LITER_LLM_PROVIDER") {
            config.default_provider = Some(name);
        }
        if let Some(model) = environment.some("LITER_LLM_MODEL") {
            config.default_model = Some(model);
        }
        Ok(config)
    }

    /// Reads a configuration document. What it refers to is taken from the process's environment,
    /// now ([`Environment::process`]).
    pub fn parse(bytes: &[u8]) -> Result<Config, Error> {
        Self::parse_in(bytes, &Environment::process())
    }

    /// Reads a configuration document. What it refers to is taken from `environment`.
    pub fn parse_in(bytes: &[u8], environment: &Environment) -> Result<Config, Error> {
        Self::read(Fields::new(parse_object(bytes, "configuration")?, ""), environment)
    }

    fn read(mut fields: Fields, environment: &Environment) -> Result<Config, Error> {
        let around = Surroundings::of(environment);
        let mut entries = fields.object("providers")?.unwrap_or_default();
        let mut providers = BTreeMap::new();
        for row in registry::ROWS.iter().filter(|row| around.knows(row)) {
            let path = format!("providers.{}", row.name);
            let entry = entries.shift_remove(row.name);
            let named = entry.is_some();
            let entry = Fields::of(entry.unwrap_or_else(empty), path)?;
            let entry = ProviderConfig::read(row.name, entry, named, &around)?;
            providers.insert(row.name.to_owned(), entry);
        }
        for (name, entry) in entries {
            let entry = Fields::of(entry, format!("providers.{name}"))?;
            let entry = ProviderConfig::read(&name, entry, true, &around)?;
            providers.insert(name.to_string(), entry);
        }
        let has_redis = fields.has("redis");
        #[cfg(feature = "redis")]
        let redis = RedisConfig::read(&mut fields, environment)?;
        #[cfg(not(feature = "redis"))]
        refuse_redis(&mut fields)?;
        let mut config = Config {
            #[cfg(feature = "redis")]
            fleet: FleetConfig::read(&mut fields, has_redis)?,
            #[cfg(feature = "redis")]
            redis,
            retry: RetryOverlay::read(&mut fields)?.unwrap_or_default(),
            retry_budget: BudgetConfig::read(&mut fields)?,
            hedge: Hedge::read(&mut fields)?,
            breaker: fields.bool("breaker")?.unwrap_or(true),
            wait: read_wait(&mut fields)?.unwrap_or(true),
            log_bodies: environment.is_on("LITER_LLM_LOG_BODIES"),
            learn_limits: fields.bool("learn_limits")?.unwrap_or(true),
            cache: CacheConfig::read(&mut fields, has_redis, environment)?,
            budgets: budgets::read(&mut fields)?,
            routes: Vec::new(),
            default_provider: fields.string("default_provider")?,
            default_model: fields.string("default_model")?,
            max_in_flight: fields
                .whole("max_in_flight", 1)?
                .map_or(MAX_IN_FLIGHT, |n| usize::try_from(n).unwrap_or(usize::MAX)),
            max_bytes_in_flight: fields
                .whole("max_bytes_in_flight", 1 << 20)?
                .map_or(MAX_BYTES_IN_FLIGHT, |n| usize::try_from(n).unwrap_or(usize::MAX)),
            providers: providers.into_values().collect(),
        };
        prices::read(&mut fields, &mut config.providers)?;
        config.routes = read_routes(&mut fields, &config.providers)?;
        finish(fields, "configuration")?;
        if let Some(name) = &config.default_provider
            && config.route(name).is_none()
            && config.find(name).is_none()
        {
            return Err(config.unknown_name(name, "default_provider"));
        }
        Ok(config)
    }

    /// The route of this name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&RouteConfig> {
        let found = self.routes.binary_search_by(|route| route.name.as_str().cmp(name)).ok()?;
        Some(&self.routes[found])
    }

    /// The index in `providers` of the provider with this name.
    pub fn index(&self, name: &str) -> Result<usize, Error> {
        provider::index(&self.providers, name)
    }

    /// The index of the provider with this name, if there is one.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        provider::find(&self.providers, name)
    }

    /// The names of all providers and routes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let providers = self.providers.iter().map(|provider| &*provider.name);
        providers.chain(self.routes.iter().map(|route| route.name.as_str()))
    }

    /// The error for a name that is neither a provider's nor a route's.
    pub(crate) fn unknown_name(&self, name: &str, param: &str) -> Error {
        let what = if self.routes.is_empty() { "provider" } else { "provider or route" };
        provider::no_provider(what, name, self.names(), param)
    }
}

/// Reads `routes`, in the order of their names.
fn read_routes(
    fields: &mut Fields,
    providers: &[ProviderConfig],
) -> Result<Vec<RouteConfig>, Error> {
    let mut routes = BTreeMap::new();
    for (name, entry) in fields.object("routes")?.unwrap_or_default() {
        let entry = Fields::of(entry, format!("routes.{name}"))?;
        routes.insert(name.to_string(), RouteConfig::read(&name, entry, providers)?);
    }
    Ok(routes.into_values().collect())
}

/// Refuses what this library was built without.
#[cfg(not(feature = "redis"))]
fn refuse_redis(fields: &mut Fields) -> Result<(), Error> {
    for member in ["redis", "fleet"] {
        if fields.value(member).is_some() {
            return Err(Error::not_built(member, member, "redis"));
        }
    }
    Ok(())
}

fn empty() -> Value {
    Value::Object(Object::new())
}
